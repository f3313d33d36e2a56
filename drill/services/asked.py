"""What a front end shows of a session: the question in front of the learner, and its feedback."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from drill.domain.questions import DiagnoseBody, Question
from drill.domain.verdict import Verdict
from drill.services.finding import Finding

Phase = Literal["asking", "locked", "feedback", "done"]
"""`locked`: a prediction, a cause or code stands and waits for what runs after it."""


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
    findings: tuple[Finding, ...] = ()
    """Of a `diagnose` question: what was seen and bought, in that order."""

    def finding(self, look: str) -> Finding | None:
        """What a look showed: `symptom`, a probe that was bought, or `mend`."""
        return next((each for each in self.findings if each.look == look), None)

    @property
    def bought(self) -> tuple[str, ...]:
        """Ids of the probes that were bought, in the question's order."""
        body = self.question.body
        seen = {each.look for each in self.findings}
        probes = body.probes if isinstance(body, DiagnoseBody) else ()
        return tuple(probe.id for probe in probes if probe.id in seen)

    @property
    def price(self) -> int:
        """Minutes that were spent on probes."""
        body = self.question.body
        return body.price_of(self.bought) if isinstance(body, DiagnoseBody) else 0


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
