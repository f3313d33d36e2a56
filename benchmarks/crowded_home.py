"""A home with 600 more items of real size and 100,000 past reviews, for the timings.

The items are the built-in ones again under new ids, without their proofs.
"""

from __future__ import annotations

import json
import random
import shutil
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from drill import paths
from drill.domain.memory.state import ParameterSet
from drill.services.app import Drill
from drill.store.merging import Merge

PLAIN_TYPES = {"choice", "choices", "number", "short", "explain", "order", "formula"}
ITEMS = 600
REVIEWS = 100_000
DAYS = 400


def make(home: Path) -> None:
    """Fill `home`; takes about half a minute."""
    pack = home / "packs" / "crowd"
    _write_pack(pack)
    with Drill(home=home, packs=[paths.builtin_pack(), pack]) as drill:
        assert not drill.bank.problems, drill.bank.problems[:3]
        ids = [i for i in drill.bank.heads if i.startswith("crowd:")]
        heads = drill.bank.heads
        parameters = ParameterSet()
        rows = _reviews(ids, {i: heads[i].type for i in ids}, parameters.id)
        begun = rows[0]["at"]
        body = json.dumps(parameters.to_json())
        records: list[tuple[str, dict[str, Any]]] = [
            ("device", {"id": "bench", "name": "bench", "created": begun}),
            ("parameter_set", {"id": parameters.id, "created": begun, "body": body}),
            *(("event", row) for row in rows),
        ]
        with drill.store.access.write() as connection:
            merging = Merge(connection, drill.store.now())
            for kind, record in records:
                merging.add(kind, record, "bench")
            merging.finish()
        drill.overview()
    profile = {"done": True, "minutes": 20}
    with Drill(home=home, packs=[paths.builtin_pack(), pack]) as drill:
        drill.store.settings.set("profile", profile)


def _write_pack(pack: Path) -> None:
    builtin = paths.builtin_pack()
    originals: list[dict[str, Any]] = []
    for file in sorted((builtin / "questions").glob("*/*.yaml")):
        loaded = yaml.safe_load(file.read_text(encoding="utf-8")) or []
        originals += [item for item in loaded if item["type"] in PLAIN_TYPES]
    assert originals, "the built-in bank is empty"
    by_topic: dict[str, list[dict[str, Any]]] = {}
    for number in range(ITEMS):
        item = json.loads(json.dumps(originals[number % len(originals)]))
        item["id"] = f"{item['id']}-c{number}"
        for field in ("proof", "siblings", "confusable", "property"):
            item.pop(field, None)
        by_topic.setdefault(item["topic"], []).append(item)
    for topic, items in by_topic.items():
        folder = pack / "questions" / topic
        folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(items, sort_keys=False, allow_unicode=True)
        (folder / "crowd.yaml").write_text(text, encoding="utf-8")
    (pack / "pack.yaml").write_text("name: crowd\n", encoding="utf-8")
    (pack / "reference").mkdir(exist_ok=True)
    shutil.copy(builtin / "reference" / "misconceptions.yaml", pack / "reference")


def _reviews(ids: list[str], types: dict[str, str], parameter_set: str) -> list[dict[str, Any]]:
    draw = random.Random(0)
    begun = datetime.now(UTC) - timedelta(days=DAYS)
    rows = []
    for number in range(REVIEWS):
        at = begun + timedelta(days=DAYS * number / REVIEWS)
        item = ids[draw.randrange(len(ids))]
        grade = draw.choice((1, 2, 3, 3, 3, 4))
        rows.append(
            {
                "uuid": str(uuid.UUID(int=draw.getrandbits(128), version=4)),
                "kind": "review",
                "device_id": "bench",
                "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "offset_minutes": 0,
                "study_day": (at - timedelta(hours=4)).toordinal() - 719163,
                "item_id": item,
                "content_hash": "",
                "type": types[item],
                "seed": 0,
                "mode": "session",
                "schedules": 1,
                "duration_ms": draw.randrange(5_000, 90_000),
                "expected_seconds": 45.0,
                "confidence": draw.randrange(1, 4),
                "hints": 0,
                "answer": "a",
                "auto_score": float(grade > 1),
                "auto_grade": grade,
                "grade": grade,
                "said_aloud": 0,
                "parameter_set": parameter_set,
                "scheduler": "bench",
            }
        )
    return rows
