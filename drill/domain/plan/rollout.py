"""What follows from a plan: one drawn future of the days that are left, by a seeded learner."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from random import Random

from msgspec.structs import replace

from drill.domain.memory.state import ParameterSet, recall_after
from drill.domain.plan.candidate import Candidate
from drill.domain.plan.choosing import DayPlan
from drill.domain.plan.model import model_of


def spans(days: int, steps: int | None = None) -> list[int]:
    """The days of each step: single ones near the interview, where each counts, long ones before.

    An item is asked once a step at most, which far from the day is no loss: what is known by
    then is asked again weeks later, if at all.
    """
    if steps is None or days <= steps:
        return [1] * days
    near = steps // 2
    far, early = steps - near, days - near
    return [early * (k + 1) // far - early * k // far for k in range(far)] + [1] * near


class Rollout:
    """One simulated way to the interview day: each day's `choose`, its answers drawn by chance.

    The learner recalls an item with the chance R(t, scale * S), where S is the stability that
    the scheduler computes from the answers and `scale` how wrong it is for this learner and this
    item (1: the model is true). The scheduler never sees the scale, only the answers, as in
    life. A day's plan is answered to its end: its expected time is what the day has, the drawn
    one more or less. One day a `step`, so that a user interface can breathe between two of them:
    its time is about that of one `choose` for all candidates. With fewer `steps` than days,
    those far from the interview are taken several at a time.
    """

    def __init__(
        self,
        candidates: Iterable[Candidate],
        *,
        day: int,
        date: int,
        seconds: float,
        parameters: ParameterSet,
        seed: int,
        first_seconds: float | None = None,
        scale: Mapping[str, float] | None = None,
        siblings: Mapping[str, Collection[str]] | None = None,
        steps: int | None = None,
    ) -> None:
        """`seconds` a day; `first_seconds` of it on `day` itself, where some is used up already.

        `scale`: item to true stability over the scheduler's; 1 where it is not named. The last
        day of work is the one before `date`. ValueError where `day` is after `date`.
        """
        if day > date:
            raise ValueError(f"study day {day} is after the day of the interview, {date}")
        self.day = day
        self.date = date
        self.asked: dict[str, int] = {}
        """Item to how often it was asked, retries left out."""
        self.seconds_used = 0.0
        self._items = {c.item_id: c for c in candidates}
        self._seconds = seconds
        self._today = seconds if first_seconds is None else first_seconds
        self._parameters = parameters
        self._model = model_of(parameters.parameters)
        self._random = Random(seed)  # noqa: S311 - a simulation, no secret
        self._scale = scale or {}
        self._siblings = siblings
        self._place: float | None = None
        self._spans = iter(spans(date - day, steps))

    @property
    def days_left(self) -> int:
        """Days of work that are still to be simulated."""
        return self.date - self.day

    def step(self) -> bool:
        """Simulate the next days; False once the day of the interview is reached."""
        if self.day >= self.date:
            return False
        span = next(self._spans)
        seconds, self._today = self._today + (span - 1) * self._seconds, self._seconds
        plan = DayPlan(
            self._items.values(),
            day=self.day,
            date=self.date,
            seconds=seconds,
            parameters=self._parameters,
            siblings=self._siblings,
            daily_seconds=self._seconds,
            guess=self._place,
        )
        self._place = plan.place
        for choice in plan.choices:
            self._answer(self._items[choice.item_id])
        self.day += span
        return self.day < self.date

    def run(self) -> Rollout:
        """All the days that are left."""
        while self.step():
            pass
        return self

    def recall(self) -> dict[str, float]:
        """Item to the learner's true chance of recalling it on the day; 0 where never asked."""
        return {i: self._true_recall(c, self.date) for i, c in self._items.items()}

    def candidates(self) -> list[Candidate]:
        """The items in the state that they have reached."""
        return list(self._items.values())

    def _true_recall(self, item: Candidate, day: int) -> float:
        if item.stability <= 0:
            return 0.0
        stability = item.stability * self._scale.get(item.item_id, 1.0)
        return recall_after(max(day - item.last_day, 0), stability, item.decay)

    def _answer(self, item: Candidate) -> None:
        """Ask `item` today."""
        new = item.stability <= 0
        chance = item.first_right if new else self._true_recall(item, self.day)
        right = self._random.random() < chance
        elapsed = 0 if new else max(self.day - item.last_day, 0)
        step = self._model.right if right else self._model.wrong
        stability, difficulty = step(item.stability, item.difficulty, elapsed)
        self._items[item.item_id] = replace(
            item,
            stability=stability,
            difficulty=difficulty,
            last_day=self.day,
            decay=self._model.decay,
            must=False,
        )
        self.asked[item.item_id] = self.asked.get(item.item_id, 0) + 1
        self.seconds_used += item.seconds_right if right else item.seconds_wrong
