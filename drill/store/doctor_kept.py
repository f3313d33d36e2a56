"""What is kept beside the log: sessions, settings, and runs with their pictures."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from drill.domain.counted import counted
from drill.store.findings import Finding, some
from drill.store.reading import Reader

_JSON = {
    "settings": ("name", ("value",)),
    "sessions": ("id", ("plan", "draft", "summary")),
    "runs": ("id", ("params", "metrics", "claims", "outcomes", "versions", "artefacts", "extra")),
}
"""Table: its key, and the columns that hold JSON."""


def kept_findings(
    store: Reader, known_ids: Collection[str] | None, runs_dir: Path | None
) -> list[Finding]:
    """Findings about sessions, settings and runs."""
    torn = torn_rows(store.access.connection)
    found = [
        Finding(
            "error",
            f"torn-{table}",
            f"{len(names)} {table} cannot be read: {some(names)}. They would stop drill.",
            f"`drill doctor --mend` takes these {table} away, after a backup",
            mendable=True,
        )
        for table, names in torn.items()
        if names
    ]
    if not torn["sessions"] and known_ids is not None:
        found += _sessions(store, known_ids)
    if not torn["runs"] and runs_dir is not None:
        found += _runs(store, runs_dir)
    return found


def torn_rows(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """By table the keys of rows whose JSON cannot be read."""
    found: dict[str, list[str]] = {}
    for table, (key, columns) in _JSON.items():
        tests = " OR ".join(f"({c} IS NOT NULL AND NOT json_valid({c}))" for c in columns)
        rows = connection.execute(f"SELECT {key} FROM {table} WHERE {tests}")  # noqa: S608
        found[table] = [str(row[0]) for row in rows]
    return found


def remove_torn(connection: sqlite3.Connection) -> dict[str, int]:
    """Delete those rows inside the caller's transaction; how many of which table."""
    gone: dict[str, int] = {}
    for table, names in torn_rows(connection).items():
        key = _JSON[table][0]
        for name in names:
            connection.execute(f"DELETE FROM {table} WHERE {key} = ?", (name,))  # noqa: S608
        if names:
            gone[table] = len(names)
    return gone


def _sessions(store: Reader, known: Collection[str]) -> list[Finding]:
    rows = store.access.rows("SELECT kind, plan FROM sessions WHERE ended IS NULL")
    missing: set[str] = set()
    sessions = 0
    for _, plan in rows:
        gone = {name for name in _item_ids(json.loads(plan)) if name not in known}
        sessions += bool(gone)
        missing |= gone
    if not missing:
        return []
    return [
        Finding(
            "note",
            "session-items",
            f"{counted(sessions, 'unfinished session')} with {counted(len(missing), 'item')} of no "
            f"pack any more: {some(sorted(missing))}. They are passed over.",
            "add the pack they came from, or go on without them",
        )
    ]


def _item_ids(value: Any) -> Iterator[str]:
    """What a plan names under `item_id` or `item`, wherever it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("item_id", "item") and isinstance(inner, str) and ":" in inner:
                yield inner
            else:
                yield from _item_ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _item_ids(inner)


def _runs(store: Reader, folder: Path) -> list[Finding]:
    rows = store.access.rows("SELECT id, artefacts FROM runs")
    lost = sorted(
        run
        for run, artefacts in rows
        if any(not (folder / each).is_file() for each in json.loads(artefacts))
    )
    found: list[Finding] = []
    if lost:
        found.append(
            Finding(
                "note",
                "pictures-gone",
                f"{counted(len(lost), 'run')} with pictures that are not in {folder} any more: "
                f"{some(lost)}. The numbers are kept; they are shown without pictures.",
                "bring the folder back from where it went, or leave it",
            )
        )
    known = {run for run, _ in rows}
    loose = sorted(path.name for path in _folders(folder) if path.name not in known)
    if loose:
        found.append(
            Finding(
                "note",
                "runs-loose",
                f"{counted(len(loose), 'folder')} of {folder} for no run of these data: "
                f"{some(loose)}. "
                "Runs that were cut off or could not be kept leave them, and so does a restore.",
                "delete them if you do not want their pictures",
            )
        )
    return found


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
