"""Writing an export: the learner's whole history as one file of JSON lines."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from drill import __version__
from drill.domain.memory.study_day import date_of_day
from drill.services.moving.lines import TYPE, ExportError, Header, write
from drill.store import log
from drill.store.db import SCHEMA_VERSION
from drill.store.transfer import FORMAT, counts, records

if TYPE_CHECKING:
    from drill.services.app import Drill


class Exported(Struct, frozen=True):
    """What was written."""

    path: str
    """Empty for standard output."""
    events: int
    sessions: int
    runs: int
    lines: int
    bytes: int
    since: str = ""


def default_name(drill: Drill) -> str:
    """`drill-export-2026-11-23.jsonl`."""
    return f"drill-export-{drill.clock():%Y-%m-%d}.jsonl"


def export(
    drill: Drill,
    out: Path | BinaryIO,
    *,
    days: int | None = None,
    pictures: bool = False,
    force: bool = False,
) -> Exported:
    """Write everything that moves to `out`, a file that gets its name when it is whole.

    Args:
        days: only the last so many study days, for a machine that has the rest.
        pictures: with the pictures of experiment runs.
        force: replace a file that is there.

    Raises:
        ExportError: a file is in the way, or cannot be written.
    """
    if not isinstance(out, Path):
        return _export(drill, out, "", days, pictures)
    if out.exists() and (not force or not out.is_file()):
        raise ExportError(f"{out}: is there already; name another file, or give --force")
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            made = _export(drill, file, str(out), days, pictures)
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    except OSError as error:
        raise ExportError(f"{out}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return made


def _export(drill: Drill, out: BinaryIO, path: str, days: int | None, pictures: bool) -> Exported:
    store = drill.store
    with store.access.read():  # one view for the counts and the rows
        since = None if days is None else store.today() - days + 1
        found = counts(store, since)
        header = _header(drill, since, pictures, found)
        rows = records(store, since)
        if pictures:
            from drill.services.moving.pictures import pictures as with_pictures

            rows = with_pictures(store, rows)
        counting = _Counting(out)
        lines = write(counting, header, rows)
    return Exported(path=path, lines=lines, bytes=counting.size, since=header.since, **found)


def _header(drill: Drill, since: int | None, pictures: bool, found: dict[str, int]) -> Header:
    store = drill.store
    device = str(store.settings.get("device", ""))
    row = store.access.row("SELECT name FROM devices WHERE id = ?", (device,))
    return Header(
        type=TYPE,
        format=FORMAT,
        schema=SCHEMA_VERSION,
        drill=__version__,
        device=device,
        name=row[0] if row else "",
        written=log.to_text(drill.clock().astimezone(UTC)),
        rollover_hour=store.rollover(),
        since="" if since is None else date_of_day(since).isoformat(),
        pictures=pictures,
        **found,
    )


class _Counting:
    """A file that knows how much was written to it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.size = 0

    def write(self, raw: bytes) -> int:
        self.size += len(raw)
        return self._out.write(raw)
