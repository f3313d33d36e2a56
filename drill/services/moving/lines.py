"""The file of an export: JSON lines between a header and a closing line with a checksum.

```
{"type":"drill-export","format":1,...}      header
{"type":"event","body":{...}}               one record a line
{"type":"end","lines":7,"sha256":"..."}     of every byte before this line
```

A file that was cut off has no closing line, one that was changed has another checksum; both are
refused before anything is read from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec
from msgspec import Struct

from drill.store.db import SCHEMA_VERSION
from drill.store.transfer import FORMAT, Record

TYPE = "drill-export"
LONGEST = 64 << 20
"""Bytes of one line; a picture is one line."""
AGAIN = "make the export again, and copy it as it is"


class Sink(Protocol):
    """What is written to."""

    def write(self, raw: bytes, /) -> int: ...


class ExportError(Exception):
    """A file cannot be written or read as an export; the message names it and the way out."""


class Header(Struct, frozen=True):
    """The first line."""

    type: str
    format: int
    schema: int
    """`user_version` of the database that it came from."""
    drill: str
    """Version that wrote it."""
    device: str
    name: str
    """Of the device, as its owner knows it."""
    written: str
    """UTC, ISO."""
    rollover_hour: int
    events: int
    sessions: int
    runs: int
    since: str = ""
    """First day that is in it, ISO; empty: everything."""
    pictures: bool = False


class Line(Struct, frozen=True):
    """A record."""

    type: str
    body: dict[str, Any]


class _End(Struct, frozen=True):
    type: str
    lines: int
    sha256: str


_LINES = msgspec.json.Decoder(Line)
_HEADERS = msgspec.json.Decoder(Header)
_ENDS = msgspec.json.Decoder(_End)


def write(out: Sink, header: Header, records: Iterable[Record]) -> int:
    """Write an export; gives its lines. Raises OSError."""
    digest = hashlib.sha256()
    encoder = msgspec.json.Encoder()
    lines = 0

    def put(value: Any) -> None:
        nonlocal lines
        raw = encoder.encode(value) + b"\n"
        digest.update(raw)
        out.write(raw)
        lines += 1

    put(header)
    for kind, body in records:
        put({"type": kind, "body": body})
    end = _End("end", lines, digest.hexdigest())
    out.write(encoder.encode(end) + b"\n")
    return lines + 1


def is_export(path: Path) -> bool:
    """Whether a file begins like an export. Raises OSError."""
    with path.open("rb") as file:
        return (
            file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b'{"type":"' + TYPE.encode())
        )


def verify(path: Path, tell: Callable[[int], None] | None = None) -> Header:
    """Read a file once and check that it is whole and unchanged; `tell` hears bytes read.

    Raises ExportError.
    """
    digest = hashlib.sha256()
    header: Header | None = None
    lines = 0
    size = 0
    held = b""
    try:
        with path.open("rb") as file:
            for raw in _raw_lines(path, file):
                if header is None:
                    header = _header(path, raw)
                else:
                    digest.update(held)
                    lines += 1
                held = raw
                size += len(raw)
                if tell is not None and lines % 2000 == 0:
                    tell(size)
    except OSError as error:
        raise ExportError(f"{path}: {error.strerror or error}") from error
    if header is None:
        raise ExportError(f"{path}: is empty; {AGAIN}")
    try:
        end = _ENDS.decode(held)
    except msgspec.DecodeError:
        end = None
    if end is None or end.type != "end" or not held.endswith(b"\n"):
        raise ExportError(f"{path}: is cut off, since its closing line is missing; {AGAIN}")
    if (end.lines, end.sha256) != (lines, digest.hexdigest()):
        raise ExportError(
            f"{path}: was changed or damaged after it was written (its checksum differs); {AGAIN}"
        )
    return header


def _raw_lines(path: Path, file: BinaryIO) -> Iterator[bytes]:
    number = 0
    while raw := file.readline(LONGEST):
        number += 1
        if len(raw) == LONGEST:
            raise ExportError(f"{path}:{number}: the line is longer than drill writes any; {AGAIN}")
        yield raw


def _header(path: Path, raw: bytes) -> Header:
    try:
        found = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict) or found.get("type") != TYPE:
        raise ExportError(f"{path}: is no export of drill; `drill export` writes one")
    version = str(found.get("drill", "a newer version"))
    if found.get("format") != FORMAT:
        raise ExportError(
            f"{path}: is of format {found.get('format')!r} (drill {version}) and this drill reads "
            f"{FORMAT}; upgrade it with `pip install -U diffusion-drill`"
        )
    try:
        header = _HEADERS.decode(raw)
    except msgspec.ValidationError as error:
        raise ExportError(f"{path}:1: the header cannot be read: {error}; {AGAIN}") from error
    if header.schema > SCHEMA_VERSION:
        raise ExportError(
            f"{path}: was written by a newer drill ({version}, schema {header.schema}; this one "
            f"knows {SCHEMA_VERSION}); upgrade it with `pip install -U diffusion-drill`"
        )
    return header


def read(path: Path) -> Iterator[tuple[int, Line, int]]:
    """The records of a verified file with their line numbers and the bytes read so far.

    Raises ExportError.
    """
    size = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            size += len(raw)
            if number == 1:
                continue
            if raw.startswith(b'{"type":"end"'):
                return
            try:
                yield number, _LINES.decode(raw), size
            except msgspec.DecodeError as error:
                raise ExportError(f"{path}:{number}: cannot be read: {error}") from error
