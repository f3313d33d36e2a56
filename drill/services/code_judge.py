"""Judging a learner's code by the property tests of its item, in a child with limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drill.domain.questions import CodeBody, Question
from drill.worker.judge_code import CodeJudge, JudgeUnavailableError

if TYPE_CHECKING:
    from drill.services.app import Drill

__all__ = ["JudgeUnavailableError", "judge"]


def judge(drill: Drill, question: Question, source: str) -> dict[str, object]:
    """What `drill.domain.grading.grade` needs to judge a `code` answer. Blocks for seconds.

    Raises:
        JudgeUnavailableError: it could not be judged for a reason that is not the learner's.
    """
    body = question.body
    assert isinstance(body, CodeBody)
    site = drill.bank.sites.get(question.head.id)
    if site is None or not site.file:
        raise JudgeUnavailableError(f"{question.head.id} has no property tests beside it")
    why = drill.why_not_run(question.head.id.partition(":")[0])
    if why:
        raise JudgeUnavailableError(why)
    result = CodeJudge(site.file).judge(
        source, body.function, body.properties, body.seconds, body.memory_mb
    )
    failures = [f"{f['property']}: {f['message']}".strip() for f in result["failures"]]
    if result["error"]:
        failures.insert(0, result["error"])
    return {"passed": result["passed"], "total": result["total"], "failures": failures}
