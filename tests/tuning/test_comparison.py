"""The time splits leak nothing, and the rule asks for what it says."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from benchmarks.tuning import KINDS, practise
from drill.domain.memory.state import ParameterSet
from drill.domain.tuning import comparison
from drill.domain.tuning.comparison import Comparison, Cut, bootstrap, compare, cuts, judged
from drill.domain.tuning.histories import Training, histories
from drill.domain.tuning.scoring import Prediction, Score
from drill.services.tuning_fit import default_weights


def test_cuts_by_hand() -> None:
    assert cuts(list(range(1, 11)), splits=3, first=0.4) == [Cut(4, 6), Cut(6, 8), Cut(8, 10)]
    assert cuts([]) == []
    assert cuts([7, 7, 7, 7]) == []
    assert cuts([1] * 9 + [2]) == [Cut(1, 2)]


@given(st.lists(st.integers(0, 40), max_size=60).map(sorted), st.integers(1, 6))
def test_cuts_follow_each_other_to_the_last_day(days: list[int], splits: int) -> None:
    found = cuts(days, splits)
    assert len(found) <= splits
    assert all(c.after < c.until for c in found)
    assert all(a.until == b.after for a, b in pairwise(found))
    assert not found or (found[-1].until == days[-1] and found[0].after >= days[0])


def test_nothing_of_the_tested_time_is_trained_on() -> None:
    made = practise(default_weights(), 2, 400)
    seen: list[int] = []

    def fit(training: list[Training]) -> tuple[float, ...]:
        seen.append(max(t.day for t in training))
        assert all(sum(gap for _, gap in t.reviews) < 1000 for t in training)
        return default_weights()

    found = compare(histories(made.events.items()), fit, ParameterSet())  # type: ignore[arg-type]
    assert len(found.splits) == comparison.SPLITS
    assert seen == [split.after for split in found.splits]
    for split in found.splits:
        assert split.trained == sum(t.day <= split.after for t in made.tests)
        tested = sum(split.after < t.day <= split.until for t in made.tests)
        assert split.default.reviews == split.personal.reviews == tested
    assert found.default.reviews == sum(s.default.reviews for s in found.splits)
    assert found.default == found.personal
    assert (found.probability, found.low, found.high) == (0.0, 0.0, 0.0)
    assert not found.better


def test_the_true_weights_win_and_wrong_ones_lose() -> None:
    truth = KINDS["half"](None)  # type: ignore[arg-type]
    past = histories(practise(truth, 4, 1500).events.items())
    right = compare(past, lambda _: truth, ParameterSet())
    assert right.better and right.probability > 0.95 and right.low < right.high < 0.002
    wrong = compare(past, lambda _: KINDS["double"](None), ParameterSet())  # type: ignore[arg-type]
    assert not wrong.better and wrong.probability < 0.05


def test_bootstrap_draws_items_and_not_reviews() -> None:
    """One item of many reviews and no others: all resamples are the same."""
    assert bootstrap([(-5.0, 50)]) == (1.0, -0.1, -0.1)
    assert bootstrap([]) == (0.0, 0.0, 0.0)
    even, low, high = bootstrap([(-1.0, 1), (1.0, 1)] * 50)
    assert 0.35 < even < 0.6 and low == pytest.approx(-high, abs=0.06)
    assert bootstrap([(-1.0, 2), (0.5, 1)]) == bootstrap([(-1.0, 2), (0.5, 1)])


def test_paired_difference_by_hand() -> None:
    usual = [
        Prediction("a", 1, 0.5, True, (1.0, 1, 0)),
        Prediction("b", 1, 0.5, False, (1.0, 1, 0)),
    ]
    mine = [replace(usual[0], recall=0.8), replace(usual[1], recall=0.4)]
    found = judged(usual, mine)
    assert found.items == 2 and found.probability == 1.0
    assert found.personal.log_loss < found.default.log_loss
    with pytest.raises(ValueError, match="shorter"):
        judged(usual, mine[:1])


@pytest.mark.parametrize(
    ("reviews", "personal", "probability", "better"),
    [
        (comparison.MIN_LATER, 0.30, comparison.MIN_PROBABILITY, True),
        (comparison.MIN_LATER - 1, 0.30, 1.0, False),
        (5000, 0.31, 1.0, False),
        (5000, 0.30, comparison.MIN_PROBABILITY - 0.001, False),
    ],
)
def test_the_rule(reviews: int, personal: float, probability: float, better: bool) -> None:
    found = Comparison(
        splits=(),
        items=100,
        default=Score(reviews, 0.31, 0.1),
        personal=Score(reviews, personal, 0.1),
        probability=probability,
        low=-0.02,
        high=0.0,
    )
    assert found.better is better
