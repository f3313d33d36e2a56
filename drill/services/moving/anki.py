"""The bank as an Anki package: one deck a topic, one note an item, stable over exports."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile

from msgspec import Struct

from drill.domain.questions import TOPICS, Head
from drill.services.moving.anki_card import SEED, note_fields
from drill.services.moving.anki_style import BACK, CSS, FIELDS, FRONT

if TYPE_CHECKING:
    from drill.services.app import Drill

MODEL_ID = 1_763_884_801
"""Of the note type, for ever: Anki updates the cards of a note type that it knows."""
MODEL_NAME = "drill question"
ENDING = ".apkg"


class AnkiError(Exception):
    """No package was written; the message says why and the way out."""


class Package(Struct, frozen=True):
    """A package that was written."""

    path: str
    cards: int
    decks: int
    bytes: int
    reserved: int
    """Items kept for mock interviews that were left out."""
    left_out: int
    """Items that cannot be shown here."""
    reason: str = ""


def write_package(
    drill: Drill, path: Path, *, topic: str = "", reserve: bool = False, force: bool = False
) -> Package:
    """Write the questions that practice may ask as an Anki package.

    Each has its own id in Anki, made of its id here, so that importing a later package updates a
    card and keeps its history there. Of an item with variants there is one, always the same.

    Args:
        topic: only this one.
        reserve: also the items that are kept for mock interviews.
        force: replace a file that is there.

    Raises:
        AnkiError: nothing was written.
    """
    if path.suffix.lower() != ENDING:
        raise AnkiError(f"{path}: Anki reads packages that end in {ENDING}")
    if path.exists() and (not force or not path.is_file()):
        raise AnkiError(f"{path}: is there already; name another file, or give --force")
    if topic and topic not in TOPICS:
        raise AnkiError(f"there is no topic {topic!r}; topics: {', '.join(TOPICS)}")
    heads = [h for h in drill.bank.heads.values() if not topic or h.topic == topic]
    withheld = frozenset() if reserve else drill.withheld()
    offered = drill.askable() if not reserve else {**drill.askable(), **drill.interview_heads()}
    wanted = [head for head in heads if head.id in offered and head.id not in withheld]
    notes, hidden = _notes(drill, wanted)
    if not notes:
        kept = sum(head.id in withheld for head in heads)
        said = f"; {kept} are kept for mock interviews, --reserve takes them in" if kept else ""
        raise AnkiError(f"there is no question that practice may ask{said}")
    decks = _decks(drill, notes)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _write(list(decks.values()), part, drill.clock().timestamp())
        part.replace(path)
        size = path.stat().st_size
    except OSError as error:
        raise AnkiError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    unready = sum(h.id not in offered and h.id not in withheld for h in heads)
    return Package(
        path=str(path),
        cards=len(notes),
        decks=len(decks),
        bytes=size,
        reserved=sum(head.id in withheld for head in heads),
        left_out=unready + hidden,
        reason="they need the experiments' packages, or a proof with those installed here"
        if unready + hidden
        else "",
    )


def _notes(drill: Drill, heads: list[Head]) -> tuple[list[tuple[Head, dict[str, str]]], int]:
    from drill.packs.excerpt import ExcerptError

    made: list[tuple[Head, dict[str, str]]] = []
    hidden = 0
    for head in heads:
        try:
            question = drill.bank.question(head.id, SEED)
        except ExcerptError:
            hidden += 1
            continue
        made.append((head, note_fields(question, drill.bank.misconceptions)))
    return made, hidden


def _decks(drill: Drill, notes: list[tuple[Head, dict[str, str]]]) -> Mapping[str, Any]:
    """A deck of genanki a pack and topic, with its notes."""
    import genanki

    model = genanki.Model(
        MODEL_ID,
        MODEL_NAME,
        fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Question", "qfmt": FRONT, "afmt": BACK}],
        css=CSS,
    )
    decks: dict[str, Any] = {}
    for place, (head, fields) in enumerate(notes):
        pack = head.id.partition(":")[0]
        key = f"{pack}:{head.topic}"
        if key not in decks:
            title = drill.bank.titles.get(pack, pack).replace("::", ":")
            name = f"{title}::{TOPICS.get(head.topic, head.topic)}"
            decks[key] = genanki.Deck(_stable_id(f"deck {key}"), name)
        tags = [
            f"drill::topic::{head.topic}",
            f"drill::level::{head.level}",
            f"drill::type::{head.type}",
            f"drill::relevance::{head.relevance}",
        ]
        decks[key].add_note(
            genanki.Note(
                model=model,
                fields=[fields[name] for name in FIELDS],
                guid=genanki.guid_for("drill", head.id),
                tags=tags,
                due=place,
            )
        )
    return decks


def _stable_id(text: str) -> int:
    """A positive number of 31 bits that follows from a text."""
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return (int.from_bytes(digest, "big") >> 1) | 1 << 30


def _write(decks: list[Any], path: Path, timestamp: float) -> None:
    """The package: a collection and an empty list of media, zipped.

    As `genanki.Package.write_to_file`, which leaves its collection in the temporary folder.
    """
    import genanki

    package = genanki.Package(decks)
    with TemporaryDirectory(prefix="drill-anki-") as folder:
        collection = Path(folder) / "collection.anki2"
        with closing(sqlite3.connect(collection)) as connection:
            ids = itertools.count(int(timestamp * 1000))
            package.write_to_db(connection.cursor(), timestamp, ids)
            connection.commit()
        with ZipFile(path, "w", ZIP_DEFLATED) as zipped:
            zipped.write(collection, "collection.anki2")
            zipped.writestr("media", json.dumps({}))
