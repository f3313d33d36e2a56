"""What the plan to the interview day needs of the log beyond states and pace. Nothing writes."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from msgspec import Struct

from drill.store.db import Access


class Recalled(Struct, frozen=True):
    """The first answer of a day to an item that had been answered on an earlier day."""

    predicted: float | None
    """Recall that the model predicted just before; None where the log does not say."""
    right: bool
    """Graded Hard or better, which is what the model calls recalled."""
    parameter_set: str = ""
    """What the answer was scheduled with."""


def data_version(access: Access) -> int:
    """Grows with every event of the log."""
    row = access.row("SELECT coalesce(max(seq), 0) FROM reviews")
    return int(row[0]) if row else 0


def first_answers(access: Access, items: Collection[str], limit: int) -> list[tuple[str, bool]]:
    """(item, right) of the newest `limit` items that were met for the first time, of `items`.

    Only answers that met a really new item: not those to what a placement took as known.
    """
    rows = access.rows(
        "SELECT s.item_id, (SELECT r.uuid FROM reviews r LEFT JOIN amended a ON a.uuid = r.uuid "
        "WHERE r.item_id = s.item_id AND r.kind = 'review' AND r.schedules = 1 "
        "AND coalesce(a.active, 1) = 1 ORDER BY r.at LIMIT 1) FROM states s "
        "WHERE s.reps > 0 AND s.item_id IN (SELECT value FROM json_each(?)) "
        "ORDER BY s.first_day DESC, s.item_id LIMIT ?",
        (json.dumps(list(items)), limit),
    )
    uuids = [uuid for _, uuid in rows if uuid is not None]
    found = access.rows(
        "SELECT item_id, grade > 1 FROM answers WHERE elapsed_days IS NULL "
        "AND uuid IN (SELECT value FROM json_each(?))",
        (json.dumps(uuids),),
    )
    return [(str(item), bool(right)) for item, right in found]


def recalled(access: Access, since_day: int, limit: int) -> list[Recalled]:
    """Recall tests in sessions from a study day on, newest first."""
    rows = access.rows(
        "SELECT r.recall, coalesce(o.grade, r.grade) > 1, coalesce(r.parameter_set, '') "
        "FROM reviews r INDEXED BY reviews_day "
        "LEFT JOIN amended a ON a.uuid = r.uuid LEFT JOIN reviews o ON o.uuid = a.overruled_by "
        "WHERE r.study_day >= ? AND r.kind = 'review' AND r.mode = 'session' "
        "AND r.elapsed_days >= 1 AND coalesce(a.active, 1) = 1 ORDER BY r.seq DESC LIMIT ?",
        (since_day, limit),
    )
    return [Recalled(predicted, bool(right), made) for predicted, right, made in rows]


def sets_with(access: Access, weights: Sequence[float]) -> set[str]:
    """Ids of the parameter sets with these FSRS weights, whatever else they say."""
    found = set()
    for id_, body in access.rows("SELECT id, body FROM parameter_sets"):
        if list(json.loads(body)["parameters"]) == list(weights):
            found.add(str(id_))
    return found


def met_in_interviews(access: Access, items: Collection[str]) -> list[bool]:
    """Whether each of `items` that interviews have asked was right the first time."""
    rows = access.rows(
        "SELECT item_id, grade > 1 FROM answers WHERE mode = 'mock' "
        "AND item_id IN (SELECT value FROM json_each(?)) ORDER BY at, uuid",
        (json.dumps(list(items)),),
    )
    first: dict[str, bool] = {}
    for item, right in rows:
        first.setdefault(str(item), bool(right))
    return list(first.values())


def brought_forward(access: Access, since_day: int, day: int) -> dict[str, int]:
    """Item to the study day on which it was brought forward to `day` or before."""
    rows = access.rows(
        "SELECT r.item_id, r.study_day FROM reviews r INDEXED BY reviews_day "
        "LEFT JOIN amended a ON a.uuid = r.uuid WHERE r.study_day >= ? AND r.kind = 'advance' "
        "AND r.until_day <= ? AND coalesce(a.active, 1) = 1",
        (since_day, day),
    )
    found: dict[str, int] = {}
    for item, asked in rows:
        found[str(item)] = max(int(asked), found.get(str(item), int(asked)))
    return found


def seconds_on(access: Access, day: int) -> float:
    """Seconds spent on answers in practice on a study day, feedback left out."""
    row = access.row(
        "SELECT coalesce(sum(duration_ms), 0) FROM answers WHERE study_day = ? "
        "AND mode IN ('session', 'retry')",
        (day,),
    )
    return float(row[0]) / 1000.0 if row else 0.0


def answers_on(access: Access, day: int) -> int:
    """Answers in practice on a study day."""
    row = access.row(
        "SELECT count(*) FROM answers WHERE study_day = ? AND mode IN ('session', 'retry')",
        (day,),
    )
    return int(row[0]) if row else 0
