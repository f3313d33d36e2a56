"""When a recomputed value agrees with a key."""

from __future__ import annotations

from typing import Any

import pytest

from drill.domain.questions import (
    Body,
    Code,
    FormulaBody,
    Head,
    LineBody,
    NumberBody,
    OrderBody,
    OutputBody,
    Question,
    ShapeBody,
    ShortBody,
    Step,
)
from drill.packs.keys import close, compare

HEAD = Head("p:x", "cfg", "mid", "core", ("serving",), "number", 30.0, "h")


def error(body: Body, value: Any, code: str = "") -> str:
    shown = Code(code) if code else None
    return compare(Question(HEAD, 0, {}, "", body, "", code=shown), value).error


@pytest.mark.parametrize(
    ("key", "value", "tolerance", "agrees"),
    [
        (20, 20, 0, True),
        (20, 20.0, 0, True),
        (20, 21, 0, False),
        (20, 20.0001, 0, False),
        (0.1, 0.1 + 1e-17, 0, True),
        (0, 0, 0, True),
        (0, 1e-12, 0, False),
        (1.72, 1.7193, 0.0172, True),  # rounded as people write it, 4e-4 away
        (1.70, 1.7193, 0.17, False),  # 1.1 %: more than 2e-3, whatever is accepted
        (100, 100.4, 0.5, False),  # more than half of the tolerance
        (100, 100.15, 0.5, True),
        (0, 0.2, 0.5, True),
        (0, 0.3, 0.5, False),
        (1, float("nan"), 0.5, False),
        (1, float("inf"), 0.5, False),
        (-2.0, 2.0, 0.5, False),
    ],
)
def test_numbers(key: float, value: float, tolerance: float, agrees: bool) -> None:
    assert close(key, value, tolerance) is agrees
    assert (error(NumberBody(key, abs=tolerance), value) == "") is agrees


@pytest.mark.parametrize("value", [True, None, "20", [20], {"a": 20}])
def test_what_is_no_number(value: Any) -> None:
    assert "not a number" in error(NumberBody(20), value)


@pytest.mark.parametrize(
    ("key", "value", "agrees"),
    [
        ("[2, 4, 64, 64]", [2, 4, 64, 64], True),
        ("(2, 4)", [2, 4], True),
        ("torch.Size([2, 4])", [2, 4], True),
        ("[2, 4]", [4, 2], False),
        ("[2, 4]", [2, 4, 1], False),
        ("[2, 4]", 8, False),
        ("[]", [], True),
        ("[B, H/8]", ["B", "H // 8"], True),
        ("[B, H*W/64]", ["B", "(H/8)*(W/8)"], True),
        ("[B, H/8]", ["B", "H/4"], False),
        ("[2*B, 77]", ["B", 77], False),
        ("[B, H/8]", [[{"B": 2, "H": 64}, [2, 8]]], True),
        ("[B, H/8]", [[{"B": 2, "H": 64}, [2, 8]], [{"B": 1, "H": 32}, [1, 8]]], False),
        ("[B, H/8]", [[{"H": 64}, [2, 8]]], False),
    ],
)
def test_shapes(key: str, value: Any, agrees: bool) -> None:
    assert (error(ShapeBody(key), value) == "") is agrees


@pytest.mark.parametrize(
    ("key", "printed", "agrees"),
    [
        ("a 1.000", "a 1.0003\n", True),
        ("a 1.000", "a 1.002", False),
        ("a 10", "a 10", True),
        ("a 10", "a 11", False),
        ("a 10", "a 10 b", False),
        ("True", "true", False),
        ("(2, 3)", "(2,  3)", True),
        ("1e-3", "0.001", True),
        ("nan", "0.1", False),
        ("torch.float32", "torch.float16", False),
    ],
)
def test_outputs(key: str, printed: str, agrees: bool) -> None:
    assert (error(OutputBody(key), printed) == "") is agrees


ORDER = OrderBody(
    (Step("a", "A"), Step("b", "B", after=()), Step("c", "C", after=("a", "b")), Step("d", "D")),
    ("a", "b", "c", "d"),
)


@pytest.mark.parametrize(
    ("value", "agrees"),
    [
        (["a", "b", "c", "d"], True),
        (["b", "a", "c", "d"], True),  # b is free
        (["A", "B", "C", "D"], True),  # by text
        (["a", "c", "b", "d"], False),
        (["a", "b", "d", "c"], False),
        (["a", "b", "c"], False),
        (["a", "b", "c", "c"], False),
        ("abcd", False),
    ],
)
def test_orders(value: Any, agrees: bool) -> None:
    assert (error(ORDER, value) == "") is agrees


@pytest.mark.parametrize(
    ("value", "agrees"),
    [
        (2, True),
        ("b = a", True),
        ([2], True),
        (1, False),
        ("a", False),  # in all three lines
        ("z", False),
        ([1, 2], False),
    ],
)
def test_lines(value: Any, agrees: bool) -> None:
    assert (error(LineBody((2,)), value, "a = 1\n    b = a\n    c = a + b") == "") is agrees


def test_formulas_need_points_and_variables() -> None:
    body = FormulaBody("sqrt(a)*x", {"a": (0.0, 1.0), "x": (-1.0, 1.0)})
    points = [[{"a": 0.25, "x": x}, 0.5 * x] for x in (1.0, 2.0, 3.0)]
    assert error(body, points) == ""
    assert "at least 3" in error(body, points[:2])
    assert "at least 3" in error(body, [points[0]] * 3)
    assert "unknown name `x`" in error(body, [*points, [{"a": 0.25}, 1.0]])
    assert "pairs" in error(body, 3.0)
    off = [*points[:2], [{"a": 0.25, "x": 3.0}, 1.5001]]
    assert "but the proof gives 1.5001" in error(body, off)
    caret = FormulaBody("x^2", {"x": (-1.0, 1.0)})
    assert "write a power as `**`" in error(caret, [[{"x": x}, x * x] for x in (0.1, 0.2, 0.3)])


def test_terms_are_compared_without_case() -> None:
    body = ShortBody(("classifier-free guidance", "CFG"))
    assert error(body, "cfg") == ""
    assert "not among" in error(body, "classifier guidance")
