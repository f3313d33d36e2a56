"""Whether personal weights predict a learner better than the defaults, tested on the future.

**The rule.** Personal weights are adopted where all of this holds of reviews that came later than
what they were fitted to, pooled over the time splits:

1. there are at least 200 of them: the first fits see too little to say anything;
2. their mean log loss is lower than that of the defaults;
3. so it is in at least 95 % of the resamples of a bootstrap over items. Log loss on a few hundred
   answers is mostly luck; the bootstrap says how much of the difference could be. It is stricter
   than a single look needs (90 %), because a learner looks again and again.

The weights adopted are fitted to everything, more than any split had, so the test errs on the side
of the defaults.

**Evidence** (`benchmarks/tuning.py`, simulated learners who practise with drill's scheduler).
Learners who remember as the defaults say, 120 of them: a look between 300 and 3,000 recall tests
adopts for 0 to 4 %, any of seven looks for 10 % (17 % at 90 % certainty); it costs them .001 to
.003 nats of log loss, under 1 %. Learners who forget about twice as fast, 50: adopted for 28 % at
500 tests, 60 % at 1,000, 98 % at 3,000, a gain of .003 to .008. Learners with weights drawn at
random around the defaults, 50: 14 %, 24 %, 52 %, a gain of .006 to .008; drawn twice as wide, 30:
60 %, 63 %, 83 %, a gain of .024 to .027. Whom the rule passes over has little to gain.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from drill.domain.memory.state import ParameterSet
from drill.domain.tuning.histories import History, Training, training_set
from drill.domain.tuning.scoring import (
    CalibrationBin,
    Prediction,
    Score,
    calibration,
    predictions,
    score,
)

Fitter = Callable[[Sequence[Training]], tuple[float, ...]]
"""Fits the 21 weights of FSRS-6 to a training set; may give the defaults."""
SPLITS = 4
FIRST_SHARE = 0.4
"""Share of the recall tests that the first split trains on."""
MIN_LATER = 200
MIN_PROBABILITY = 0.95
RESAMPLES = 1000
SEED = 20261123


class Cut(Struct, frozen=True):
    """One time split: train up to and with `after`, test on `after` < day <= `until`."""

    after: int
    until: int


class Split(Struct, frozen=True):
    """What one time split showed."""

    after: int
    """Last study day that was trained on."""
    until: int
    """Last study day that was tested on."""
    trained: int
    """Recall tests that the personal weights were fitted to."""
    default: Score
    personal: Score


class Comparison(Struct, frozen=True):
    """Defaults against personal weights on reviews that came later than the training."""

    splits: tuple[Split, ...]
    items: int
    """Items that were tested."""
    default: Score
    personal: Score
    probability: float
    """That personal weights have the lower log loss: share of the bootstrap's resamples."""
    low: float
    """5 % bound of the difference of log loss, personal minus default: below 0 is better."""
    high: float
    """95 % bound."""
    calibration_default: tuple[CalibrationBin, ...] = ()
    calibration_personal: tuple[CalibrationBin, ...] = ()

    @property
    def enough(self) -> bool:
        """Whether there are enough later reviews to judge by."""
        return self.default.reviews >= MIN_LATER

    @property
    def better(self) -> bool:
        """The rule: personal weights are to be adopted."""
        return (
            self.enough
            and self.personal.log_loss < self.default.log_loss
            and self.probability >= MIN_PROBABILITY
        )


def cuts(days: Sequence[int], splits: int = SPLITS, first: float = FIRST_SHARE) -> list[Cut]:
    """Time splits of recall tests on study days `days` (ascending).

    The first trains on the first `first` of the tests; the rest is divided evenly. Whole study
    days fall to one side, so that nothing of a tested day was trained on. Fewer cuts where there
    are too few days; the tested spans do not overlap and end with the last day.
    """
    if not days:
        return []
    last = days[-1]
    marks: list[int] = []
    for k in range(splits):
        index = int(len(days) * (first + (1.0 - first) * k / splits))
        day = days[min(max(index - 1, 0), len(days) - 1)]
        if day < last and (not marks or day > marks[-1]):
            marks.append(day)
    return [Cut(a, b) for a, b in zip(marks, [*marks[1:], last], strict=False)]


def compare(histories: Sequence[History], fit: Fitter, defaults: ParameterSet) -> Comparison:
    """Fit on the past, predict what came later, over several time splits.

    `defaults`: the set with the default weights. Deterministic where `fit` is.
    """
    training = training_set(histories)
    parts = cuts(sorted(t.day for t in training))
    by_default: list[Prediction] = []
    by_personal: list[Prediction] = []
    found: list[Split] = []
    if parts:
        usuals = predictions(histories, defaults, after=parts[0].after, until=parts[-1].until)
    for cut in parts:
        past = [t for t in training if t.day <= cut.after]
        weights = fit(past)
        personal = replace(defaults, parameters=weights)
        mine = predictions(histories, personal, after=cut.after, until=cut.until)
        usual = [p for p in usuals if cut.after < p.day <= cut.until]
        found.append(Split(cut.after, cut.until, len(past), score(usual), score(mine)))
        by_default += usual
        by_personal += mine
    return judged(by_default, by_personal, tuple(found))


def judged(
    by_default: Sequence[Prediction],
    by_personal: Sequence[Prediction],
    splits: tuple[Split, ...] = (),
) -> Comparison:
    """Two predictions of each of the same reviews, compared pair by pair."""
    items: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for usual, mine in zip(by_default, by_personal, strict=True):
        row = items[usual.item_id]
        row[0] += mine.loss - usual.loss
        row[1] += 1
    probability, low, high = bootstrap([(d, int(n)) for d, n in items.values()])
    return Comparison(
        splits=splits,
        items=len(items),
        default=score(by_default),
        personal=score(by_personal),
        probability=probability,
        low=low,
        high=high,
        calibration_default=calibration(by_default),
        calibration_personal=calibration(by_personal),
    )


def bootstrap(
    clusters: Sequence[tuple[float, int]], resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[float, float, float]:
    """Probability that the mean is below 0, and its 5 % and 95 % bounds.

    `clusters`: (sum, count) of each item. Items are drawn, not reviews, because the errors on one
    item go together. Seeded, so that looking again gives the same. (0, 0, 0) without clusters.
    """
    if not clusters:
        return 0.0, 0.0, 0.0
    draw = random.Random(seed)  # noqa: S311
    means: list[float] = []
    for _ in range(resamples):
        total = 0.0
        count = 0
        for d, n in draw.choices(clusters, k=len(clusters)):
            total += d
            count += n
        means.append(total / count)
    means.sort()
    below = sum(m < 0.0 for m in means) / resamples
    return below, means[int(0.05 * resamples)], means[int(0.95 * resamples) - 1]


def percent(probability: float) -> str:
    """A bootstrap's probability as text: never certain, and rounded down."""
    if probability > 0.99:
        return "over 99 %"
    return "under 1 %" if probability < 0.01 else f"{int(probability * 100 + 1e-9)} %"
