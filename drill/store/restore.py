"""Putting a backup in the place of the data, and what would be lost by it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from drill.store.backup import (
    BackupError,
    BusyError,
    Contents,
    ForbiddenError,
    copy_pages,
    inspect,
    make_backup,
    set_aside,
    sync,
    sync_folder,
)
from drill.store.db import BUSY_SECONDS, SCHEMA_VERSION
from drill.store.faults import told

Present = Literal["good", "none", "damaged"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What one database has and another has not."""

    answers: int = 0
    events: int = 0
    """Undos, overruled grades, marks and such."""
    interviews: int = 0
    runs: int = 0
    days: int = 0
    """Study days of these answers."""
    first: str = ""
    last: str = ""
    """Times of the first and the last of these answers, ISO, UTC; empty without any."""

    @property
    def anything(self) -> bool:
        return bool(self.answers or self.events or self.interviews or self.runs)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    contents: Contents
    kept: Path | None
    """Where what was there before is now; None where nothing was."""
    present: Present


def present_state(database: Path) -> Present:
    """Whether there are data, and whether they can be read.

    BusyError and ForbiddenError pass through: they tell nothing of the data.
    """
    if not database.is_file() or database.stat().st_size == 0:
        return "none"
    try:
        inspect(database)
    except (BusyError, ForbiddenError):
        raise
    except BackupError:
        return "damaged"
    return "good"


def only_in(here: Path, there: Path) -> Difference:
    """What the database `here` has and `there` has not; both are good. sqlite3.Error passes."""
    with closing(sqlite3.connect(_read_only(here), uri=True)) as both:
        both.execute("ATTACH ? AS other", (_read_only(there),))

        def count(table: str, columns: str, key: str, where: str = "1") -> tuple[int | str, ...]:
            found: tuple[int | str, ...] = both.execute(
                f"SELECT {columns} FROM main.{table} r WHERE {where} AND NOT EXISTS "  # noqa: S608
                f"(SELECT 1 FROM other.{table} o WHERE o.{key} = r.{key})"
            ).fetchone()
            return found

        columns = (
            "count(*), count(DISTINCT study_day), coalesce(min(at), ''), coalesce(max(at), '')"
        )
        answers, days, first, last = count("reviews", columns, "uuid", "kind = 'review'")
        events = count("reviews", "count(*)", "uuid", "kind <> 'review'")[0]
        mocks = count("sessions", "count(*)", "id", "kind = 'mock'")[0]
        versions = [
            both.execute(f"PRAGMA {s}.user_version").fetchone()[0] for s in ("main", "other")
        ]
        runs: int | str = 0
        if min(versions) > 1:
            runs = count("runs", "count(*)", "id")[0]
        elif versions[0] > 1:  # a backup from before there were runs
            runs = both.execute("SELECT count(*) FROM main.runs").fetchone()[0]
    return Difference(
        int(answers), int(events), int(mocks), int(runs), int(days), str(first), str(last)
    )


def restore(backup: Path, database: Path, folder: Path, now: datetime | None = None) -> Restored:
    """Put `backup` in the place of `database`; what is there now is kept in `folder`.

    Good data are backed up first and then written over through SQLite in one transaction, so that
    another open drill sees the restored data and not a file that changed under it. Damaged data
    are moved aside once the new file lies complete beside them. An older schema is migrated by the
    next `Store.open`.

    Raises BackupError, and then nothing was changed: no such or no good backup, one of a newer
    drill, no room on the disk, another program that holds the data.
    """
    now = now or datetime.now(UTC).astimezone()
    contents = inspect(backup)
    if contents.schema > SCHEMA_VERSION:
        raise BackupError(
            f"{backup}: written by a newer drill (schema {contents.schema}, this one knows "
            f"{SCHEMA_VERSION}); upgrade with `pip install -U diffusion-drill`"
        )
    if database.exists() and backup.samefile(database):
        raise BackupError(f"{backup}: that is the data itself, not a backup")
    present = present_state(database)
    if present == "good":
        kept = make_backup(database, folder, "before-restore", now).path
        try:
            _write_over(backup, database)
        except (sqlite3.Error, OSError, BusyError) as error:
            kept.unlink(missing_ok=True)  # nothing was changed that it would have to undo
            raise BackupError(f"the restore failed: {_why(database, error)}") from error
        return Restored(contents, kept, present)
    try:
        return Restored(contents, _put_in_place(backup, database, folder, now), present)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"the restore failed: {_why(database, error)}") from error


def _why(database: Path, error: Exception) -> str:
    return told(database, error) if isinstance(error, sqlite3.Error) else f"{database}: {error}"


def _write_over(backup: Path, database: Path) -> None:
    with (
        closing(sqlite3.connect(_read_only(backup), uri=True)) as reader,
        closing(sqlite3.connect(database, timeout=BUSY_SECONDS)) as writer,
    ):
        copy_pages(reader, writer)


def _put_in_place(backup: Path, database: Path, folder: Path, now: datetime) -> Path | None:
    database.parent.mkdir(parents=True, exist_ok=True)
    part = database.with_name(f".{database.name}.{os.getpid()}.part")
    try:
        with (
            closing(sqlite3.connect(_read_only(backup), uri=True)) as reader,
            closing(sqlite3.connect(part)) as writer,
        ):
            copy_pages(reader, writer)
        inspect(part)
        return replace_with(part, database, folder, now)
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            Path(f"{part}{ending}").unlink(missing_ok=True)


def replace_with(part: Path, database: Path, folder: Path, now: datetime) -> Path | None:
    """Move `database` aside, if anything of it is there, and a complete file into its place.

    A log file without its database goes too: SQLite would apply it to the new one.
    """
    sync(part)
    there = any(Path(f"{database}{ending}").exists() for ending in ("", "-wal", "-shm"))
    aside = set_aside(database, folder, now) if there else None
    part.replace(database)
    sync_folder(database.parent)
    return aside


def _read_only(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro"
