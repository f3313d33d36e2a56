"""How long the statistics take: `python benchmarks/stats.py [--answers N ...] [--json]`.

Fills a home with answers to the items of the bank, a year of them or more, as the store would have
written them, then times the whole document, the longest slice of `reading` (what a screen stalls
for at most) and the command from process start.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs from a bare checkout too

from drill.config import Config
from drill.domain.memory.rating import grade_of
from drill.domain.memory.state import MemoryState, ParameterSet, recall_after
from drill.domain.questions import Head
from drill.services.app import Drill
from drill.services.statistics import reading, statistics
from drill.store import log
from drill.store.store import local_now

LIMITS = {20_000: 0.5, 100_000: 2.0}
"""Seconds of the document, by answers."""
STALL_LIMIT_MS = 20.0
DAYS = 365


def fill(drill: Drill, answers: int, days: int = DAYS, seed: int = 0) -> None:
    """About so many answers of a learner who forgets, over `days` that end today.

    Some days are missed, weekends more often. What is due is asked, then new items, then what is
    weakest; what is wrong is asked again at once. The learner remembers a little less than the
    model thinks and is too sure of schedulers. Stabilities follow a rule of thumb, so that the
    doctor would not take them for a replay.
    """
    draw = random.Random(seed)
    today, now = drill.store.today(), local_now()
    heads = {i: h for i, h in drill.bank.heads.items() if not h.reserve}
    sets = ParameterSet()
    states: dict[str, MemoryState] = {}
    studied = [
        day
        for day in range(today - days + 1, today + 1)
        if day == today or draw.random() > (0.5 if day % 7 in (2, 3) else 0.12)
    ]
    n = 0
    with drill.store.access.write() as connection:
        log.ensure_parameters(connection, sets, now)
        connection.execute("INSERT OR IGNORE INTO devices VALUES ('filled', 'filled', '2026')")
        for nth, day in enumerate(studied):
            left = answers * (nth + 1) // len(studied) - n
            at = now - timedelta(days=today - day, hours=draw.choice((0, 1, 1, 2, 8)), minutes=50)
            asked = _chosen(draw, heads, states, day, max(1, round(left * draw.uniform(0.6, 1.3))))
            for item in asked:
                again = False
                while True:
                    head, before = heads[item], states.get(item)
                    row = _row(draw, head, day, before, again)
                    at += timedelta(seconds=row["duration_ms"] / 1000 + 12)
                    row |= {"uuid": f"filled-{n}", "at": log.to_text(min(at, now)), "seed": n}
                    log.insert_row(connection, row | {"parameter_set": sets.id})
                    states[item] = _after(before, item, row["grade"], day)
                    n += 1
                    if row["grade"] > 1 or again:
                        break
                    again = True
        log.write_states(connection, states.values())


def _chosen(
    draw: random.Random,
    heads: Mapping[str, Head],
    states: Mapping[str, MemoryState],
    day: int,
    count: int,
) -> list[str]:
    due = [i for i, s in states.items() if s.due_day is not None and s.due_day <= day]
    fresh = [i for i in heads if i not in states]
    draw.shuffle(due)
    draw.shuffle(fresh)
    ahead = sorted(states, key=lambda i: states[i].stability)
    found = list(dict.fromkeys([*due[:count], *fresh[: max(2, count // 4)], *ahead]))[:count]
    draw.shuffle(found)
    return found


def _row(
    draw: random.Random, head: Head, day: int, before: MemoryState | None, again: bool
) -> dict[str, Any]:
    elapsed = recall = None
    if before is not None and before.last_day is not None:
        elapsed = day - before.last_day
        recall = recall_after(elapsed, before.stability)
    chance = 0.45 if recall is None else 0.93 * recall if not again else 0.9
    score = 1.0 if draw.random() < chance else draw.choice((0.0, 0.0, 0.6))
    right = (1, 4, 5) if recall is not None else (4, 4, 1)
    wrong = (3, 4, 5) if head.topic == "scheduler" else (5, 4, 1)
    sure = draw.choices((1, 2, 3), right if score == 1.0 else wrong)[0]
    spent = head.seconds * draw.lognormvariate(-0.1, 0.45) * (0.4 if again else 1.0)
    grade = int(grade_of(score, sure, 0, spent, head.seconds))
    row: dict[str, Any] = {
        "kind": "review",
        "device_id": "filled",
        "offset_minutes": 60,
        "study_day": day,
        "item_id": head.id,
        "content_hash": head.content_hash,
        "type": head.type,
        "mode": "retry" if again else "session",
        "schedules": 1,
        "duration_ms": round(1000 * spent),
        "expected_seconds": head.seconds,
        "confidence": sure,
        "hints": 0,
        "answer": "an answer of the length that people type",
        "auto_score": score,
        "auto_grade": grade,
        "grade": grade,
        "recall": recall,
        "elapsed_days": elapsed,
        "before": log.snapshot(before),
    }
    if grade == 1 and head.misconceptions and draw.random() < 0.4:
        row["misconceptions"] = json.dumps([draw.choice(head.misconceptions)])
    return row


def _after(before: MemoryState | None, item: str, grade: int, day: int) -> MemoryState:
    stability = 2.5 if before is None else before.stability
    if before is None or before.last_day != day:
        stability = max(0.6, stability * 0.25) if grade == 1 else min(150.0, stability * 1.8)
    lapses = (0 if before is None else before.lapses) + (grade == 1 and before is not None)
    return MemoryState(
        item,
        stability=stability,
        difficulty=5.0,
        due_day=day + max(1, round(stability)),
        last_day=day,
        first_day=day if before is None else before.first_day,
        reps=1 if before is None else before.reps + 1,
        lapses=lapses,
        last_grade=grade,
        leech=lapses >= 4 and stability < 21,
    )


def measure(home: Path, answers: int) -> dict[str, Any]:
    """Seconds of the document and of the command, milliseconds of the slices.

    The bars are held on the processor's time, so that neighbours on the machine do not count; the
    best wall time stands beside it.
    """
    with Drill(home=home, config=Config()) as drill:
        drill.askable()  # the app has asked for it before
        fill(drill, answers, DAYS * max(1, answers // 50_000))
        whole, spent = [], []
        for _ in range(5):
            begin, cpu = time.perf_counter(), time.process_time()
            made = statistics(drill)
            whole.append(time.perf_counter() - begin)
            spent.append(time.process_time() - cpu)
        gc.freeze()  # as the app does once it stands
        gc.set_threshold(5_000, 5, 50)
        slices = []
        steps = reading(drill)
        while True:
            cpu = time.process_time()
            try:
                next(steps)
            except StopIteration:
                break
            finally:
                slices.append(1000 * (time.process_time() - cpu))
    environment = {**os.environ, "DRILL_HOME": str(home)}
    begin = time.perf_counter()
    command = [sys.executable, "-m", "drill", "stats", "--json"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    limit = LIMITS.get(answers, float("inf"))
    return {
        "answers": made.totals.answers,
        "document_s": round(min(whole), 3),
        "document_cpu_s": round(min(spent), 3),
        "longest_slice_cpu_ms": round(max(slices), 1),
        "p99_slice_cpu_ms": round(quantiles(slices, n=100)[-1], 1),
        "command_s": round(time.perf_counter() - begin, 2),
        "holds": min(spent) <= limit and max(slices) <= STALL_LIMIT_MS,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--answers", type=int, nargs="+", default=list(LIMITS))
    parser.add_argument("--json", action="store_true", help="one JSON document")
    args = parser.parse_args()
    found = []
    for answers in args.answers:
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(Path(folder), answers))
        if not args.json:
            print("  ".join(f"{name} {value}" for name, value in found[-1].items()))
    if args.json:
        print(json.dumps(found))
    return 0 if all(each["holds"] for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
