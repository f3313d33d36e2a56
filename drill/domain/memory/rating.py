"""From a judged answer to an FSRS grade.

| score           | confidence | hints | time          | grade |
|-----------------|------------|-------|---------------|-------|
| under 0.5       | any        | any   | any           | Again |
| 0.5 to the mark | any        | any   | any           | Hard  |
| right           | guess      | any   | any           | Hard  |
| right           | any        | 2 up  | any           | Hard  |
| right           | think      | 0, 1  | any           | Good  |
| right           | sure       | 0     | in time       | Easy  |
| right           | sure       | 0     | slower        | Good  |
| right           | sure       | 1     | any           | Good  |
| right           | not asked  | 0, 1  | any           | Good  |

`right` is a score of at least the pass mark (0.8), `in time` is at most the expected seconds.
In a question that has only right and wrong, a score under the mark is 0, so Hard as partial
credit can only come from types that give it. Hard is a pass in FSRS: half of an answer is
remembered, less than half is not. A right guess is Hard and not Again, because the learner has
just seen the answer confirmed, but it must not earn a long interval.
FSRS itself does not use answer time, so it only decides between Good and Easy.
"""

from __future__ import annotations

from typing import Literal

from drill.domain.memory.state import AGAIN, EASY, GOOD, HARD, Grade
from drill.domain.verdict import PASS_MARK

Confidence = Literal[1, 2, 3]
GUESS: Confidence = 1
THINK: Confidence = 2
SURE: Confidence = 3
CONFIDENCE_NAMES: dict[int, str] = {1: "guess", 2: "think", 3: "sure"}
PARTIAL_MARK = 0.5
"""Score from which an answer that is not right counts as partly remembered."""


def grade_of(
    score: float,
    confidence: int | None = None,
    hints: int = 0,
    seconds: float | None = None,
    expected_seconds: float | None = None,
) -> Grade:
    """FSRS grade by the table above.

    `score` is 0 to 1; `confidence` 1 guess, 2 think, 3 sure, None where it was not asked;
    `seconds` and `expected_seconds` are wall time, None or 0 where unknown (never Easy then).
    """
    if score < PARTIAL_MARK:
        return AGAIN
    if score < PASS_MARK or confidence == GUESS or hints >= 2:
        return HARD
    fast = bool(seconds and expected_seconds and seconds <= expected_seconds)
    if confidence == SURE and hints == 0 and fast:
        return EASY
    return GOOD


def confidently_wrong(grade: int, confidence: int | None) -> bool:
    """Whether the learner was sure and had to relearn it: asked again the next day."""
    return grade == AGAIN and confidence == SURE
