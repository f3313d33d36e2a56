"""What the learner's own recall says of the memory model."""

from __future__ import annotations

from math import exp, log
from random import Random

import pytest

from drill.domain.memory.state import DEFAULT_DECAY, recall_after
from drill.domain.memory_scale import SPREAD, believed


def test_without_tests_it_is_lognormal_around_one() -> None:
    belief = believed([])
    assert belief.tests == 0
    assert belief.quantile(0.5) == pytest.approx(1.0, abs=0.01)
    assert belief.quantile(0.8413) == pytest.approx(exp(SPREAD), rel=0.05)
    assert belief.quantile(0.1) * belief.quantile(0.9) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.0])
def test_it_finds_the_scale_of_a_learner_and_grows_sure(scale: float) -> None:
    draw = Random(5)
    tests = []
    for _ in range(1200):
        stability, elapsed = draw.uniform(2, 30), draw.randrange(1, 60)
        recall = recall_after(elapsed, scale * stability, DEFAULT_DECAY)
        tests.append((recall_after(elapsed, stability, DEFAULT_DECAY), draw.random() < recall))
    few, many = believed(tests[:40]), believed(tests)
    assert many.tests == 1200
    assert many.quantile(0.02) < scale < many.quantile(0.98)
    assert many.quantile(0.9) / many.quantile(0.1) < few.quantile(0.9) / few.quantile(0.1)


def test_one_surprise_moves_it_little_and_in_the_right_direction() -> None:
    forgot, recalled = believed([(0.9, False)]), believed([(0.9, True)])
    assert 0.75 < forgot.quantile(0.5) < 1.0 < recalled.quantile(0.5) < 1.05
    assert abs(log(believed([(1.0, False)]).quantile(0.5))) < SPREAD


def test_quantiles_rise() -> None:
    belief = believed([(0.8, True)] * 9 + [(0.8, False)] * 3)
    found = [belief.quantile(p / 50) for p in range(1, 50)]
    assert found == sorted(found) and found[0] < found[-1]
