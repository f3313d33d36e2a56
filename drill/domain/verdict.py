"""The result of judging an answer."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

PointState = Literal["credited", "ask", "missed"]
PASS_MARK = 0.8
"""Score from which an answer counts as right for the memory model."""


class MalformedAnswerError(ValueError):
    """The answer cannot be read; it costs nothing. The message says why and what is accepted."""


class Fault(Struct, frozen=True):
    """One thing that was wrong, and the belief behind it where it is known."""

    says: str
    misconception: str = ""


class PointResult(Struct, frozen=True):
    """What became of one point of a rubric."""

    id: str
    statement: str
    state: PointState
    essential: bool = True
    matched: tuple[str, ...] = ()
    """The learner's words that matched."""
    reason: str = ""
    """Why a point is asked instead of credited."""
    evidence: str = ""
    """Of the sentences that match, the one that says most of the statement."""


class Verdict(Struct, frozen=True):
    """How an answer was judged: partial credit, named faults, and the key."""

    score: float
    """0 to 1."""
    summary: str
    """The verdict in one line."""
    expected: str
    """The key as shown to the learner."""
    understood: str = ""
    """The answer as the grader read it."""
    good: tuple[str, ...] = ()
    """What of the answer was right."""
    faults: tuple[Fault, ...] = ()
    points: tuple[PointResult, ...] = ()
    misconceptions: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether the answer counts as right for the memory model."""
        return self.score >= PASS_MARK
