"""Merging exports into the data: all or nothing, after a backup."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from drill.domain.counted import counted
from drill.services.moving.lines import ExportError, Header, read, verify
from drill.services.moving.pictures import Arriving
from drill.store.arriving import RefusedError
from drill.store.db import StoreError
from drill.store.faults import told
from drill.store.merging import Conflict, Merge, Tally

if TYPE_CHECKING:
    from drill.services.app import Drill

_HISTORY = frozenset({"event", "session", "run"})
TELL_EVERY = 500
"""Lines between two reports of progress."""


class Came(Struct, frozen=True):
    """What became of the records of one type."""

    new: int = 0
    known: int = 0
    """Here already, or (a session) here in a later state."""
    updated: int = 0
    conflicts: int = 0


class Imported(Struct, frozen=True):
    """What an import did, or would do."""

    files: tuple[str, ...]
    dry_run: bool
    changed: bool
    events: Came
    sessions: Came
    runs: Came
    pictures: Came
    items: int
    """With new events; their memory was derived again."""
    conflicts: tuple[Conflict, ...]
    """The first ones; `events.conflicts` and `runs.conflicts` count them all."""
    backup: str
    """Of the data before; empty where nothing changed."""
    notes: tuple[str, ...]
    """What a learner should know about what came."""


_UNFIT = (
    RefusedError,
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    ValueError,
    TypeError,
    OverflowError,
)
"""What a line raises that drill never writes; a full disk is none of these."""


class _DryRunError(Exception):
    """Ends the transaction without keeping it."""


def merge(
    drill: Drill,
    files: Sequence[Path],
    *,
    dry_run: bool = False,
    tell: Callable[[float], None] | None = None,
) -> Imported:
    """Merge exports into the data, all of them or none, in one transaction after a backup.

    Args:
        dry_run: do everything but keep it.
        tell: hears the share that is done, 0 to 1.

    Raises:
        ExportError: a file is no whole export of a drill that this one understands, or holds
            what drill never writes, or the data or the backup cannot be written; nothing was
            changed.
    """
    headers = [verify(path) for path in files]
    total = max(1, sum(path.stat().st_size for path in files))
    pictures = Arriving()
    backup = ""
    changed = False
    try:
        with drill.store.access.write() as connection:
            merging = Merge(connection, drill.store.now())
            done = 0
            for path, header in zip(files, headers, strict=True):
                for share in _take(path, header, merging, pictures):
                    if tell is not None:
                        tell((done + share) / total)
                done += path.stat().st_size
            _finish(files, merging)
            changed = _changes(merging) or pictures.new > 0
            if dry_run:
                raise _DryRunError
            if _changes(merging):
                # Another connection reads the data as it was before this transaction.
                backup = _back_up(drill)
        pictures.settle()
    except _DryRunError:
        pass
    except StoreError as error:
        raise ExportError(f"{error}; nothing was changed") from error
    except sqlite3.Error as error:
        raise ExportError(f"{told(drill.store.path, error)}; nothing was changed") from error
    except OSError as error:
        raise ExportError(f"{error}; what was not merged yet stays as it was") from error
    finally:
        pictures.drop()
    notes = _notes(drill, headers, merging)
    return _told(files, notes, merging, pictures, dry_run, changed, backup)


def _take(
    path: Path,
    header: Header,
    merging: Merge,
    pictures: Arriving,
) -> Iterator[int]:
    """Take in one file; gives the bytes read now and then."""
    for number, line, size in read(path):
        place = f"{path}:{number}"
        try:
            if line.type == "picture":
                pictures.add(line.body)
            else:
                merging.add(line.type, line.body, place, header.written)
        except _UNFIT as error:
            raise ExportError(
                f"{place}: {_reason(error)}; nothing was changed. drill writes no such line: make "
                "the export again, and if it is refused again, run `drill doctor` where it is made"
            ) from error
        if number % TELL_EVERY == 0:
            yield size


def _finish(files: Sequence[Path], merging: Merge) -> None:
    try:
        merging.finish()
    except RefusedError as error:
        raise ExportError(f"{files[0]}: {error}; nothing was changed") from error
    except (KeyError, ValueError, OverflowError) as error:
        raise ExportError(
            f"{files[0]}: its answers cannot be replayed: {_reason(error)}; nothing was changed"
        ) from error


def _reason(error: Exception) -> str:
    return " ".join(str(error.args[0]).split()) if error.args else type(error).__name__


def _changes(merging: Merge) -> bool:
    rows = merging.tallies.items()
    return bool(merging.settings) or any(t.new or t.updated for kind, t in rows if kind != "base")


def _back_up(drill: Drill) -> str:
    from drill.store.backup import make_backup

    folder = drill.store.path.parent / "backups"
    return str(make_backup(drill.store.path, folder, "before-import", drill.clock()).path)


def _came(tally: Tally | None) -> Came:
    return Came() if tally is None else Came(tally.new, tally.known, tally.updated, tally.conflict)


def _told(
    files: Sequence[Path],
    notes: Sequence[str],
    merging: Merge,
    pictures: Arriving,
    dry_run: bool,
    changed: bool,
    backup: str,
) -> Imported:
    tallies = merging.tallies
    return Imported(
        files=tuple(map(str, files)),
        dry_run=dry_run,
        changed=changed,
        events=_came(tallies.get("event")),
        sessions=_came(tallies.get("session")),
        runs=_came(tallies.get("run")),
        pictures=Came(pictures.new, pictures.known),
        items=len(merging.items),
        conflicts=tuple(merging.conflicts),
        backup=backup,
        notes=tuple(notes),
    )


def _notes(drill: Drill, headers: Sequence[Header], merging: Merge) -> list[str]:
    notes: list[str] = []
    unknown = sorted(merging.items.difference(drill.bank.heads))
    if unknown:
        notes.append(
            f"In no pack here: {counted(len(unknown), 'item')} with new answers, such as "
            f"{unknown[0]}; the history is kept."
        )
    hours = sorted({h.rollover_hour for h in headers}.difference({drill.store.rollover()}))
    if hours:
        notes.append(
            f"Study days begin at {hours[0]}:00 there and at {drill.store.rollover()}:00 here; "
            "each answer keeps the study day on which it was given."
        )
    if merging.ahead:
        notes.append(
            f"{merging.ahead} answers lie in the future of this machine's clock, the last at "
            f"{merging.latest}: one of the two clocks is wrong. Set it right; `drill doctor` names "
            "them."
        )
    if merging.kept:
        notes.append(
            f"This machine's own settings stay: {', '.join(map(_setting, merging.kept.items()))}."
        )
    beside = _beside(merging)
    if beside:
        notes.append(f"New here: {' and '.join(beside)}.")
    if merging.settings:
        names = ", ".join(name.replace("_", " ") for name in sorted(merging.settings))
        notes.append(f"Taken over: {names}.")
    return notes


def _beside(merging: Merge) -> list[str]:
    """What came without an answer, a session or a run that would explain it."""
    rows = merging.tallies
    if any(rows[kind].new or rows[kind].updated for kind in rows.keys() & _HISTORY):
        return []
    words = {
        "parameter_set": ("set of memory parameters", "sets of memory parameters"),
        "device": ("name of a machine", "names of machines"),
    }
    return [
        counted(rows[kind].new, one, many)
        for kind, (one, many) in words.items()
        if kind in rows and rows[kind].new
    ]


def _setting(pair: tuple[str, Any]) -> str:
    name, value = pair
    if name != "profile" or not isinstance(value, dict):
        return name
    date = value.get("interview") or "no date"
    return f"profile (the file says: {date}, {value.get('minutes')} minutes; see `drill setup`)"
