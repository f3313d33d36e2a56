"""How long answers take by type, and how predictions of experiments came out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from drill.domain.memory.pace import median
from drill.domain.memory.study_day import date_of_day
from drill.domain.statistics.evidence import Given, Placed, placed
from drill.domain.statistics.interval import share
from drill.domain.statistics.model import ExperimentAccuracy, TypeTime

NEWEST = 1000
"""Answers of a type that its times are taken from: the pace of now."""


class TimesFold:
    """Time spent on answering by type. Retries are faster and interviews slower, so both are left
    out, and so are answers without a measured time."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._newest: dict[str, deque[tuple[float, float]]] = {}

    def add(self, answer: Placed) -> None:
        """Count an answer, if it is one of these."""
        given = answer.given
        if given.seconds <= 0.0 or given.mode in ("retry", "mock"):
            return
        newest = self._newest.get(given.type)
        if newest is None:
            newest = self._newest[given.type] = deque(maxlen=NEWEST)
            self._counts[given.type] = 0
        self._counts[given.type] += 1
        newest.append((given.seconds, given.expected))

    def result(self) -> tuple[TypeTime, ...]:
        """Types by how often they were answered."""
        found = []
        for name, newest in self._newest.items():
            declared = [e for _, e in newest if e > 0]
            ratios = [s / e for s, e in newest if e > 0]
            found.append(
                TypeTime(
                    type=name,
                    answers=self._counts[name],
                    seconds=median([s for s, _ in newest]),
                    declared=median(declared) if declared else 0.0,
                    ratio=median(ratios) if ratios else 0.0,
                )
            )
        return tuple(sorted(found, key=lambda each: (-each.answers, each.type)))


class PredictionsFold:
    """Answers to `predict` items by experiment, of every mode but retries: the prediction is locked
    before the experiment runs, in an interview too."""

    def __init__(self, experiments: Mapping[str, str], runs: Mapping[str, str]) -> None:
        """`experiments`: item to experiment; `runs`: run to experiment, for items that have left
        the bank."""
        self._experiments, self._runs = experiments, runs
        self._found: dict[str, list[float]] = {}

    def add(self, answer: Placed) -> None:
        """Count an answer, if it is one of these."""
        given = answer.given
        if given.type != "predict" or given.mode == "retry":
            return
        name = self._experiments.get(given.item_id) or self._runs.get(given.run_id, "")
        counts = self._found.setdefault(name, [0.0] * 4)
        counts[0] += 1
        counts[1] += answer.right
        counts[2] += given.score
        counts[3] = max(counts[3], given.study_day)

    @property
    def any(self) -> bool:
        """Whether there was a prediction."""
        return bool(self._found)

    def result(self, labs: Mapping[str, str]) -> tuple[ExperimentAccuracy, ...]:
        """Experiments, the ones predicted worst first; `labs`: experiment to lab."""
        found = [
            ExperimentAccuracy(
                experiment=name,
                lab=labs.get(name, ""),
                predictions=share(int(counts[1]), int(counts[0])),
                score=counts[2] / counts[0],
                last_date=date_of_day(int(counts[3])).isoformat(),
            )
            for name, counts in self._found.items()
        ]
        return tuple(sorted(found, key=lambda each: (each.score, each.experiment)))


def times(answers: Iterable[Given]) -> tuple[TypeTime, ...]:
    """Times by type of answers, oldest first; see `TimesFold`."""
    fold = TimesFold()
    for answer in placed(answers):
        fold.add(answer)
    return fold.result()


def predictions(
    answers: Iterable[Given],
    experiments: Mapping[str, str],
    labs: Mapping[str, str],
    runs: Mapping[str, str],
) -> tuple[ExperimentAccuracy, ...]:
    """Predictions by experiment; see `PredictionsFold`."""
    fold = PredictionsFold(experiments, runs)
    for answer in placed(answers):
        fold.add(answer)
    return fold.result(labs)
