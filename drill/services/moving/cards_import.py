"""Cards into a pack of the learner's own: checked as a whole, written, then given their ids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from drill import paths
from drill.domain.counted import counted
from drill.packs.problems import Problem
from drill.packs.yaml_source import HIDDEN
from drill.services.moving import cards_file
from drill.services.moving.card import CardsError as CardsError
from drill.services.moving.card import lines_of
from drill.services.moving.cards_check import Source, checked, manifest
from drill.services.moving.cards_csv import read_csv
from drill.services.moving.cards_items import checked_topic, items_of
from drill.services.moving.cards_markdown import read_markdown
from drill.services.moving.cards_owner import claim, emptied, listed, place_of, stem_of

MARKDOWN = (".md", ".markdown")
CSV = (".csv", ".tsv")
LARGEST = 16 << 20
"""Bytes of a file of cards."""


class ImportedCards(Struct, frozen=True):
    """What an import of cards did, or would do."""

    ok: bool
    pack: str
    dry_run: bool
    problems: tuple[Problem, ...]
    """In the files of cards; nothing was written where one is an error."""
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    same: int = 0
    gone: tuple[str, ...] = ()
    """Ids that the file held before and no longer does; their history is kept."""
    files: tuple[str, ...] = ()
    """Question files that were written or taken away."""
    said: tuple[str, ...] = ()
    """The same in words."""


def is_cards(path: Path) -> bool:
    """Whether a file is taken for cards, by its ending."""
    return path.suffix.lower() in (*MARKDOWN, *CSV)


def import_cards(
    files: Sequence[Path],
    pack: str,
    *,
    topic: str = "",
    dry_run: bool = False,
    write_ids: bool = True,
) -> ImportedCards:
    """Make items of files of cards and put them into the pack `pack` of the learner's own.

    All files or none: where a card has an error nothing is written. A file of questions that was
    edited by hand is never replaced.

    Args:
        topic: of cards that name none.
        write_ids: write the ids that were made into the files of cards, so that a card may be
            edited later and keep its history.

    Raises:
        CardsError: a file cannot be read, the pack's name or the topic is none, a file is in the
            way, or cards that another file made would go.
    """
    root = _root(pack)
    topic = checked_topic(topic)
    sources = [_read(path) for path in files]
    taken = claim(root, sources)
    for source in sources:
        emptied(root, source)
        source.made = items_of(source.found, topic, source.path.resolve().name, taken)
        taken |= {card.id for card in source.made.cards}
        _lay_out(source)
    laid = {name for source in sources for name in source.targets}
    for source in sources:
        source.stale = [name for name in source.stale if name not in laid]
    problems = [p for source in sources for p in _own_problems(source)]
    if not any(p.severity == "error" for p in problems):
        problems += checked(root, sources)
    ok = not any(p.severity == "error" for p in problems)
    made = _told(root, sources, problems, ok, dry_run)
    if not ok or dry_run:
        return made
    written, notes = _write(root, sources, write_ids)
    return ImportedCards(
        ok=ok,
        pack=pack,
        dry_run=False,
        problems=made.problems,
        new=made.new,
        changed=made.changed,
        same=made.same,
        gone=made.gone,
        files=tuple(written),
        said=(*made.said, *notes),
    )


def _root(pack: str) -> Path:
    from drill.services.user_packs import PackError, checked_name

    try:
        return paths.user_packs_dir() / checked_name(pack)
    except PackError as error:
        raise CardsError(str(error)) from error


def _read(path: Path) -> Source:
    try:
        if path.stat().st_size > LARGEST:
            raise CardsError(f"{path}: is too large for a file of cards")
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise CardsError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CardsError(f"{path}:{line}: is not UTF-8; save it as UTF-8") from error
    for place, shown in enumerate(lines_of(text), start=1):
        hidden = HIDDEN.search(shown.rstrip("\r\n"))
        if hidden:
            raise CardsError(
                f"{path}:{place}:{hidden.start() + 1}: a control character "
                f"(U+{ord(hidden[0]):04X}) that cannot be seen; take it out"
            )
    found = read_csv(text) if path.suffix.lower() in CSV else read_markdown(text)
    framed = found.table or re.search(r"^#\s+\S", text, re.MULTILINE) is not None
    return Source(path, text, found, framed=framed)


def _lay_out(source: Source) -> None:
    by_topic: dict[str, list[dict[str, Any]]] = {}
    for item in source.made.items:
        by_topic.setdefault(item["topic"], []).append(item)
    for topic, items in by_topic.items():
        name = f"questions/{topic}/{stem_of(source.path.resolve())}.yaml"
        try:
            source.targets[name] = cards_file.made_text(items, place_of(source.path))
        except ValueError as error:
            raise CardsError(f"{source.path}: a card of {topic} cannot be kept: {error}") from error


def _own_problems(source: Source) -> Iterator[Problem]:
    for found in sorted(source.found.problems, key=lambda p: (p.line, p.column)):
        yield Problem(str(source.path), found.line, found.column, "", found.message, found.expected)


def _told(
    root: Path, sources: Sequence[Source], problems: list[Problem], ok: bool, dry_run: bool
) -> ImportedCards:
    # Of all files together: a card may have moved from one to the other.
    old = {name: item for source in sources for name, item in source.old.items()}
    items = {item["id"]: item for source in sources for item in source.made.items}
    new = [name for name in items if name not in old]
    changed = [name for name in items if name in old and items[name] != old[name]]
    same = len(items) - len(new) - len(changed)
    gone = [name for name in old if name not in items]
    if not ok:
        said = ["nothing was written; mend what is named above and import again"]
    else:
        said = [f"{len(new)} new, {len(changed)} changed, {same} unchanged, in {root}"]
        said += [
            f"{source.path} takes over the cards of {other}"
            for source in sources
            for other in source.taken_over
        ]
        if gone:
            whose = "its history is kept" if len(gone) == 1 else "their history is kept"
            said.append(f"{len(gone)} no longer in the file: {listed(gone)} ({whose})")
        if dry_run:
            said.append("nothing was changed (--dry-run)")
    if not ok:
        new, changed, gone, same = [], [], [], 0
    return ImportedCards(
        ok=ok,
        pack=root.name,
        dry_run=dry_run,
        problems=tuple(problems),
        new=tuple(new),
        changed=tuple(changed),
        same=same,
        gone=tuple(gone),
        said=tuple(said),
    )


def _write(root: Path, sources: Sequence[Source], write_ids: bool) -> tuple[list[str], list[str]]:
    """Write the pack's files, then the ids; gives the files, and what could not be done."""
    from drill.packs.files import MANIFEST

    written: list[str] = []
    notes: list[str] = []
    try:
        if not (root / MANIFEST).exists():
            cards_file.replace_file(root / MANIFEST, manifest(root.name))
        for source in sources:
            for name, text in source.targets.items():
                if not _is(root / name, text):
                    cards_file.replace_file(root / name, text)
                    written.append(str(root / name))
            for name in source.stale:
                (root / name).unlink(missing_ok=True)
                written.append(str(root / name))
    except OSError as error:
        raise CardsError(f"{root}: cannot be written: {error.strerror or error}") from error
    for source in sources if write_ids else ():
        ids = {card.question.line: card.id for card in source.made.cards if card.one("id") is None}
        if ids:
            notes.append(_give_ids(source, ids))
    return written, notes


def _is(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except OSError:
        return False


def _give_ids(source: Source, ids: Mapping[int, str]) -> str:
    csv = source.path.suffix.lower() in CSV
    text = (cards_file.with_ids_csv if csv else cards_file.with_ids_markdown)(source.text, ids)
    try:
        if source.path.read_bytes().decode("utf-8") != source.text:
            return f"{source.path}: was changed meanwhile; import it again to get its ids"
        cards_file.replace_file(source.path, text)
    except OSError as error:
        return (
            f"{source.path}: the ids cannot be written into it ({error.strerror}); a question that "
            "is changed becomes a new card"
        )
    return (
        f"{counted(len(ids), 'id')} written into {source.path}: edit a card as you like, but keep "
        "its id and its topic"
    )
