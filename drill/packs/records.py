"""What compiling gives and the cache keeps: small classes without pydantic or YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from drill.domain.questions import Excerpt, Head, Question
from drill.packs.beliefs import Misconception
from drill.packs.problems import Problem
from drill.packs.proof_site import ProofSite


@dataclass(frozen=True, slots=True)
class Compiled:
    """One item, compiled: all its variants, rendered."""

    head: Head
    questions: tuple[Question, ...]
    site: ProofSite
    """`file` is relative to the pack's folder."""
    excerpt: Excerpt | None = None
    """For a `source:` item: what is cut when the question is asked."""
    lab: str = ""
    """Folder of the lab that it belongs to, besides that of its experiment."""


@dataclass(slots=True)
class CompiledPack:
    """One pack, compiled."""

    name: str
    title: str
    items: list[Compiled] = field(default_factory=list)
    misconceptions: dict[str, Misconception] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


SECONDS: Mapping[str, float] = {
    "choice": 40,
    "choices": 60,
    "number": 75,
    "shape": 45,
    "short": 30,
    "formula": 75,
    "explain": 180,
    "order": 90,
    "line": 60,
    "mutant": 120,
    "output": 75,
    "code": 600,
    "predict": 60,
    "diagnose": 240,
}
"""Expected time of a first answer where the item names none."""
