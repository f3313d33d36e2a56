"""Readiness on the day of the interview, by simulated futures: in small steps, seeded.

Each future plays the days that are left: every day the planner chooses for the minutes of a day,
and the answers are drawn by chance. What is not certain, and differs between futures:

- the draw of each answer;
- the memory model being wrong for this learner: one scale on all stabilities, lognormal around 1
  with a spread of .5 until the learner's own recall tests say more (`drill.domain.memory_scale`),
  taken at evenly spaced quantiles over the futures, so that few of them show its whole spread;
- the model being wrong for single items: another lognormal factor of spread .5 for each;
- the chance of being right on a new item: a draw a topic from what the first answers show.

Not simulated: days that are missed, and minutes that are not used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import exp
from random import Random
from time import perf_counter

from msgspec import Struct
from msgspec.structs import replace

from drill.domain.dated_plan import Inputs, candidates, siblings
from drill.domain.memory.state import recall_after
from drill.domain.memory_scale import ITEM_SPREAD, ScaleBelief
from drill.domain.plan import Candidate, Rollout
from drill.services.outlook_standing import elapsed_days

MOST_FUTURES = 16
LEAST_FUTURES = 6
WORK = 300_000
"""Items times steps times futures that are simulated at most, with and without more minutes."""
LEAST_STEPS = 30
"""Steps of a future at least; where the days are more, those far from the interview are taken
several at a time, so that a date a year away takes no longer than one in two months. At 180 and
400 days, 90 steps moved readiness over all topics by 0.006 and the ends of its interval by 0.012
at most."""
MORE_MINUTES = 10
MOST_MINUTES = 240
"""Minutes a day that a profile may have: nothing is said of more."""
TAIL = 0.1
"""Share of the futures under the interval, and over it."""
RARELY = 0.5
"""An item that fewer futures reach counts as dropped."""


class Estimate(Struct, frozen=True):
    """Mean over the futures, and what four of five of them lie between."""

    mean: float
    low: float
    high: float


class Found(Struct, frozen=True):
    """What the futures came to."""

    at_date: Mapping[str, Estimate]
    """Topic (empty: all) to readiness on the day."""
    more: Estimate | None
    """Over all topics, with `MORE_MINUTES` more a day."""
    dropped: tuple[str, ...]
    """New items that most futures never ask."""
    futures: int


class Forecast:
    """The simulation, a little at a time; it stands still while nobody calls `advance`."""

    def __init__(
        self,
        inputs: Inputs,
        scale: ScaleBelief,
        seconds: float,
        first_seconds: float,
        *,
        futures: int = MOST_FUTURES,
        seed: int = 0,
    ) -> None:
        """`seconds` a day and `first_seconds` of it left today."""
        self._inputs = inputs
        self._scale = scale
        self._seconds = seconds
        self._first = first_seconds
        self._seed = seed
        days = max(1, inputs.date - inputs.day)
        self._items = candidates(inputs)
        self._more = inputs.date > inputs.day and seconds / 60.0 + MORE_MINUTES <= MOST_MINUTES
        ways = 2 if self._more else 1
        item_days = WORK // (ways * max(1, len(self._items)))
        self.futures = max(min(LEAST_FUTURES, futures), min(futures, item_days // days))
        self.steps = max(LEAST_STEPS, item_days // self.futures)
        self._runs = self.futures * ways
        self._topics = {item: head.topic for item, head in inputs.heads.items()}
        self._weights = _sums((self._topics[c.item_id], c.weight) for c in self._items)
        self._siblings = siblings(inputs.heads)
        self._done = 0.0
        self.found: Found | None = None
        self._work = self._run()

    @property
    def share(self) -> float:
        """How much of the work is done, 0 to 1."""
        return 1.0 if self.found is not None else min(1.0, self._done / self._runs)

    def advance(self, seconds: float) -> bool:
        """Work for about `seconds`, at least one simulated day; whether all is done."""
        until = perf_counter() + seconds
        while self.found is None:
            next(self._work, None)
            if perf_counter() >= until:
                break
        return self.found is not None

    def _run(self) -> Iterator[None]:
        ends: list[dict[str, float]] = []
        with_more: list[float] = []
        reached = dict.fromkeys((c.item_id for c in self._items if c.stability <= 0), 0)
        for k in range(self.futures):
            scales, items = self._drawn(k)
            if self._inputs.date == self._inputs.day:  # no answer is drawn any more
                ends.append(self._mean({c.item_id: self._today(c, scales) for c in items}))
                self._done += 1.0
                yield
                continue
            rollout = self._rollout(items, scales, k, 0.0)
            yield from self._played(rollout)
            ends.append(self._mean(rollout.recall()))
            for item in reached:
                reached[item] += item in rollout.asked
            if self._more:
                rollout = self._rollout(items, scales, k, MORE_MINUTES * 60.0)
                yield from self._played(rollout)
                with_more.append(self._mean(rollout.recall())[""])
        self.found = Found(
            at_date={t: estimate([end[t] for end in ends]) for t in ends[0]},
            more=estimate(with_more) if with_more else None,
            dropped=tuple(i for i, n in reached.items() if n < RARELY * self.futures),
            futures=self.futures,
        )

    def _drawn(self, k: int) -> tuple[dict[str, float], list[Candidate]]:
        """The scale of each item's stability in future `k`, and the items with their chances."""
        draw = Random(self._seed * 1009 + k)  # noqa: S311 - a simulation, no secret
        common = self._scale.quantile((k + 0.5) / self.futures)
        scales = {c.item_id: common * exp(draw.gauss(0.0, ITEM_SPREAD)) for c in self._items}
        first = self._inputs.first
        chances = {}
        for topic in sorted(self._weights):
            chance, worth = first.chance(topic), first.worth(topic)
            chances[topic] = draw.betavariate(worth * chance, worth * (1.0 - chance))
        items = [replace(c, first_right=chances[self._topics[c.item_id]]) for c in self._items]
        return scales, items

    def _today(self, item: Candidate, scales: Mapping[str, float]) -> float:
        if item.stability <= 0:
            return 0.0
        elapsed = elapsed_days(item.last_day, self._inputs.day)
        return recall_after(elapsed, item.stability * scales[item.item_id], item.decay)

    def _rollout(
        self, items: Sequence[Candidate], scales: Mapping[str, float], k: int, more: float
    ) -> Rollout:
        return Rollout(
            items,
            day=self._inputs.day,
            date=self._inputs.date,
            seconds=self._seconds + more,
            first_seconds=self._first + more,
            parameters=self._inputs.parameters,
            seed=self._seed * 1009 + k,
            scale=scales,
            siblings=self._siblings,
            steps=self.steps,
        )

    def _played(self, rollout: Rollout) -> Iterator[None]:
        days = rollout.days_left
        begun, going = self._done, True
        while going:
            going = rollout.step()
            self._done = begun + 1.0 - rollout.days_left / days
            yield

    def _mean(self, recall: Mapping[str, float]) -> dict[str, float]:
        """Topic (empty: all) to the mean recall, weighted by importance."""
        sums = _sums((self._topics[c.item_id], c.weight * recall[c.item_id]) for c in self._items)
        found = {t: sums[t] / weight for t, weight in self._weights.items()}
        total = sum(self._weights.values())
        found[""] = sum(sums.values()) / total if total else 0.0
        return found


def estimate(values: Sequence[float]) -> Estimate:
    """Mean of at least one value, and its quantiles at `TAIL` from both ends."""
    ranked = sorted(values)

    def at(p: float) -> float:
        place = min(max(p * len(ranked) - 0.5, 0.0), len(ranked) - 1.0)
        below = int(place)
        above = min(below + 1, len(ranked) - 1)
        return ranked[below] + (place - below) * (ranked[above] - ranked[below])

    return Estimate(sum(ranked) / len(ranked), at(TAIL), at(1.0 - TAIL))


def _sums(pairs: Iterator[tuple[str, float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for key, value in pairs:
        sums[key] = sums.get(key, 0.0) + value
    return sums
