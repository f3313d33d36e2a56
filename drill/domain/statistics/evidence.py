"""An answer as the statistics see it, and the walk over the log that puts it in its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from drill.domain.memory.state import HARD
from drill.domain.verdict import PASS_MARK

MATURE = 21.0
"""Days of stability from which an item counts as mature (Anki's line, there for intervals)."""


class Given(Struct, frozen=True, gc=False):
    """One answer of the log that was not undone, with the grade that holds."""

    at: str
    """UTC text, sorts by time."""
    offset_minutes: int
    study_day: int
    other_day: int | None
    """Study day by the offset of the answer before, where travel makes that another one."""
    item_id: str
    type: str
    mode: str
    seconds: float
    expected: float
    """Seconds that the item declares; 0 where unknown."""
    confidence: int | None
    score: float
    """0 to 1; the learner's own ticks before the automatic score."""
    grade: int
    by_hand: bool
    """The learner gave the grade itself, so that it says more than the score."""
    overruled: bool
    """The learner graded it, by ticks or by hand."""
    recall: float | None
    """Predicted just before the answer; None where the item had no memory."""
    stability: float | None
    """Days, just before the answer, where the row says it."""
    elapsed: int | None
    """Study days since the answer before, as the scheduler counted them."""
    misconceptions: tuple[str, ...] = ()
    run_id: str = ""

    @property
    def right(self) -> bool:
        """Whether the answer was right: by the learner's own grade, else by its score."""
        return self.grade >= HARD if self.by_hand else self.score >= PASS_MARK

    @property
    def passed(self) -> bool:
        """Whether it counts as remembered; Hard is a pass."""
        return self.grade >= HARD


class Placed(Struct, frozen=True, gc=False):
    """An answer with what went before it."""

    given: Given
    gap: int | None
    """Study days since the item was last answered in any mode; None: never before; 0: on the same
    day, or on one that the clock or a journey put before it."""
    right: bool

    @property
    def first_of_day(self) -> bool:
        """Whether the item had not been answered on this study day yet."""
        return self.gap is None or self.gap > 0


class Walk:
    """Goes over the answers, oldest first, and remembers when each item was last seen."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}

    def place(self, given: Given) -> Placed:
        """The answer in its place; to be called once an answer, in order."""
        before = self.last.get(given.item_id)
        day = given.study_day
        if before is None or day > before:
            self.last[given.item_id] = day
        gap = None if before is None else max(0, day - before)
        return Placed(given, gap, given.right)


def placed(answers: Iterable[Given]) -> Iterator[Placed]:
    """All answers in their places; `answers` oldest first."""
    walk = Walk()
    return map(walk.place, answers)


def stability_of(given: Given, decay: float) -> float | None:
    """Stability in days just before an answer; None where the item had no memory.

    A row that was written out of order holds no state from before it; there FSRS-6's forgetting
    curve is solved for S from the recall and the days that were recorded.
    """
    if given.recall is None:
        return None
    if given.stability is not None:
        return given.stability
    if not given.elapsed or not 0.0 < given.recall < 1.0:
        return None
    factor = 0.9 ** (-1.0 / decay) - 1.0
    return float(factor * given.elapsed / (given.recall ** (-1.0 / decay) - 1.0))
