"""FSRS-6 through the `fsrs` package, behind what a day-by-day drill needs of it.

`fsrs` counts blocks of 24 hours, so it is only ever handed noon UTC of a study day: two answers
on one study day are 0 days apart and on neighbouring days 1, whatever the clock said. Its fuzz
is unseeded and overshoots, so it is off and `fuzzed` stands in. Learning steps are empty: a
session brings wrong items back by itself. `fsrs` is imported on first use (50 to 100 ms), so a
front end calls `warm` while the learner is still reading.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from drill.domain.memory.state import (
    AGAIN,
    DEFAULT_DECAY,
    EASY,
    GOOD,
    HARD,
    Grade,
    MemoryState,
    ParameterSet,
)

if TYPE_CHECKING:
    from fsrs import Scheduler

NOON = datetime(1970, 1, 1, 12, tzinfo=UTC)
STABILITY_MAX = 36_500.0
LEECH_CLEARED = 21.0
"""Stability, in days, from which a leech is one no longer."""
FUZZ_RANGES = ((2.5, 7.0, 0.15), (7.0, 20.0, 0.10), (20.0, float("inf"), 0.05))
"""From day, to day, share: the bounds that Anki and `fsrs` use."""


def warm() -> None:
    """Import `fsrs` and build the default scheduler, so that the first answer is not slower."""
    _scheduler((), 0.9, 365)


def check(parameters: ParameterSet) -> None:
    """Raises ValueError where `fsrs` refuses the weights: a wrong count, or one out of bounds."""
    _scheduler(parameters.parameters, parameters.desired_retention, parameters.maximum_interval)


def scheduler_version() -> str:
    """Which code scheduled an answer: version of `fsrs` and of the layer around it."""
    return f"fsrs {_fsrs_version()}; memory 1"


@lru_cache(maxsize=1)
def _fsrs_version() -> str:
    from importlib.metadata import version

    return version("fsrs")


@lru_cache(maxsize=32)
def _scheduler(parameters: tuple[float, ...], retention: float, longest: int) -> Scheduler:
    from fsrs import Scheduler
    from fsrs.scheduler import DEFAULT_PARAMETERS

    return Scheduler(
        parameters=parameters or DEFAULT_PARAMETERS,
        desired_retention=retention,
        learning_steps=(),
        relearning_steps=(),
        maximum_interval=longest,
        enable_fuzzing=False,
    )


def noon(day: int) -> datetime:
    """Noon UTC of a study day: the only kind of time that `fsrs` is handed."""
    return NOON + timedelta(days=day)


def card_id(item_id: str) -> int:
    """Stable integer id: `fsrs` cannot reload a card with a string id, and sleeps without one."""
    return int.from_bytes(hashlib.sha256(item_id.encode()).digest()[:6], "big")


def review(
    state: MemoryState,
    grade: Grade,
    day: int,
    parameters: ParameterSet,
    *,
    confident: bool = False,
    retry: bool = False,
) -> MemoryState:
    """State after an answer graded `grade` on study day `day`.

    `confident`: the learner was sure. Wrong and sure comes back the next day whatever the model
    says, because such errors return without a later retest. `retry`: a second try in the same
    session, seconds after the feedback, which counts for no more than Good.
    A `day` before the last answer (a clock set back) counts as that answer's day.
    """
    from fsrs import Card, Rating, State

    if state.last_day is not None:
        day = max(day, state.last_day)
    if retry and grade == EASY:
        grade = GOOD
    seen = not state.new
    scheduler = _scheduler(
        parameters.parameters, parameters.desired_retention, parameters.maximum_interval
    )
    card = Card(
        card_id=card_id(state.item_id),
        state=State.Review if seen else State.Learning,
        stability=state.stability if seen else None,
        difficulty=state.difficulty if seen else None,
        due=noon(state.due_day if state.due_day is not None else day),
        last_review=noon(state.last_day) if seen and state.last_day is not None else None,
    )
    after, _ = scheduler.review_card(card, Rating(int(grade)), noon(day))
    stability = min(after.stability or 0.0, STABILITY_MAX)
    interval = (after.due - noon(day)).days
    previous = 0
    if seen and state.due_day is not None and state.last_day is not None:
        previous = state.due_day - state.last_day
    interval = fuzzed(
        interval,
        item_id=state.item_id,
        reps=state.reps,
        longest=parameters.maximum_interval,
        previous=previous if grade != AGAIN else 0,
    )
    later_day = seen and state.last_day is not None and day > state.last_day
    lapsed = grade == AGAIN and later_day
    retest = day + 1 if grade == AGAIN and confident else state.retest_day
    if retest <= day:
        retest = 0
    due = day + interval
    if retest:
        due = min(due, retest)
    lapses = state.lapses + lapsed
    return replace(
        state,
        stability=stability,
        difficulty=after.difficulty or 0.0,
        due_day=due,
        last_day=day,
        first_day=day if state.first_day is None else state.first_day,
        reps=state.reps + 1,
        lapses=lapses,
        last_grade=int(grade),
        leech=lapses >= parameters.leech_lapses and stability < LEECH_CLEARED,
        known=False,
        retest_day=retest,
        decay=parameters.parameters[20] if parameters.parameters else DEFAULT_DECAY,
    )


def known(state: MemoryState, day: int, until: int, parameters: ParameterSet) -> MemoryState:
    """State of an item that the placement takes as known: retested once, on day `until`."""
    if not state.new:
        return state
    first = review(state, EASY, day, parameters)
    return replace(
        first, reps=0, last_grade=0, first_day=None, due_day=max(until, day + 1), known=True
    )


def preview(
    state: MemoryState, day: int, parameters: ParameterSet, *, confident: bool = False
) -> dict[Grade, MemoryState]:
    """State after each of the four grades, on copies: what the keys can show."""
    grades: tuple[Grade, ...] = (AGAIN, HARD, GOOD, EASY)
    return {g: review(state, g, day, parameters, confident=confident) for g in grades}


def fuzz_bounds(interval: int, longest: int) -> tuple[int, int]:
    """Fewest and most days that `interval` may become; equal under 2.5 days."""
    if interval < 2.5:
        return interval, interval
    delta = 1.0
    for start, end, share in FUZZ_RANGES:
        delta += share * max(min(float(interval), end) - start, 0.0)
    high = min(round(interval + delta), longest)
    return min(max(2, round(interval - delta)), high), high


def fuzzed(interval: int, *, item_id: str, reps: int, longest: int, previous: int = 0) -> int:
    """`interval` moved within its bounds by a seed made of the item and its count of answers.

    Deterministic, so that undo, replay and preview agree. An interval that was growing stays
    longer than `previous`, the one before: fuzz never makes a pass step backwards.
    """
    low, high = fuzz_bounds(interval, longest)
    if interval > previous:
        low = min(max(low, previous + 1), high)
    if low >= high:
        return high
    digest = hashlib.sha256(f"fuzz {item_id} {reps}".encode()).digest()
    draw = int.from_bytes(digest[:8], "big") / 2**64
    return low + int(draw * (high - low + 1))
