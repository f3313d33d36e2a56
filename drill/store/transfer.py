"""Moving the log to another machine and merging two: a union of events, then a replay."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from drill.domain.memory.state import ParameterSet
from drill.store import log
from drill.store.db import StoreError
from drill.store.replay import replay_one
from drill.store.store import Store

FORMAT = 1


def export_log(store: Store) -> dict[str, Any]:
    """The whole log as one JSON document: `merge` takes it.

    `format`, `devices`, `parameter_sets` and `events`, each event a row as it was written,
    oldest first. States are left out, since they follow from the events.
    """
    names = ", ".join(log.COLUMNS)
    with store.access.read() as connection:
        rows = f"SELECT {names} FROM reviews ORDER BY at, uuid"  # noqa: S608
        events = connection.execute(rows).fetchall()
        devices = connection.execute("SELECT id, name, created FROM devices").fetchall()
        sets = connection.execute("SELECT body FROM parameter_sets ORDER BY id").fetchall()
    return {
        "format": FORMAT,
        "devices": [{"id": i, "name": n, "created": c} for i, n, c in sorted(devices)],
        "parameter_sets": [json.loads(body) for (body,) in sets],
        "events": [
            {k: v for k, v in zip(log.COLUMNS, row, strict=True) if v is not None} for row in events
        ],
    }


def merge(store: Store, document: Mapping[str, Any]) -> int:
    """Add the events of `export_log`'s document that are not in this log; gives how many were.

    Only items with new events are derived again. Raises StoreError for a document that the log
    cannot hold, and then nothing was added.
    """
    if document.get("format") != FORMAT:
        raise StoreError(
            f"the import has format {document.get('format')!r}, this drill reads {FORMAT}; "
            "export it again with this version"
        )
    added = 0
    place = "the import"
    touched: set[str] = set()
    try:
        with store.access.write() as connection:
            for device in document["devices"]:
                connection.execute(
                    "INSERT INTO devices (id, name, created) VALUES (?, ?, ?) "
                    "ON CONFLICT (id) DO NOTHING",
                    (device["id"], device["name"], device["created"]),
                )
            for body in document["parameter_sets"]:
                log.ensure_parameters(connection, ParameterSet.from_json(body), store.now())
            for number, row in enumerate(_rows(document), start=1):
                place = f"event {number} of the import"
                log.from_text(row["at"])
                there = "SELECT 1 FROM reviews WHERE uuid = ?"
                if connection.execute(there, (row["uuid"],)).fetchone():
                    continue
                log.insert_row(connection, row)
                touched.add(row["item_id"])
                added += 1
            place = "the import"
            sets = log.parameter_sets(connection)
            for item_id in sorted(touched):
                replay_one(connection, item_id, sets)
    except (sqlite3.Error, KeyError, ValueError, TypeError) as error:
        raise StoreError(f"{place} cannot be added: {error!r}; nothing was changed") from error
    return added


def _rows(document: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    rows: Iterable[Mapping[str, Any]] = document["events"]
    return rows
