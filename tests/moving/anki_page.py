"""What Anki would show: the notes of a package put into the templates of their note type."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile


class Collection:
    """A package as Anki's importer would read it."""

    def __init__(self, package: Path) -> None:
        with TemporaryDirectory() as folder, ZipFile(package) as zipped:
            assert sorted(zipped.namelist()) == ["collection.anki2", "media"]
            assert json.loads(zipped.read("media")) == {}
            zipped.extract("collection.anki2", folder)
            with closing(sqlite3.connect(Path(folder) / "collection.anki2")) as db:
                models, decks = db.execute("SELECT models, decks FROM col").fetchone()
                self.models: dict[str, Any] = json.loads(models)
                self.decks: dict[str, Any] = json.loads(decks)
                self.notes: list[dict[str, Any]] = [
                    {"guid": guid, "model": str(mid), "tags": tags.split(), "raw": flds}
                    for guid, mid, tags, flds in db.execute(
                        "SELECT guid, mid, tags, flds FROM notes ORDER BY id"
                    )
                ]
                self.cards = db.execute(
                    "SELECT count(*), count(DISTINCT nid) FROM cards"
                ).fetchone()
                self.in_deck = dict(db.execute("SELECT did, count(*) FROM cards GROUP BY did"))
        for note in self.notes:
            names = [field["name"] for field in self.models[note["model"]]["flds"]]
            note["fields"] = dict(zip(names, note["raw"].split("\x1f"), strict=True))

    def page(self, note: dict[str, Any], *, back: bool, night: bool) -> str:
        """One side of a card as a page."""
        model = self.models[note["model"]]
        template = model["tmpls"][0]
        front = _filled(template["qfmt"], note["fields"])
        body = (
            front if not back else _filled(template["afmt"], {**note["fields"], "FrontSide": front})
        )
        mode = "card nightMode" if night else "card"
        return (
            f'<!doctype html><html><head><meta charset="utf-8"><style>{model["css"]}</style></head>'
            f'<body class="{mode}">{body}</body></html>'
        )


def _filled(template: str, fields: dict[str, str]) -> str:
    def section(match: re.Match[str]) -> str:
        return match[2] if fields[match[1]].strip() else ""

    kept = re.sub(r"\{\{#(\w+)\}\}(.*?)\{\{/\1\}\}", section, template, flags=re.S)
    return re.sub(r"\{\{(\w+)\}\}", lambda match: fields[match[1]], kept)
