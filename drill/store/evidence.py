"""What the statistics read of the file, in pages that are short to read. Nothing here writes.

Pages are read one after the other without a lock in between, so that a front end stays quick. What
is recorded meanwhile comes last and is seen; an undo meanwhile may be seen or not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from drill.domain.memory.state import MemoryState
from drill.domain.statistics.evidence import Given
from drill.store import log
from drill.store.db import Access

ANSWERS_A_PAGE = 250
"""So many are read and counted in 5 ms."""
STATES_A_PAGE = 400
MOCKS_A_PAGE = 10
"""Their documents hold whole transcripts, of which SQLite cuts out what is asked."""

_ANSWERS = """
SELECT r.at, r.offset_minutes, r.study_day, r.other_day, r.item_id, coalesce(r.type, ''),
  coalesce(r.mode, ''), coalesce(r.duration_ms, 0) / 1000.0, coalesce(r.expected_seconds, 0.0),
  r.confidence, coalesce(o.self_score, r.self_score, r.auto_score, 0.0),
  coalesce(o.grade, r.grade),
  CASE WHEN o.uuid IS NULL THEN r.self_score IS NULL AND r.grade <> r.auto_grade
       ELSE o.self_score IS NULL AND o.points IS NULL END,
  o.uuid IS NOT NULL OR r.grade <> r.auto_grade,
  r.recall, json_extract(r.before, '$.stability'), r.elapsed_days,
  coalesce(o.misconceptions, r.misconceptions), coalesce(r.run_id, ''), r.uuid
FROM reviews r
LEFT JOIN amended a ON a.uuid = r.uuid
LEFT JOIN reviews o ON a.overruled_by IS NOT NULL AND o.uuid = a.overruled_by
WHERE r.kind = 'review' AND coalesce(a.active, 1) = 1 AND r.at >= ?1 AND (r.at > ?1 OR r.uuid > ?2)
ORDER BY r.at, r.uuid LIMIT ?3
"""
"""The rows of the view `answers` with what it leaves out: the state before, and whether the learner
gave the grade by hand or ticked points, from which it followed."""


class StoredMock(Struct, frozen=True):
    """A finished interview without its transcript."""

    id: str
    started: str
    study_day: int
    settings: dict[str, Any]
    seconds: float
    level: str
    bar: dict[str, Any]
    """The scorecard at the level of the interview."""


def count(access: Access) -> int:
    """Answers in the log, undone ones too: what a progress bar runs to."""
    row = access.row("SELECT count(*) FROM reviews WHERE kind = 'review'")
    return int(row[0]) if row else 0


def answers(access: Access, page: int = ANSWERS_A_PAGE) -> Iterator[list[Given]]:
    """Every answer that counts, oldest first, a page at a time."""
    at = uuid = ""
    while True:
        rows = access.rows(_ANSWERS, (at, uuid, page))
        yield [_given(row) for row in rows]
        if len(rows) < page:
            return
        at, uuid = rows[-1][0], rows[-1][-1]


def _given(row: Sequence[Any]) -> Given:
    (at, offset, day, other, item, kind, mode, seconds, expected, sure, score, grade, by_hand,
     overruled, recall, stability, elapsed, beliefs, run_id, _) = row  # fmt: skip
    return Given(
        at, offset, day, other, item, kind, mode, seconds, expected, sure, score, grade,
        bool(by_hand), bool(overruled), recall, stability, elapsed,
        tuple(json.loads(beliefs)) if beliefs else (), run_id,
    )  # fmt: skip


def states(access: Access, page: int = STATES_A_PAGE) -> Iterator[list[MemoryState]]:
    """Every stored memory state, a page at a time."""
    last = ""
    while True:
        with access.read() as connection:
            where = "WHERE item_id > ? ORDER BY item_id LIMIT ?"
            found = list(log.read_states(connection, where, (last, page)))
        yield found
        if len(found) < page:
            return
        last = found[-1].item_id


def mocks(access: Access, page: int = MOCKS_A_PAGE) -> Iterator[list[StoredMock]]:
    """Finished interviews with a scorecard, oldest first, a page at a time."""
    done = 0
    while True:
        rows = access.rows(
            "SELECT id, started, study_day, json_extract(summary, '$.settings'), "
            "json_extract(summary, '$.seconds'), json_extract(summary, '$.scorecard.level'), "
            "json_extract(summary, '$.scorecard.bars') FROM sessions WHERE kind = 'mock' "
            "AND ended IS NOT NULL AND summary IS NOT NULL ORDER BY started, id LIMIT ? OFFSET ?",
            (page, done),
        )
        yield [_mock(row) for row in rows]
        if len(rows) < page:
            return
        done += page


def _mock(row: Sequence[Any]) -> StoredMock:
    id_, started, day, settings, seconds, level, bars = row
    return StoredMock(
        id_, started, day, json.loads(settings), seconds or 0.0, level, json.loads(bars)[level]
    )


def run_names(access: Access) -> dict[str, str]:
    """Run to the experiment that it was a run of."""
    return {str(id_): str(name) for id_, name in access.rows("SELECT id, name FROM runs")}
