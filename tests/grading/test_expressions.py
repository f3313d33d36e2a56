"""`drill.domain.expressions`: what evaluates, what is refused, and that nothing escapes."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.domain.expressions import (
    MAX_LENGTH,
    Expression,
    ExpressionError,
    UnknownNameError,
    evaluate,
    parse,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2*steps - 1", 39),
        ("steps + 1 if kind == 'PNDM' else steps", 20),
        ("scale > 1 and kind != 'Heun'", True),
        ("kind in ('DDIM', 'Euler')", True),
        ("kind not in ['DDIM', 'Euler']", False),
        ("{'DDIM': 3, 'Heun': 4}[kind]", 3),
        ("1 < scale <= 7.5", True),
        ("sqrt(16) + abs(-2) + min(1, 2) + max(3, 4)", 11.0),
        ("floor(2.7) + ceil(2.1) + round(2.456, 1)", 7.5),
        ("log(exp(2)) + log(8, 2) + log2(8) + log10(1000)", 11.0),
        ("cos(0) + sin(pi / 2)", 2.0),
        ("2**-2 + 7 // 2 + 7 % 4", 6.25),
        ("not steps", False),
        ("-steps", -20),
    ],
)
def test_values(text: str, value: object) -> None:
    assert evaluate(text, {"steps": 20, "kind": "DDIM", "scale": 7.5}) == pytest.approx(value)


def test_a_bound_name_goes_before_a_constant() -> None:
    assert evaluate("pi", {"pi": 3}) == 3
    assert evaluate("pi", {}) == math.pi


def test_names_leave_functions_and_constants_out() -> None:
    assert parse("sqrt(ab) * x0 + pi").names == {"ab", "x0"}


def test_one_parse_serves_many_points() -> None:
    formula: Expression = parse("x**2")
    assert [formula.number_at({"x": x}) for x in (1, 2, 3)] == [1, 4, 9]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("2 +", "not an expression"),
        ("x := 1", "not an expression"),
        ("x = 1", "not an expression"),
        ("1; 2", "not an expression"),
        ("import os", "not an expression"),
        ("().__class__", "Attribute"),
        ("x.real", "Attribute"),
        ("[y for y in (1, 2)]", "ListComp"),
        ("lambda: 1", "Lambda"),
        ("f'{x}'", "JoinedStr"),
        ("sqrt(*[4])", "Starred"),
        ("round(2.5, ndigits=0)", "plain calls"),
        ("(x)(1)", "unknown name"),
        ("sqrt(2)(1)", "plain calls"),
        ("2 << 3", "LShift"),
        ("x @ x", "MatMult"),
        ("2 | 3", "BitOr"),
        ("~x", "Invert"),
        ("x is x", "Is"),
        ("1j", "not allowed"),
        ("b'a'", "not allowed"),
        ("'a' * 3", "numbers only"),
        ("'%s' % 3", "numbers only"),
        ("'a' + 'b'", "numbers only"),
        ("1 / 0", "division by zero"),
        ("0 ** -1", "division by zero"),
        ("(-1) ** 0.5", "negative"),
        ("sqrt(-1)", "no value"),
        ("exp(1e9)", "too large"),
        ("10.0 ** 400", "too large"),
        ("9 ** 9 ** 9", "too large"),
        ("(2 ** 4000) ** 2", "too large"),
        ("1e400", "finite"),
        ("1e400 - 1e400", "finite"),
        ("{}['a']", "no value"),
        ("(1, 2)[5]", "no value"),
        ("1 < 'a'", "no value"),
        ("\0", "expression"),
        ("-" * 900 + "1", "too deeply"),
        ("(" * 900, "expression"),
        ("x" * (MAX_LENGTH + 1), "longer"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        evaluate(text, {"x": 1})


def test_an_unknown_name_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="`step`; known here: scale, steps") as error:
        evaluate("2*step", {"steps": 20, "scale": 1})
    assert error.value.name == "step"
    assert error.value.known == ("scale", "steps")


@pytest.mark.parametrize("call", ["open('x')", "__import__('os')", "list(1)", "rand()", "int(1)"])
def test_unknown_functions(call: str) -> None:
    with pytest.raises(UnknownNameError, match="known here: sqrt, abs"):
        evaluate(call, {})


def test_not_a_number() -> None:
    with pytest.raises(ExpressionError, match="not a number"):
        parse("'text'").number_at({})
    with pytest.raises(ExpressionError, match="too large"):
        parse("10**400").number_at({})


@given(st.text(max_size=60))
def test_nothing_but_expression_errors(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        evaluate(text, {"x": 2.0})


@given(st.text(alphabet="x0123456789.+-*/%()<>=!,[]{}'\" e", max_size=40))
def test_nothing_but_expression_errors_near_the_grammar(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        evaluate(text, {"x": 2.0})
