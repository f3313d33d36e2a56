"""Taking records of an export into the data: a union of events, then a replay.

What is here is never changed by what arrives, but for a session that went further elsewhere. The
result of merging does not depend on the order: events are a set that replay orders by time and
UUID, and of two states of one session the greater by `progress`, a total order, stays.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from drill.domain.counted import counted
from drill.store import arriving, log, runs, sessions
from drill.store.arriving import RefusedError
from drill.store.replay import replay_one
from drill.store.transfer import SETTINGS

Fate: TypeAlias = Literal["new", "known", "updated", "conflict"]
AHEAD = timedelta(minutes=5)
"""How far ahead of this machine's clock an event may be before it is told."""
REPORTED = 50
"""Conflicts that are kept with their place; of more, the count."""


class Tally(Struct):
    """What became of the records of one type."""

    new: int = 0
    known: int = 0
    updated: int = 0
    """Sessions that had gone further on the other machine."""
    conflict: int = 0


class Conflict(Struct, frozen=True):
    """A record that says something else than what is here under the same id; it was left out."""

    place: str
    message: str


class Merge:
    """One import inside one write transaction of the caller; an error must roll it back."""

    def __init__(self, connection: sqlite3.Connection, now: datetime) -> None:
        self._connection = connection
        self._limit = log.to_text(now + AHEAD)
        self.tallies: dict[str, Tally] = {}
        self.conflicts: list[Conflict] = []
        self.conflict_count = 0
        self.items: set[str] = set()
        """Items with new events."""
        self.ahead = 0
        """New events that lie in the future of this machine's clock."""
        self.latest = ""
        """Time of the last of them."""
        self.settings: dict[str, Any] = {}
        """Settings that were taken over."""
        self.kept: dict[str, Any] = {}
        """Settings of the file that differ from this machine's, which stay."""
        self._changes: list[tuple[str, str]] = []
        self._bases: list[tuple[str, str]] = []
        self._offered: dict[str, tuple[str, str]] = {}

    def add(self, kind: str, body: Mapping[str, Any], place: str, written: str = "") -> Fate:
        """Take in one record; `written` is the time of its export.

        Raises RefusedError where it is none that drill writes; it may come from SQLite too.
        """
        arriving.check(kind, body)
        fate: Fate = "known"
        if kind == "event":
            fate = self._event(body, place)
        elif kind == "session":
            fate = self._session(body)
        elif kind == "run":
            fate = self._run(body, place)
        elif kind == "setting":
            self._offer(body, written)
        elif kind == "base":
            self._bases.append((body["item_id"], body["uuid"]))
        else:
            fate = self._definition(kind, body)
        tally = self.tallies.setdefault(kind, Tally())
        setattr(tally, fate, getattr(tally, fate) + 1)
        return fate

    def finish(self) -> None:
        """Check what only the whole can tell, derive the touched items again, settle settings.

        Raises RefusedError.
        """
        self._check_targets()
        self._check_bases()
        sets = log.parameter_sets(self._connection)
        for item_id in sorted(self.items):
            # An undo whose target arrives later leaves an amendment that no row of its own names.
            self._connection.execute(
                "DELETE FROM amended WHERE uuid IN (SELECT target FROM reviews "
                "WHERE item_id = ? AND target IS NOT NULL)",
                (item_id,),
            )
            replay_one(self._connection, item_id, sets)
        self._settle()

    # -- one record ------------------------------------------------------------------

    def _event(self, body: Mapping[str, Any], place: str) -> Fate:
        there = self._row("reviews", log.COLUMNS, "uuid", body["uuid"])
        if there is not None:
            given = {name: value for name, value in body.items() if value is not None}
            if there == given:
                return "known"
            differs = sorted(n for n in there.keys() | given.keys() if there.get(n) != given.get(n))
            self._conflict(
                place,
                f"the event {body['uuid']} of {there['item_id']} is here with another "
                f"{', '.join(differs[:3])}; it was written or scored twice, and the one here stays",
            )
            return "conflict"
        log.insert_row(self._connection, body)
        self.items.add(body["item_id"])
        if body.get("target") is not None:
            self._changes.append((body["uuid"], place))
        if body["at"] > self._limit:
            self.ahead += 1
            self.latest = max(self.latest, body["at"])
        return "new"

    def _session(self, body: Mapping[str, Any]) -> Fate:
        columns = sessions.COLUMNS.split(", ")
        there = self._row("sessions", columns, "id", body["id"])
        given = {name: value for name, value in body.items() if value is not None}
        if there == given or (there is not None and progress(there) >= progress(given)):
            return "known"
        marks = ", ".join("?" * len(columns))
        self._connection.execute(
            f"INSERT OR REPLACE INTO sessions ({sessions.COLUMNS}) VALUES ({marks})",  # noqa: S608
            [given.get(name) for name in columns],
        )
        return "new" if there is None else "updated"

    def _run(self, body: Mapping[str, Any], place: str) -> Fate:
        columns = runs.COLUMNS.split(", ")
        there = self._row("runs", columns, "id", body["id"])
        if there is None:
            marks = ", ".join("?" * len(columns))
            self._connection.execute(
                f"INSERT INTO runs ({runs.COLUMNS}) VALUES ({marks})",  # noqa: S608
                [body.get(name) for name in columns],
            )
            return "new"
        if there == dict(body):
            return "known"
        self._conflict(place, f"the run {body['id']} is here with other results, which stay")
        return "conflict"

    def _definition(self, kind: str, body: Mapping[str, Any]) -> Fate:
        """A device or a parameter set; the time of its making is the earliest that is known."""
        table, columns = {
            "device": ("devices", ("id", "name", "created")),
            "parameter_set": ("parameter_sets", ("id", "created", "body")),
        }[kind]
        there = self._row(table, columns, "id", body["id"])
        self._connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES (?, ?, ?) "  # noqa: S608
            "ON CONFLICT (id) DO UPDATE SET created = min(created, excluded.created)",
            [body[name] for name in columns],
        )
        return "new" if there is None else "known"

    def _offer(self, body: Mapping[str, Any], written: str) -> None:
        """Of several files that say something of a setting, the one written last is heard."""
        offered = (written, body["value"])
        if body["name"] in SETTINGS:
            self._offered[body["name"]] = max(self._offered.get(body["name"], ("", "")), offered)

    # -- the whole -------------------------------------------------------------------

    def _check_targets(self) -> None:
        for uuid, place in self._changes:
            row = self._connection.execute(
                "SELECT t.item_id = r.item_id FROM reviews r JOIN reviews t ON t.uuid = r.target "
                "WHERE r.uuid = ?",
                (uuid,),
            ).fetchone()
            if row is not None and not row[0]:
                raise RefusedError(f"{place}: undoes or overrules an answer to another item")

    def _check_bases(self) -> None:
        there = "SELECT 1 FROM reviews WHERE uuid = ?"
        missing = [
            item
            for item, uuid in self._bases
            if self._connection.execute(there, (uuid,)).fetchone() is None
        ]
        if missing:
            raise RefusedError(
                f"the export holds the last days only, and earlier answers to "
                f"{counted(len(missing), 'item')}, such as {missing[0]}, are not here: import an "
                "export without --days first, or together with this one"
            )

    def _settle(self) -> None:
        for name, (_, text) in self._offered.items():
            row = self._connection.execute(
                "SELECT value FROM settings WHERE name = ?", (name,)
            ).fetchone()
            own = None if row is None else json.loads(row[0])
            value = json.loads(text)
            if own == value or (name == "parameter_set" and not self._is_set(value)):
                continue
            begun = isinstance(own, dict) and not own.get("done")
            untouched = own is None or (name == "profile" and begun)
            if not untouched:
                self.kept[name] = value
                continue
            self._connection.execute(
                "INSERT INTO settings (name, value) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, text),
            )
            self.settings[name] = value

    def _is_set(self, value: Any) -> bool:
        found = self._connection.execute("SELECT 1 FROM parameter_sets WHERE id = ?", (str(value),))
        return found.fetchone() is not None

    def _conflict(self, place: str, message: str) -> None:
        self.conflict_count += 1
        if len(self.conflicts) < REPORTED:
            self.conflicts.append(Conflict(place, message))

    def _row(
        self, table: str, columns: tuple[str, ...] | list[str], key: str, value: Any
    ) -> dict[str, Any] | None:
        row = self._connection.execute(
            f"SELECT {', '.join(columns)} FROM {table} WHERE {key} = ?",  # noqa: S608
            (value,),
        ).fetchone()
        if row is None:
            return None
        return {n: v for n, v in zip(columns, row, strict=True) if v is not None}


def progress(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """How far a session has come: of two states of one session the greater is the later one.

    Ended, then questions answered, then time used (a mock interview stores it), then the length
    of what is stored, and at last the text itself, so that any two that differ are ordered.
    """
    texts = [str(row.get(name) or "") for name in ("plan", "draft", "summary", "ended")]
    return (
        row.get("ended") is not None,
        row.get("position") or 0,
        max(_seconds(text) for text in texts[:2]),
        sum(map(len, texts[:3])),
        json.dumps({name: row[name] for name in sorted(row)}, sort_keys=True),
    )


def _seconds(text: str) -> float:
    if '"seconds"' not in text:
        return 0.0
    document = json.loads(text)
    value = document.get("seconds") if isinstance(document, dict) else None
    return float(value) if isinstance(value, int | float) else 0.0
