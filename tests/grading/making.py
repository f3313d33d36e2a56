"""Questions for the tests, and short ways to grade them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from drill.domain.grading import grade
from drill.domain.questions import AnswerType, Body, Code, Head, Question
from drill.domain.verdict import MalformedAnswerError, Verdict

CODE = Code("def f(x):\n    a = x\n    b = a * 2\n    return b\n")


def question(kind: AnswerType, body: Body, code: Code | None = None) -> Question:
    head = Head(
        id="drill:cfg.test",
        topic="cfg",
        level="mid",
        relevance="core",
        roles=("serving",),
        type=kind,
        seconds=30,
        content_hash="hash",
    )
    return Question(head, 0, {}, "prompt", body, "explanation", code=code)


def refused(q: Question, answer: str, outcomes: Mapping[str, object] | None = None) -> str:
    """Check that an answer is malformed, with what is accepted said, and return the reason."""
    with pytest.raises(MalformedAnswerError) as error:
        grade(q, answer, outcomes)
    reason, _, accepted = str(error.value).partition("\nAccepted: ")
    assert reason
    assert accepted
    return reason


def faults(verdict: Verdict) -> str:
    return "\n".join(fault.says for fault in verdict.faults)
