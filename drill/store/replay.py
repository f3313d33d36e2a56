"""Deriving what is cached from the log: states and amendments, of one item or of all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from drill.domain.memory.events import Event, cancelled, overrules, replay_item
from drill.domain.memory.state import MemoryState, ParameterSet
from drill.store import log

Amendments = dict[str, tuple[int, str | None]]
"""UUID to (active, UUID of the overrule that holds), for undone and overruled events."""


def amendments(events: Iterable[Event]) -> Amendments:
    """What the undos and overrules among the events of one item leave."""
    events = list(events)
    gone = cancelled(events)
    grades = overrules(events, gone)
    found: Amendments = dict.fromkeys(gone, (0, None))
    for target, event in grades.items():
        active = found.get(target, (1, None))[0]
        found[target] = (active, event.uuid)
    return found


def replay_one(
    connection: sqlite3.Connection, item_id: str, sets: Mapping[str, ParameterSet]
) -> MemoryState | None:
    """Derive one item again and store the result; inside the caller's transaction."""
    events = log.events_of(connection, item_id)
    state = replay_item(item_id, events, sets)
    log.write_state(connection, item_id, state)
    connection.execute(
        "DELETE FROM amended WHERE uuid IN (SELECT uuid FROM reviews WHERE item_id = ?)",
        (item_id,),
    )
    write_amendments(connection, amendments(events))
    return state


def write_amendments(connection: sqlite3.Connection, found: Amendments) -> None:
    """Put amendments."""
    connection.executemany(
        "INSERT OR REPLACE INTO amended (uuid, active, overruled_by) VALUES (?, ?, ?)",
        [(uuid, active, by) for uuid, (active, by) in found.items()],
    )


def replay_all(connection: sqlite3.Connection) -> tuple[dict[str, MemoryState], Amendments]:
    """States and amendments that the whole log gives; nothing is written."""
    sets = log.parameter_sets(connection)
    states: dict[str, MemoryState] = {}
    found: Amendments = {}
    for item_id, events in log.events_by_item(connection):
        state = replay_item(item_id, events, sets)
        if state is not None:
            states[item_id] = state
        if any(event.target for event in events):
            found.update(amendments(events))
    return states, found


def rebuild(connection: sqlite3.Connection) -> int:
    """Throw the derived tables away and derive them again, inside the caller's transaction.

    Gives the count of states.
    """
    states, found = replay_all(connection)
    connection.execute("DELETE FROM states")
    connection.execute("DELETE FROM amended")
    log.write_states(connection, states.values())
    write_amendments(connection, found)
    return len(states)
