"""How a session judges: which answers wait for a run, what cannot be read, shares of a rubric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drill.domain.memory.rating import grade_of
from drill.domain.questions import CodeBody, DiagnoseBody, ExplainBody, PredictBody, Question
from drill.domain.verdict import PointResult, Verdict
from drill.services.asked import Asked, Feedback


def waits_for_run(question: Question) -> bool:
    """Whether an answer is locked first, and judged after something has run."""
    return isinstance(question.body, PredictBody | CodeBody | DiagnoseBody)


def judge(question: Question, answer: str, outcomes: Mapping[str, object] | None = None) -> Verdict:
    """Grade an answer; raises MalformedAnswerError."""
    from drill.domain.grading import grade

    return grade(question, answer, outcomes)


def refuse_unreadable(question: Question, answer: str) -> None:
    """Judge nothing, but raise MalformedAnswerError for an answer that cannot be read."""
    if isinstance(question.body, PredictBody):
        from drill.domain.grading.predict import parse_prediction

        parse_prediction(question, answer)
    elif isinstance(question.body, CodeBody):
        from drill.domain.grading.code import parse_code

        parse_code(question, answer)
    else:
        judge(question, answer)


def as_locked(asked: Asked, answer: str) -> str:
    """An answer as it is locked; raises MalformedAnswerError.

    The probes of a diagnosis are those that were bought, whatever the answer says of them.
    """
    refuse_unreadable(asked.question, answer)
    if not isinstance(asked.question.body, DiagnoseBody):
        return answer
    from drill.domain.grading.diagnose import Diagnosis, parse_diagnosis

    read = parse_diagnosis(asked.question, answer)
    return str(Diagnosis(read.cause, asked.bought))


def share(points: Sequence[Any], held: set[str]) -> float:
    """Share of the essential points that are held."""
    essential = [p for p in points if p.weight == "essential"] or list(points)
    return sum(p.id in held for p in essential) / len(essential)


def point_states(points: Sequence[PointResult], ticked: Sequence[str]) -> dict[str, str]:
    """Point id to its state, with the learner's own ticks told apart."""
    states: dict[str, str] = {p.id: p.state for p in points}
    for name in ticked:
        states[name.removeprefix("-")] = "unticked" if name.startswith("-") else "ticked"
    return states


def spoken(question: Question, ticked: Sequence[str]) -> tuple[Verdict, float]:
    """The verdict on an explanation that was said aloud, and the score of the learner's ticks."""
    assert isinstance(question.body, ExplainBody)
    points = question.body.points
    results = tuple(
        PointResult(p.id, p.statement, "missed", p.weight == "essential") for p in points
    )
    verdict = Verdict(0.0, "said aloud, ticked by yourself", "", points=results)
    return verdict, share(points, set(ticked))


def toggled(feedback: Feedback, point_id: str) -> tuple[tuple[str, ...], float | None, int]:
    """The learner's ticks after one was toggled, the score with them (None without), the grade."""
    point = next(p for p in feedback.verdict.points if p.id == point_id)
    name = f"-{point_id}" if point.state == "credited" else point_id
    ticked = set(feedback.ticked) ^ {name}
    held = {
        p.id
        for p in feedback.verdict.points
        if (p.state == "credited" and f"-{p.id}" not in ticked) or p.id in ticked
    }
    body = feedback.asked.question.body
    assert isinstance(body, ExplainBody)
    score = share(body.points, held) if ticked else None
    judged = feedback.verdict.score if score is None else score
    expected = feedback.asked.question.head.seconds
    grade = grade_of(judged, feedback.confidence or 2, len(feedback.asked.hints), None, expected)
    return tuple(sorted(ticked)), score, int(grade)
