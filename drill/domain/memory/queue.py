"""Choosing what to ask without a date: which items make up a session, and in which order.

Plain FSRS; `drill.domain.dated_plan` chooses on the way to an interview day.
Due items come by predicted recall, lowest first, but nothing counts as lower than `FLOOR`: under
it an item is forgotten, and among the forgotten the more relevant one comes first. That keeps a
backlog from being worked off from its least useful end. New items take a share of the minutes
and none while the backlog is more than `BACKLOG_SESSIONS` sessions long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, TypeVar

from msgspec import Struct

from drill.domain.memory.ordering import interleaved
from drill.domain.memory.pace import HistorySummary
from drill.domain.memory.state import MemoryState, retrievability
from drill.domain.questions import LEVELS, RELEVANCES, Head, Level, Role

Reason: TypeAlias = Literal["retest", "due", "known", "new", "ahead", "retry", "placement"]
"""`retest`: wrong with full confidence before; `known`: taken as known, checked once; `ahead`:
not due by FSRS, asked for the day of the interview; `retry`: wrong in this session."""

FLOOR = 0.5
"""Predicted recall under which an item counts as forgotten."""
NEW_SHARE = 0.35
"""Share of the minutes kept for new items while the backlog allows any."""
BACKLOG_SESSIONS = 2.0
"""Due work, in sessions, from which no new item is asked."""
RETRY_SHARE = 0.6
"""Share of a first answer's time that a retry takes."""
NEW_RECALL = 0.6
"""Chance that a new item is answered right, for the time that retries will take."""


T = TypeVar("T")


class Planned(Struct, frozen=True):
    """One place in a session."""

    item_id: str
    reason: Reason
    seconds: float
    """Expected time with feedback and, in proportion to its chance, the retry."""
    why: str = ""
    """Why it is asked, in words, where that says more than the reason."""


class QueueSettings(Struct, frozen=True):
    """What the learner is preparing for."""

    level: Level = "mid"
    roles: tuple[Role, ...] = ()
    new_per_day: int = 15
    """A limit of plain FSRS only: on the way to a date the minutes are the limit."""
    topic_weights: Mapping[str, float] = {}
    """Topic to how much of the new items it should get; 1 where it is not named."""


def plan_session(
    heads: Mapping[str, Head],
    states: Mapping[str, MemoryState],
    history: HistorySummary,
    settings: QueueSettings,
    day: int,
    seed: int,
    minutes: float,
) -> list[Planned]:
    """What to ask on study day `day` in `minutes`, in order; the same for the same arguments.

    `heads` holds the items that may be asked (the caller leaves out stale ones and other topics).
    Never an item answered today, and never two siblings on one day.
    """
    budget = minutes * 60.0
    taken = _Taken(heads, history.answered_today)
    open_ids = [
        i
        for i in heads
        if not taken.blocked(i) and _available(states.get(i), day) and i not in taken.seen
    ]
    due = [i for i in open_ids if (s := states.get(i)) is not None and s.is_due(day)]
    due.sort(key=lambda i: _urgency(heads[i], states[i], day, seed))
    costs = {i: _seconds(heads[i], states.get(i), history, day) for i in open_ids}
    backlog = sum(costs[i] for i in due)
    new_left = max(0, settings.new_per_day - history.new_today)
    fresh: Iterable[str] = ()
    if new_left and backlog < BACKLOG_SESSIONS * budget:
        candidates = [i for i in open_ids if i not in states or _unscheduled(states[i])]
        fresh = _new_in_order(heads, states, candidates, settings, seed)
    reserve = NEW_SHARE * budget if fresh else 0.0

    chosen: list[Planned] = []
    left = _fill(chosen, due, budget - reserve, taken, states, costs)
    left += reserve
    new: list[Planned] = []
    for item in fresh:
        if len(new) >= new_left or left <= 0:
            break
        if costs[item] <= left and taken.take(item):
            new.append(Planned(item, "new", costs[item]))
            left -= costs[item]
    later = [i for i in due if i not in taken.seen]
    _fill(chosen, later, left, taken, states, costs)
    if not chosen and not new:
        chosen = _shortest(due, open_ids, states, costs, new_left, taken)
    return interleaved(mixed(chosen, new), heads, seed)


class _Taken:
    """Items used up for today, and with them their siblings, whichever side declares the bond."""

    def __init__(self, heads: Mapping[str, Head], answered: Iterable[str]) -> None:
        self._siblings: dict[str, set[str]] = {}
        for item, head in heads.items():
            for other in head.siblings:
                self._siblings.setdefault(item, set()).add(other)
                self._siblings.setdefault(other, set()).add(item)
        self.seen: set[str] = set(answered)
        self._hidden: set[str] = set()
        for item in self.seen:
            self._hidden |= self._siblings.get(item, set())

    def blocked(self, item: str) -> bool:
        return item in self._hidden or item in self.seen

    def take(self, item: str) -> bool:
        if self.blocked(item):
            return False
        self.seen.add(item)
        self._hidden |= self._siblings.get(item, set())
        return True


def _available(state: MemoryState | None, day: int) -> bool:
    return state is None or (not state.suspended and state.buried_until <= day)


def _unscheduled(state: MemoryState) -> bool:
    return state.new and state.due_day is None


def _urgency(head: Head, state: MemoryState, day: int, seed: int) -> tuple[int, float, int, str]:
    recall = retrievability(state, day)
    return (
        0 if state.retest_day else 1,
        round(max(recall, FLOOR), 3),
        RELEVANCES.index(head.relevance),
        _shuffle_key(seed, head.id),
    )


def _shuffle_key(seed: int, text: str) -> str:
    return hashlib.sha256(f"{seed} {text}".encode()).hexdigest()


def _seconds(head: Head, state: MemoryState | None, history: HistorySummary, day: int) -> float:
    answer = history.seconds(head.type, head.seconds)
    recall = NEW_RECALL if state is None or state.new else retrievability(state, day)
    once = answer + history.feedback_seconds
    return once + (1.0 - recall) * (RETRY_SHARE * answer + history.feedback_seconds)


def _reason(state: MemoryState) -> Reason:
    if state.retest_day:
        return "retest"
    return "known" if state.known else "due"


def _fill(
    chosen: list[Planned],
    ids: Sequence[str],
    room: float,
    taken: _Taken,
    states: Mapping[str, MemoryState],
    costs: Mapping[str, float],
) -> float:
    """Add due items while they fit into `room` seconds; gives what is left of it."""
    for item in ids:
        if room <= 0:
            break
        if costs[item] <= room and taken.take(item):
            chosen.append(Planned(item, _reason(states[item]), costs[item]))
            room -= costs[item]
    return room


def _new_in_order(
    heads: Mapping[str, Head],
    states: Mapping[str, MemoryState],
    candidates: Sequence[str],
    settings: QueueSettings,
    seed: int,
) -> Iterator[str]:
    """New items, best first: each from the topic that is furthest behind its weight."""
    level = LEVELS.index(settings.level)
    roles = set(settings.roles)

    def fit(item: str) -> tuple[int, int, int, str]:
        head = heads[item]
        distance = LEVELS.index(head.level) - level
        return (
            RELEVANCES.index(head.relevance) + (2 * distance if distance > 0 else -distance),
            0 if not roles or roles.intersection(head.roles) else 1,
            abs(distance),
            _shuffle_key(seed, item),
        )

    by_topic: dict[str, list[str]] = {}
    for item in sorted(candidates, key=fit):
        by_topic.setdefault(heads[item].topic, []).append(item)
    seen = dict.fromkeys(by_topic, 0)
    for item in states:
        if item in heads and not states[item].new and heads[item].topic in seen:
            seen[heads[item].topic] += 1
    queues = {topic: iter(items) for topic, items in by_topic.items()}
    while queues:
        topic = min(
            queues,
            key=lambda t: (
                (seen[t] + 1) / max(settings.topic_weights.get(t, 1.0), 1e-6),
                _shuffle_key(seed, t),
            ),
        )
        best = next(queues[topic], None)
        if best is None:
            del queues[topic]
            continue
        seen[topic] += 1
        if settings.topic_weights.get(topic, 1.0) > 0:
            yield best


def _shortest(
    due: Sequence[str],
    ids: Sequence[str],
    states: Mapping[str, MemoryState],
    costs: Mapping[str, float],
    new_left: int,
    taken: _Taken,
) -> list[Planned]:
    """Where nothing fits into the minutes, the shortest item there is: never an empty session."""
    pool = list(due)
    if not pool and new_left:
        pool = [i for i in ids if i not in states or _unscheduled(states[i])]
    pool = [i for i in pool if not taken.blocked(i)]
    if not pool:
        return []
    item = min(pool, key=lambda i: (costs[i], i))
    taken.take(item)
    state = states.get(item)
    reason: Reason = "new" if state is None or state.new else _reason(state)
    return [Planned(item, reason, costs[item])]


def mixed(chosen: Sequence[T], new: Sequence[T]) -> list[T]:
    """The new items spread evenly among the others, so that none has to be learned tired."""
    total = len(chosen) + len(new)
    mixed: list[T] = []
    old, fresh = iter(chosen), iter(new)
    due_count = new_count = 0
    for place in range(1, total + 1):
        want_new = round(place * len(new) / total)
        if new_count < want_new or due_count == len(chosen):
            mixed.append(next(fresh))
            new_count += 1
        else:
            mixed.append(next(old))
            due_count += 1
    return mixed
