"""Which items make up today: those that lose most by waiting, for each second that they take.

An item's worth today less its worth if it waits, both at the price of the learner's time
(`Market`), divided by its expected seconds, is its rank. Taking simply what adds most recall per
second loses 0.005 to 0.04 of recall against it in simulation (`benchmarks/planner.py`): it asks
too early what could wait. An important item may so come after a lesser one on a day when both
are sure to be asked in time; where time is short, the important one is asked and the other not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heapreplace
from itertools import chain

from drill.domain.memory.state import ParameterSet
from drill.domain.plan.candidate import Candidate, Choice
from drill.domain.plan.market import Market, Prospect
from drill.domain.plan.model import Model, model_of

WARM_UP_SECONDS = 20 * 60.0
"""Most that is planned for the day of the interview itself."""
TRUSTED = 0.75
"""Share of the later days' time that the plan counts on, because days get missed.

In simulation it costs nothing where no day is missed (within 0.002) and saves 0.01 to 0.03 of
recall where a quarter of them is; 0.6 saves more there and loses 0.004 where none is.
"""
MISSES = 50
"""Items in a row of rank that do not fit into what is left before the plan is called full."""


def choose(
    candidates: Iterable[Candidate],
    *,
    day: int,
    date: int,
    seconds: float,
    parameters: ParameterSet,
    siblings: Mapping[str, Collection[str]] | None = None,
    daily_seconds: float | None = None,
) -> list[Choice]:
    """What to ask on study day `day` in `seconds`, best first; the same for the same arguments.

    `date` is the study day of the interview; ValueError after it, where a plan to the day has
    no meaning and the caller schedules by plain FSRS. On the day itself only what was answered
    before is asked, what gains most recall for its time first, for `WARM_UP_SECONDS` at most.
    `siblings`: item to the items that must not be asked on the same day; either side may name
    the other. `daily_seconds`: time on each later day; as today where it is not said.

    The expected seconds of what is taken fit into `seconds`, except that a first item which
    alone is longer is still taken while there is any time: never an empty day. Retests
    (`Candidate.must`) come first. Items that would gain nothing from being asked today are left
    out even where there is time, and so are items of no weight.
    """
    return DayPlan(
        candidates,
        day=day,
        date=date,
        seconds=seconds,
        parameters=parameters,
        siblings=siblings,
        daily_seconds=daily_seconds,
    ).choices


class DayPlan:
    """`choose` with the price that it found, from which the next day's search may start."""

    def __init__(
        self,
        candidates: Iterable[Candidate],
        *,
        day: int,
        date: int,
        seconds: float,
        parameters: ParameterSet,
        siblings: Mapping[str, Collection[str]] | None = None,
        daily_seconds: float | None = None,
        guess: float | None = None,
    ) -> None:
        """Arguments of `choose`; `guess`: `place` of a neighbouring day."""
        if day > date:
            raise ValueError(f"study day {day} is after the day of the interview, {date}")
        self.choices: list[Choice] = []
        self.place = guess
        if seconds <= 0:
            return
        model = model_of(parameters.parameters)
        left = date - day
        prospects = [
            Prospect(c, model, day, date)
            for c in candidates
            if c.must or (c.weight > 0 and (left > 0 or c.stability > 0))
        ]
        retests = sorted(
            (p for p in prospects if p.candidate.must),
            key=lambda p: (-p.candidate.weight, p.candidate.item_id),
        )
        others = [p for p in prospects if not p.candidate.must]
        if left == 0:
            seconds = min(seconds, WARM_UP_SECONDS)
        ranked: Iterator[Prospect] = iter(())
        if left < 2:
            ranked = _by_gain(others, model, left)
        elif others:
            daily = TRUSTED * (seconds if daily_seconds is None else daily_seconds)
            market = Market(others, model, left=left, seconds=seconds, daily=daily, guess=guess)
            self.place = market.place
            ranked = _by_loss(others, market)
        bonds = _both_ways(siblings or {})
        self.choices = [
            _choice(p, model, left) for p in _fitting(chain(retests, ranked), seconds, bonds)
        ]


def _fitting(
    ranked: Iterable[Prospect], seconds: float, bonds: Mapping[str, Collection[str]]
) -> Iterator[Prospect]:
    """Those that fit into the time, in their order, and none beside a sibling."""
    hidden: set[str] = set()
    left = seconds
    misses = 0
    for prospect in ranked:
        item = prospect.candidate.item_id
        if item in hidden:
            continue
        if prospect.seconds > left and left < seconds:
            misses += 1
            if misses > MISSES:
                return
            continue
        yield prospect
        hidden.add(item)
        hidden.update(bonds.get(item, ()))
        left -= prospect.seconds
        if left <= 0:
            return


def _by_loss(prospects: Sequence[Prospect], market: Market) -> Iterator[Prospect]:
    """By what waiting loses for each second, most first.

    What an item is worth while it waits is dear to know (some later days are tried) and never
    less than its recall without another answer, which is known. So that stands in until an item
    comes up: its rank can only fall then, and most items never come up.
    """
    queue: list[tuple[float, str, int, bool, Prospect]] = []
    values: list[float] = []
    for place, p in enumerate(prospects):
        asked = market.asked(p)
        values.append(asked)
        rate = p.candidate.weight / p.seconds
        queue.append(((p.without - asked) * rate, p.candidate.item_id, place, False, p))
    heapify(queue)
    while queue:
        _, item, place, known, p = queue[0]
        if known:
            heappop(queue)
            yield p
            continue
        loss = values[place] - market.waiting(p)
        if loss + market.price_today(p) <= 0:
            heappop(queue)  # waiting is better even if the time today cost nothing
            continue
        rate = p.candidate.weight / p.seconds
        heapreplace(queue, (-loss * rate, item, place, True, p))


def _by_gain(prospects: Iterable[Prospect], model: Model, left: int) -> Iterator[Prospect]:
    """By recall gained for each second: with no later day to wait for, that is the same."""
    found = []
    for p in prospects:
        gain = (p.at_date(model, left) - p.without) * p.candidate.weight
        if gain > 0:
            found.append((-gain / p.seconds, p.candidate.item_id, p))
    found.sort(key=lambda entry: entry[:2])
    return (p for _, _, p in found)


def _choice(prospect: Prospect, model: Model, left: int) -> Choice:
    at_date = prospect.at_date(model, left)
    return Choice(
        item_id=prospect.candidate.item_id,
        gain=prospect.candidate.weight * (at_date - prospect.without),
        seconds=prospect.seconds,
        recall=prospect.chance,
        at_date=at_date,
        without=prospect.without,
    )


def _both_ways(siblings: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    bonds: dict[str, set[str]] = {}
    for item, others in siblings.items():
        for other in others:
            bonds.setdefault(item, set()).add(other)
            bonds.setdefault(other, set()).add(item)
    return bonds
