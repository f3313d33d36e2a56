"""The price of the learner's time: the one at which the days that are left are worth most.

For any price, what all items are worth at it plus what the seconds of the days left would cost
is at least what the best plan reaches (weak duality), and it is convex in the price. Its least
is therefore the fairest price: higher and time is left over, lower and it runs out. It is looked
for on the prices of the tables, on a sample of the items where there are many.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from drill.domain.memory.state import recall_after
from drill.domain.plan.candidate import Candidate
from drill.domain.plan.model import Model
from drill.domain.plan.price import (
    LEAST_PRICE,
    PRICES,
    STEP,
    Layer,
    Table,
    curve,
    family,
    mixed,
    worth,
)

LATER = (1, 2, 4, 8, 16, 32)
"""Days of waiting that are tried for an item, while waiting longer is better."""
SAMPLE = 96
"""Items by which the price is found."""
GUESS = (5.2, -1.85, 0.59, -2.3)
"""Place of the price by 1, the log of time over work, the log of the days and the share of the
items that were answered: least squares over 120 drawn banks, right within one place on average.
Only where the search begins, which ends at the same place from anywhere."""


class Prospect:
    """A candidate on one day, with what does not depend on the price worked out once."""

    __slots__ = (
        "candidate", "chance", "cost", "elapsed", "ratio", "right", "seconds", "step",
        "without", "wrong",
    )  # fmt: skip

    def __init__(self, candidate: Candidate, model: Model, day: int, date: int) -> None:
        """ValueError where a right answer is said to take no time."""
        if candidate.seconds_right <= 0:
            raise ValueError(f"{candidate.item_id}: an answer takes some time, got 0 seconds")
        stability, difficulty = candidate.stability, candidate.difficulty
        if stability <= 0:
            self.elapsed = 0
            self.chance = candidate.first_right
            self.without = 0.0
        else:
            self.elapsed = max(day - candidate.last_day, 0)
            self.chance = recall_after(self.elapsed, stability, candidate.decay)
            self.without = recall_after(date - day + self.elapsed, stability, candidate.decay)
        self.candidate = candidate
        self.right = model.right(stability, difficulty, self.elapsed)
        self.wrong = model.wrong(stability, difficulty, self.elapsed)
        self.ratio = candidate.seconds_wrong / candidate.seconds_right
        self.cost = self.chance + (1.0 - self.chance) * self.ratio
        self.seconds = self.cost * candidate.seconds_right
        self.step = 0
        """How many steps of price the item is dearer than the average one."""

    def at_date(self, model: Model, left: int) -> float:
        """Recall on the day if it is asked now and not again."""
        return self.chance * model.recall(left, self.right[0]) + (1.0 - self.chance) * model.recall(
            left, self.wrong[0]
        )


class _Lens:
    """The layers at one price, which may lie between two tables."""

    def __init__(self, low: Table, high: Table | None, share: float) -> None:
        self.price: float = low.price * STEP**share
        self._low, self._high, self._share = low, high, share
        self._mixed: dict[int, Layer] = {}

    def layer(self, left: int) -> Layer:
        self._low.grow(left)
        if self._high is None:
            return self._low.layers[left]
        found = self._mixed.get(left)
        if found is None:
            self._high.grow(left)
            found = mixed(self._low.layers[left], self._high.layers[left], self._share)
            self._mixed[left] = found
        return found


class Market:
    """The items of one day against the time that is left, at the price that clears it."""

    def __init__(
        self,
        prospects: Sequence[Prospect],
        model: Model,
        *,
        left: int,
        seconds: float,
        daily: float,
        guess: float | None = None,
    ) -> None:
        """`left`: days until the interview, 1 or more; `seconds` today, `daily` on later days."""
        self._model = model
        self._left = left
        right = sum(p.candidate.seconds_right for p in prospects)
        wrong = sum(p.candidate.seconds_wrong for p in prospects)
        weight = sum(p.candidate.weight for p in prospects)
        self._unit = right / weight
        """Seconds of a right answer for one of weight: what prices are measured against."""
        self._tables = family(model.weights, round(4.0 * wrong / right) / 4.0)
        for p in prospects:
            c = p.candidate
            p.step = round(log(c.seconds_right / c.weight / self._unit) / log(STEP))
        self._budget = seconds * curve(left) + daily * sum(curve(m) for m in range(1, left))
        self._place = 0.0
        self.bound = 0.0
        """Weighted recall on the day that no plan exceeds, up to the error of the tables."""
        self._lenses: dict[int, _Lens] = {}
        if guess is None:
            seen = sum(p.candidate.stability > 0 for p in prospects) / len(prospects)
            terms = (1.0, log((seconds + daily * (left - 1)) / right), log(left), seen)
            guess = sum(a * b for a, b in zip(GUESS, terms, strict=True))
        self._place = self._clearing(_sampled(prospects), len(prospects), guess)
        self._lenses = {}

    @property
    def place(self) -> float:
        """The price found, as a place in the family of tables: a good `guess` for the next day."""
        return self._place

    def asked(self, prospect: Prospect) -> float:
        """What the item is worth if it is asked today, for one of weight, less its price."""
        lens = self._lens(prospect.step)
        layer = lens.layer(self._left)
        return (
            prospect.chance * worth(layer, *prospect.right)
            + (1.0 - prospect.chance) * worth(layer, *prospect.wrong)
            - lens.price * curve(self._left) * prospect.cost
        )

    def waiting(self, prospect: Prospect) -> float:
        """The same if it is not asked today, but on the best later day or never."""
        model, c = self._model, prospect.candidate
        lens = self._lens(prospect.step)
        best, before = prospect.without, float("-inf")
        chance = prospect.chance
        right, wrong = prospect.right, prospect.wrong
        for days in LATER:
            left = self._left - days
            if left < 1:
                break
            if c.stability > 0:
                elapsed = prospect.elapsed + days
                chance = recall_after(elapsed, c.stability, c.decay)
                right = model.right(c.stability, c.difficulty, elapsed)
                wrong = model.wrong(c.stability, c.difficulty, elapsed)
            layer = lens.layer(left)
            value = (
                chance * worth(layer, *right)
                + (1.0 - chance) * worth(layer, *wrong)
                - lens.price * curve(left) * (chance + (1.0 - chance) * prospect.ratio)
            )
            if value < before:
                break
            before = value
        return max(best, before)

    def price_today(self, prospect: Prospect) -> float:
        """What asking the item today costs, for one of weight."""
        return self._lens(prospect.step).price * curve(self._left) * prospect.cost

    def _lens(self, step: int) -> _Lens:
        lens = self._lenses.get(step)
        if lens is None:
            place = min(max(self._place + step, 0.0), PRICES - 1.0)
            low = int(place)
            share = place - low
            high = self._tables[low + 1] if share else None
            lens = self._lenses[step] = _Lens(self._tables[low], high, share)
        return lens

    def _clearing(self, sample: Sequence[Prospect], items: int, guess: float) -> float:
        """Place of the price with the least bound: downhill from `guess`, then by a parabola."""
        known: dict[int, float] = {}

        def bound(place: int) -> float:
            if place not in known:
                self._place, self._lenses = float(place), {}
                value = sum(
                    p.candidate.weight * max(self.asked(p), self.waiting(p)) for p in sample
                )
                price: float = LEAST_PRICE * STEP**place / self._unit
                known[place] = value * items / len(sample) + price * self._budget
            return known[place]

        place = min(max(round(guess), 0), PRICES - 1)
        while place > 0 and bound(place - 1) < bound(place):
            place -= 1
        while place < PRICES - 1 and bound(place + 1) < bound(place):
            place += 1
        self.bound = bound(place)
        if not 0 < place < PRICES - 1:
            return float(place)
        below, here, above = bound(place - 1), bound(place), bound(place + 1)
        bend = below - 2.0 * here + above
        return place + (0.5 * (below - above) / bend if bend > 0 else 0.0)


def _sampled(prospects: Sequence[Prospect]) -> Sequence[Prospect]:
    """At most `SAMPLE` of them, evenly from the weakest memory to the strongest."""
    if len(prospects) <= SAMPLE:
        return prospects
    ranked = sorted(prospects, key=lambda p: (p.without, p.step, p.candidate.item_id))
    return [ranked[(2 * i + 1) * len(ranked) // (2 * SAMPLE)] for i in range(SAMPLE)]
