"""What `drill bank check` says of the items that cards become, at the places of the cards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drill.packs.problems import Problem
from drill.services.moving.card import Cards
from drill.services.moving.cards_items import Made


@dataclass(slots=True)
class Source:
    """One file of cards."""

    path: Path
    text: str
    found: Cards
    made: Made = field(default_factory=Made)
    targets: dict[str, str] = field(default_factory=dict)
    """Relative path in the pack to its new text."""
    old: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Items of its earlier import by id."""
    stale: list[str] = field(default_factory=list)
    """Files of its earlier import that hold nothing any more."""
    taken_over: list[str] = field(default_factory=list)
    """Other sources whose cards are all here now."""
    framed: bool = False
    """Whether it has a topic or a header, and so can be a file of cards without a card."""


def checked(root: Path, sources: Sequence[Source]) -> list[Problem]:
    """What `drill bank check` would say of the new files, at the places of the cards."""
    from drill.packs.compile import load_packs
    from drill.packs.files import MANIFEST, gather
    from drill.packs.links import link_problems
    from drill.packs.lint import lint
    from drill.packs.selfgrade import self_grade

    found = gather(root)
    files = dict(found.files)
    for source in sources:
        for name in source.stale:
            files.pop(name, None)
        files.update({name: text.encode() for name, text in source.targets.items()})
    files.setdefault(MANIFEST, manifest(root.name).encode())
    # The new files come last, so that an id that is taken is told at the card.
    new = {name: files.pop(name) for source in sources for name in source.targets}
    loaded = load_packs([type(found)(root, root.name, {**files, **new})])[0]
    ids = [f"{loaded.pack.name}:{name}" for name in loaded.ids]
    problems = [
        *loaded.pack.problems,
        *link_problems(loaded, loaded.pack.misconceptions, ids, {}),
        *(p for entry in loaded.entries for p in (*lint(entry), *self_grade(entry))),
    ]
    owners = {name: source for source in sources for name in source.targets}
    told = [_at_card(p, owners[p.file]) for p in problems if p.file in owners and not _usual(p)]
    return sorted(set(told), key=lambda p: (p.file, p.line, p.column))


def _usual(problem: Problem) -> bool:
    """Cards bring no proofs: that nothing recomputes a number is no news."""
    return problem.severity == "warning" and problem.message == "nothing recomputes this key"


def _at_card(problem: Problem, source: Source) -> Problem:
    """A problem of the made file at the place in the author's."""
    ids = [card.id for card in source.made.cards]
    place = (1, 1)
    if problem.item in ids:
        number = ids.index(problem.item)
        loc: tuple[str | int, ...] = tuple(
            int(part) if part.isdigit() else part
            for part in re.findall(r"[^.\[\]]+", problem.field)
        )
        place = source.made.marks.at((number, *loc))
    return Problem(
        str(source.path),
        *place,
        problem.field,
        problem.message,
        problem.expected,
        problem.severity,
        problem.item,
    )


def manifest(name: str) -> str:
    """The `pack.yaml` of a pack that is begun with cards."""
    return f"name: {name}\ntitle: {name.replace('-', ' ').capitalize()}\n"
