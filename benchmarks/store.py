"""How fast the store is with a long history: `python benchmarks/store.py [--json]`.

Fills a file with states for 100,000 cards and 100,000 past answers, then times what a learner
waits for. The floor is one commit of a one-row table with the same pragmas in the same folder:
what the disk takes, whatever the program does.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from drill.domain.memory.state import MemoryState, ParameterSet
from drill.store import Review, Store, log
from drill.store.db import connect
from drill.store.replay import replay_all
from drill.store.store import local_now

DUE_LIMIT_MS = 10.0
"""At most this for the due queue at 100,000 cards."""
RECORD_LIMIT_MS = 50.0
"""At most this, p95, from a submitted answer to the next painted question; record is a part."""


def timed(action: Callable[[], object], times: int) -> list[float]:
    """Milliseconds of each of `times` calls."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        found.append((time.perf_counter() - start) * 1000)
    return found


def summary(values: list[float]) -> dict[str, float]:
    ranked = sorted(values)
    return {
        "median_ms": round(statistics.median(ranked), 3),
        "p95_ms": round(ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))], 3),
        "max_ms": round(ranked[-1], 3),
        "n": len(ranked),
    }


def fill(store: Store, cards: int, answers: int, draw: random.Random) -> None:
    """States as a long learner has them, and answers over two years, written in one go."""
    today = store.today()
    sets = ParameterSet()
    now = local_now()
    with store.access.write() as connection:
        log.ensure_parameters(connection, sets, now)
        connection.execute("INSERT INTO devices VALUES ('d', 'bench', '2026')")
        log.write_states(
            connection,
            (
                MemoryState(
                    f"bench:topic{n % 13}.item-{n}",
                    stability=draw.uniform(1, 200),
                    difficulty=draw.uniform(1, 10),
                    due_day=today + draw.randint(-4, 360),
                    last_day=today - draw.randint(5, 60),
                    first_day=today - 300,
                    reps=draw.randint(1, 12),
                    last_grade=3,
                    suspended=draw.random() < 0.01,
                    buried_until=today + 2 if draw.random() < 0.01 else 0,
                )
                for n in range(cards)
            ),
        )
        for n in range(answers):
            at: datetime = now - timedelta(days=730) + n * timedelta(days=729) / answers
            log.insert_row(
                connection,
                {
                    "uuid": f"u{n}",
                    "kind": "review",
                    "device_id": "d",
                    "at": log.to_text(at),
                    "offset_minutes": 0,
                    "study_day": today - 730 + n * 729 // answers,
                    "item_id": f"bench:topic{n % 13}.item-{n % cards}",
                    "content_hash": "h",
                    "type": "choice",
                    "seed": n,
                    "mode": "session",
                    "schedules": 1,
                    "duration_ms": draw.randint(3_000, 60_000),
                    "expected_seconds": 30.0,
                    "confidence": draw.randint(1, 3),
                    "hints": 0,
                    "answer": "b",
                    "auto_score": 1.0,
                    "auto_grade": 3,
                    "grade": draw.choice((1, 2, 3, 3, 3, 4)),
                    "parameter_set": sets.id,
                },
            )


def measure(folder: Path, cards: int, answers: int, records: int) -> dict[str, Any]:
    draw = random.Random(0)
    path = folder / "bench.sqlite3"
    with Store.open(path) as store:
        fill(store, cards, answers, draw)
        store.access.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def open_and_due() -> None:
        with Store.open(path) as other:
            other.due()

    found: dict[str, Any] = {"cards": cards, "answers": answers}
    found["file_mb"] = round(path.stat().st_size / 1e6, 1)
    found["open_and_due"] = summary(timed(open_and_due, 30))
    with Store.open(path) as store:
        found["due_ids"] = len(store.due())
        found["due"] = summary(timed(store.due, 50))
        found["due_all_overdue_limit_500"] = summary(
            timed(lambda: store.due(store.today() + 400, 500), 30)
        )
        found["counts"] = summary(timed(store.counts, 10))
        found["streak"] = summary(timed(store.streak, 10))
        found["summary"] = summary(timed(store.summary, 10))
        bank = [f"bench:topic{n % 13}.item-{n}" for n in range(700)]
        found["states_of_700"] = summary(timed(lambda: store.states(bank), 20))
        from drill.domain.memory import fsrs_memory

        start = time.perf_counter()
        fsrs_memory.warm()
        found["warm_ms"] = round((time.perf_counter() - start) * 1000, 1)
        session = store.sessions.start("session", {}, store.today(), 1)
        plan = {"upcoming": [{"item_id": i, "reason": "due", "seconds": 30.0} for i in bank[:40]]}
        place = iter(range(1, records + 1))

        def record() -> None:
            n = next(place)
            store.record(
                Review(
                    item_id=f"bench:topic{n % 13}.item-{n}",
                    type="choice",
                    content_hash="h",
                    seed=n,
                    answer="b",
                    auto_score=1.0,
                    auto_grade=3,
                    grade=3,
                    duration_ms=9_000,
                    expected_seconds=30.0,
                    session_id=session.id,
                ),
                position=n,
                plan=plan,
            )

        found["record"] = summary(timed(record, records))
        found["undo"] = summary(timed(store.undo, 20))
        with store.access.read() as connection:
            start = time.perf_counter()
            replay_all(connection)
            found["replay_all_s"] = round(time.perf_counter() - start, 2)
    floor = connect(folder / "floor.sqlite3")
    floor.execute("CREATE TABLE t (x)")
    commits = timed(lambda: floor.execute("INSERT INTO t VALUES (1)"), records)
    found["floor_commit"] = summary(commits)
    floor.close()
    found["record_over_floor"] = round(
        found["record"]["median_ms"] / found["floor_commit"]["median_ms"], 2
    )
    found["holds"] = {
        "due": found["due"]["p95_ms"] <= DUE_LIMIT_MS,
        "record": found["record"]["p95_ms"] <= RECORD_LIMIT_MS,
    }
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--cards", type=int, default=100_000)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--records", type=int, default=200)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), args.cards, args.answers, args.records)
    if args.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            if isinstance(value, dict):
                value = "  ".join(f"{k} {v}" for k, v in value.items())
            print(f"{name:28} {value}")
    return 0 if all(found["holds"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
