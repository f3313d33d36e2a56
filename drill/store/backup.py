"""Verified, rotating backups by SQLite's own backup API.

Nothing here needs an open `Store`: a worker thread can call it with paths while the learner
answers. A backup gets its name only after it was read back, so a file with the name of a backup
is a good one.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from drill.store.db import StoreError

KEEP_DAILY = 7
KEEP_WEEKLY = 4
KEEP_OTHER = 5
"""Backups with another label (before a migration, before a restore) that are kept."""
PAGES_AT_ONCE = 2000
"""About 8 MB between two chances for a writer to get in."""
NAME = re.compile(r"^drill-(\d{4}-\d\d-\d\d)(?:T(\d{6}))?-([a-z0-9-]+)\.sqlite3$")


class BackupError(StoreError):
    """A backup could not be made or is not good."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A verified copy of the data."""

    path: Path
    day: date
    label: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a database file, for a learner choosing which to restore."""

    schema: int
    reviews: int
    latest: str
    """Time of the last event of the log, ISO, UTC; empty where there is none."""


def inspect(path: Path) -> Contents:
    """Check the file at `path` and count what is in it; raises BackupError where it is not good."""
    if not path.is_file():
        raise BackupError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise BackupError(f"{path}: is empty")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            found = copy.execute("PRAGMA quick_check").fetchone()[0]
            if found != "ok":
                raise BackupError(f"{path}: damaged: {found}")
            schema = int(copy.execute("PRAGMA user_version").fetchone()[0])
            if schema < 1:
                raise BackupError(f"{path}: is not a database of drill")
            count, latest = copy.execute("SELECT count(*), max(at) FROM reviews").fetchone()
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{path}: damaged or no database: {error}") from error
    return Contents(schema=schema, reviews=int(count), latest=latest or "")


def make_backup(
    database: Path, folder: Path, label: str = "daily", now: datetime | None = None
) -> Backup:
    """Copy `database` into `folder`, read the copy back, and only then give it its name.

    `label`: `daily` (one a day, the later replaces the earlier) or another word, which gets the
    time into its name. Safe while other connections write. Raises BackupError.
    """
    now = now or datetime.now(UTC).astimezone()
    if not database.is_file() or database.stat().st_size == 0:
        raise BackupError(f"{database}: there is nothing to back up")
    folder.mkdir(parents=True, exist_ok=True)
    stamp = f"{now:%Y-%m-%d}" if label == "daily" else f"{now:%Y-%m-%dT%H%M%S}"
    final = folder / f"drill-{stamp}-{label}.sqlite3"
    part = folder / f".{final.name}.{os.getpid()}.part"
    try:
        _copy(database, part)
        inspect(part)
        _sync(part)
        part.replace(final)
        _sync_folder(folder)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{final}: the backup failed: {error}") from error
    finally:
        for leftover in (part, Path(f"{part}-wal"), Path(f"{part}-shm"), Path(f"{part}-journal")):
            leftover.unlink(missing_ok=True)
    return Backup(path=final, day=now.date(), label=label, bytes=final.stat().st_size)


def _copy(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(source, timeout=10.0)) as reader,
        closing(sqlite3.connect(target)) as writer,
    ):
        reader.backup(writer, pages=PAGES_AT_ONCE, sleep=0.002)
        writer.execute("PRAGMA journal_mode=DELETE")


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def backups(folder: Path) -> list[Backup]:
    """The backups in `folder`, newest first; other files are left out."""
    found: list[tuple[str, Backup]] = []
    if not folder.is_dir():
        return []
    for path in folder.iterdir():
        match = NAME.match(path.name)
        if match and path.is_file():
            day = date.fromisoformat(match[1])
            item = Backup(path=path, day=day, label=match[3], bytes=path.stat().st_size)
            found.append((match[1] + (match[2] or ""), item))
    return [item for _, item in sorted(found, key=lambda pair: pair[0], reverse=True)]


def daily_backup(database: Path, folder: Path, now: datetime | None = None) -> Backup | None:
    """Today's backup where there is none yet, then rotation; None where it was there.

    Meant for a worker thread after start-up.
    """
    now = now or datetime.now(UTC).astimezone()
    if any(b.label == "daily" and b.day == now.date() for b in backups(folder)):
        return None
    made = make_backup(database, folder, "daily", now)
    rotate(folder)
    return made


def kept(days: Sequence[date]) -> set[date]:
    """Which days' backups to keep: the newest 7, and the newest of each of the 4 newest weeks."""
    newest = sorted(set(days), reverse=True)
    keep = set(newest[:KEEP_DAILY])
    weeks: dict[tuple[int, int], date] = {}
    for day in newest:
        year, week, _ = day.isocalendar()
        weeks.setdefault((year, week), day)
    keep.update(list(weeks.values())[:KEEP_WEEKLY])
    return keep


def rotate(folder: Path) -> list[Path]:
    """Remove the backups that are past keeping; gives their paths."""
    found = backups(folder)
    keep = kept([b.day for b in found if b.label == "daily"])
    gone = [b for b in found if b.label == "daily" and b.day not in keep]
    gone += [b for b in found if b.label != "daily"][KEEP_OTHER:]
    for backup in gone:
        backup.path.unlink(missing_ok=True)
    return [backup.path for backup in gone]


def restore(backup: Path, database: Path, folder: Path, now: datetime | None = None) -> Contents:
    """Put `backup` in the place of `database`, after a backup of what is there now.

    Where what is there is too damaged for a backup, its files are moved aside instead. Written
    through SQLite, so that another open instance sees the restored data and not a file that
    changed under it. An older schema is migrated by the next `Store.open`. Raises
    BackupError, and then nothing was changed.
    """
    now = now or datetime.now(UTC).astimezone()
    contents = inspect(backup)
    if database.is_file() and database.stat().st_size > 0:
        try:
            make_backup(database, folder, "before-restore", now)
        except BackupError:
            set_aside(database, folder, now)
    database.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as reader,
            closing(sqlite3.connect(database, timeout=10.0)) as writer,
        ):
            reader.backup(writer)
    except sqlite3.Error as error:
        raise BackupError(f"{database}: the restore failed: {error}") from error
    return contents


def set_aside(database: Path, folder: Path, now: datetime) -> Path:
    """Move a damaged database with its log files into `folder`; gives the new path."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"damaged-{now:%Y-%m-%dT%H%M%S}.sqlite3"
    for ending in ("", "-wal", "-shm"):
        source = Path(f"{database}{ending}")
        if source.exists():
            source.replace(f"{target}{ending}")
    return target
