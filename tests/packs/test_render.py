"""The grid of variants and `{name}` templates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.packs.bank import variant_number
from drill.packs.render import RenderError, fill, grid, names_in, shown_number


def test_the_grid_is_full_and_blind_to_the_order_of_keys() -> None:
    first = list(grid({"b": [1, 2], "a": ["x", "y"]}))
    assert first == list(grid({"a": ["x", "y"], "b": [1, 2]}))
    assert first[1] == {"a": "x", "b": 2}
    assert len(first) == 4
    assert list(grid({})) == [{}]


def test_names_braces_and_expressions() -> None:
    text = "f{{x}} = {steps} of {name}: {2*steps - 1}, {h // 8}"
    params = {"steps": 20, "name": "Heun", "h": 512}
    assert names_in(text) == {"steps", "name", "h"}
    assert fill(text, params) == "f{x} = 20 of Heun: 39, 64"


def test_values_are_shown_as_python_would_have_them() -> None:
    assert fill("{a} {b} {c}", {"a": 1.0, "b": True, "c": 1e-4}) == "1.0 True 0.0001"
    assert [shown_number(v) for v in (20, 20.0, 7.5, 1e-4, 1e20)] == [
        "20",
        "20",
        "7.5",
        "0.0001",
        "1e+20",
    ]


@pytest.mark.parametrize("text", ["{", "}", "a {steps", "{}", "{a b}", "{steps:.1f}", "{other}"])
def test_what_is_no_template_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(RenderError) as error:
        fill(text, {"steps": 1})
    assert error.value.expected


@given(st.text(max_size=80))
def test_doubled_braces_give_any_text_back(text: str) -> None:
    assert fill(text.replace("{", "{{").replace("}", "}}"), {"x": 1}) == text


@given(st.integers(1, 48), st.integers(0, 2**31))
def test_seeds_in_a_row_reach_every_variant(count: int, seed: int) -> None:
    walk = [variant_number(count, seed + n) for n in range(count)]
    assert sorted(walk) == list(range(count))
