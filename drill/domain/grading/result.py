"""What every grader uses to say its verdict."""

from __future__ import annotations

from collections.abc import Iterable

from drill.domain.questions import AnswerType
from drill.domain.verdict import Fault, MalformedAnswerError, Verdict

PARTIAL_CAP = 0.75
"""The most that an answer with any fault earns: below `PASS_MARK`, so it never counts as right."""


def malformed(reason: str, answer_type: AnswerType) -> MalformedAnswerError:
    """Return the error for an answer that cannot be read, with what is accepted instead."""
    from drill.domain.grading.accepted import answer_help

    return MalformedAnswerError(f"{reason}\nAccepted: {answer_help(answer_type)}")


def judged(
    score: float,
    *,
    expected: str,
    understood: str = "",
    summary: str = "",
    good: Iterable[str] = (),
    faults: Iterable[Fault] = (),
) -> Verdict:
    """Build the verdict; the misconceptions are those of the faults, each named once."""
    named = tuple(faults)
    return Verdict(
        score=score,
        summary=summary or _summary(score),
        expected=expected,
        understood=understood,
        good=tuple(good),
        faults=named,
        misconceptions=tuple(dict.fromkeys(f.misconception for f in named if f.misconception)),
    )


def capped(score: float) -> float:
    """Limit the partial credit of an answer that is not wholly right to 0..PARTIAL_CAP."""
    return min(max(score, 0.0), PARTIAL_CAP)


def _summary(score: float) -> str:
    if score >= 1:
        return "Right."
    if score <= 0:
        return "Not right."
    return f"Partly right: {score:.0%} of the credit."
