"""What can be asked of the data: states, what is due, answers, counts. Nothing here writes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from drill.domain.memory.beliefs import BeliefState, beliefs
from drill.domain.memory.pace import HistorySummary, PaceSample, summarise
from drill.domain.memory.state import MemoryState, ParameterSet
from drill.domain.memory.study_day import (
    AHEAD,
    DEFAULT_ROLLOVER,
    offset_minutes,
    streak,
    study_day,
)
from drill.domain.memory.variants import presentation_seed
from drill.store import log
from drill.store.db import Access
from drill.store.log import Answer
from drill.store.runs import Runs
from drill.store.sessions import Sessions
from drill.store.settings import Settings

STREAK_WINDOW = 32
"""Study days that a streak is first looked for in; more are read only for a longer one."""
PACE_ANSWERS = 500
"""Newest answers that the personal pace is learned from."""


class Counts(Struct, frozen=True):
    """Where the learner stands on a study day."""

    due: int
    answered_today: int
    """Answers of all modes, retries included."""
    new_today: int
    """Items answered for the first time in a session today."""
    items: int
    """Items with a memory."""
    suspended: int
    leeches: int
    known: int


class DayCount(Struct, frozen=True):
    """One study day of answers."""

    study_day: int
    answers: int
    right: int
    """Graded Hard or better."""
    first: int
    """Items answered for the first time."""
    seconds: float


class LogRow(Struct, frozen=True):
    """One event of an item's history, undone ones included."""

    uuid: str
    at: str
    kind: str
    study_day: int
    target: str
    mode: str
    grade: int
    """The grade as it was written; `answers` gives the one that holds."""
    auto_score: float | None
    confidence: int | None
    answer: str
    until_day: int
    active: bool


class Reader:
    """The reading half of `Store`."""

    def __init__(self, access: Access, path: Path, clock: Callable[[], datetime]) -> None:
        self.access = access
        self._clock = clock
        self.path = path
        self.settings = Settings(access)
        self.sessions = Sessions(access, clock)
        self.runs = Runs(access)
        self._seen_version = self._data_version()

    # time

    def rollover(self) -> int:
        """Local hour at which a study day begins (setting `rollover_hour`, default 4)."""
        return int(self.settings.get("rollover_hour", DEFAULT_ROLLOVER))

    def now(self) -> datetime:
        """The clock."""
        return self._clock()

    def today(self) -> int:
        """The study day now."""
        now = self._clock()
        return study_day(now, offset_minutes(now), self.rollover())

    # other instances

    def _data_version(self) -> int:
        row = self.access.row("PRAGMA data_version")
        return int(row[0]) if row else 0

    def changed_elsewhere(self) -> bool:
        """Whether another instance has written since this was last asked."""
        version = self._data_version()
        changed = version != self._seen_version
        self._seen_version = version
        return changed

    # memory

    def parameters(self) -> ParameterSet:
        """What the next answer is scheduled with."""
        row = self.access.row(
            "SELECT body FROM parameter_sets WHERE id = "
            "(SELECT json_extract(value, '$') FROM settings WHERE name = 'parameter_set')"
        )
        return ParameterSet() if row is None else ParameterSet.from_json(json.loads(row[0]))

    def state(self, item_id: str) -> MemoryState | None:
        """Memory of one item; None where nothing is stored of it."""
        with self.access.read() as connection:
            return log.read_state(connection, item_id)

    def states(self, ids: Collection[str] | None = None) -> dict[str, MemoryState]:
        """Stored memory states by item; of `ids` only, where given."""
        with self.access.read() as connection:
            if ids is None:
                return {state.item_id: state for state in log.read_states(connection)}
            where = "WHERE item_id IN (SELECT value FROM json_each(?))"
            found = log.read_states(connection, where, (json.dumps(list(ids)),))
            return {state.item_id: state for state in found}

    def due(self, day: int | None = None, limit: int = -1) -> list[str]:
        """Ids due on study day `day` (default today), longest due first. No state is built."""
        day = self.today() if day is None else day
        rows = self.access.rows(
            "SELECT item_id FROM states INDEXED BY states_due WHERE suspended = 0 "
            "AND due_day <= ? AND buried_until <= ? ORDER BY due_day LIMIT ?",
            (day, day, limit),
        )
        return [row[0] for row in rows]

    def past_reviews(self, item_id: str) -> int:
        """Answers that the item has had, in any mode, undone ones left out."""
        row = self.access.row("SELECT count(*) FROM answers WHERE item_id = ?", (item_id,))
        return int(row[0]) if row else 0

    def mock_counts(self) -> dict[str, int]:
        """Item to how many interviews have asked it; an answer that was undone counts too, as it
        was seen."""
        rows = self.access.rows(
            "SELECT item_id, count(*) FROM reviews WHERE mode = 'mock' GROUP BY item_id"
        )
        return {str(item): int(count) for item, count in rows}

    def presentation_seed(self, item_id: str) -> int:
        """Seed of the item's next presentation."""
        return presentation_seed(item_id, self.past_reviews(item_id))

    # answers

    def answers(
        self, since_day: int | None = None, item_ids: Collection[str] | None = None
    ) -> list[Answer]:
        """Answers that count, oldest first; from a study day on, of some items only."""
        sql = f"SELECT {log.ANSWER_COLUMNS} FROM answers WHERE study_day >= ?"  # noqa: S608
        args: list[Any] = [-1_000_000 if since_day is None else since_day]
        if item_ids is not None:
            sql += " AND item_id IN (SELECT value FROM json_each(?))"
            args.append(json.dumps(list(item_ids)))
        return [log.to_answer(row) for row in self.access.rows(f"{sql} ORDER BY at, uuid", args)]

    def recent(self, limit: int = 20) -> list[Answer]:
        """The newest answers that count, newest first."""
        rows = self.access.rows(
            f"SELECT {log.ANSWER_COLUMNS} FROM answers ORDER BY at DESC, uuid DESC LIMIT ?",  # noqa: S608
            (limit,),
        )
        return [log.to_answer(row) for row in rows]

    def history(self, item_id: str) -> list[LogRow]:
        """Every event of an item, oldest first, undone ones included."""
        rows = self.access.rows(
            "SELECT r.uuid, r.at, r.kind, r.study_day, coalesce(r.target, ''), "
            "coalesce(r.mode, ''), coalesce(r.grade, 0), r.auto_score, r.confidence, "
            "coalesce(r.answer, ''), coalesce(r.until_day, 0), coalesce(a.active, 1) "
            "FROM reviews r LEFT JOIN amended a ON a.uuid = r.uuid "
            "WHERE r.item_id = ? ORDER BY r.at, r.uuid",
            (item_id,),
        )
        return [LogRow(*[*row[:-1], bool(row[-1])]) for row in rows]

    # summaries

    def counts(self, day: int | None = None) -> Counts:
        """Counts for study day `day` (default today)."""
        day = self.today() if day is None else day
        with self.access.read() as connection:
            due = connection.execute(
                "SELECT count(*) FROM states INDEXED BY states_due WHERE suspended = 0 "
                "AND due_day <= ? AND buried_until <= ?",
                (day, day),
            ).fetchone()[0]
            items, suspended, leeches, known = connection.execute(
                "SELECT coalesce(sum(stability > 0), 0), coalesce(sum(suspended), 0), "
                "coalesce(sum(leech), 0), coalesce(sum(known), 0) FROM states"
            ).fetchone()
            answered, new = connection.execute(
                "SELECT count(*), count(DISTINCT CASE WHEN mode = 'session' "
                "AND elapsed_days IS NULL THEN item_id END) FROM answers WHERE study_day = ?",
                (day,),
            ).fetchone()
        return Counts(due, answered, new, items, suspended, leeches, known)

    def days(self, since_day: int | None = None) -> list[DayCount]:
        """Answers by study day, oldest first."""
        rows = self.access.rows(
            "SELECT study_day, count(*), sum(grade > 1), "
            "count(DISTINCT CASE WHEN elapsed_days IS NULL AND schedules THEN item_id END), "
            "sum(coalesce(duration_ms, 0)) / 1000.0 FROM answers WHERE study_day >= ? "
            "GROUP BY study_day ORDER BY study_day",
            (-1_000_000 if since_day is None else since_day,),
        )
        return [DayCount(*row) for row in rows]

    def streak(self, day: int | None = None) -> int:
        """Consecutive study days with an answer, ending on `day` (default today) or before it."""
        day = self.today() if day is None else day
        window = STREAK_WINDOW
        while True:
            found = streak(self._studied(day - window, day + AHEAD), day)
            if found < window - 2:
                return found
            window *= 4

    def _studied(self, first: int, last: int) -> set[int]:
        """Study days that answers between two days may count for."""
        pairs: Counter[tuple[int, int | None]] = Counter()
        with self.access.read() as connection:
            for own, other, count in connection.execute(
                "SELECT study_day, other_day, count(*) FROM reviews "
                "WHERE kind = 'review' AND study_day BETWEEN ? AND ? "
                "GROUP BY study_day, other_day",
                (first, last),
            ):
                pairs[own, other] += count
            for own, other, count in connection.execute(
                "SELECT study_day, other_day, count(*) FROM amended a "
                "JOIN reviews r ON r.uuid = a.uuid WHERE a.active = 0 AND r.kind = 'review' "
                "GROUP BY study_day, other_day"
            ):
                pairs[own, other] -= count
        return {d for pair, n in pairs.items() if n > 0 for d in pair if d is not None}

    def summary(self, day: int | None = None) -> HistorySummary:
        """What choosing the next questions needs of the history."""
        day = self.today() if day is None else day
        with self.access.read() as connection:
            today = connection.execute(
                "SELECT item_id, mode, elapsed_days FROM answers WHERE study_day = ?", (day,)
            ).fetchall()
            newest = connection.execute(
                "SELECT type, duration_ms, expected_seconds, at, session_id FROM answers "
                "WHERE duration_ms > 0 AND expected_seconds > 0 ORDER BY at DESC LIMIT ?",
                (PACE_ANSWERS,),
            ).fetchall()
        samples = [
            PaceSample(
                type=type_ or "",
                seconds=duration / 1000.0,
                expected=expected,
                at=log.from_text(at).timestamp(),
                session_id=session or "",
            )
            for type_, duration, expected, at, session in reversed(newest)
        ]
        return summarise(
            answered_today=[item for item, _, _ in today],
            new_today=len({i for i, mode, gap in today if mode == "session" and gap is None}),
            samples=samples,
        )

    def misconceptions(self, shows: Mapping[str, Collection[str]]) -> dict[str, BeliefState]:
        """Beliefs that answers have shown, and whether they still hold.

        `shows`: item id to the beliefs that a wrong answer to it can show (`Head.misconceptions`).
        """
        with self.access.read() as connection:
            rows = connection.execute(
                "SELECT r.item_id, r.misconceptions, o.misconceptions FROM reviews r "
                "LEFT JOIN amended a ON a.uuid = r.uuid "
                "LEFT JOIN reviews o ON o.uuid = a.overruled_by "
                "WHERE r.kind = 'review' AND (r.misconceptions IS NOT NULL "
                "OR o.misconceptions IS NOT NULL)"
            ).fetchall()
        shown: set[str] = set()
        items = {item for item, _, _ in rows}
        for _, own, over in rows:
            shown.update(json.loads(over or own or "[]"))
        items |= {item for item, ids in shows.items() if shown.intersection(ids)}
        return beliefs(self.answers(item_ids=items), shows) if items else {}

    def items(self) -> Iterable[str]:
        """Ids of every item that the log names."""
        rows = self.access.rows("SELECT DISTINCT item_id FROM reviews ORDER BY item_id")
        return [row[0] for row in rows]
