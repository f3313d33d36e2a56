"""The log of events and its replay into memory states: pure, one item at a time.

The log is append-only and is the truth. Nothing in it is ever changed: an undo is an event that
names the event it cancels, a grade the learner overrules is an event that names the answer.
Replaying the active events of an item by time, then UUID, gives its state; merging the logs of
two machines is therefore a union.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

from msgspec import Struct
from msgspec.structs import replace

from drill.domain.memory.state import MemoryState, ParameterSet, as_grade

Kind: TypeAlias = Literal[
    "review", "undo", "overrule", "suspend", "unsuspend", "bury", "known", "advance"
]
"""`known`: taken as known until a first retest; `advance`: brought forward, such as after a miss
in a mock interview; `overrule`: another grade for the answer it names."""
KINDS: tuple[Kind, ...] = get_args(Kind)
Mode: TypeAlias = Literal["session", "retry", "placement", "mock", "cram"]
MODES: tuple[Mode, ...] = get_args(Mode)
SCHEDULING_MODES: frozenset[str] = frozenset({"session", "retry", "placement"})
"""Modes whose answers change the memory. Cramming and mock interviews are evidence of their
own: reviewing ahead would inflate intervals."""


class Event(Struct, frozen=True):
    """What replay needs of a row of the log."""

    uuid: str
    at: str
    """UTC, ISO 8601 with microseconds and `Z`: sorts as text."""
    kind: Kind
    item_id: str
    study_day: int
    target: str = ""
    """UUID of the event that an undo or overrule names."""
    schedules: bool = False
    """Whether an answer changes the memory."""
    grade: int = 0
    confidence: int | None = None
    mode: str = ""
    until_day: int = 0
    """Day of a bury, known or advance event."""
    parameter_set: str = ""

    @property
    def order(self) -> tuple[str, str]:
        """Replay order."""
        return self.at, self.uuid


def cancelled(events: Iterable[Event]) -> frozenset[str]:
    """UUIDs of the events that an active undo names.

    The undo of an undo makes the first event active again. Undos that name each other in a
    circle, which no command writes, are resolved in the order of their UUIDs.
    """
    undos: dict[str, list[str]] = {}
    for event in events:
        if event.kind == "undo":
            undos.setdefault(event.target, []).append(event.uuid)
    known: dict[str, bool] = {}
    for start in sorted(undos):
        stack = [start]
        while stack:
            uuid = stack[-1]
            by = sorted(undos.get(uuid, []))
            waiting = [u for u in by if u not in known and u not in stack]
            if uuid in known or not waiting:
                stack.pop()
                known.setdefault(uuid, any(not known.get(u, True) for u in by))
            else:
                stack.extend(waiting)
    return frozenset(uuid for uuid, gone in known.items() if gone)


def overrules(events: Iterable[Event], gone: frozenset[str]) -> dict[str, Event]:
    """The overrule that holds for each answer that has one: its latest active one."""
    holds: dict[str, Event] = {}
    for event in sorted(events, key=lambda e: e.order):
        if event.kind == "overrule" and event.uuid not in gone:
            holds[event.target] = event
    return holds


def apply(
    state: MemoryState, event: Event, parameter_sets: Mapping[str, ParameterSet]
) -> MemoryState:
    """State after one active event (an answer with its effective grade).

    Raises KeyError where the event names a parameter set that is not there.
    """
    match event.kind:
        case "review":
            if not event.schedules:
                return state
            from drill.domain.memory.fsrs_memory import review
            from drill.domain.memory.rating import confidently_wrong

            return review(
                state,
                as_grade(event.grade),
                event.study_day,
                parameter_sets[event.parameter_set],
                confident=confidently_wrong(event.grade, event.confidence),
                retry=event.mode == "retry",
            )
        case "suspend":
            return replace(state, suspended=True)
        case "unsuspend":
            return replace(state, suspended=False)
        case "bury":
            return replace(state, buried_until=event.until_day)
        case "known":
            from drill.domain.memory.fsrs_memory import known

            return known(
                state, event.study_day, event.until_day, parameter_sets[event.parameter_set]
            )
        case "advance":
            due = event.until_day
            if state.due_day is not None:
                due = min(due, state.due_day)
            return replace(state, due_day=due)
        case "undo" | "overrule":
            return state


def replay_item(
    item_id: str, events: Sequence[Event], parameter_sets: Mapping[str, ParameterSet]
) -> MemoryState | None:
    """State of one item from all of its events, in any order; None where nothing is left of it."""
    gone = cancelled(events)
    grades = overrules(events, gone)
    state = MemoryState(item_id)
    for event in sorted(events, key=lambda e: e.order):
        if event.uuid in gone or event.kind in ("undo", "overrule"):
            continue
        overrule = grades.get(event.uuid)
        if overrule is not None:
            event = replace(event, grade=overrule.grade)
        state = apply(state, event, parameter_sets)
    return None if state == MemoryState(item_id) else state
