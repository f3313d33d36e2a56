"""Does a recomputed value agree with the key as it is written? Pure; one function a type.

How close a number must be. Where the key has no tolerance the two must be equal (up to 1e-9, the
noise of a float). Where it has one, they may differ by half of it, and never by more than 2e-3 of
the value: a key may be rounded as people write it (1.72 GB), but a learner who computes the true
value lands well inside what is accepted, and a key that was moved far enough to change how a right
answer is graded no longer agrees.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drill.domain import expressions
from drill.domain.questions import (
    ChoiceBody,
    Code,
    ExplainBody,
    FormulaBody,
    LineBody,
    MutantBody,
    NumberBody,
    Option,
    OrderBody,
    OutputBody,
    Question,
    ShapeBody,
    ShortBody,
)
from drill.packs.key_text import key_text, number_text, text_of

REL = 2e-3
"""Largest relative difference between a rounded key and the recomputed value."""
EXACT = 1e-9
FORMULA_REL, FORMULA_ABS = 1e-5, 1e-7
FORMULA_POINTS = 3
"""Fewest points at which a formula must be compared."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A key beside the recomputed value."""

    key: str
    recomputed: str
    error: str = ""
    """Why they disagree; empty when they agree."""


class _DisagreeError(Exception):
    pass


def compare(question: Question, value: Any) -> Comparison:
    """Compare the key of `question` with `value`, what a proof returned (JSON data)."""
    body = question.body
    check = _CHECKS.get(type(body))
    if check is None:
        return Comparison("", "")
    try:
        key, recomputed = check(body, value, question.code)
    except _DisagreeError as error:
        return Comparison(key_text(question), text_of(value), str(error))
    return Comparison(key, recomputed)


def close(key: float, value: float, tolerance: float) -> bool:
    """Whether a key and a recomputed number agree; the rule is in the module's docstring."""
    if not math.isfinite(value):
        return False
    if tolerance <= 0:
        return math.isclose(key, value, rel_tol=EXACT, abs_tol=0.0)
    bound = tolerance / 2
    if key:
        bound = min(bound, REL * max(abs(key), abs(value)))
    return abs(key - value) <= bound


def _of_choice(body: ChoiceBody, value: Any, code: Code | None) -> tuple[str, str]:
    values = value if isinstance(value, list) else [value]
    if not body.many and len(values) != 1:
        raise _DisagreeError(f"the proof gives {text_of(value)}, which is not one option")
    got = {_option(body.options, each) for each in values}
    right = {o.id for o in body.options if o.right}
    if got != right:
        raise _DisagreeError(
            f"the right option is {_listed(right)} but the proof gives {_listed(got)}"
        )
    return _listed(right), _listed(got)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _option(options: Sequence[Option], value: Any) -> str:
    said = text_of(value)
    for option in options:
        if said == option.id:
            return option.id
    for option in options:
        if _folded(said) == _folded(option.text):
            return option.id
    known = ", ".join(o.id for o in options)
    raise _DisagreeError(f"the proof gives `{said}`, which names no option (ids: {known})")


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _of_number(body: NumberBody, value: Any, code: Code | None) -> tuple[str, str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _DisagreeError(f"the proof gives {text_of(value)}, which is not a number")
    tolerance = max(body.abs, body.rel * abs(body.key))
    if not close(body.key, value, tolerance):
        raise _DisagreeError(
            f"the key is {number_text(body.key)} but the proof gives {number_text(value)}"
            + (f" (they may differ by half of the tolerance {tolerance:g}, and by {REL:.1%})")
            * (tolerance > 0)
        )
    return number_text(body.key), number_text(value)


def _of_shape(body: ShapeBody, value: Any, code: Code | None) -> tuple[str, str]:
    dims = _dims(body.key)
    if not isinstance(value, list):
        raise _DisagreeError(f"the proof gives {text_of(value)}, which is not a shape")
    if value and all(isinstance(v, list) and len(v) == 2 and isinstance(v[0], dict) for v in value):
        for names, measured in value:
            wanted = [_dim_at(dim, names) for dim in dims]
            if wanted != [float(m) for m in measured]:
                raise _DisagreeError(
                    f"the key {body.key} is [{', '.join(map(number_text, wanted))}] at "
                    f"{text_of(names)} but the proof gives {text_of(measured)}"
                )
        return body.key, text_of(value)
    got = [text_of(each) for each in value]
    if len(got) != len(dims) or not all(map(_same_dim, dims, got)):
        raise _DisagreeError(f"the key is {body.key} but the proof gives [{', '.join(got)}]")
    return body.key, f"[{', '.join(got)}]"


def _dims(shape: str) -> list[str]:
    inner = shape.strip().removeprefix("torch.Size").strip("[]() ")
    try:
        tree = ast.parse(f"[{inner}]", mode="eval").body
    except SyntaxError:
        return [part.strip() for part in inner.split(",") if part.strip()]
    assert isinstance(tree, ast.List)
    return [ast.unparse(each) for each in tree.elts]


def _dim_at(dim: str, names: Mapping[str, Any]) -> float:
    try:
        return expressions.parse(dim).number_at(names)
    except expressions.ExpressionError as error:
        raise _DisagreeError(f"`{dim}` of the key has no value: {error}") from error


def _same_dim(key: str, got: str) -> bool:
    """Equal dimensions: equal at several sizes that are multiples of 64, names read alike."""
    try:
        left, right = expressions.parse(key), expressions.parse(got)
    except expressions.ExpressionError:
        return key.replace(" ", "") == got.replace(" ", "")
    names = sorted(left.names | right.names)
    try:
        for point in ((3, 5, 7, 11, 13, 17), (2, 9, 4, 15, 8, 21), (10, 6, 25, 14, 3, 12)):
            sizes = {name: 64 * point[i % 6] * (1 + i // 6) for i, name in enumerate(names)}
            if left.number_at(sizes) != right.number_at(sizes):
                return False
    except expressions.ExpressionError:
        return False
    return True


def _of_short(body: ShortBody, value: Any, code: Code | None) -> tuple[str, str]:
    said = text_of(value)
    if _folded(said) not in {_folded(a) for a in body.accept}:
        raise _DisagreeError(
            f"the proof gives `{said}`, which is not among the accepted {', '.join(body.accept)}"
        )
    return " | ".join(body.accept), said


def _of_formula(body: FormulaBody, value: Any, code: Code | None) -> tuple[str, str]:
    if not isinstance(value, list) or not all(
        isinstance(v, list) and len(v) == 2 and isinstance(v[0], dict) for v in value
    ):
        raise _DisagreeError("the proof must return a list of (variables, value) pairs")
    if len({text_of(v[0]) for v in value}) < FORMULA_POINTS:
        raise _DisagreeError(f"the proof must give at least {FORMULA_POINTS} different points")
    try:
        expression = expressions.parse(body.key)
    except expressions.ExpressionError as error:
        raise _DisagreeError(f"the key cannot be read: {error}") from error
    shown: list[str] = []
    for names, measured in value:
        try:
            computed = expression.number_at(names)
        except expressions.ExpressionError as error:
            raise _DisagreeError(f"the key has no value at {text_of(names)}: {error}") from error
        if isinstance(measured, bool) or not isinstance(measured, int | float):
            raise _DisagreeError(f"the proof gives {text_of(measured)} at {text_of(names)}")
        if not math.isclose(computed, measured, rel_tol=FORMULA_REL, abs_tol=FORMULA_ABS):
            raise _DisagreeError(
                f"the key {body.key} is {number_text(computed)} at {text_of(names)} "
                f"but the proof gives {number_text(measured)}"
            )
        shown.append(f"{measured:.4g}")
    return body.key, f"{len(shown)} points agree: {', '.join(shown[:4])}"


def _of_order(body: OrderBody, value: Any, code: Code | None) -> tuple[str, str]:
    if not isinstance(value, list):
        raise _DisagreeError(f"the proof gives {text_of(value)}, which is not a list of step ids")
    by_text = {_folded(step.text): step.id for step in body.steps}
    known = {step.id for step in body.steps}
    got = [
        text_of(v) if text_of(v) in known else by_text.get(_folded(text_of(v)), "") for v in value
    ]
    if sorted(got) != sorted(body.key):
        raise _DisagreeError(
            f"the key orders {' '.join(body.key)} but the proof gives {text_of(value)}"
        )
    steps = {step.id: step for step in body.steps}
    for position, one in enumerate(body.key):
        after = steps[one].after
        before = after if after is not None else body.key[max(0, position - 1) : position]
        for earlier in before:
            if got.index(earlier) > got.index(one):
                raise _DisagreeError(
                    f"the key has `{earlier}` before `{one}` but the proof gives {' '.join(got)}"
                )
    return " ".join(body.key), " ".join(got)


def _of_line(body: LineBody, value: Any, code: Code | None) -> tuple[str, str]:
    lines = (code.text if code else "").split("\n")
    got = {_line_number(v, lines) for v in (value if isinstance(value, list) else [value])}
    key, said = _listed_lines(set(body.lines)), _listed_lines(got)
    if got != set(body.lines):
        raise _DisagreeError(f"the key is {key} but the proof gives {said}")
    return key, said


def _listed_lines(numbers: set[int]) -> str:
    return f"line {', '.join(map(str, sorted(numbers)))}"


def _line_number(value: Any, lines: Sequence[str]) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    said = text_of(value)
    tests: tuple[Callable[[str], bool], ...] = (lambda t: t == said, lambda t: said in t)
    for test in tests:
        hits = [n for n, line in enumerate(lines, start=1) if said and test(line.strip())]
        if len(hits) == 1:
            return hits[0]
    raise _DisagreeError(f"the proof gives `{said}`, which does not name one line of the code")


def _of_mutant(body: MutantBody, value: Any, code: Code | None) -> tuple[str, str]:
    got = _option(body.effects, value)
    right = _listed({o.id for o in body.effects if o.right})
    if got != right:
        raise _DisagreeError(f"the right effect is {right} but the proof measures {got}")
    return f"effect {right}", f"effect {got}"


_TOKEN = re.compile(
    r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?|[A-Za-z_]\w*|\S",
)


def _of_output(body: OutputBody, printed: Any, code: Code | None) -> tuple[str, str]:
    said = str(printed)
    keys, values = _TOKEN.findall(body.key), _TOKEN.findall(said)
    if len(keys) != len(values) or not all(
        _same_token(key, value, body.rel) for key, value in zip(keys, values, strict=True)
    ):
        raise _DisagreeError(
            f"the key is `{body.key.strip()}` but the code prints `{said.strip()}`"
        )
    return body.key.strip(), said.strip()


def _same_token(key: str, value: str, rel: float) -> bool:
    if key == value:
        return True
    if not any(c in ".eE" for c in key + value):  # whole numbers and words are exact
        return False
    try:
        left, right = float(key), float(value)
    except ValueError:
        return False
    return close(left, right, rel * abs(left))


def _of_explain(body: ExplainBody, value: Any, code: Code | None) -> tuple[str, str]:
    return "", ""


_CHECKS: dict[type, Callable[[Any, Any, Code | None], tuple[str, str]]] = {
    ChoiceBody: _of_choice,
    NumberBody: _of_number,
    ShapeBody: _of_shape,
    ShortBody: _of_short,
    FormulaBody: _of_formula,
    OrderBody: _of_order,
    LineBody: _of_line,
    MutantBody: _of_mutant,
    OutputBody: _of_output,
    ExplainBody: _of_explain,
}
