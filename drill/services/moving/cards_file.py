"""The YAML file that cards become, told from one that a person has edited, and ids written back."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from drill.packs.yaml_source import parse, read_scalar
from drill.services.moving.card import lines_of
from drill.services.moving.cards_csv import dialect

_HEADER = """\
# Made from {source} by `drill import`: change that file and import it again.
# To change this one by hand instead, give it another name. Checksum {digest}
"""
_MADE = re.compile(r"\A# Made from (.*) by `drill import`: .*\n# .* Checksum ([0-9a-f]{16})\n")


class _Dumper(yaml.SafeDumper):
    """Quotes every text that drill's reader, which knows YAML 1.2, would take for another value."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None if isinstance(read_scalar(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def made_text(items: Sequence[Mapping[str, Any]], source: str) -> str:
    """The file of some items; `source` is printable.

    Raises:
        ValueError: YAML cannot hold what an item says.
    """
    parts = [
        yaml.dump([dict(item)], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96)
        for item in items
    ]
    body = "\n" + "\n".join(parts)
    document = parse(body, "")
    if document.problems or document.data != list(items):
        said = str(document.problems[0]) if document.problems else "it would be read differently"
        raise ValueError(said)
    return _HEADER.format(source=source, digest=_digest(body)) + body


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def made_from(text: str) -> str:
    """The source of a file that is as `made_text` wrote it; empty for any other file."""
    found = _MADE.match(text)
    return found[1] if found is not None and _digest(text[found.end() :]) == found[2] else ""


def items_in(text: str) -> list[dict[str, Any]]:
    """The items of a file that `made_text` wrote."""
    data = parse(text, "").data
    return [item for item in data or [] if isinstance(item, dict)]


def replace_file(path: Path, text: str) -> None:
    """Write a file whole or not at all; a link stays one. Raises OSError."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            part.chmod(path.stat().st_mode & 0o777)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def with_ids_markdown(text: str, ids: Mapping[int, str]) -> str:
    """A file of Markdown with `id:` below the headings on these lines (from 1); all else stays."""
    made: list[str] = []
    for number, line in enumerate(lines_of(text), start=1):
        made.append(line)
        if number in ids:
            ending = "\r\n" if line.endswith("\r\n") else "\n"
            if not line.endswith(("\n", "\r")):
                made[-1] = line + ending
            made.append(f"id: {ids[number]}{ending}")
    return "".join(made)


def with_ids_csv(text: str, ids: Mapping[int, str]) -> str:
    """A file of CSV with the ids of the rows that begin on these lines, in a column `id`."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    delimiter = dialect(text)
    body = text.removeprefix("\ufeff")
    ending = "\r\n" if "\r\n" in body.partition("\n")[0] + "\n" else "\n"
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending)
    line, at = 1, -1
    for number, row in enumerate(reader):
        if number == 0:
            names = [name.strip().casefold() for name in row]
            at = names.index("id") if "id" in names else -1
            if at < 0:
                row = ["id", *row]
        elif row:
            row = ["", *row] if at < 0 else [*row, *[""] * (at + 1 - len(row))]
            if line in ids:
                row[max(at, 0)] = ids[line]
        writer.writerow(row)
        line = reader.line_num + 1
    return mark + out.getvalue()
