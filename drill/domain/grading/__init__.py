"""Judging answers: one grader for each answer type, each a pure function.

The graders are imported when their type is first met, so that importing this package is cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from drill.domain.questions import Question
    from drill.domain.verdict import Verdict

MAX_ANSWER = 20_000
"""Characters in an answer."""

_GRADERS: dict[str, tuple[str, str]] = {
    "choice": ("choice", "grade_choice"),
    "choices": ("choice", "grade_choices"),
    "number": ("number", "grade_number"),
    "shape": ("shape", "grade_shape"),
    "short": ("short", "grade_short"),
    "formula": ("formula", "grade_formula"),
    "explain": ("explain", "grade_explain"),
    "order": ("order", "grade_order"),
    "line": ("lines", "grade_line"),
    "mutant": ("lines", "grade_mutant"),
    "output": ("output", "grade_output"),
    "diagnose": ("diagnose", "grade_diagnose"),
}
_WITH_OUTCOMES: dict[str, tuple[str, str]] = {
    "predict": ("predict", "grade_predict"),
    "code": ("code", "grade_code"),
}


def grade(question: Question, answer: str, outcomes: Mapping[str, object] | None = None) -> Verdict:
    """Judge an answer, given as one string, to a question as it was shown.

    `outcomes` are the facts from outside that two types need: for `predict` the outcomes of the
    experiment's result (name to text, number or list), for `code` what the property run found
    (`passed`, `total`, `failures`).

    Raises:
        MalformedAnswerError: the answer cannot be read; it costs nothing.
        ValueError: `predict` or `code` without `outcomes`, or with unusable ones.
    """
    kind = question.head.type
    if len(answer) > MAX_ANSWER:
        from drill.domain.grading.result import malformed

        raise malformed(f"The answer is longer than {MAX_ANSWER:,} characters.", kind)
    module, name = _GRADERS.get(kind) or _WITH_OUTCOMES[kind]
    grader = getattr(import_module(f"{__name__}.{module}"), name)
    if kind in _WITH_OUTCOMES:
        return cast("Verdict", grader(question, answer, outcomes))
    return cast("Verdict", grader(question, answer))
