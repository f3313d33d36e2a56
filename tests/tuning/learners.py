"""Simulated learners in a real store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from drill.domain.memory.events import Event
from drill.domain.memory.state import ParameterSet
from drill.store import log, replay
from drill.store.store import Store

DEVICE = "11111111-2222-4333-8444-555555555555"


def fill(store: Store, events: Mapping[str, Sequence[Event]], last_day: int) -> int:
    """Put the answers of a simulated learner into the store; their last day becomes `last_day`.

    Gives the count of items.
    """
    shift = last_day - max(e.study_day for of in events.values() for e in of)
    ordered = sorted((e for of in events.values() for e in of), key=lambda e: e.order)
    with store.access.write() as connection:
        connection.execute(
            "INSERT INTO devices (id, name, created) VALUES (?, 'simulated', '2026-01-01')",
            (DEVICE,),
        )
        log.ensure_parameters(connection, ParameterSet(), store.now())
        for row in rows(ordered, shift):
            log.insert_row(connection, row)
        return replay.rebuild(connection)


def rows(events: Iterable[Event], shift: int) -> Iterable[dict[str, Any]]:
    """Rows of the log, at 10:00 UTC and on."""
    last: dict[str, int] = {}
    for number, event in enumerate(events):
        day = event.study_day + shift
        at = datetime(1970, 1, 1, 10, tzinfo=UTC) + timedelta(days=day, milliseconds=number)
        row: dict[str, Any] = {
            "uuid": f"{number:08x}-0000-4000-8000-000000000000",
            "kind": event.kind,
            "device_id": DEVICE,
            "at": log.to_text(at),
            "offset_minutes": 0,
            "study_day": day,
            "item_id": event.item_id,
            "type": "choice",
            "content_hash": "h",
            "seed": 1,
            "mode": event.mode,
            "schedules": int(event.schedules),
            "grade": event.grade,
            "auto_grade": event.grade,
            "auto_score": float(event.grade > 1),
            "duration_ms": 10_000,
            "expected_seconds": 30.0,
            "confidence": event.confidence,
            "parameter_set": ParameterSet().id,
        }
        if event.item_id in last:
            row["elapsed_days"] = day - last[event.item_id]
        last[event.item_id] = day
        yield row
