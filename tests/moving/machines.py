"""Machines of one learner: stores with clocks of their own that export to each other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from drill.services.app import Drill
from drill.services.moving.exporting import Exported, export
from drill.services.moving.importing import Imported, merge
from drill.services.moving.lines import Header, write
from drill.store import Review, Store
from drill.store.replay import replay_all
from drill.store.transfer import Record, records


class Machine:
    """One computer: a store, and a clock that may be wrong."""

    def __init__(self, folder: Path, name: str, skew: timedelta = timedelta(0)) -> None:
        self.folder = folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC) + skew
        self.offset = 60
        self.store = Store.open(self.folder / "drill.db", clock=self.clock)
        self._number = 0

    def clock(self) -> datetime:
        return self.now.astimezone(timezone(timedelta(minutes=self.offset)))

    @property
    def drill(self) -> Drill:
        """What exports and imports ask of the services."""
        bank = SimpleNamespace(heads={})
        return cast("Drill", SimpleNamespace(store=self.store, clock=self.clock, bank=bank))

    def answer(self, item: str = "drill:a", grade: int = 3, **changes: Any) -> str:
        values: dict[str, Any] = {
            "item_id": item,
            "type": "choice",
            "content_hash": "h",
            "seed": 5,
            "answer": "b",
            "auto_score": float(grade > 1),
            "auto_grade": grade,
            "grade": grade,
            "points": {"a": "credited"},
            "misconceptions": ("cfg.x",) if grade == 1 else (),
        }
        return self.store.record(Review(**{**values, **changes})).uuid

    def export(self, days: int | None = None, **given: Any) -> Path:
        """A new export; gives its file."""
        self._number += 1
        path = self.folder / f"export-{self._number}.jsonl"
        made: Exported = export(self.drill, path, days=days, **given)
        assert made.bytes == path.stat().st_size
        return path

    def take(self, *files: Path, dry_run: bool = False) -> Imported:
        return merge(self.drill, files, dry_run=dry_run)

    def holds(self) -> dict[str, Any]:
        """All that a merge decides, and nothing of the machine itself."""
        found: dict[str, list[Any]] = {}
        for kind, body in records(self.store):
            if kind != "setting":
                found.setdefault(kind, []).append(body)
        with self.store.access.read() as connection:
            states, amended = replay_all(connection)
            rows = connection.execute("SELECT uuid, active, overruled_by FROM amended").fetchall()
        assert self.store.states() == states, "the stored states are those of a replay"
        assert {u: (a, o) for u, a, o in rows} == amended
        answers = [replace(answer, seq=0) for answer in self.store.answers()]
        return {**found, "states": states, "answers": answers}

    def close(self) -> None:
        self.store.close()


def header(path: Path) -> Header:
    with path.open("rb") as file:
        return msgspec.json.decode(file.readline(), type=Header)


def body_of(path: Path) -> list[Record]:
    """The records of an export."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:-1]
    return [(line["type"], line["body"]) for line in map(json.loads, lines)]


def forged(path: Path, rows: Iterable[Record], changes: Mapping[str, Any] | None = None) -> Path:
    """An export with other records or another header, whose checksum is right."""
    out = BytesIO()
    write(out, replace(header(path), **(changes or {})), rows)
    made = path.with_name(f"forged-{path.name}")
    made.write_bytes(out.getvalue())
    return made
