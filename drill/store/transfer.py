"""What moves to another machine: every row of the log, sessions, runs and settings, streamed.

A record is `(type, body)`; `drill.store.merging` takes them in on the other machine. States are
left out, since they follow from the events.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from typing import Any, TypeAlias

from drill.domain.memory.study_day import date_of_day
from drill.store import log, runs, sessions
from drill.store.store import Store

FORMAT = 1
"""Changes when an older drill could no longer read an export."""
SETTINGS = ("profile", "theme", "parameter_set")
"""Settings that are worth moving; the device's id and what comes from `config.toml` are not."""
Record: TypeAlias = tuple[str, dict[str, Any]]
TYPES = ("device", "parameter_set", "base", "event", "session", "run", "setting")
"""In the order in which they are written: an event needs its device and parameters first."""

_WANTED = """
WITH RECURSIVE wanted(uuid) AS (
  SELECT uuid FROM reviews WHERE study_day >= :day
  UNION SELECT r.target FROM reviews r JOIN wanted w ON r.uuid = w.uuid WHERE r.target IS NOT NULL
  UNION SELECT r.uuid FROM reviews r JOIN wanted w ON r.target = w.uuid
)
"""
"""Events from a study day on, with what they undo or overrule and what undoes or overrules them."""
_SESSION_COLUMNS = sessions.COLUMNS.split(", ")
_RUN_COLUMNS = runs.COLUMNS.split(", ")


def records(store: Store, since_day: int | None = None) -> Iterator[Record]:
    """Everything that moves, from one consistent view of the data; memory stays constant.

    With `since_day`, events, sessions and runs from that study day on; for each item that has
    older events too, a `base` names the newest of them, which the other machine must know.
    """
    with store.access.read() as connection:
        yield from _devices(connection)
        yield from _events(connection, since_day)
        day = -1_000_000 if since_day is None else since_day
        yield from _rows(
            connection, "session", "sessions", _SESSION_COLUMNS, "study_day >= ?", (day,)
        )
        begun = "" if since_day is None else _date(since_day).isoformat()
        yield from _rows(connection, "run", "runs", _RUN_COLUMNS, "started >= ?", (begun,))
        marks = ", ".join("?" * len(SETTINGS))
        names = ["name", "value"]
        yield from _rows(connection, "setting", "settings", names, f"name IN ({marks})", SETTINGS)


def counts(store: Store, since_day: int | None = None) -> dict[str, int]:
    """How many events, sessions and runs `records` gives."""
    day = -1_000_000 if since_day is None else since_day
    begun = "" if since_day is None else _date(since_day).isoformat()
    with store.access.read() as connection:
        events = connection.execute(
            "SELECT count(*) FROM reviews"
            if since_day is None
            else f"{_WANTED} SELECT count(*) FROM reviews WHERE uuid IN wanted",  # noqa: S608
            {} if since_day is None else {"day": day},
        ).fetchone()[0]
        kept = connection.execute("SELECT count(*) FROM sessions WHERE study_day >= ?", (day,))
        run = connection.execute("SELECT count(*) FROM runs WHERE started >= ?", (begun,))
        return {"events": events, "sessions": kept.fetchone()[0], "runs": run.fetchone()[0]}


def _date(day: int) -> date:
    return date_of_day(max(day, -719_162))


def _devices(connection: sqlite3.Connection) -> Iterator[Record]:
    yield from _rows(connection, "device", "devices", ["id", "name", "created"], "1", ())
    columns = ["id", "created", "body"]
    yield from _rows(connection, "parameter_set", "parameter_sets", columns, "1", ())


def _events(connection: sqlite3.Connection, since_day: int | None) -> Iterator[Record]:
    columns = ", ".join(log.COLUMNS)
    if since_day is None:
        order = "ORDER BY at, uuid"
        rows = connection.execute(f"SELECT {columns} FROM reviews {order}")  # noqa: S608
    else:
        given = {"day": since_day}
        older = connection.execute(
            f"{_WANTED} SELECT item_id, uuid FROM (SELECT item_id, uuid, row_number() OVER "  # noqa: S608
            "(PARTITION BY item_id ORDER BY at DESC, uuid DESC) AS place FROM reviews "
            "WHERE uuid NOT IN wanted AND item_id IN "
            "(SELECT item_id FROM reviews WHERE uuid IN wanted)) WHERE place = 1 ORDER BY item_id",
            given,
        )
        for item_id, uuid in older:
            yield "base", {"item_id": item_id, "uuid": uuid}
        rows = connection.execute(
            f"{_WANTED} SELECT {columns} FROM reviews WHERE uuid IN wanted ORDER BY at, uuid",  # noqa: S608
            given,
        )
    for row in rows:
        yield "event", _body(log.COLUMNS, row)


def _rows(
    connection: sqlite3.Connection,
    kind: str,
    table: str,
    columns: list[str],
    where: str,
    args: tuple[Any, ...],
) -> Iterator[Record]:
    """Rows of a table by its first column; all names are written here, never a user's text."""
    sql = f"SELECT {', '.join(columns)} FROM {table} WHERE {where} ORDER BY {columns[0]}"  # noqa: S608
    for row in connection.execute(sql, args):
        yield kind, _body(columns, row)


def _body(columns: tuple[str, ...] | list[str], row: tuple[Any, ...]) -> dict[str, Any]:
    return {name: value for name, value in zip(columns, row, strict=True) if value is not None}
