"""The reading of a lab: Markdown sections, each with the place in the code that it speaks of.

A section `## ...` that speaks of code has an anchor as the first line under its heading:

    <!-- at: starter#name -->                              a marked block of starter.py
    <!-- at: diffusers.DDPMScheduler.add_noise -->         a symbol of an installed package
    <!-- at: diffusers.DDPMScheduler.add_noise /noisy/ --> the one line of it where a regular
                                                           expression is found

Pure text: nothing is looked up here; `drill.lab.places` finds the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_HEADING = re.compile(r"(?P<level>#{1,6})(?:\s+(?P<words>.*?))?(?:\s+#+)?\s*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ANCHOR = re.compile(r"\s*<!--\s*at\s*:(?P<place>.*?)-->\s*$")
_STARTER = re.compile(r"starter#(?P<mark>\S+)$")
_SYMBOL = re.compile(r"(?P<symbol>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?:\s+/(?P<pattern>.+)/)?$")
_MARK = re.compile(r"\s*#\s*@(?P<name>.*?)\s*$")
_MARK_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
EXPECTED = "`starter#name`, a symbol such as `diffusers.DDIMScheduler.step`, or it and `/pattern/`"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the code of a section stands: a marked block of the starter, or a symbol."""

    mark: str = ""
    symbol: str = ""
    pattern: str = ""
    """Regular expression found in exactly one line of the symbol's source; empty: all of it."""
    line: int = 0
    """Of the anchor in the reading, counted from 1."""

    def __str__(self) -> str:
        if self.mark:
            return f"starter#{self.mark}"
        return f"{self.symbol} /{self.pattern}/" if self.pattern else self.symbol


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under a `##` heading."""

    title: str
    text: str
    """Markdown without heading and anchor, and without blank lines at either end."""
    line: int
    """Of the heading, counted from 1."""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole reading, as far as it can be read."""

    title: str
    sections: tuple[Section, ...]
    problems: tuple[tuple[int, str], ...] = ()
    """Line, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Block:
    """A marked block of a starter: lines `first` to `last`, counted from 1, both included."""

    name: str
    first: int
    last: int


@dataclass(slots=True)
class _Part:
    """A heading and the lines under it; level 0 for what stands above the first one."""

    level: int
    words: str
    line: int
    body: list[tuple[int, str]] = field(default_factory=list)


def parse_reading(text: str) -> Reading:
    """The sections of a reading, and what is wrong in it.

    Text between the title and the first section becomes a section under the reading's own title.
    A heading inside a code fence is code; `###` and deeper belong to their section's text.
    """
    above, *parts = _parts(text)
    problems: list[tuple[int, str]] = []
    stray = next((line for line, words in above.body if words.strip()), 0)
    if not parts or parts[0].level != 1:
        problems.append((1, "the first line is no title `# ...`"))
    elif stray:
        problems.append((stray, "text above the title `# ...`"))
    title = next((part.words for part in parts if part.level == 1), "")
    sections: list[Section] = []
    for n, part in enumerate(parts):
        if part.level == 1 and n:
            problems.append((part.line, "a second title `# ...`; a section begins with `##`"))
        if not part.words:
            problems.append((part.line, "a heading without words"))
        section, found = _section(part)
        problems += found
        if part.level == 2 and not section.text:
            problems.append((part.line, f"the section `{part.words}` has no text"))
        if part.level == 2 or section.text:
            sections.append(section)
    if not any(part.level == 2 for part in parts):
        problems.append((1, "there is no section `## ...`"))
    return Reading(title, tuple(sections), tuple(sorted(problems)))


def _parts(text: str) -> list[_Part]:
    parts = [_Part(0, "", 0)]
    fence = ""
    for number, line in enumerate(text.splitlines(), start=1):
        bar = _FENCE.match(line)
        if fence:
            if bar and bar[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif bar:
            fence = bar[1]
        elif (heading := _HEADING.match(line)) and len(heading["level"]) <= 2:
            parts.append(_Part(len(heading["level"]), heading["words"] or "", number))
            continue
        parts[-1].body.append((number, line))
    return parts


def _section(part: _Part) -> tuple[Section, list[tuple[int, str]]]:
    place: Place | None = None
    kept: list[str] = []
    problems: list[tuple[int, str]] = []
    for number, line in part.body:
        anchor = _ANCHOR.match(line)
        if anchor is None:
            kept.append(line)
        elif place is not None or any(words.strip() for words in kept):
            says = "an anchor that is not the first line under its heading; it is left out"
            problems.append((number, says))
        else:
            place = place_of(anchor["place"].strip(), number)
            if place is None:
                says = f"`{anchor['place'].strip()}` names no place; expected {EXPECTED}"
                problems.append((number, says))
    return Section(part.words, "\n".join(kept).strip("\n"), part.line, place), problems


def place_of(written: str, line: int = 0) -> Place | None:
    """The place that an anchor names; None for what is no place or no regular expression."""
    starter = _STARTER.match(written)
    if starter:
        return Place(mark=starter["mark"], line=line)
    symbol = _SYMBOL.match(written)
    if symbol is None:
        return None
    pattern = symbol["pattern"] or ""
    try:
        re.compile(pattern)
    except re.error:
        return None
    return Place(symbol=symbol["symbol"], pattern=pattern, line=line)


def blocks(source: str) -> tuple[dict[str, Block], list[tuple[int, str]]]:
    """The marked blocks of a starter by name, and what is wrong with its marks.

    A block begins under its line `# @name` and ends above the next mark or at the end of the file;
    blank lines at its end are no part of it.
    """
    lines = source.split("\n")
    marks = list(_marks(lines))
    found: dict[str, Block] = {}
    problems: list[tuple[int, str]] = []
    for n, (line, name) in enumerate(marks):
        end = marks[n + 1][0] - 1 if n + 1 < len(marks) else len(lines)
        while end > line and not lines[end - 1].strip():
            end -= 1
        if not _MARK_NAME.fullmatch(name):
            problems.append((line, f"the mark `{name}` is no lower-case words joined by hyphens"))
        elif name in found:
            says = f"the mark `{name}` stands in line {found[name].first - 1} already"
            problems.append((line, says))
        elif end == line:
            problems.append((line, f"the mark `{name}` has no code under it"))
        else:
            found[name] = Block(name, line + 1, end)
    return found, problems


def _marks(lines: list[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, start=1):
        mark = _MARK.match(line)
        if mark:
            yield number, mark["name"]
