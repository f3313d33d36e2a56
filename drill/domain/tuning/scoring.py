"""How well a set of FSRS weights predicts recall: the memory of drill replayed under it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from drill.domain.memory.fsrs_memory import review
from drill.domain.memory.state import AGAIN, Grade, MemoryState, ParameterSet, retrievability
from drill.domain.tuning.histories import History, is_right

SMALLEST = 1e-6
"""Predictions are kept so far from 0 and 1: one surprise must not be worth infinitely much."""
CALIBRATION_EDGES = (0.5, 0.7, 0.8, 0.85, 0.9, 0.95)
"""Bounds of the calibration bins; most predictions of a scheduled item lie above .8."""
Bin = tuple[float, int, int]


class Prediction(Struct, frozen=True):
    """Predicted recall just before a test, and what came of it."""

    item_id: str
    day: int
    recall: float
    right: bool
    bin: Bin
    """Interval, count of tests and lapses, binned: see `bin_of`."""

    @property
    def loss(self) -> float:
        """Log loss in nats: -ln of the probability given to what happened."""
        p = min(1.0 - SMALLEST, max(SMALLEST, self.recall))
        return -math.log(p if self.right else 1.0 - p)


class Score(Struct, frozen=True):
    """How well later reviews were predicted."""

    reviews: int
    log_loss: float
    """Mean log loss in nats; less is better."""
    rmse: float
    """Root mean square error of the predicted share of right answers over bins; 0 to 1."""


class CalibrationBin(Struct, frozen=True):
    """Predictions of about the same size beside the share that came true."""

    low: float
    high: float
    reviews: int
    predicted: float
    right: float


class Memory:
    """drill's own memory under one parameter set; equal transitions are computed once.

    An FSRS-6 transition depends on stability, difficulty, gap and grade alone, and early in their
    histories many items share them.
    """

    def __init__(self, parameters: ParameterSet) -> None:
        self._parameters = parameters
        self._known: dict[tuple[float, float, int, int], MemoryState] = {}

    def after(self, state: MemoryState, gap: int, grade: Grade) -> MemoryState:
        """State on the day of the answer, which is day 0 of what it gives."""
        key = (state.stability, state.difficulty, gap, int(grade))
        found = self._known.get(key)
        if found is None:
            moved = review(state, grade, gap, self._parameters)
            found = MemoryState(
                item_id="",
                stability=moved.stability,
                difficulty=moved.difficulty,
                last_day=0,
                decay=moved.decay,
            )
            self._known[key] = found
        return found


def predictions(
    histories: Iterable[History], parameters: ParameterSet, *, after: int, until: int
) -> list[Prediction]:
    """Predictions of the recall tests on study days `after` < day <= `until`.

    Each item is replayed from its first step under `parameters`, by the code that schedules it
    (`fsrs_memory.review`), so these are the predictions of a drill that had always used them.
    """
    memory = Memory(parameters)
    found: list[Prediction] = []
    for one in histories:
        if one.steps[-1].day <= after:
            continue
        state = MemoryState("")
        tests = lapses = 0
        for step in one.steps:
            if step.day > until:
                break
            right = is_right(step.grade)
            if step.scored and step.day > after:
                recall = retrievability(state, step.gap)
                bin_ = bin_of(step.gap, tests + 2, lapses)
                found.append(Prediction(one.item_id, step.day, recall, right, bin_))
            state = memory.after(state, step.gap, step.grade)
            if step.gap > 0:
                tests += 1
                lapses += step.grade == AGAIN
    return found


def bin_of(gap: int, length: int, lapses: int) -> Bin:
    """Bin of a review for `rmse`, the same whatever the weights predict.

    Geometric bins of the srs-benchmark's RMSE (bins): interval in days by powers of 3.62, count
    of reviews on different days (this one included) by 1.89, lapses by 1.73.
    """
    return (
        round(2.48 * 3.62 ** _floor_log(gap, 3.62), 2),
        round(1.99 * 1.89 ** _floor_log(length, 1.89)),
        round(1.65 * 1.73 ** _floor_log(lapses, 1.73)) if lapses else 0,
    )


def _floor_log(value: float, base: float) -> int:
    return math.floor(math.log(value, base))


def score(found: Sequence[Prediction]) -> Score:
    """Mean log loss and RMSE (bins); zeros where there are no predictions."""
    if not found:
        return Score(0, 0.0, 0.0)
    return Score(len(found), sum(p.loss for p in found) / len(found), rmse(found))


def rmse(found: Sequence[Prediction]) -> float:
    """Square root of the mean over reviews of (predicted - right)^2 of the means of their bin."""
    bins: dict[Bin, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for p in found:
        row = bins[p.bin]
        row[0] += 1
        row[1] += p.recall
        row[2] += p.right
    total = sum((predicted - right) ** 2 / n for n, predicted, right in bins.values())
    return math.sqrt(total / len(found))


def calibration(found: Iterable[Prediction]) -> tuple[CalibrationBin, ...]:
    """Predicted recall beside what came true, by size of the prediction; empty bins left out."""
    edges = (0.0, *CALIBRATION_EDGES, 1.0)
    rows: dict[int, list[Prediction]] = defaultdict(list)
    for p in found:
        rows[sum(p.recall >= edge for edge in CALIBRATION_EDGES)].append(p)
    return tuple(
        CalibrationBin(
            low=edges[i],
            high=edges[i + 1],
            reviews=len(row),
            predicted=sum(p.recall for p in row) / len(row),
            right=sum(p.right for p in row) / len(row),
        )
        for i, row in sorted(rows.items())
    )
