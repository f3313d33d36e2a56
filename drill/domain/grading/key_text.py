"""The key of a question as the learner is shown it."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from drill.domain.questions import ExplainBody, Question

_EXPECTED: dict[str, tuple[str, str]] = {
    "choice": ("choice", "expected_options"),
    "choices": ("choice", "expected_options"),
    "number": ("number", "expected_number"),
    "shape": ("shape", "expected_shape"),
    "short": ("short", "expected_short"),
    "formula": ("formula", "expected_formula"),
    "order": ("order", "expected_order"),
    "line": ("lines", "expected_lines"),
    "mutant": ("lines", "expected_mutant"),
    "output": ("output", "expected_output"),
    "code": ("code", "expected_code"),
    "predict": ("predict", "expected_prediction"),
    "diagnose": ("diagnose", "expected_cause"),
}


def key_text(question: Question) -> str:
    """Return the key of a question as shown; for `explain` the points and the model answer."""
    body = question.body
    if isinstance(body, ExplainBody):
        points = [f"- {p.statement}{' (bonus)' * (p.weight == 'bonus')}" for p in body.points]
        return "\n".join([*points, "", body.model_answer] if body.model_answer else points)
    module, name = _EXPECTED[question.head.type]
    expected = getattr(import_module(f"drill.domain.grading.{module}"), name)
    return cast("str", expected(question))
