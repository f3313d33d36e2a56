"""Type `formula`: an expression that equals the key wherever its variables may be."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

from drill.domain.expressions import Expression, ExpressionError, parse
from drill.domain.grading.formula_text import FormulaError, read_formula, tidy
from drill.domain.grading.result import judged, malformed
from drill.domain.questions import FormulaBody, Question
from drill.domain.verdict import Fault, Verdict

POINTS = 16
_DRAWS = 400
_RELATIVE = 1e-7

Point = Mapping[str, float]


def grade_formula(question: Question, answer: str) -> Verdict:
    """Judge a formula by its values at `POINTS` seeded random points; all or nothing.

    A formula that equals a known wrong one names the belief behind it. One that is the key with
    the wrong sign, or off by a constant factor, is told so.

    Raises:
        MalformedAnswerError: not one formula, or with a name that the question does not use.
        ValueError: the key has no value in the variables' ranges.
    """
    body = question.body
    assert isinstance(body, FormulaBody)
    try:
        given = read_formula(answer, body.variables)
    except FormulaError as error:
        raise malformed(str(error), "formula") from None
    points, keys = sample(body, f"{question.head.id}:{question.variant}")
    values = [_value(given, point) for point in points]
    understood = tidy(given)
    expected = expected_formula(question)
    if _equal(values, keys):
        return judged(1.0, expected=expected, understood=understood)
    return judged(
        0.0, expected=expected, understood=understood, faults=[_fault(values, points, keys, body)]
    )


def expected_formula(question: Question) -> str:
    """Return the key as written."""
    assert isinstance(question.body, FormulaBody)
    return question.body.key


def sample(body: FormulaBody, seed: str) -> tuple[list[Point], list[float]]:
    """Return `POINTS` points inside the variables' ranges and the key's values there.

    Points at which the key has no value are drawn again.

    Raises:
        ValueError: the key cannot be read, or has no value at most points.
    """
    rng = random.Random(f"formula:{seed}")  # noqa: S311
    try:
        key = parse(body.key)
    except ExpressionError as error:
        raise ValueError(f"the key {body.key!r} cannot be read: {error}") from None
    points: list[Point] = []
    values: list[float] = []
    for _ in range(_DRAWS):
        point = {name: rng.uniform(*ends) for name, ends in body.variables.items()}
        value = _value(key, point)
        if value is not None:
            points.append(point)
            values.append(value)
            if len(points) == POINTS:
                return points, values
    raise ValueError(f"the key {body.key!r} has no value at most points of its ranges")


def _fault(
    values: Sequence[float | None],
    points: Sequence[Point],
    keys: Sequence[float],
    body: FormulaBody,
) -> Fault:
    for known in body.faults:
        try:
            wrong = read_formula(known.value, body.variables)
        except FormulaError as error:
            raise ValueError(f"the fault {known.value!r} cannot be read: {error}") from None
        wrong_values = [_value(wrong, point) for point in points]
        if None not in values and _equal(wrong_values, [v for v in values if v is not None]):
            says = known.says or f"{known.value} is a known wrong formula."
            return Fault(says, known.misconception)
    undefined = values.count(None)
    if undefined:
        return Fault(f"It has no value at {undefined} of {len(values)} points where it should.")
    defined = [v for v in values if v is not None]
    if _equal([-v for v in defined], keys):
        return Fault("The sign is wrong; all else is right.")
    factor = _constant_factor(defined, keys)
    if factor is not None:
        return Fault(f"It is off by a constant factor: it gives {factor:.4g} times the value.")
    worst = max(range(len(keys)), key=lambda i: abs(defined[i] - keys[i]))
    where = ", ".join(f"{name}={value:.3g}" for name, value in points[worst].items())
    digits = 4 if f"{defined[worst]:.4g}" != f"{keys[worst]:.4g}" else 9
    gives, wanted = f"{defined[worst]:.{digits}g}", f"{keys[worst]:.{digits}g}"
    return Fault(f"It is another value: at {where} it gives {gives}, not {wanted}.")


def _value(formula: Expression, point: Point) -> float | None:
    try:
        return formula.number_at(point)
    except ExpressionError:
        return None


def _equal(values: Sequence[float | None], keys: Sequence[float]) -> bool:
    size = max(abs(k) for k in keys)
    return all(
        v is not None and math.isclose(v, k, rel_tol=_RELATIVE, abs_tol=_RELATIVE * 1e-2 * size)
        for v, k in zip(values, keys, strict=True)
    )


def _constant_factor(values: Sequence[float], keys: Sequence[float]) -> float | None:
    pairs = [(v, k) for v, k in zip(values, keys, strict=True) if k]
    if not pairs:
        return None
    factors = [v / k for v, k in pairs]
    same = all(math.isclose(f, factors[0], rel_tol=_RELATIVE) for f in factors)
    return factors[0] if same and factors[0] else None
