"""Type `number`: a value with its unit, right within the tolerance."""

from __future__ import annotations

import math
from dataclasses import dataclass

from drill.domain.grading.quantity import (
    Quantity,
    QuantityError,
    number_text,
    read_quantity,
    with_unit,
)
from drill.domain.grading.result import judged, malformed
from drill.domain.grading.units import BYTES, Unit, read_unit
from drill.domain.questions import NumberBody, Question, ValueFault
from drill.domain.verdict import Fault, Verdict

SLIP_SCORE = 0.5
"""Credit of the right digits with a wrong power of ten or of 1024."""
_EXACT = 1e-12
"""Relative error that rounding of a conversion may make where the tolerance is 0."""
_WRITTEN = 10
"""Digits of a key that were written; one with more was computed and is shown rounded."""
_BINARY_MATCH = 5e-3
"""Relative error within which a 1000-for-1024 mix-up is recognised; one factor is 2.4 %."""


@dataclass(frozen=True, slots=True)
class _Slip:
    says: str


def grade_number(question: Question, answer: str) -> Verdict:
    """Judge a number: right within max(abs, rel * |key|), in whichever compatible unit.

    Half the credit goes to the right digits with a wrong power of ten or with 1000 taken for
    1024; the fault says which. Everything else earns 0. An answer that matches a known wrong
    value, within the same tolerance, names the belief behind it.

    Raises:
        MalformedAnswerError: no number, an ambiguous one, or a unit of another dimension.
    """
    body = _body(question)
    try:
        read = read_quantity(answer, body.unit)
    except QuantityError as error:
        raise malformed(str(error), "number") from None
    unit = read_unit(body.unit)
    understood = f"{read.understood} ({read.note})" if read.note else read.understood
    if _close(read.value, body.key, body):
        return judged(
            1.0,
            expected=expected_number(question),
            understood=understood,
            summary=f"Right: {_key(body)}.",
        )
    slip = _slip(read, body, unit)
    fault = _known_fault(read.value, body)
    faults = []
    if fault is not None:
        says = fault.says or f"{with_unit(read.value, body.unit)} is a known wrong value."
        faults.append(Fault(says, fault.misconception))
    elif slip is not None:
        faults.append(Fault(slip.says))
    elif body.key and _close(-read.value, body.key, body):
        faults.append(Fault("The size is right, the sign is wrong."))
    else:
        faults.append(Fault(_distance(read.value, body)))
    return judged(
        SLIP_SCORE if slip else 0.0,
        expected=expected_number(question),
        understood=understood,
        summary="Half right: the digits are, the scale is not." if slip else "Not right.",
        good=("The digits are right.",) if slip else (),
        faults=faults,
    )


def expected_number(question: Question) -> str:
    """Return the key with its unit, and the tolerance as a range."""
    body = _body(question)
    tolerance = _tolerance(body.key, body)
    said = _key(body)
    if tolerance == 0:
        return f"{said} (exactly)"
    relative = body.rel * abs(body.key) >= body.abs
    margin = f"{number_text(100 * body.rel)} %" if relative else number_text(body.abs)
    low = number_text(body.key - tolerance, tolerance)
    high = number_text(body.key + tolerance, tolerance)
    return f"{said} (± {margin}: {low} to {high})"


def _body(question: Question) -> NumberBody:
    assert isinstance(question.body, NumberBody)
    return question.body


def _key(body: NumberBody) -> str:
    """The key with its unit: as its author wrote it, however wide the tolerance."""
    written = float(f"{body.key:.{_WRITTEN}g}") == body.key
    return with_unit(body.key, body.unit, 0.0 if written else _tolerance(body.key, body))


def _tolerance(key: float, body: NumberBody) -> float:
    return max(body.abs, body.rel * abs(key))


def _close(value: float, key: float, body: NumberBody) -> bool:
    allowed = _tolerance(key, body)
    return abs(value - key) <= allowed * (1 + 1e-9) + _EXACT * abs(key)


def _known_fault(value: float, body: NumberBody) -> ValueFault | None:
    """Return the nearest wrong value of the item that matches; the first of equals."""
    matches = []
    for fault in body.faults:
        try:
            wrong = read_quantity(fault.value, body.unit).value
        except QuantityError:
            raise ValueError(f"the fault value {fault.value!r} is not a number") from None
        if _close(value, wrong, body):
            matches.append((abs(value - wrong), fault))
    return min(matches, key=lambda m: m[0])[1] if matches else None


def _slip(read: Quantity, body: NumberBody, unit: Unit) -> _Slip | None:
    """Recognise the right digits at a wrong scale.

    For a count or a plain number the key must have two significant digits at least: the digits
    of 20 are no evidence when the answer is 2.
    """
    if body.key == 0 or read.value == 0 or read.value * body.key < 0:
        return None
    if not unit.physical and _significant_digits(body.key) < 2:
        return None
    ratio = read.value / body.key
    data = BYTES in unit.dimension
    if data:
        steps = max(1, round(math.log(unit.factor, 1000))) if unit.factor >= 1000 else 4
        within = min(max(_tolerance(body.key, body) / abs(body.key), 1e-4), _BINARY_MATCH)
        for power in range(1, steps + 1):
            if any(abs(ratio / 1.024**p - 1) <= within for p in (power, -power)):
                return _Slip(
                    "The digits are right, but 1024 and 1000 are mixed up: "
                    "1 GB is 1e9 bytes, 1 GiB is 2^30 bytes."
                )
    exponent = round(math.log10(ratio))
    if exponent and abs(exponent) <= 18 and _close(read.value / 10.0**exponent, body.key, body):
        return _Slip(
            f"The digits are right, the power of ten is not: the answer is "
            f"{_power(exponent)} times too {'large' if exponent > 0 else 'small'}."
        )
    if data:
        power = round(math.log(ratio, 1024))
        if power and abs(power) <= 4 and _close(read.value / 1024.0**power, body.key, body):
            return _Slip(
                f"The digits are right, the prefix is not: the answer is {1024 ** abs(power):,} "
                f"times too {'large' if power > 0 else 'small'}."
            )
    return None


def _power(exponent: int) -> str:
    return f"{10 ** abs(exponent):,}" if abs(exponent) <= 6 else f"10^{abs(exponent)}"


def _significant_digits(value: float) -> int:
    return len(f"{abs(value):.12e}".partition("e")[0].replace(".", "").rstrip("0"))


def _distance(value: float, body: NumberBody) -> str:
    if body.key == 0 or value == 0 or value * body.key < 0:
        return f"{with_unit(value, body.unit)} is not the value."
    ratio = value / body.key
    low = ratio < 1
    factor = 1 / ratio if low else ratio
    if factor < 1.5:
        return f"Too {'low' if low else 'high'} by {number_text(round(100 * abs(ratio - 1), 2))} %."
    return f"Too {'low' if low else 'high'} by a factor of {factor:.3g}."
