"""What a front end shows of a session: the question in front of the learner, and its feedback."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from drill.domain.questions import Question
from drill.domain.verdict import Verdict

Phase = Literal["asking", "locked", "feedback", "done"]
"""`locked`: a prediction or code stands and waits for the run that judges it."""


class Asked(Struct, frozen=True):
    """A question as it is put to the learner."""

    question: Question
    """Options and steps in the order in which they are shown."""
    seed: int
    reason: str
    """Why it is asked now, in a few words."""
    number: int
    """Place in the session, from 1."""
    expected: int
    """How many the session will hold, as far as known."""
    minutes_left: float
    hints: tuple[str, ...] = ()
    """Hints shown so far."""
    draft: str = ""
    confidence: int = 0
    """Given already where the answer is locked."""
    again: bool = False
    """It was missed earlier in this session."""


class GradePreview(Struct, frozen=True):
    """What each grade would mean for the next time."""

    grade: int
    name: str
    due: str


class BeliefNote(Struct, frozen=True):
    """A misconception that the answer showed, with its correction."""

    id: str
    belief: str
    correction: str


class Feedback(Struct, frozen=True):
    """What is shown after an answer; it is already stored."""

    asked: Asked
    answer: str
    confidence: int
    verdict: Verdict
    grade: int
    grades: tuple[GradePreview, ...]
    due: str
    """When it comes back, in words."""
    again_today: bool
    """It returns later in this session."""
    beliefs: tuple[BeliefNote, ...]
    ticked: tuple[str, ...] = ()
    """Points that the learner ticked beyond the automatic credit."""
    self_score: float | None = None
    """Score after the learner's own ticks; stored apart from the automatic one."""
    overruled: bool = False
    aloud: bool = False
    review_id: str = ""
