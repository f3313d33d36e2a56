"""The order of options and steps, and their letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.domain.grading import grade
from drill.domain.presentation import letter, shown
from drill.domain.questions import (
    ChoiceBody,
    Choose,
    MutantBody,
    NumberBody,
    Option,
    OrderBody,
    PredictBody,
    Step,
)

from .making import question

OPTIONS = tuple(Option(f"o{i}", f"text {i}", right=i == 0) for i in range(5))


@pytest.mark.parametrize(
    ("index", "name"),
    [(0, "a"), (3, "d"), (25, "z"), (26, "aa"), (27, "ab"), (701, "zz"), (702, "aaa")],
)
def test_letters(index: int, name: str) -> None:
    assert letter(index) == name


def test_no_letter_below_zero() -> None:
    with pytest.raises(ValueError, match="-1"):
        letter(-1)


def test_the_same_seed_shows_the_same_order() -> None:
    q = question("choice", ChoiceBody(OPTIONS))
    assert shown(q, 3) == shown(q, 3)


def test_seeds_move_the_right_option_everywhere() -> None:
    q = question("choice", ChoiceBody(OPTIONS))
    places = set()
    for seed in range(100):
        body = shown(q, seed).body
        assert isinstance(body, ChoiceBody)
        assert set(body.options) == set(OPTIONS)
        places.add(body.options.index(OPTIONS[0]))
    assert places == set(range(5))


def test_effects_are_shuffled_and_letters_follow() -> None:
    q = question("mutant", MutantBody(2, "was", OPTIONS))
    orders = set()
    for seed in range(20):
        body = shown(q, seed).body
        assert isinstance(body, MutantBody)
        orders.add(body.effects)
        where = letter(body.effects.index(OPTIONS[0]))
        assert grade(shown(q, seed), f"2 {where}").score == 1
    assert len(orders) > 5


def test_what_has_no_order_is_left_alone() -> None:
    for q in (
        question("number", NumberBody(1)),
        question("predict", PredictBody((Choose("a", "a", "a", ("1", "5", "20")),), "claim")),
    ):
        assert shown(q, 1) is q


@given(st.integers(2, 9), st.integers(0, 500), st.integers(0, 3))
def test_steps_are_never_shown_in_a_right_order(n: int, seed: int, strays: int) -> None:
    steps = tuple(Step(f"s{i}", f"step {i}") for i in range(n))
    wrong = tuple(Step(f"d{i}", f"stray {i}", distractor=True) for i in range(strays))
    q = shown(question("order", OrderBody(steps + wrong, tuple(s.id for s in steps))), seed)
    assert isinstance(q.body, OrderBody)
    assert set(q.body.steps) == {*steps, *wrong}
    as_shown = " ".join(letter(i) for i, s in enumerate(q.body.steps) if not s.distractor)
    assert grade(q, as_shown).score < 1


def test_the_last_resort_is_the_key_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drill.domain.presentation._ATTEMPTS", 0)
    steps = tuple(Step(c, c) for c in "pqr")
    stray = Step("z", "z", distractor=True)
    body = shown(question("order", OrderBody((*steps, stray), tuple("pqr"))), 1).body
    assert isinstance(body, OrderBody)
    assert [s.id for s in body.steps if not s.distractor] == ["r", "q", "p"]


def test_two_steps_are_shown_backwards() -> None:
    q = question("order", OrderBody((Step("x", "x"), Step("y", "y")), ("x", "y")))
    for seed in range(30):
        body = shown(q, seed).body
        assert isinstance(body, OrderBody)
        assert [s.id for s in body.steps] == ["y", "x"]


def test_steps_that_all_commute_are_shown_somehow() -> None:
    steps = (Step("x", "x", after=()), Step("y", "y", after=()))
    body = shown(question("order", OrderBody(steps, ("x", "y"))), 1).body
    assert isinstance(body, OrderBody)
    assert set(body.steps) == set(steps)
