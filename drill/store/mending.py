"""Putting right what can be put right, after a copy of the data as they are."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from drill.store import log
from drill.store.backup import BackupError, make_backup
from drill.store.doctor import integrity, missing_triggers
from drill.store.doctor_kept import remove_torn
from drill.store.replay import rebuild
from drill.store.store import Store


@dataclass(frozen=True, slots=True)
class Mended:
    """What mending did."""

    backup: Path
    """The data as they were."""
    states: int
    """Items with a memory, derived again."""
    changes: tuple[str, ...]
    """What is different now, in words; empty where nothing was wrong that can be mended."""


def mend(store: Store, backup_dir: Path, now: datetime | None = None) -> Mended:
    """Copy the data, then mend indexes, protection of the log, torn rows and derived states.

    Raises BackupError where no copy could be made; nothing was changed then.
    """
    now = now or datetime.now(UTC).astimezone()
    try:
        copy = make_backup(store.path, backup_dir, "before-mend", now).path
    except BackupError:
        if not integrity(store.access.connection):
            raise
        copy = _copy_files(store.path, backup_dir, now)  # as it is: no good copy can be made
    changes: list[str] = []
    connection = store.access.connection
    if integrity(connection):
        connection.execute("REINDEX")
        if integrity(connection):
            raise BackupError(
                f"{store.path}: more than the indexes is damaged (a copy of the file is {copy}); "
                "`drill restore` or `drill doctor --salvage`"
            )
        changes.append("the indexes were made anew")
    with store.access.write() as connection:
        gone = missing_triggers(connection)
        if gone:
            from drill.store.migrations import trigger_statements

            for name, statement in trigger_statements().items():
                if name in gone:
                    connection.execute(statement)
            changes.append(f"the log is protected again ({', '.join(gone)})")
        for table, count in remove_torn(connection).items():
            changes.append(f"{count} {table} that could not be read were taken away")
        before = {state.item_id: state for state in log.read_states(connection)}
        marks = _amended(connection)
        count = rebuild(connection)
        after = {state.item_id: state for state in log.read_states(connection)}
        differ = sum(before.get(i) != after.get(i) for i in before.keys() | after.keys())
        if differ:
            changes.append(f"{differ} states were derived again from the log")
        if marks != _amended(connection):
            changes.append("the list of undone and overruled events was derived again")
    return Mended(copy, count, tuple(changes))


def _amended(connection: sqlite3.Connection) -> set[tuple[object, ...]]:
    return set(connection.execute("SELECT uuid, active, overruled_by FROM amended").fetchall())


def _copy_files(database: Path, folder: Path, now: datetime) -> Path:
    target = folder / f"damaged-{now:%Y-%m-%dT%H%M%S}.sqlite3"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ending in ("", "-wal"):
            source = Path(f"{database}{ending}")
            if source.exists():
                shutil.copyfile(source, f"{target}{ending}")
    except OSError as error:
        raise BackupError(f"{target}: the copy failed: {error}") from error
    return target
