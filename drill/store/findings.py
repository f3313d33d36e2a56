"""A finding about the data."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

NAMED = 5
"""Examples named in a finding."""
_ORDER = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or odd."""

    level: Literal["error", "warning", "note"]
    code: str
    message: str
    """What it is and what it means."""
    remedy: str = ""
    """The way out."""
    mendable: bool = False
    """Whether mending puts it right."""


def some(names: Collection[str]) -> str:
    """The first names, and whether there are more."""
    shown = ", ".join(list(names)[:NAMED])
    return shown + (", …" if len(names) > NAMED else "")


def worst_first(found: Iterable[Finding]) -> list[Finding]:
    """Errors, then warnings, then notes."""
    return sorted(found, key=lambda finding: _ORDER[finding.level])
