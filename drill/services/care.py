"""Looking after the data: backups and bringing them back. Works where the data cannot be opened."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from drill import paths
from drill.store.backup import MANUAL, Backup, BackupError, backups, inspect, make_backup
from drill.store.db import SCHEMA_VERSION, StoreError
from drill.store.restore import Difference, Present, Restored, only_in, present_state
from drill.store.salvage import Salvaged
from drill.store.store import local_now

if TYPE_CHECKING:
    from drill.store.backup import Contents

__all__ = [
    "BackupError",
    "BackupFacts",
    "Difference",
    "Preview",
    "Salvaged",
    "StoreError",
    "local_now",
]

OF_CARE = ("before-restore", "before-mend")
"""Labels of backups that a restore without a name passes over: they undo what care did."""


class BackupFacts(Struct, frozen=True):
    """One backup, as it is listed."""

    name: str
    """`2026-11-23`, or with its time and label: what `drill restore` takes."""
    path: str
    label: str
    day: str
    age_days: int
    bytes: int
    good: bool
    schema: int = 0
    answers: int = 0
    events: int = 0
    interviews: int = 0
    runs: int = 0
    latest: str = ""
    """Time of its newest event, ISO, UTC."""
    problem: str = ""
    """Why it is no good."""


class Preview(Struct, frozen=True):
    """What a restore would do."""

    backup: BackupFacts
    present: Present
    lost: Difference | None
    """What there is now and the backup has not; None where it cannot be read."""
    back: Difference | None
    """What the backup has and there is not now; None where it cannot be told."""


def back_up(now: datetime) -> BackupFacts:
    """Make a verified copy now.

    Raises:
        BackupError: it could not be made; nothing was changed.
    """
    made = make_backup(paths.database(), paths.backup_dir(), MANUAL, now)
    return facts(made, now)


def listed(now: datetime) -> list[BackupFacts]:
    """Every backup, newest first, each looked into."""
    return [facts(each, now) for each in backups(paths.backup_dir())]


def facts(backup: Backup, now: datetime) -> BackupFacts:
    """What is in a backup."""
    contents: Contents | None = None
    problem = ""
    try:
        contents = inspect(backup.path)
    except BackupError as error:
        problem = str(error)
    return BackupFacts(
        name=name_of(backup),
        path=str(backup.path),
        label=backup.label,
        day=backup.day.isoformat(),
        age_days=(now.date() - backup.day).days,
        bytes=backup.bytes,
        good=contents is not None,
        schema=contents.schema if contents else 0,
        answers=contents.answers if contents else 0,
        events=contents.reviews if contents else 0,
        interviews=contents.interviews if contents else 0,
        runs=contents.runs if contents else 0,
        latest=contents.latest if contents else "",
        problem=problem,
    )


def name_of(backup: Backup) -> str:
    """What a backup is called: the day of a daily one, day, time and label of another."""
    stem = backup.path.stem.removeprefix("drill-")
    return stem.removesuffix("-daily") if backup.label == "daily" else stem


def find(which: str, now: datetime) -> BackupFacts:
    """The backup of a name, the beginning of one, a day, or a path; without one the newest good.

    Raises:
        BackupError: none, several, or none that is good.
    """
    there = listed(now)
    if not which:
        usable = [each for each in there if each.good]
        chosen = [each for each in usable if each.label not in OF_CARE] or usable
        if chosen:
            return chosen[0]
        raise BackupError(f"there is no good backup in {paths.backup_dir()}")
    exact = [each for each in there if which in (each.name, Path(each.path).name, each.path)]
    begins = exact or [each for each in there if each.name.startswith(which)]
    if len(begins) == 1:
        return begins[0]
    if begins:
        names = ", ".join(each.name for each in begins)
        raise BackupError(f"`{which}` is the beginning of several backups: {names}")
    path = Path(which).expanduser()
    if path.is_file():
        changed = datetime.fromtimestamp(path.stat().st_mtime, now.tzinfo).date()
        return facts(Backup(path, changed, "file", path.stat().st_size), now)
    names = ", ".join(each.name for each in there[:5]) or "none"
    raise BackupError(f"there is no backup `{which}`; the newest are: {names}")


def preview(backup: BackupFacts) -> Preview:
    """What restoring a backup would lose and bring back; nothing is changed.

    Raises:
        BackupError: the backup is no good, or of a newer drill; BusyError where the data are held.
    """
    if not backup.good:
        raise BackupError(backup.problem)
    if backup.schema > SCHEMA_VERSION:
        raise BackupError(
            f"{backup.path}: written by a newer drill (schema {backup.schema}, this one knows "
            f"{SCHEMA_VERSION}); upgrade with `pip install -U diffusion-drill`"
        )
    present = present_state(paths.database())
    lost = back = None
    if present == "none":
        lost = Difference()
    elif present == "good":
        try:
            lost = only_in(paths.database(), Path(backup.path))
            back = only_in(Path(backup.path), paths.database())
        except sqlite3.Error as error:
            raise BackupError(f"{backup.path} cannot be compared: {error}") from error
    return Preview(backup, present, lost, back)


def restore(backup: BackupFacts, now: datetime) -> Restored:
    """Put a backup in the place of the data; what is there now is kept.

    Raises:
        BackupError: nothing was changed.
    """
    from drill.store.restore import restore as put_back

    return put_back(Path(backup.path), paths.database(), paths.backup_dir(), now)
