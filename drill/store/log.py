"""Rows of the append-only log, and the reading and writing of them. No decisions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from msgspec import Struct

from drill.domain.memory.events import Event, Kind
from drill.domain.memory.state import STATE_FIELDS, MemoryState, ParameterSet

COLUMNS: tuple[str, ...] = (
    "uuid",
    "kind",
    "device_id",
    "at",
    "offset_minutes",
    "study_day",
    "other_day",
    "item_id",
    "target",
    "content_hash",
    "type",
    "seed",
    "mode",
    "schedules",
    "duration_ms",
    "expected_seconds",
    "confidence",
    "hints",
    "answer",
    "auto_score",
    "self_score",
    "auto_grade",
    "grade",
    "said_aloud",
    "session_id",
    "until_day",
    "scheduler",
    "parameter_set",
    "recall",
    "elapsed_days",
    "before",
    "after",
    "points",
    "misconceptions",
    "run_id",
)
"""Columns of `reviews` without `seq`, the order in which this file saw them."""
EVENT_COLUMNS = (
    "uuid, at, kind, item_id, study_day, coalesce(target, ''), schedules, coalesce(grade, 0), "
    "confidence, coalesce(mode, ''), coalesce(until_day, 0), coalesce(parameter_set, '')"
)
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
TIME_LENGTH = 27


def to_text(at: datetime) -> str:
    """UTC text with microseconds, of fixed width: sorts as text."""
    return at.astimezone(UTC).strftime(TIME_FORMAT)


def from_text(text: str) -> datetime:
    """The inverse of `to_text`."""
    if len(text) != TIME_LENGTH or not text.endswith("Z"):
        raise ValueError(f"not a UTC time of the form 2026-11-23T09:00:00.000000Z: {text!r}")
    return datetime.fromisoformat(text)


class Answer(Struct, frozen=True):
    """One answer as it counts now: not undone, with the grade that holds."""

    seq: int
    uuid: str
    at: str
    offset_minutes: int
    study_day: int
    item_id: str
    content_hash: str
    type: str
    seed: int
    mode: str
    schedules: bool
    duration_ms: int
    expected_seconds: float
    confidence: int | None
    hints: int
    answer: str
    auto_score: float
    self_score: float | None
    auto_grade: int
    grade: int
    overruled: bool
    """Whether the learner graded it, at once or afterwards."""
    said_aloud: bool
    session_id: str
    recall: float | None
    """Predicted recall just before the answer; None for a first answer."""
    elapsed_days: int | None
    """Study days since the answer before; None for a first answer."""
    points: Mapping[str, str]
    misconceptions: tuple[str, ...]
    run_id: str


ANSWER_COLUMNS = (
    "seq, uuid, at, offset_minutes, study_day, item_id, content_hash, type, seed, mode, "
    "schedules, duration_ms, expected_seconds, confidence, hints, answer, auto_score, "
    "self_score, auto_grade, grade, overruled, said_aloud, session_id, recall, elapsed_days, "
    "points, misconceptions, run_id"
)


def to_answer(row: Sequence[Any]) -> Answer:
    """An answer from a row of `ANSWER_COLUMNS`."""
    values = list(row)
    for index, blank in ((6, ""), (7, ""), (8, 0), (11, 0), (12, 0.0), (14, 0), (15, "")):
        if values[index] is None:
            values[index] = blank
    values[10] = bool(values[10])
    values[20] = bool(values[20])
    values[21] = bool(values[21])
    values[22] = values[22] or ""
    values[25] = json.loads(values[25]) if values[25] else {}
    values[26] = tuple(json.loads(values[26])) if values[26] else ()
    values[27] = values[27] or ""
    return Answer(*values)


def to_event(row: Sequence[Any]) -> Event:
    """An event from a row of `EVENT_COLUMNS`."""
    uuid, at, kind, item, day, target, schedules, grade, confidence, mode, until, params = row
    return Event(
        uuid=uuid,
        at=at,
        kind=cast(Kind, kind),
        item_id=item,
        study_day=day,
        target=target,
        schedules=bool(schedules),
        grade=grade,
        confidence=confidence,
        mode=mode,
        until_day=until,
        parameter_set=params,
    )


def insert_row(connection: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    """Append one row; columns that `row` lacks are NULL."""
    names = [name for name in COLUMNS if row.get(name) is not None]
    marks = ", ".join("?" * len(names))
    connection.execute(
        f"INSERT INTO reviews ({', '.join(names)}) VALUES ({marks})",  # noqa: S608
        [row[name] for name in names],
    )


def events_of(connection: sqlite3.Connection, item_id: str) -> list[Event]:
    """Every event of one item."""
    rows = connection.execute(
        f"SELECT {EVENT_COLUMNS} FROM reviews WHERE item_id = ? ORDER BY at, uuid",  # noqa: S608
        (item_id,),
    )
    return [to_event(row) for row in rows]


def events_by_item(connection: sqlite3.Connection) -> Iterator[tuple[str, list[Event]]]:
    """Every item of the log with its events, in replay order."""
    rows = connection.execute(
        f"SELECT {EVENT_COLUMNS} FROM reviews ORDER BY item_id, at, uuid"  # noqa: S608
    )
    item = ""
    events: list[Event] = []
    for row in rows:
        event = to_event(row)
        if event.item_id != item and events:
            yield item, events
            events = []
        item = event.item_id
        events.append(event)
    if events:
        yield item, events


def parameter_sets(connection: sqlite3.Connection) -> dict[str, ParameterSet]:
    """Every parameter set that the log may name."""
    rows = connection.execute("SELECT id, body FROM parameter_sets")
    return {id_: ParameterSet.from_json(json.loads(body)) for id_, body in rows}


def ensure_parameters(
    connection: sqlite3.Connection, parameters: ParameterSet, now: datetime
) -> None:
    """Keep a parameter set under its id; one that is there stays."""
    connection.execute(
        "INSERT INTO parameter_sets (id, created, body) VALUES (?, ?, ?) "
        "ON CONFLICT (id) DO NOTHING",
        (parameters.id, to_text(now), json.dumps(parameters.to_json())),
    )


_STATE_COLUMNS = ", ".join(STATE_FIELDS)
_STATE_MARKS = ", ".join("?" * len(STATE_FIELDS))


def to_state(row: Sequence[Any]) -> MemoryState:
    """A state from a row of the columns of `states`."""
    (
        item,
        s,
        d,
        due,
        last,
        first,
        reps,
        lapses,
        grade,
        susp,
        buried,
        leech,
        known,
        retest,
        decay,
    ) = row
    return MemoryState(
        item, s, d, due, last, first, reps, lapses, grade,
        bool(susp), buried, bool(leech), bool(known), retest, decay,
    )  # fmt: skip


def read_state(connection: sqlite3.Connection, item_id: str) -> MemoryState | None:
    """The stored state of an item."""
    row = connection.execute(
        f"SELECT {_STATE_COLUMNS} FROM states WHERE item_id = ?",  # noqa: S608
        (item_id,),
    ).fetchone()
    return None if row is None else to_state(row)


def read_states(
    connection: sqlite3.Connection, where: str = "", args: Sequence[Any] = ()
) -> Iterator[MemoryState]:
    """Stored states; `where` is SQL written here, never a user's text."""
    rows = connection.execute(f"SELECT {_STATE_COLUMNS} FROM states {where}", args)  # noqa: S608
    return map(to_state, rows)


def write_state(connection: sqlite3.Connection, item_id: str, state: MemoryState | None) -> None:
    """Put the state of an item; None or a blank one removes it."""
    if state is None or state == MemoryState(item_id):
        connection.execute("DELETE FROM states WHERE item_id = ?", (item_id,))
        return
    write_states(connection, [state])


def write_states(connection: sqlite3.Connection, states: Iterable[MemoryState]) -> None:
    """Put many states."""
    connection.executemany(
        f"INSERT OR REPLACE INTO states ({_STATE_COLUMNS}) VALUES ({_STATE_MARKS})",  # noqa: S608
        [tuple(getattr(state, name) for name in STATE_FIELDS) for state in states],
    )


def snapshot(state: MemoryState | None) -> str | None:
    """JSON of the numbers of a state, for the before and after of a row."""
    if state is None:
        return None
    return json.dumps(
        {
            "stability": state.stability,
            "difficulty": state.difficulty,
            "due_day": state.due_day,
            "last_day": state.last_day,
            "reps": state.reps,
            "lapses": state.lapses,
        }
    )
