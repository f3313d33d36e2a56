"""A lab as it is read: its sections beside their code, and the questions that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drill.lab.manifest import Lab
from drill.lab.places import PlaceError, Shown, find, starter
from drill.lab.reading import Section, parse_reading

if TYPE_CHECKING:
    from pathlib import Path

    from drill.services.app import Drill


@dataclass(frozen=True, slots=True)
class Part:
    """A section and the code that it speaks of."""

    section: Section
    shown: Shown | None = None
    """None where it speaks of no code, or where the code cannot be shown."""
    missing: str = ""
    """Why the code cannot be shown, and the way out."""


@dataclass(frozen=True, slots=True)
class LabText:
    """The whole reading of a lab."""

    title: str
    parts: tuple[Part, ...]
    problems: tuple[str, ...]
    """`file:line: what is wrong`; what could be read is in `parts` all the same."""
    starter: Shown | None
    """The whole starter."""


def read_lab(lab: Lab, cache_dir: Path | None = None) -> LabText:
    """The reading of a lab; without one it has no parts. Imports nothing of what it shows."""
    try:
        own = starter(lab.folder)
    except PlaceError as error:
        return LabText(lab.title, (), (f"{lab.starter}:1: {error}",), None)
    if lab.reading is None:
        return LabText(lab.title, (), (), own)
    try:
        text = lab.reading.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return LabText(lab.title, (), (f"{lab.reading}:1: {error}",), own)
    reading = parse_reading(text)
    problems = [f"{lab.reading}:{line}: {says}" for line, says in reading.problems]
    parts = []
    for section in reading.sections:
        part = Part(section)
        if section.place is not None:
            try:
                part = Part(section, find(section.place, lab.folder, cache_dir))
            except PlaceError as error:
                part = Part(section, None, str(error))
                if error.kind != "missing-package":
                    problems.append(f"{lab.reading}:{section.place.line}: {error}")
        parts.append(part)
    return LabText(reading.title or lab.title, tuple(parts), tuple(problems), own)


def questions_of(drill: Drill, lab: Lab) -> tuple[str, ...]:
    """Ids of the items that name the lab or one of its experiments, in the order of the bank."""
    own = {each.name for each in lab.experiments}
    bank, withheld = drill.bank, drill.withheld()
    return tuple(
        item
        for item in bank.heads
        if item not in withheld
        and (bank.labs.get(item) == lab.id or bank.experiments.get(item) in own)
    )
