"""Shrinking and what weights mean in days."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.domain.memory.fsrs_memory import check
from drill.domain.memory.state import MemoryState, ParameterSet, recall_after
from drill.domain.tuning.histories import Training
from drill.domain.tuning.weights import HALF_FIRST, HALF_TESTS, changes, days_until, shrunk
from drill.services.tuning_fit import default_weights


def firsts_of(first: int, count: int) -> list[Training]:
    """First tests after a first grade."""
    return [Training(2, ((first, 0), (3, 1)))] * count


def test_half_way_is_the_geometric_mean_of_scales_and_the_mean_of_the_rest() -> None:
    default = default_weights()
    fitted = [w * 4 for w in default]
    found = shrunk(fitted, default, firsts_of(3, HALF_TESTS))
    assert found[20] == pytest.approx(default[20] * 2)
    assert found[8] == pytest.approx(default[8] * 2.5)


def test_a_first_stability_counts_by_the_first_tests_after_its_own_grade() -> None:
    default = default_weights()
    fitted = [w * 4 for w in default]
    second = [Training(5, ((1, 0), (3, 1), (3, 3)))] * 1000
    found = shrunk(fitted, default, firsts_of(4, HALF_FIRST) + second)
    assert found[3] == pytest.approx(default[3] * 2)
    assert found[:3] == pytest.approx(default[:3])
    same_day = [Training(4, ((2, 0), (3, 0), (3, 2)))] * HALF_FIRST
    assert shrunk(fitted, default, same_day)[1] == pytest.approx(default[1] * 2)


@given(st.lists(st.sampled_from([1, 2, 3, 4]), max_size=300), st.data())
def test_between_the_default_and_the_fit(firsts: list[int], data: st.DataObject) -> None:
    from fsrs.scheduler import LOWER_BOUNDS_PARAMETERS, UPPER_BOUNDS_PARAMETERS

    default = default_weights()
    bounds = zip(LOWER_BOUNDS_PARAMETERS, UPPER_BOUNDS_PARAMETERS, strict=True)
    fitted = [data.draw(st.floats(low, high)) for low, high in bounds]
    found = shrunk(fitted, default, [t for first in firsts for t in firsts_of(first, 1)])
    for f, d, w in zip(fitted, default, found, strict=True):
        assert min(f, d) - 1e-9 <= w <= max(f, d) + 1e-9
    if not firsts:
        assert found == pytest.approx(default)


@given(st.floats(0.7, 0.97), st.floats(0.1, 500), st.floats(0.1, 0.8))
def test_days_until_inverts_the_forgetting_curve(
    recall: float, stability: float, decay: float
) -> None:
    days = days_until(recall, MemoryState("a", stability=stability, decay=decay))
    assert recall_after(days, stability, decay) == pytest.approx(recall)


def test_changes_of_doubled_first_stabilities() -> None:
    default = default_weights()
    doubled = (*(2 * w for w in default[:4]), *default[4:])
    check(ParameterSet(parameters=doubled))
    found = changes(ParameterSet(), ParameterSet(parameters=doubled))
    assert [c.after for c in found][:4] == ["first Again", "first Hard", "first Good", "first Easy"]
    for change, stability in zip(found[:4], default, strict=False):
        assert change.default == pytest.approx(stability)
        assert change.personal == pytest.approx(2 * stability)
    assert found[4].personal > found[4].default > found[2].default
    assert found[5].default < found[2].default
    short = changes(
        ParameterSet(maximum_interval=3), ParameterSet(parameters=doubled, maximum_interval=3)
    )
    assert short[3].default == short[3].personal == 3.0
