"""Verified, rotating backups by SQLite's own backup API.

Nothing here needs an open `Store`: a worker thread can call it with paths while the learner
answers. A backup gets its name only after it was read back, so a file with the name of a backup
is a good one.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from drill.store.db import BUSY_SECONDS, StoreError
from drill.store.faults import fault_of, told, way_out

KEEP_DAILY = 7
KEEP_WEEKLY = 4
KEEP_OTHER = 5
"""Backups of each other label (before a migration, before a restore) that are kept."""
MANUAL = "manual"
"""Label of those that the learner asked for: they are never taken away."""
LOOK_SECONDS = 3.0
"""How long looking into a file waits for another program."""
LEFT_SECONDS = 3600.0
PAGES_AT_ONCE = 2000
"""About 8 MB between two chances for a writer to get in."""
NAME = re.compile(r"^drill-(\d{4}-\d\d-\d\d)(?:T(\d{6}))?-([a-z0-9-]+)\.sqlite3$")


class BackupError(StoreError):
    """A backup could not be made or is not good."""


class BusyError(BackupError):
    """Another program holds the file: it says nothing about whether it is good."""


class ForbiddenError(BackupError):
    """This user may not open the file: it says nothing about whether it is good."""


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
    """Events of the log: answers, and what was done to them."""
    latest: str
    """Time of the last event of the log, ISO, UTC; empty where there is none."""
    answers: int = 0
    interviews: int = 0
    runs: int = 0


def inspect(path: Path) -> Contents:
    """Check the file at `path` and count what is in it.

    Raises BackupError where it is not good, BusyError where it cannot be looked into now,
    ForbiddenError where this user may not.
    """
    if not path.is_file():
        raise BackupError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise BackupError(f"{path}: is empty")
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, timeout=LOOK_SECONDS, uri=True)) as copy:
            found = copy.execute("PRAGMA quick_check").fetchone()[0]
            if found != "ok":
                raise BackupError(f"{path}: damaged: {found}")
            schema = int(copy.execute("PRAGMA user_version").fetchone()[0])
            if schema < 1:
                raise BackupError(f"{path}: is not a database of drill")
            count, latest, answers = copy.execute(
                "SELECT count(*), max(at), coalesce(sum(kind = 'review'), 0) FROM reviews"
            ).fetchone()
            mocks = "SELECT count(*) FROM sessions WHERE kind = 'mock'"
            interviews = copy.execute(mocks).fetchone()[0]
            # The runs came with the second schema.
            runs = copy.execute("SELECT count(*) FROM runs").fetchone()[0] if schema > 1 else 0
    except sqlite3.DatabaseError as error:
        if fault_of(error) == "held":
            raise BusyError(told(path, error)) from error
        if fault_of(error) == "forbidden":
            raise ForbiddenError(told(path, error)) from error
        raise BackupError(f"{path}: damaged or no database: {error}") from error
    return Contents(schema, int(count), latest or "", int(answers), int(interviews), int(runs))


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BackupError(f"{folder}: cannot be made: {error}") from error
    stamp = f"{now:%Y-%m-%d}" if label == "daily" else f"{now:%Y-%m-%dT%H%M%S}"
    final = folder / f"drill-{stamp}-{label}.sqlite3"
    while label != "daily" and final.exists():  # two in one second: neither replaces the other
        now += timedelta(seconds=1)
        final = folder / f"drill-{now:%Y-%m-%dT%H%M%S}-{label}.sqlite3"
    part = folder / f".{final.name}.{os.getpid()}.part"
    try:
        _copy(database, part)
        _read_back(part, database)
        sync(part)
        part.replace(final)
        sync_folder(folder)
    except sqlite3.Error as error:
        barred = fault_of(error) == "forbidden" and not os.access(folder, os.W_OK)
        raise BackupError(told(part if barred else database, error)) from error
    except OSError as error:
        raise BackupError(f"{final}: the backup failed: {error}") from error
    finally:
        for leftover in (part, Path(f"{part}-wal"), Path(f"{part}-shm"), Path(f"{part}-journal")):
            leftover.unlink(missing_ok=True)
    return Backup(path=final, day=now.date(), label=label, bytes=final.stat().st_size)


def _read_back(copy: Path, database: Path) -> None:
    """Check a copy; where it is no good since `database` is damaged, that is what is told."""
    try:
        inspect(copy)
    except BackupError:
        try:
            inspect(database)
        except (BusyError, ForbiddenError):
            raise
        except BackupError as error:
            raise BackupError(f"{error}; {way_out('damaged')}") from error
        raise


def _copy(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(source, timeout=BUSY_SECONDS)) as reader,
        closing(sqlite3.connect(target)) as writer,
    ):
        copy_pages(reader, writer)
        writer.execute("PRAGMA journal_mode=DELETE")


def copy_pages(reader: sqlite3.Connection, writer: sqlite3.Connection) -> None:
    """Copy a whole database over another, in one transaction of it.

    sqlite3.Error passes through, and BusyError where another connection stays in the way: Python's
    `backup` alone would wait for it for ever.
    """
    last = [time.monotonic(), -1]

    def told(status: int, remaining: int, total: int) -> None:
        if status not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or remaining != last[1]:
            last[:] = [time.monotonic(), remaining]
        elif time.monotonic() - last[0] > BUSY_SECONDS:
            raise BusyError("another program holds the data; close other windows of drill")

    reader.backup(writer, pages=PAGES_AT_ONCE, progress=told, sleep=0.002)


def sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
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
    """Remove the backups that are past keeping; gives their paths.

    Those of other labels are kept by label, and all that the learner asked for.
    Copies that a killed process left half done go too, an hour after it last wrote.
    """
    for leftover in folder.glob(".drill-*.part*"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > LEFT_SECONDS:
                leftover.unlink()
    found = backups(folder)
    keep = kept([b.day for b in found if b.label == "daily"])
    gone = [b for b in found if b.label == "daily" and b.day not in keep]
    for label in {b.label for b in found}.difference({"daily", MANUAL}):
        gone += [b for b in found if b.label == label][KEEP_OTHER:]
    for backup in gone:
        backup.path.unlink(missing_ok=True)
    return [backup.path for backup in gone]


def set_aside(database: Path, folder: Path, now: datetime) -> Path:
    """Move a damaged database with its log files into `folder`; gives the new path."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"damaged-{now:%Y-%m-%dT%H%M%S}.sqlite3"
    while target.exists():
        now += timedelta(seconds=1)
        target = folder / f"damaged-{now:%Y-%m-%dT%H%M%S}.sqlite3"
    for ending in ("", "-wal", "-shm"):
        source = Path(f"{database}{ending}")
        if source.exists():
            source.replace(f"{target}{ending}")
    return target
