"""Simulated learners for `benchmarks/planner.py`: what they know, when they come, what they answer.

The memory is drill's own (`drill.domain.memory.fsrs_memory`): a learner's true recall of an item
is R(t, scale * S) with the stability S that the scheduler computes from the answers; a scale of 1
means that the scheduler's model is the truth. Each item has its own drawn sequence of chances, so
that two ways of planning meet the same luck as far as they ask the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
from random import Random

from drill.domain.memory import fsrs_memory
from drill.domain.memory.queue import FLOOR
from drill.domain.memory.state import (
    AGAIN,
    EASY,
    GOOD,
    MemoryState,
    ParameterSet,
    recall_after,
    retrievability,
)
from drill.domain.plan import Candidate, choose, model_of
from drill.domain.plan.market import Market, Prospect

FIRST_RIGHT = 0.45
KNOWN_RIGHT = 0.9
START = 20_000
"""Study day on which everything begins."""


@dataclass(frozen=True, slots=True)
class Setting:
    """So many items, days until the interview, and units of work a day (a right answer is one)."""

    items: int
    days: int
    units: float

    def __str__(self) -> str:
        return f"{self.items} items, {self.days} days, {self.units:g} a day"


@dataclass(frozen=True, slots=True)
class Condition:
    """How the world differs from what the planner assumes."""

    name: str
    scale: float = 1.0
    """True stability over the scheduler's."""
    scale_spread: float = 0.0
    """Standard deviation of the log of a scale of each item's own."""
    missed: float = 0.0
    """Share of days on which the learner does not come, never the first."""
    week_away: bool = False
    """Seven days without work, from the middle of the time."""
    known: float = 0.0
    """Share of items known before: right at first with 0.9 and then graded Easy; nobody is told."""
    varied: bool = False
    """Weights of 0.2 to 1 and times of 20 to 600 s, both spread evenly in the log."""


@dataclass(slots=True)
class Item:
    """An item as the simulation knows it."""

    state: MemoryState
    weight: float
    right: float
    wrong: float
    scale: float
    known: bool
    chances: list[float]

    @property
    def new(self) -> bool:
        return self.state.new

    def true_recall(self, day: int) -> float:
        """Chance that the learner recalls it; 0 for an item never asked."""
        if self.new:
            return 0.0
        elapsed = day - (self.state.last_day or 0)
        return recall_after(elapsed, self.state.stability * self.scale, self.state.decay)

    def answer(self, day: int, parameters: ParameterSet) -> float:
        """Ask it: the state moves as the scheduler moves it. Gives the time that it took."""
        first = KNOWN_RIGHT if self.known else FIRST_RIGHT
        chance = first if self.new else self.true_recall(day)
        if self.chances.pop() < chance:
            grade = EASY if self.new and self.known else GOOD
            self.state = fsrs_memory.review(self.state, grade, day, parameters)
            return self.right
        failed = fsrs_memory.review(self.state, AGAIN, day, parameters)
        self.state = fsrs_memory.review(failed, GOOD, day, parameters, retry=True)
        return self.wrong


class World:
    """One learner in one setting: the items, the time of each day, and the days missed."""

    def __init__(self, setting: Setting, condition: Condition, seed: int) -> None:
        rng = Random(f"{setting} {condition.name} {seed}")
        self.setting = setting
        self.date = START + setting.days
        self.items = [self._item(rng, condition, i) for i in range(setting.items)]
        mean = sum(i.right for i in self.items) / len(self.items)
        self.daily = setting.units * mean
        self.missed = {START + d for d in range(1, setting.days) if rng.random() < condition.missed}
        if condition.week_away:
            middle = START + (setting.days - 7) // 2
            self.missed |= set(range(middle, middle + 7))

    @staticmethod
    def _item(rng: Random, condition: Condition, place: int) -> Item:
        weight = exp(rng.uniform(log(0.2), 0.0)) if condition.varied else 1.0
        right = exp(rng.uniform(log(20.0), log(600.0))) if condition.varied else 1.0
        return Item(
            state=MemoryState(f"item-{place:05}"),
            weight=weight,
            right=right,
            wrong=2.0 * right,
            scale=condition.scale * exp(rng.gauss(0.0, condition.scale_spread)),
            known=rng.random() < condition.known,
            chances=[rng.random() for _ in range(200)],
        )

    def run(self, planned: Callable[[World, int, list[Item], float], list[Item]]) -> float:
        """Live through all days by a plan; gives expected true recall on the day, 0 to 1.

        `planned(world, day, items not asked today, time left)` names the items to ask, in order;
        it is asked again while there is time for another right answer. Items never asked count
        as not recalled. What is left of a day may be overdrawn by its last answer being wrong.
        """
        for day in range(START, self.date):
            if day in self.missed:
                continue
            left = self.daily
            open_items = list(self.items)
            while left > 0 and (chosen := planned(self, day, open_items, left)):
                asked = set()
                for item in chosen:
                    if item.right <= left:
                        left -= item.answer(day, self._parameters)
                        asked.add(item.state.item_id)
                if not asked:
                    break
                open_items = [i for i in open_items if i.state.item_id not in asked]
        total = sum(i.weight for i in self.items)
        return sum(i.weight * i.true_recall(self.date) for i in self.items) / total

    def fixed(self, retention: float) -> float:
        """Plain FSRS at one desired retention: most urgent due first, then what is new.

        Urgency as in `drill.domain.memory.queue`: predicted recall, nothing counting as lower
        than `FLOOR`, among equals the more important; new items the most important first.
        """
        self._parameters = ParameterSet(desired_retention=retention)

        def planned(world: World, day: int, items: list[Item], left: float) -> list[Item]:
            due = [i for i in items if i.state.is_due(day)]
            due.sort(key=lambda i: (round(max(retrievability(i.state, day), FLOOR), 3), -i.weight))
            return due + sorted((i for i in items if i.new), key=lambda i: -i.weight)

        return self.run(planned)

    def ours(self) -> float:
        """The plan of `drill.domain.plan`, told of no scale, miss or knowledge."""
        self._parameters = ParameterSet()

        def planned(world: World, day: int, items: list[Item], left: float) -> list[Item]:
            by_id = {i.state.item_id: i for i in items}
            chosen = choose(
                [candidate(i) for i in items],
                day=day,
                date=world.date,
                seconds=left,
                parameters=self._parameters,
                daily_seconds=world.daily,
            )
            return [by_id[c.item_id] for c in chosen]

        return self.run(planned)

    def bound(self) -> float:
        """Recall on the day that no plan could exceed in expectation if the model is true.

        By weak duality at the price that the planner finds on the first day (`Market`), up to
        the interpolation of its tables.
        """
        model = model_of(())
        prospects = [Prospect(candidate(i), model, START, self.date) for i in self.items]
        market = Market(
            prospects, model, left=self.setting.days, seconds=self.daily, daily=self.daily
        )
        return market.bound / sum(i.weight for i in self.items)

    _parameters = ParameterSet()


def candidate(item: Item) -> Candidate:
    """What the planner is told of an item."""
    return Candidate(
        item_id=item.state.item_id,
        weight=item.weight,
        seconds_right=item.right,
        seconds_wrong=item.wrong,
        first_right=FIRST_RIGHT,
        stability=item.state.stability,
        difficulty=item.state.difficulty,
        last_day=item.state.last_day or 0,
        decay=item.state.decay,
    )
