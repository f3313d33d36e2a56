"""Judging `explain`: a free-text answer against a rubric.

The score is the share of the essential points that are credited. Bonus points are shown and never
counted, so they lift nothing above 1 and make up for nothing that is missing; only a rubric
without any essential point is scored by the share of all its points. An answer that shows a
misconception is capped below the pass mark. Points in state `ask` earn nothing until the learner
confirms them: `explain_score` gives the score of the confirmed points.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from drill.domain.grading.result import capped, malformed
from drill.domain.questions import ExplainBody, Question
from drill.domain.rubric import judge
from drill.domain.verdict import Fault, PointResult, Verdict


def grade_explain(question: Question, answer: str) -> Verdict:
    """Judge a free-text answer.

    Raises MalformedAnswerError for an empty string only; an answer that says nothing scores 0.
    """
    if not answer:
        raise malformed("The answer is empty.", "explain")
    body = cast(ExplainBody, question.body)
    result = judge(answer, body.points, body.misconceptions)
    shown = [belief for belief in body.misconceptions if belief.id in result.misconceptions]
    return Verdict(
        score=explain_score(result.points, bool(shown)),
        summary=(
            "Nothing to judge: read the model answer."
            if result.empty
            else _summary(result.points, len(shown), result.stuffed)
        ),
        expected=_expected(body),
        understood=" ".join(answer.split())[:300],
        good=tuple(point.statement for point in result.points if point.state == "credited"),
        faults=tuple(
            Fault(belief.correction or f"Not so: {belief.statement}", belief.id) for belief in shown
        ),
        points=result.points,
        misconceptions=result.misconceptions,
    )


def explain_score(points: Iterable[PointResult], misconceived: bool = False) -> float:
    """Share of the essential points that are credited, 0 to 1; see the module for the choice."""
    every = tuple(points)
    counted = [point for point in every if point.essential] or list(every)
    if not counted:
        return 0.0
    share = sum(point.state == "credited" for point in counted) / len(counted)
    return capped(share) if misconceived else share


def _summary(points: tuple[PointResult, ...], misconceptions: int, stuffed: bool) -> str:
    essential = [point for point in points if point.essential]
    bonus = [point for point in points if not point.essential]
    said = sum(point.state == "credited" for point in essential)
    parts = [f"{said} of {len(essential)} essential points"]
    extra = sum(point.state == "credited" for point in bonus)
    if extra:
        parts.append(f"{extra} bonus")
    asked = sum(point.state == "ask" for point in points)
    if asked:
        parts.append(f"{asked} to confirm")
    if misconceptions:
        parts.append(f"{misconceptions} misconception{'s' if misconceptions > 1 else ''}")
    if stuffed:
        parts.append("a list of words says nothing by itself")
    return ", ".join(parts) + "."


def _expected(body: ExplainBody) -> str:
    if body.model_answer:
        return body.model_answer.strip()
    return "\n".join(f"- {point.statement}" for point in body.points)
