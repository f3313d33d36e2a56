"""The code that a section of a reading speaks of, found in the starter or in installed source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from drill.lab.reading import Place, blocks

if TYPE_CHECKING:
    from drill.domain.questions import Code

PlaceErrorKind = Literal["missing-package", "missing-symbol", "missing-mark", "pattern"]
STARTER = "starter.py"


class PlaceError(Exception):
    """The code of a section cannot be shown; the message says why and the way out."""

    def __init__(self, kind: PlaceErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind: PlaceErrorKind = kind


@dataclass(frozen=True, slots=True)
class Shown:
    """Code beside a section."""

    code: Code
    file: Path
    first: int
    """Number in the file of the first line of `code`."""
    lines: tuple[int, int]
    """First and last line of `code` that the section is about, counted from 1; (0, 0): all."""


def find(place: Place, folder: Path, cache_dir: Path | None = None) -> Shown:
    """The code of a place of the lab in `folder`.

    Nothing of an installed package is imported. `cache_dir` keeps the index of symbols.

    Raises:
        PlaceError: no such mark, package or symbol, or the pattern is not found in exactly one
            line of the symbol's source.
    """
    if place.mark:
        return _marked(place.mark, folder / STARTER)
    from drill.packs.excerpt import ExcerptError, whole

    try:
        source = whole(place.symbol, cache_dir)
    except ExcerptError as error:
        raise PlaceError(error.kind, str(error)) from error
    line = _only(place, source.code.text.split("\n"), source.first) if place.pattern else 0
    return Shown(source.code, source.file, source.first, (line, line))


def starter(folder: Path) -> Shown | None:
    """The whole starter of the lab in `folder`; None where there is none."""
    file = folder / STARTER
    return _shown(file, _read(file), (0, 0)) if file.is_file() else None


def _marked(mark: str, file: Path) -> Shown:
    source = _read(file)
    found, _ = blocks(source)
    if mark not in found:
        from drill.packs.problems import did_you_mean

        says = f"{file.name} has no mark `# @{mark}`; {did_you_mean(mark, found)}"
        raise PlaceError("missing-mark", says)
    return _shown(file, source, (found[mark].first, found[mark].last))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PlaceError("missing-mark", f"{file} cannot be read: {reason}") from error


def _shown(file: Path, source: str, lines: tuple[int, int]) -> Shown:
    from drill.domain.questions import Code

    return Shown(Code(source.rstrip("\n"), "python", file.name), file, 1, lines)


def _only(place: Place, lines: list[str], first: int) -> int:
    pattern = re.compile(place.pattern)
    hits = [number for number, line in enumerate(lines, start=1) if pattern.search(line)]
    if len(hits) == 1:
        return hits[0]
    at = ", ".join(str(first + hit - 1) for hit in hits[:6])
    found = f"is found in {len(hits)} lines ({at})" if hits else "is found in no line"
    raise PlaceError(
        "pattern",
        f"/{place.pattern}/ {found} of {place.symbol}; it must be found in exactly one.",
    )
