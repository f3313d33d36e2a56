"""The learner's data: every answer durable before the next question is painted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from drill.domain.memory.events import SCHEDULING_MODES, Kind, apply
from drill.domain.memory.state import (
    Grade,
    MemoryState,
    ParameterSet,
    as_grade,
    retrievability,
)
from drill.domain.memory.study_day import offset_minutes, other_day, study_day
from drill.store import log
from drill.store.db import Access, StoreError, open_database
from drill.store.entry import REVIEW_FIELDS, Recorded, Review, new_uuid, to_event
from drill.store.reading import Reader
from drill.store.replay import replay_one
from drill.store.sessions import advance

CLOCK_SLACK = timedelta(hours=48)
"""How far behind this machine's newest event its clock may be and still be taken as one that was
set back."""

_NEWEST = (
    "SELECT uuid, item_id, session_id, at FROM reviews r WHERE kind IN "
    "('review', 'overrule', 'suspend', 'unsuspend', 'bury') AND NOT EXISTS "
    "(SELECT 1 FROM amended a WHERE a.uuid = r.uuid AND a.active = 0) "
    "AND device_id = ? ORDER BY seq DESC LIMIT 1"
)
"""The newest event of a device that still holds and was no mark made in bulk."""

_ADVANCED = (
    "SELECT uuid, item_id FROM reviews r WHERE kind = 'advance' AND session_id = ? AND NOT EXISTS "
    "(SELECT 1 FROM amended a WHERE a.uuid = r.uuid AND a.active = 0) ORDER BY seq"
)
"""What a session brought forward, where it still holds."""


def local_now() -> datetime:
    """The machine's clock with its UTC offset."""
    return datetime.now(UTC).astimezone()


class Store(Reader):
    """One SQLite file. Safe with several instances on one file; see `Store.open`."""

    @classmethod
    def open(
        cls,
        path: Path,
        clock: Callable[[], datetime] = local_now,
        backup_dir: Path | None = None,
    ) -> Store:
        """Open or create the file at `path`, migrating an older one after a verified backup.

        `clock` gives an aware datetime whose UTC offset is the learner's. Raises StoreError.
        """
        return cls(Access(open_database(Path(path), backup_dir)), Path(path), clock)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; every commit is on the disk already."""
        self.access.close()

    # writing

    def record(self, review: Review, *, position: int | None = None, plan: Any = None) -> Recorded:
        """Append an answer, derive the item's memory and move its session on, all or nothing.

        Durable when it returns. `position` and `plan` (JSON) are stored with the session of
        `review.session_id`. Raises KeyError for an unknown session, ValueError for a grade or
        score out of range.
        """
        as_grade(review.auto_grade)
        as_grade(review.grade)
        if not 0.0 <= review.auto_score <= 1.0:
            raise ValueError(f"a score is between 0 and 1, got {review.auto_score!r}")
        schedules = review.schedules
        if schedules is None:
            schedules = review.mode in SCHEDULING_MODES
        row = {name: getattr(review, name) for name in REVIEW_FIELDS}
        row.update(
            schedules=int(schedules),
            said_aloud=int(review.said_aloud),
            points=json.dumps(dict(review.points)) if review.points else None,
            misconceptions=json.dumps(review.misconceptions) if review.misconceptions else None,
            session_id=review.session_id or None,
            run_id=review.run_id or None,
        )
        with self.access.write() as connection:
            if review.uuid:
                done = self._already(connection, review.uuid)
                if done is not None:
                    return done
            recorded = self._append(connection, "review", review.item_id, row)
            if review.session_id and (position is not None or plan is not None):
                advance(connection, review.session_id, position, plan)
        return recorded

    def overrule(
        self,
        uuid: str,
        grade: int,
        *,
        self_score: float | None = None,
        points: Mapping[str, str] | None = None,
        misconceptions: Iterable[str] | None = None,
    ) -> Recorded:
        """Give another grade to an answer; the automatic one stays in the log.

        `points` and `misconceptions`, where given, stand for those of the answer. Raises
        KeyError where `uuid` is not an answer.
        """
        row: dict[str, Any] = {"target": uuid, "grade": int(as_grade(grade))}
        row["self_score"] = self_score
        if points is not None:
            row["points"] = json.dumps(dict(points))
        if misconceptions is not None:
            row["misconceptions"] = json.dumps(list(misconceptions))
        with self.access.write() as connection:
            found = connection.execute(
                "SELECT item_id, session_id FROM reviews WHERE uuid = ? AND kind = 'review'",
                (uuid,),
            ).fetchone()
            if found is None:
                raise KeyError(f"no answer {uuid!r} to overrule")
            row["session_id"] = found[1]
            return self._append(connection, "overrule", found[0], row)

    def can_undo(self) -> bool:
        """Whether there is anything that `undo` without an id would cancel."""
        return bool(self.newest_undoable())

    def newest_undoable(self) -> str:
        """When that which `undo` without an id would cancel was done; empty: there is nothing."""
        found = self.access.row(_NEWEST, (self.settings.get("device", ""),))
        return "" if found is None else str(found[3])

    def undo(
        self, uuid: str | None = None, *, position: int | None = None, plan: Any = None
    ) -> Recorded | None:
        """Cancel an event, by default the newest made here that still holds; None: there is none.

        Works across sessions and restarts, as often as there are events. Undoing an undo brings
        the first event back. Without `uuid`, what a placement, a mock interview or a log of an
        interview marked in bulk is passed over; `undo_advances` takes such a log's marks back.
        `position` and `plan` are stored with the session of the cancelled event. Raises KeyError
        for an unknown `uuid`.
        """
        with self.access.write() as connection:
            if uuid is None:
                found = connection.execute(_NEWEST, (self._device(connection),)).fetchone()
                if found is None:
                    return None
            else:
                found = connection.execute(
                    "SELECT uuid, item_id, session_id FROM reviews WHERE uuid = ?", (uuid,)
                ).fetchone()
                if found is None:
                    raise KeyError(f"no event {uuid!r} to undo")
            target, item_id, session_id = found[:3]
            already = connection.execute(
                "SELECT 1 FROM amended WHERE uuid = ? AND active = 0", (target,)
            ).fetchone()
            if already is not None:
                raise StoreError(f"event {target!r} is undone already; `redo` brings it back")
            row = {"target": target, "session_id": session_id}
            recorded = self._append(connection, "undo", item_id, row)
            if session_id and (position is not None or plan is not None):
                advance(connection, session_id, position, plan)
            return recorded

    def undo_advances(self, session_id: str) -> list[Recorded]:
        """Cancel all that a session brought forward and that still holds, in one transaction."""
        with self.access.write() as connection:
            found = connection.execute(_ADVANCED, (session_id,)).fetchall()
            return [
                self._append(connection, "undo", item, {"target": uuid, "session_id": session_id})
                for uuid, item in found
            ]

    def redo(self) -> Recorded | None:
        """Bring back what the newest undo cancelled; None where something was done since."""
        with self.access.write() as connection:
            rows = connection.execute(
                "SELECT uuid, kind, target FROM reviews WHERE device_id = ? ORDER BY seq DESC",
                (self._device(connection),),
            )
            undone_undos: set[str] = set()
            for uuid, kind, target in rows:
                if kind != "undo":
                    return None
                if uuid in undone_undos:
                    continue
                is_redo = connection.execute(
                    "SELECT kind FROM reviews WHERE uuid = ?", (target,)
                ).fetchone()
                if is_redo is not None and is_redo[0] == "undo":
                    undone_undos.add(target)
                    continue
                return self.undo(uuid)
        return None

    def suspend(self, item_id: str) -> Recorded:
        """Ask an item no more until it is unsuspended."""
        return self._event("suspend", item_id)

    def unsuspend(self, item_id: str) -> Recorded:
        """Ask an item again, with the memory that it had."""
        return self._event("unsuspend", item_id)

    def bury(self, item_id: str, until_day: int | None = None) -> Recorded:
        """Hide an item before study day `until_day` (default: tomorrow)."""
        until = self.today() + 1 if until_day is None else until_day
        return self._event("bury", item_id, until)

    def mark_known(self, until: Mapping[str, int], session_id: str = "") -> list[Recorded]:
        """Take items as known, each retested once on the study day given, in one transaction."""
        return self._events("known", until, session_id)

    def advance(self, until: Mapping[str, int], session_id: str = "") -> list[Recorded]:
        """Bring items forward to be asked by the study day given, in one transaction."""
        return self._events("advance", until, session_id)

    def preview(self, item_id: str, *, confident: bool = False) -> dict[Grade, MemoryState]:
        """What each of the four grades would make of the item now."""
        from drill.domain.memory.fsrs_memory import preview

        state = self.state(item_id) or MemoryState(item_id)
        return preview(state, self.today(), self.parameters(), confident=confident)

    def _event(self, kind: Kind, item_id: str, until_day: int | None = None) -> Recorded:
        with self.access.write() as connection:
            return self._append(connection, kind, item_id, {"until_day": until_day})

    def _events(self, kind: Kind, until: Mapping[str, int], session_id: str) -> list[Recorded]:
        with self.access.write() as connection:
            return [
                self._append(
                    connection,
                    kind,
                    item_id,
                    {"until_day": day, "session_id": session_id or None},
                )
                for item_id, day in until.items()
            ]

    def _append(
        self, connection: sqlite3.Connection, kind: Kind, item_id: str, values: Mapping[str, Any]
    ) -> Recorded:
        """Append one row and derive the item again, inside the caller's transaction."""
        row = dict(values)
        now = self._clock()
        offset = offset_minutes(now)
        device = self._device(connection)
        own = connection.execute(
            "SELECT at, offset_minutes FROM reviews WHERE device_id = ? ORDER BY at DESC LIMIT 1",
            (device,),
        ).fetchone()
        at = now.astimezone(UTC)
        if own is not None:
            # A step back of this machine's clock is smoothed; what was merged from a machine whose
            # clock is ahead must not carry this one into tomorrow.
            last = log.from_text(own[0])
            if at <= last and last - at <= CLOCK_SLACK:
                at = last + timedelta(microseconds=1)
        newest = connection.execute("SELECT max(at) FROM reviews").fetchone()[0]
        in_order = newest is None or log.to_text(at) > newest
        rollover = self.rollover()
        day = study_day(at, offset, rollover)
        before = log.read_state(connection, item_id)
        sets = self.parameters()
        row.update(
            uuid=row.get("uuid") or new_uuid(),
            kind=kind,
            device_id=device,
            at=log.to_text(at),
            offset_minutes=offset,
            study_day=day,
            other_day=other_day(at, offset, own[1] if own else None, rollover),
            item_id=item_id,
        )
        if kind in ("review", "known"):
            from drill.domain.memory.fsrs_memory import scheduler_version

            log.ensure_parameters(connection, sets, now)
            row.update(parameter_set=sets.id, scheduler=scheduler_version())
        if kind == "review" and before is not None and before.last_day is not None:
            row["elapsed_days"] = max(0, day - before.last_day)
            row["recall"] = retrievability(before, day)
        known_sets = {sets.id: sets}
        replay = kind in ("undo", "overrule") or not in_order
        state: MemoryState | None = before
        if not replay:
            state = apply(before or MemoryState(item_id), to_event(row), known_sets)
            if kind == "review":
                row["before"] = log.snapshot(before)
                row["after"] = log.snapshot(state)
        log.insert_row(connection, row)
        if replay:
            state = replay_one(connection, item_id, log.parameter_sets(connection))
        elif state != before:
            log.write_state(connection, item_id, state)
        return Recorded(
            uuid=row["uuid"],
            at=row["at"],
            kind=kind,
            study_day=day,
            item_id=item_id,
            before=before,
            state=state or MemoryState(item_id),
            target=row.get("target") or "",
        )

    def _already(self, connection: sqlite3.Connection, uuid: str) -> Recorded | None:
        found = connection.execute(
            "SELECT at, kind, study_day, item_id FROM reviews WHERE uuid = ?", (uuid,)
        ).fetchone()
        if found is None:
            return None
        at, kind, day, item_id = found
        state = log.read_state(connection, item_id)
        return Recorded(uuid, at, kind, day, item_id, state, state or MemoryState(item_id))

    def _device(self, connection: sqlite3.Connection) -> str:
        row = connection.execute("SELECT value FROM settings WHERE name = 'device'").fetchone()
        if row is not None:
            return str(json.loads(row[0]))
        import platform

        device = new_uuid()
        connection.execute(
            "INSERT INTO devices (id, name, created) VALUES (?, ?, ?)",
            (device, platform.node() or "unknown", log.to_text(self._clock())),
        )
        self.settings.set("device", device)
        return device

    def set_parameters(self, parameters: ParameterSet) -> None:
        """Schedule with these from the next answer on; past answers keep theirs.

        Raises ValueError for weights that FSRS-6 does not allow.
        """
        from drill.domain.memory.fsrs_memory import check

        check(parameters)
        with self.access.write() as connection:
            log.ensure_parameters(connection, parameters, self._clock())
            self.settings.set("parameter_set", parameters.id)
