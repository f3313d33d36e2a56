"""Reading what can be read of a damaged database, row by row, into a new one.

What the damaged file does not give any more is taken from the newest good backup. The log is all
that counts: states follow from it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from drill.domain.memory.state import ParameterSet
from drill.store import log
from drill.store.backup import BackupError, backups, inspect
from drill.store.faults import told
from drill.store.replay import rebuild
from drill.store.restore import replace_with

TABLES = ("devices", "parameter_sets", "settings", "sessions", "runs")
"""Besides the log; the other tables are derived from it."""
STEPS = 5_000
"""Rows that are tried one by one behind a place that cannot be read, before leaps are made."""
FARTHEST = 1 << 40

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was saved."""

    events: int
    """Of the damaged file."""
    from_backup: int
    """Events that only the backup had."""
    backup: Path | None
    refused: int
    """Rows that were read but make no sense any more."""
    gaps: int | None
    """Events missing between those that were saved; None where the damaged file gave none, so that
    it cannot be told. What was lost at the end is never known."""
    newest: str
    """Time of the newest event that was saved, ISO, UTC."""
    sessions: int
    runs: int
    aside: Path | None
    """Where the damaged file is now."""


@dataclass(slots=True)
class _Found:
    tables: dict[str, list[Row]] = field(default_factory=dict)

    def rows(self, table: str) -> list[Row]:
        return self.tables.get(table, [])


def salvage(database: Path, folder: Path, now: datetime | None = None) -> Salvaged:
    """Make a sound database of a damaged one; the damaged one is moved to `folder`.

    Raises BackupError where nothing at all can be saved, or the new file cannot be written; then
    nothing was changed.
    """
    now = now or datetime.now(UTC).astimezone()
    found = _read(database)
    backup = next((path for path in _good(folder)), None)
    spare = _read(backup) if backup is not None else _Found()
    if not found.rows("reviews") and not spare.rows("reviews"):
        raise BackupError(
            f"{database}: nothing of it can be read, and no backup in {folder} has answers; "
            "move the file away to begin anew"
        )
    part = database.with_name(f".{database.name}.{os.getpid()}.part")
    try:
        own, added, refused, gaps = _write(part, found, spare, now)
        newest = inspect(part).latest
        aside = replace_with(part, database, folder, now)
    except (sqlite3.Error, OSError) as error:
        why = told(database, error) if isinstance(error, sqlite3.Error) else f"{database}: {error}"
        raise BackupError(f"the new file cannot be written: {why}") from error
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            Path(f"{part}{ending}").unlink(missing_ok=True)
    return Salvaged(
        own, added, backup, refused, gaps, newest,
        len(found.rows("sessions")), len(found.rows("runs")), aside,
    )  # fmt: skip


def _good(folder: Path) -> Iterator[Path]:
    for each in backups(folder):
        with suppress(BackupError):
            inspect(each.path)
            yield each.path


def _read(path: Path) -> _Found:
    found = _Found()
    with suppress(sqlite3.Error, OSError):
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.text_factory = _text
            for table in ("reviews", *TABLES):
                found.tables[table] = list(_rows(connection, table))
    return found


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[Row]:
    """Every row of a table that can be read, stepping over what cannot."""
    at, tries, step = -1, 0, 1
    end = _end(connection, table)
    while at < end:
        try:
            cursor = connection.execute(
                f"SELECT rowid AS rowid_, * FROM {table} NOT INDEXED "  # noqa: S608
                "WHERE rowid > ? ORDER BY rowid",
                (at,),
            )
            names = [column[0] for column in cursor.description]
            for values in cursor:
                row = dict(zip(names, values, strict=True))
                at, tries, step = row.pop("rowid_"), 0, 1
                yield row
            return
        except sqlite3.DatabaseError as error:
            if "no such table" in str(error):
                return
            tries += 1
            step = step * 2 if tries > STEPS else 1
            at += step


def _end(connection: sqlite3.Connection, table: str) -> int:
    try:
        found = connection.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0]  # noqa: S608
    except sqlite3.DatabaseError:
        return FARTHEST
    return int(found or 0)


def _write(
    part: Path, found: _Found, spare: _Found, now: datetime
) -> tuple[int, int, int, int | None]:
    """Fill a new database; events of the damaged file, of the backup, refused, and gaps."""
    from drill.store.store import Store

    with Store.open(part, lambda: now) as store:
        with store.access.write() as connection:
            for table in TABLES:
                for row in [*found.rows(table), *spare.rows(table)]:
                    with suppress(sqlite3.Error, ValueError):
                        _insert(connection, table, row)
            own = {row.get("uuid") for row in found.rows("reviews")}
            spared = [row for row in spare.rows("reviews") if row.get("uuid") not in own]
            # In the order in which they were written, as undoing goes by it.
            both = sorted(found.rows("reviews") + spared, key=lambda row: int(row["seq"]))
            made, refused = _events(connection, both, now)
            added = len(made.difference(own))
            kept = len(made) - added
            rebuild(connection)
        gaps = None
        if found.rows("reviews"):
            gaps = max(0, max(int(row["seq"]) for row in both) - len(both))
        store.access.connection.execute("PRAGMA journal_mode=DELETE")
    return kept, added, refused, gaps


def _events(
    connection: sqlite3.Connection, rows: Sequence[Row], now: datetime
) -> tuple[set[str], int]:
    """Append the rows that make sense; their UUIDs, and how many made none."""
    made: set[str] = set()
    refused = 0
    sets = log.parameter_sets(connection)
    for row in rows:
        try:
            log.from_text(row["at"])
            _ensure(connection, row, sets, now)
            log.insert_row(connection, row)
            made.add(row["uuid"])
        except (sqlite3.Error, KeyError, ValueError, TypeError):
            refused += 1
    return made, refused


def _ensure(
    connection: sqlite3.Connection, row: Row, sets: dict[str, ParameterSet], now: datetime
) -> None:
    """What a row names is there: a lost device by a stand-in, lost parameters by the defaults."""
    connection.execute(
        "INSERT INTO devices (id, name, created) VALUES (?, 'unknown', ?) ON CONFLICT DO NOTHING",
        (row["device_id"], log.to_text(now)),
    )
    if row.get("parameter_set") is not None and row["parameter_set"] not in sets:
        default = ParameterSet()
        log.ensure_parameters(connection, default, now)
        sets[default.id] = default
        row["parameter_set"] = default.id


def _insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    columns = [each[1] for each in connection.execute(f"PRAGMA table_info({table})")]
    names = [name for name in columns if name in row]
    for name in ("plan", "body", "value", "params", "metrics"):
        if isinstance(row.get(name), str):
            json.loads(row[name])  # what is torn here would stop the app later
    marks = ", ".join("?" * len(names))
    connection.execute(
        f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608
        [row[name] for name in names],
    )
