"""Sessions: plan, position and the half-typed answer, so that quitting anywhere loses nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct

from drill.store.db import Access
from drill.store.log import to_text

COLUMNS = "id, kind, started, ended, study_day, seed, minutes, position, plan, draft, summary"


class Session(Struct, frozen=True):
    """A stored session. `plan`, `draft` and `summary` are whatever JSON its service keeps."""

    id: str
    kind: str
    """`session`, `placement`, `mock` or `cram`."""
    started: str
    ended: str | None
    study_day: int
    seed: int
    minutes: float | None
    position: int
    plan: Any
    draft: Any
    summary: Any


def _session(row: tuple[Any, ...]) -> Session:
    values = list(row)
    for index in (8, 9, 10):
        values[index] = None if values[index] is None else json.loads(values[index])
    return Session(*values)


class Sessions:
    """The `sessions` table."""

    def __init__(self, access: Access, clock: Callable[[], datetime]) -> None:
        self._access = access
        self._clock = clock

    def start(
        self,
        kind: str,
        plan: Any,
        study_day: int,
        seed: int,
        minutes: float | None = None,
        session_id: str = "",
    ) -> Session:
        """Begin a session; `plan` is JSON. Give `session_id` to choose its id."""
        import uuid

        session_id = session_id or str(uuid.uuid4())
        with self._access.write() as connection:
            connection.execute(
                "INSERT INTO sessions (id, kind, started, study_day, seed, minutes, plan) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    session_id,
                    kind,
                    to_text(self._clock()),
                    study_day,
                    seed,
                    minutes,
                    json.dumps(plan),
                ),
            )
        return self.get(session_id)

    def get(self, session_id: str) -> Session:
        """The session with this id; raises KeyError where there is none."""
        row = self._access.row(f"SELECT {COLUMNS} FROM sessions WHERE id = ?", (session_id,))  # noqa: S608
        if row is None:
            raise KeyError(f"no session {session_id!r}")
        return _session(row)

    def unfinished(self, kind: str = "session") -> Session | None:
        """The newest session of a kind that was begun and never ended."""
        row = self._access.row(
            f"SELECT {COLUMNS} FROM sessions WHERE kind = ? AND ended IS NULL "  # noqa: S608
            "ORDER BY started DESC, rowid DESC LIMIT 1",
            (kind,),
        )
        return None if row is None else _session(row)

    def recent(self, limit: int = 20, kind: str = "") -> list[Session]:
        """Sessions, newest first."""
        rows = self._access.rows(
            f"SELECT {COLUMNS} FROM sessions WHERE ? IN ('', kind) "  # noqa: S608
            "ORDER BY started DESC, rowid DESC LIMIT ?",
            (kind, limit),
        )
        return [_session(row) for row in rows]

    def save_draft(self, session_id: str, draft: Any) -> None:
        """Keep the half-typed answer (JSON; None clears it)."""
        with self._access.write() as connection:
            connection.execute(
                "UPDATE sessions SET draft = ? WHERE id = ?",
                (None if draft is None else json.dumps(draft), session_id),
            )

    def save_plan(self, session_id: str, plan: Any, position: int) -> None:
        """Keep a changed plan, such as after a skip."""
        with self._access.write() as connection:
            advance(connection, session_id, position, plan)

    def end(self, session_id: str, summary: Any = None) -> None:
        """Mark as ended; ending twice keeps the first time."""
        with self._access.write() as connection:
            connection.execute(
                "UPDATE sessions SET ended = coalesce(ended, ?), draft = NULL, "
                "summary = coalesce(?, summary) WHERE id = ?",
                (
                    to_text(self._clock()),
                    None if summary is None else json.dumps(summary),
                    session_id,
                ),
            )


def advance(
    connection: sqlite3.Connection, session_id: str, position: int | None, plan: Any = None
) -> None:
    """Move a session on inside the caller's transaction, and clear its draft."""
    found = connection.execute(
        "UPDATE sessions SET position = coalesce(?, position), plan = coalesce(?, plan), "
        "draft = NULL WHERE id = ?",
        (position, None if plan is None else json.dumps(plan), session_id),
    )
    if found.rowcount == 0:
        raise KeyError(f"no session {session_id!r}")
