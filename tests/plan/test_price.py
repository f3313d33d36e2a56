"""Tables of what a memory is worth while time has a price."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

from drill.domain.plan.model import model_of
from drill.domain.plan.price import (
    DENSE,
    LEAST_PRICE,
    PRICES,
    STEP,
    WAITS,
    Grid,
    Table,
    curve,
    family,
    worth,
)

MODEL = model_of(())


def exact(price: float, left: int, stability: float, difficulty: float) -> float:
    """The same value by plain recursion over the waits, without a grid."""

    @cache
    def value(m: int, s: float, d: float) -> float:
        best = MODEL.recall(m, s)
        for wait in WAITS:
            if wait >= m:
                break
            p = MODEL.recall(wait, s)
            cost = price * curve(m - wait) * (p + (1.0 - p) * 2.0)
            right, wrong = MODEL.right(s, d, wait), MODEL.wrong(s, d, wait)
            best = max(
                best,
                p * value(m - wait, *right) + (1.0 - p) * value(m - wait, *wrong) - cost,
            )
        return best

    return value(left, stability, difficulty)


@pytest.mark.parametrize("left", [1, 2, 5, 9])
@pytest.mark.parametrize("price", [0.01, 0.06, 0.3])
@pytest.mark.parametrize(("stability", "difficulty"), [(0.25, 6.4), (2.3, 2.1), (15.0, 8.0)])
def test_the_table_is_near_the_recursion(
    left: int, price: float, stability: float, difficulty: float
) -> None:
    table = Table(Grid(MODEL, 2.0), price)
    table.grow(left)
    found = worth(table.layers[left], stability, difficulty)
    assert found == pytest.approx(exact(price, left, stability, difficulty), abs=0.015)


def test_where_nothing_pays_a_memory_is_worth_its_recall() -> None:
    table = Table(Grid(MODEL, 2.0), 5.0)
    table.grow(30)
    for stability in (0.3, 3.0, 40.0):
        assert worth(table.layers[30], stability, 5.0) == pytest.approx(
            MODEL.recall(30, stability), abs=0.005
        )


def test_dearer_time_makes_a_memory_worth_less_and_more_stability_makes_it_worth_more() -> None:
    tables = family((), 2.0)
    assert len(tables) == PRICES
    before = None
    for table in tables:
        table.grow(20)
        layer = table.layers[20]
        for row in layer:
            assert all(a <= b + 1e-9 for a, b in pairwise(row))
        if before is not None:
            assert all(
                a >= b - 1e-12
                for x, y in zip(before, layer, strict=True)
                for a, b in zip(x, y, strict=True)
            )
        before = layer
    assert tables[3].price == pytest.approx(LEAST_PRICE * STEP**3)


def test_far_layers_that_are_interpolated_stay_near_those_that_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coarse = Table(Grid(MODEL, 2.0), 0.05)
    coarse.grow(60)
    monkeypatch.setattr("drill.domain.plan.price.DENSE", 1000)
    fine = Table(Grid(MODEL, 2.0), 0.05)
    fine.grow(60)
    assert DENSE < 60
    for left in (25, 41, 59):
        for stability in (0.25, 2.3, 30.0):
            a = worth(coarse.layers[left], stability, 6.0)
            assert a == pytest.approx(worth(fine.layers[left], stability, 6.0), abs=0.01)


def test_the_price_rises_towards_the_day() -> None:
    prices = [curve(m) for m in range(1, 200)]
    assert prices == sorted(prices, reverse=True)
    assert prices[0] == pytest.approx(3.0)
    assert prices[-1] < 1.05
