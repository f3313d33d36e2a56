"""Predictions are those that drill makes, and the measures are the usual ones."""

from __future__ import annotations

import math
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from benchmarks.tuning import KINDS, practise
from drill.domain.memory.events import replay_item
from drill.domain.memory.state import ParameterSet, retrievability
from drill.domain.tuning.histories import History, Step, histories, training_set
from drill.domain.tuning.scoring import (
    Prediction,
    bin_of,
    calibration,
    predictions,
    rmse,
    score,
)


def prediction(recall: float, right: bool, item: str = "a", bin_: int = 1) -> Prediction:
    return Prediction(item, 1, recall, right, (float(bin_), 1, 0))


def test_log_loss_by_hand() -> None:
    found = score([prediction(0.9, True), prediction(0.8, False)])
    assert found.reviews == 2
    assert found.log_loss == pytest.approx(-(math.log(0.9) + math.log(0.2)) / 2)


def test_one_surprise_is_not_worth_infinitely_much() -> None:
    assert prediction(1.0, False).loss == pytest.approx(-math.log(1e-6))
    assert prediction(0.0, True).loss == pytest.approx(-math.log(1e-6))


def test_rmse_by_hand() -> None:
    """A bin of 3 that predicts .9 and is right 2 times of 3, one of 1 that predicts .5."""
    found = [prediction(0.9, right) for right in (True, True, False)]
    found.append(prediction(0.5, True, bin_=2))
    expected = math.sqrt((3 * (0.9 - 2 / 3) ** 2 + 0.5**2) / 4)
    assert rmse(found) == pytest.approx(expected)
    assert score([]).rmse == 0.0


def test_calibration_by_hand() -> None:
    found = calibration([prediction(0.91, True), prediction(0.93, False), prediction(0.4, False)])
    assert [(b.low, b.high, b.reviews) for b in found] == [(0.0, 0.5, 1), (0.9, 0.95, 2)]
    assert found[1].predicted == pytest.approx(0.92)
    assert (found[0].right, found[1].right) == (0.0, 0.5)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=50))
def test_calibration_loses_no_prediction(rows: list[tuple[float, bool]]) -> None:
    bins = calibration(prediction(r, ok) for r, ok in rows)
    assert sum(b.reviews for b in bins) == len(rows)
    assert all(b.low - 1e-12 <= b.predicted <= b.high + 1e-12 for b in bins)


def test_bins_grow_with_interval_length_and_lapses() -> None:
    assert bin_of(1, 2, 0) == (2.48, 4, 0)
    assert bin_of(3, 2, 0) == (2.48, 4, 0)
    assert bin_of(4, 4, 1) == (8.98, 7, 2)


def test_a_prediction_is_the_recall_that_drill_shows() -> None:
    made = practise(KINDS["default"](None), 3, 120)  # type: ignore[arg-type]
    sets = {"": ParameterSet(desired_retention=0.8)}
    after, until = made.tests[60].day, made.tests[100].day
    found = predictions(histories(made.events.items()), sets[""], after=after, until=until)
    assert len(found) == sum(after < t.day <= until for t in made.tests) > 20
    for p in found:
        before = [e for e in made.events[p.item_id] if e.study_day < p.day]
        state = replay_item(p.item_id, before, sets)
        assert state is not None
        assert p.recall == pytest.approx(retrievability(state, p.day), abs=1e-12)
        answer = next(e for e in made.events[p.item_id] if e.study_day == p.day)
        assert p.right == (answer.grade > 1)


def test_later_answers_change_no_earlier_prediction() -> None:
    steps = (
        Step(1, 0, 3, False),
        Step(4, 3, 3, True),
        Step(9, 5, 1, True),
    )
    whole = predictions([History("a", steps)], ParameterSet(), after=0, until=5)
    other = (*steps[:2], replace(steps[2], grade=3))
    assert whole == predictions([History("a", other)], ParameterSet(), after=0, until=5)
    assert [p.day for p in whole] == [4]


def test_measures_agree_with_the_optimisers_own() -> None:
    """fsrs-rs replays the same histories by itself, in single precision, and weighs by recency."""
    package = pytest.importorskip("fsrs_rs_python")
    made = practise(KINDS["half"](None), 5, 600)  # type: ignore[arg-type]
    found = histories(made.events.items())
    items = [
        package.FSRSItem([package.FSRSReview(grade, gap) for grade, gap in t.reviews])
        for t in training_set(found)
    ]
    order = {(t.item_id, t.day): i for i, t in enumerate(made.tests)}
    weights = [0.25 + 0.75 * (i / (len(items) - 1)) ** 3 for i in range(len(items))]
    for kind in ("default", "half", "steep"):
        parameters = ParameterSet(parameters=KINDS[kind](None))  # type: ignore[arg-type]
        ours = predictions(found, parameters, after=0, until=10**6)
        ours.sort(key=lambda p: order[p.item_id, p.day])
        assert len(ours) == len(items)
        theirs = package.FSRS(list(parameters.parameters)).evaluate(items)
        loss = sum(w * p.loss for w, p in zip(weights, ours, strict=True)) / sum(weights)
        assert loss == pytest.approx(theirs.log_loss, abs=1e-5)
        bins: dict[object, list[tuple[float, Prediction]]] = defaultdict(list)
        for w, p in zip(weights, ours, strict=True):
            bins[p.bin].append((w, p))
        total = 0.0
        for row in bins.values():
            error = sum(p.recall - p.right for _, p in row) / len(row)
            total += error**2 * sum(w for w, _ in row)
        assert math.sqrt(total / sum(weights)) == pytest.approx(theirs.rmse_bins, abs=1e-5)
