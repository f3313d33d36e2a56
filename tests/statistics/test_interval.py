"""Intervals and tails against sums and integrals that are worked out another way."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drill.domain.statistics.interval import LEVEL, at_least, beta_cdf, jeffreys, share


def integral(x: float, a: float, b: float, steps: int = 20_000) -> float:
    """I_x(a, b) by the midpoint rule over the angle whose squared sine is x."""
    top = math.asin(math.sqrt(x))
    log_norm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    width = top / steps
    total = 0.0
    for n in range(steps):
        angle = (n + 0.5) * width
        power = (2 * a - 1) * math.log(math.sin(angle)) + (2 * b - 1) * math.log(math.cos(angle))
        total += math.exp(log_norm + power)
    return 2 * total * width


@pytest.mark.parametrize(
    ("x", "a", "b"), [(0.3, 0.5, 0.5), (0.9, 7.5, 3.5), (0.05, 1.5, 40.5), (0.97, 300.5, 9.5)]
)
def test_the_incomplete_beta_function_is_the_integral(x: float, a: float, b: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(integral(x, a, b), abs=1e-6)


def test_the_arcsine_law_is_exact() -> None:
    for x in (0.01, 0.3, 0.5, 0.99):
        exact = 2 / math.pi * math.asin(math.sqrt(x))
        assert beta_cdf(x, 0.5, 0.5) == pytest.approx(exact, abs=1e-12)


@given(st.integers(1, 400), st.data())
@settings(max_examples=60, deadline=None)
def test_the_binomial_tail_is_the_sum(trials: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, trials + 1))
    chance = data.draw(st.sampled_from([0.01, 0.1, 0.5, 0.9]))
    terms = (
        math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k)
        for k in range(count, trials + 1)
    )
    assert at_least(count, trials, chance) == pytest.approx(math.fsum(terms), abs=1e-9)


@given(st.integers(0, 5_000), st.integers(0, 5_000))
@settings(max_examples=100, deadline=None)
def test_a_jeffreys_interval_holds_its_mass(right: int, wrong: int) -> None:
    low, high = jeffreys(right, right + wrong)
    a, b = right + 0.5, wrong + 0.5
    tail = (1 - LEVEL) / 2
    assert beta_cdf(low, a, b) == pytest.approx(tail if right else 0.0, abs=1e-6)
    assert 1 - beta_cdf(high, a, b) == pytest.approx(tail if wrong else 0.0, abs=1e-6)
    mirrored = jeffreys(wrong, right + wrong)
    assert (low, high) == pytest.approx((1 - mirrored[1], 1 - mirrored[0]), abs=1e-8)


def test_known_intervals() -> None:
    """For ten answers, as Brown, Cai and DasGupta (2001) have them."""
    assert jeffreys(1, 10) == pytest.approx((0.011, 0.381), abs=6e-4)
    assert jeffreys(5, 10) == pytest.approx((0.224, 0.776), abs=6e-4)
    assert jeffreys(0, 10)[0] == 0.0 and jeffreys(10, 10)[1] == 1.0


def test_without_answers_nothing_is_claimed() -> None:
    nothing = share(0, 0)
    assert (nothing.share, nothing.low, nothing.high) == (None, 0.0, 1.0)
    with pytest.raises(ValueError, match="3 of 2"):
        share(3, 2)
