"""What is wrong with the readings and starters of a pack's labs, by file and line."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from drill.lab.manifest import Lab
from drill.lab.places import PlaceError, find
from drill.lab.reading import blocks, parse_reading

_BELIEF = re.compile(r"`([a-z]{2,3}\.[a-z0-9]+(?:_[a-z0-9]+)+)`")
"""A key of the misconception registry in backquotes; ids of items have hyphens instead."""

Fault = tuple[Path, int, str]


def lab_faults(
    lab: Lab, beliefs: Collection[str], prefixes: Collection[str], cache_dir: Path | None = None
) -> Iterator[Fault]:
    """Faults of one lab's starter and reading: file, line and what is wrong.

    A symbol is looked for only where its package is installed. `beliefs` are the keys of the
    misconception registry, `prefixes` what they begin with; without them none is checked.
    """
    if lab.starter is not None:
        yield from _starter(lab.starter)
    if lab.reading is None:
        return
    try:
        text = lab.reading.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        yield lab.reading, 1, f"it cannot be read: {error}"
        return
    reading = parse_reading(text)
    for at, says in reading.problems:
        yield lab.reading, at, says
    for section in reading.sections:
        if section.place is None:
            continue
        try:
            find(section.place, lab.folder, cache_dir)
        except PlaceError as error:
            if error.kind != "missing-package":
                yield lab.reading, section.place.line, str(error)
    for number, line in enumerate(text.split("\n"), start=1):
        for key in _BELIEF.findall(line):
            if key.partition(".")[0] in prefixes and key not in beliefs:
                from drill.packs.problems import did_you_mean

                says = f"`{key}` is not in the misconception registry; "
                yield lab.reading, number, says + did_you_mean(key, sorted(beliefs))


def _starter(file: Path) -> Iterator[Fault]:
    try:
        source = file.read_text(encoding="utf-8")
        ast.parse(source)
    except SyntaxError as error:
        yield file, error.lineno or 1, f"not Python: {error.msg}"
        return
    except (OSError, UnicodeDecodeError) as error:
        yield file, 1, f"it cannot be read: {error}"
        return
    for line, says in blocks(source)[1]:
        yield file, line, says
