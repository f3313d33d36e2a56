"""Keys and recomputed values as one line of text."""

from __future__ import annotations

from typing import Any

from drill.domain.questions import (
    ChoiceBody,
    DiagnoseBody,
    FormulaBody,
    LineBody,
    MutantBody,
    NumberBody,
    OrderBody,
    OutputBody,
    Question,
    ShapeBody,
    ShortBody,
)


def key_text(question: Question) -> str:
    """The key as one line of text."""
    body = question.body
    if isinstance(body, ChoiceBody):
        return ", ".join(o.id for o in body.options if o.right) or "none"
    if isinstance(body, NumberBody):
        return f"{number_text(body.key)} {body.unit}".strip()
    if isinstance(body, ShapeBody | FormulaBody):
        return body.key
    if isinstance(body, ShortBody):
        return " | ".join(body.accept)
    if isinstance(body, OrderBody):
        return " ".join(body.key)
    if isinstance(body, LineBody):
        return "line " + ", ".join(map(str, body.lines))
    if isinstance(body, MutantBody):
        right = ", ".join(o.id for o in body.effects if o.right)
        return f"line {body.line} was `{body.was}`; effect {right}"
    if isinstance(body, OutputBody):
        return body.key.strip()
    if isinstance(body, DiagnoseBody):
        return body.cause.id
    return ""


def text_of(value: Any) -> str:
    """A recomputed value as one line of text."""
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(text_of, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {text_of(v)}" for k, v in value.items()) + "}"
    return str(value).strip()


def number_text(value: float) -> str:
    """Whole numbers without a point, others with ten digits."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e16 else f"{value:.10g}"
