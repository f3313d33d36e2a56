"""A session on the way to the interview day: the planner's choice as places in a session.

`drill.domain.plan` decides what adds most recall on the day for each second. Here the learner's
items become its candidates, and its choice becomes a session: retests first of all, siblings
kept apart, new items spread among the others, topics interleaved.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from drill.domain.first_answers import FirstAnswers
from drill.domain.importance import importance
from drill.domain.memory.ordering import interleaved
from drill.domain.memory.pace import HistorySummary
from drill.domain.memory.queue import RETRY_SHARE, Planned, Reason, mixed
from drill.domain.memory.state import DEFAULT_DECAY, MemoryState, ParameterSet
from drill.domain.plan import Candidate, Choice, choose
from drill.domain.questions import Head, Level, Role

KNOWN_SHARE = 0.25
"""Most of a session that goes to checking what was taken as known, once it is due: each was
promised one check, and the planner, which believes what it is told, would put many off."""


class Dated(Struct, frozen=True):
    """A place in the session, and what the planner expects of it."""

    item_id: str
    reason: Reason
    choice: Choice
    forward: bool = False
    """It was brought forward: missed in a mock interview, or met in a real one."""

    def planned(self, why: str = "") -> Planned:
        """The place as a session keeps it."""
        return Planned(self.item_id, self.reason, self.choice.seconds, why)


class Inputs(Struct, frozen=True):
    """Everything that the plan of a day is made from. Days are study days."""

    heads: Mapping[str, Head]
    states: Mapping[str, MemoryState]
    history: HistorySummary
    first: FirstAnswers
    parameters: ParameterSet
    level: Level
    role: Role | None
    day: int
    date: int
    forward: frozenset[str] = frozenset()
    """Items that were brought forward to today and not answered since."""


def candidates(inputs: Inputs) -> list[Candidate]:
    """Every item that is not suspended, with its weight, its time and what is known of it."""
    found = []
    reading = inputs.history.feedback_seconds
    weights = inputs.parameters.parameters
    decay = weights[20] if weights else DEFAULT_DECAY
    for item, head in inputs.heads.items():
        state = inputs.states.get(item)
        if state is not None and state.suspended:
            continue
        answer = inputs.history.seconds(head.type, head.seconds)
        known = state if state is not None and not state.new else MemoryState(item, decay=decay)
        found.append(
            Candidate(
                item_id=item,
                weight=importance(head, inputs.level, inputs.role),
                seconds_right=answer + reading,
                seconds_wrong=(1.0 + RETRY_SHARE) * answer + 2.0 * reading,
                first_right=inputs.first.chance(head.topic),
                stability=known.stability,
                difficulty=known.difficulty,
                last_day=known.last_day or 0,
                decay=known.decay,
                must=_must(state, inputs, item),
            )
        )
    return found


def siblings(heads: Mapping[str, Head]) -> dict[str, tuple[str, ...]]:
    """Item to the items that give it away, as the heads declare it."""
    return {item: head.siblings for item, head in heads.items() if head.siblings}


def plan_day(
    inputs: Inputs,
    seconds: float,
    seed: int,
    limit: int | None = None,
    daily_seconds: float | None = None,
) -> list[Dated]:
    """What to ask today in `seconds`, in order; the same for the same arguments.

    Left out: what was answered today and its siblings, what is buried or suspended. `limit`
    keeps only the best so many. `daily_seconds`: the time on each later day, as today where it
    is not said. ValueError after the day of the interview.
    """
    blocked = _blocked(inputs.heads, inputs.history.answered_today)
    open_items = [
        c for c in candidates(inputs) if c.item_id not in blocked and not _buried(inputs, c.item_id)
    ]
    usual = seconds if daily_seconds is None else min(seconds, daily_seconds)
    checks = _checks(inputs, open_items, KNOWN_SHARE * usual)
    chosen = choose(
        [replace(c, must=True) if c.item_id in checks else c for c in open_items],
        day=inputs.day,
        date=inputs.date,
        seconds=seconds,
        parameters=inputs.parameters,
        siblings=siblings(inputs.heads),
        daily_seconds=daily_seconds,
    )
    places = [
        Dated(c.item_id, _reason(inputs, c.item_id), c, c.item_id in inputs.forward)
        for c in chosen[:limit]
    ]
    old = [p for p in places if p.reason != "new"]
    new = [p for p in places if p.reason == "new"]
    return interleaved(mixed(old, new), inputs.heads, seed)


def _checks(inputs: Inputs, items: Sequence[Candidate], seconds: float) -> set[str]:
    """What was taken as known and is due to be checked, the most important first, as it fits."""
    due = []
    for item in items:
        state = inputs.states.get(item.item_id)
        if state is not None and state.known and state.is_due(inputs.day):
            due.append(item)
    due.sort(key=lambda c: (-c.weight, c.item_id))
    found: set[str] = set()
    for item in due:
        if item.seconds_wrong <= seconds:
            found.add(item.item_id)
            seconds -= item.seconds_wrong
    return found


def _must(state: MemoryState | None, inputs: Inputs, item: str) -> bool:
    if item in inputs.forward:
        return True
    return state is not None and 0 < state.retest_day <= inputs.day


def _buried(inputs: Inputs, item: str) -> bool:
    state = inputs.states.get(item)
    return state is not None and state.buried_until > inputs.day


def _blocked(heads: Mapping[str, Head], answered: Collection[str]) -> set[str]:
    blocked = set(answered)
    for item, head in heads.items():
        for other in head.siblings:
            if item in answered:
                blocked.add(other)
            if other in answered:
                blocked.add(item)
    return blocked


def _reason(inputs: Inputs, item: str) -> Reason:
    state = inputs.states.get(item)
    if state is None or state.new:
        return "due" if item in inputs.forward else "new"
    if 0 < state.retest_day <= inputs.day:
        return "retest"
    if state.known:
        return "known"
    return "due" if state.is_due(inputs.day) or item in inputs.forward else "ahead"
