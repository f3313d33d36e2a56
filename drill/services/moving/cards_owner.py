"""Which files of a pack an import of cards may replace: those that the same source has made.

A made file names its source. One that another source made is taken over only where none of its
cards would go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drill.domain.counted import counted
from drill.services.moving import cards_file
from drill.services.moving.card import CardsError
from drill.services.moving.cards_bodies import slug
from drill.services.moving.cards_check import Source


@dataclass(slots=True)
class _Deck:
    """What one source has made in the pack."""

    made_from: str
    """As the files name it: a place, or only a name where an earlier drill made them."""
    files: list[str] = field(default_factory=list)
    """Relative paths in the pack."""
    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        return stem_of(Path(self.made_from))

    @property
    def placed(self) -> bool:
        return "/" in self.made_from

    @property
    def lost(self) -> bool:
        """Whether its source is no longer where it was."""
        return self.placed and not Path(self.made_from).expanduser().exists()


def stem_of(path: Path) -> str:
    """The name of the files that a source becomes, without `.yaml`."""
    return slug(path.stem.replace("_", " "), 12) or "cards"


def place_of(path: Path) -> str:
    """The file itself, behind links, as the files that it becomes name it."""
    real = path.resolve()
    try:
        home = Path.home().resolve()
    except RuntimeError:  # nobody's home
        home = real
    inside = real != home and real.is_relative_to(home)
    text = f"~/{real.relative_to(home).as_posix()}" if inside else real.as_posix()
    return "".join(char if char.isprintable() else "?" for char in text)


def claim(root: Path, sources: Sequence[Source]) -> set[str]:
    """Tell each source what of the pack is its own; gives the ids of all other items.

    Raises:
        CardsError: a file is in the way, or cards of another source would go.
    """
    stems = _stems(sources)
    taken: set[str] = set()
    decks: dict[str, _Deck] = {}
    for file in sorted(root.glob("questions/**/*.yaml")):
        text = file.read_text(encoding="utf-8", errors="replace")
        items = {str(item.get("id")): item for item in cards_file.items_in(text)}
        in_place = file.parent.parent == root / "questions"
        made_from = cards_file.made_from(text)
        if not (in_place and made_from and stem_of(Path(made_from)) == file.stem):
            if in_place and file.stem in stems:
                raise CardsError(
                    f"{file}: was written or edited by hand and is not replaced; give it another "
                    f"name, or import {stems[file.stem].path.name} into another pack with --pack"
                )
            taken |= items.keys()
            continue
        deck = decks.setdefault(made_from, _Deck(made_from))
        deck.files.append(file.relative_to(root).as_posix())
        deck.items.update(items)
    for deck in decks.values():
        owner = _owner(root, deck, sources)
        if owner is None:
            taken |= deck.items.keys()
            continue
        owner.old.update(deck.items)
        owner.stale += deck.files
        own = place_of(owner.path)
        if deck.made_from != own and (deck.placed or stem_of(Path(own)) != deck.stem):
            owner.taken_over.append(deck.made_from)
    for source in sources:
        _remember(source)
    return taken


def _stems(sources: Sequence[Source]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for source in sources:
        stem = stem_of(source.path.resolve())
        if stem in found:
            both = f"{found[stem].path} and {source.path}"
            if place_of(found[stem].path) == place_of(source.path):
                raise CardsError(f"{both}: are one file; name it once")
            raise CardsError(f"{both}: would become the same file {stem}.yaml; rename one")
        found[stem] = source
    return found


def _owner(root: Path, deck: _Deck, sources: Sequence[Source]) -> Source | None:
    """The source that a deck belongs to; None for one that none of the sources has to do with."""
    same = [source for source in sources if place_of(source.path) == deck.made_from]
    # Where other cards stand in the old place, the file may have got another name.
    kept = [source for source in same if deck.items.keys() & _given(source)]
    whole = [source for source in sources if deck.items.keys() <= _given(source)]
    for source in (*kept, *whole, *same):
        return source
    for source in sources:
        unsure = _same_name(deck, source) and not deck.placed
        if (deck.lost or unsure) and _asks_all(deck, source):
            return source
    for source in sources:
        if _same_name(deck, source) or deck.items.keys() & _given(source):
            raise CardsError(_refused(root, deck, source))
    return None


def _same_name(deck: _Deck, source: Source) -> bool:
    return stem_of(source.path.resolve()) == deck.stem


def _asks_all(deck: _Deck, source: Source) -> bool:
    """Whether each card of the deck is here, by its id or by its question."""
    given = _given(source)
    asked = {card.question.text for card in source.found.cards}
    return all(name in given or item["prompt"] in asked for name, item in deck.items.items())


def _given(source: Source) -> set[str]:
    return {said.text for card in source.found.cards if (said := card.one("id"))}


def _refused(root: Path, deck: _Deck, source: Source) -> str:
    given = _given(source)
    here = listed(name for name in deck.items if name in given)
    gone = listed(name for name in deck.items if name not in given)
    files = " and ".join(deck.files)
    again = f"delete {files} in {root} and import again; cards keep their history by their ids"
    if _same_name(deck, source):
        return (
            f"{source.path}: another file of this name, {deck.made_from}, made cards that are not "
            f"here: {gone}. If this is another one, rename it, or give --pack. If it is the same, "
            f"moved, {again}"
        )
    both = "" if deck.lost else "If they moved from there, import both files at once. "
    return (
        f"{source.path}: {here} came from {deck.made_from}, whose other cards are not here: "
        f"{gone}. {both}If this is that file, renamed, {again}. Else take those ids out of it"
    )


def listed(names: Iterable[str]) -> str:
    """The first few names."""
    found = list(names)
    return ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")


def emptied(root: Path, source: Source) -> None:
    """See that a file without a card is meant to be one. Raises CardsError."""
    if source.found.cards or source.found.problems:
        return
    one = "a row below the header is one" if source.found.table else "one begins with `## `"
    said = f"{source.path}: holds no card; {one}"
    if not source.old:
        raise CardsError(f"{said} and its question" if not source.found.table else said)
    if not source.framed:
        left = "the header" if source.found.table else "a heading such as `# cfg`"
        raise CardsError(
            f"{said}. To take {counted(len(source.old), 'card')} of an earlier import out of "
            f"{root}, leave {left} alone in it"
        )


def _remember(source: Source) -> None:
    """Give cards without an id that of the same question in the import before.

    Raises:
        CardsError: all cards are others, as in a file that is written over for each import.
    """
    known = {item["prompt"]: name for name, item in source.old.items()}
    given = _given(source)
    for card in source.found.cards:
        name = known.get(card.question.text)
        if name is not None and card.one("id") is None and name not in given:
            card.id = name
            given.add(name)
    if source.found.cards and source.old and not given & source.old.keys():
        raise CardsError(
            f"{source.path}: was imported before with other cards ({listed(source.old)}), and none "
            "of them is here. To keep them, give these cards a file of another name, or --pack; to "
            "take them out, first import the file with nothing but its topic or header"
        )
