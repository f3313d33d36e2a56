"""How long a report takes from process start: `python benchmarks/report.py [--json]`.

Fills a home with 20,000 answers over two years, 30 runs with their pictures, interviews and a date
ahead, then times `drill report` with nothing stored of the plan and with the plan that the app has
computed. The floor is a process that only imports what a report is made with.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs from a bare checkout too

from drill.config import Config
from drill.services.app import Drill
from drill.services.outlook import SETTING, outlook
from tests.conftest import Clock
from tests.report import learners

LIMIT = 3.0
"""Seconds for the whole command."""
DAYS, A_DAY, RUNS = 700, 33, 30
IMPORTS = "import jinja2, PIL.Image, msgspec, click, markdown_it, sqlite3"
TIMES = 5


def fill(home: Path) -> int:
    """A learner with a long history that ends today; returns the answers."""
    clock = Clock()
    clock.now = now = datetime.now(UTC).astimezone()
    with Drill(home=home, clock=clock, config=Config()) as drill:
        learners.long_history(drill, DAYS, A_DAY, new=4)
        learners.experiment_runs(drill, home, RUNS, DAYS - 100)
        for days in (400, 100, 9, 2):
            clock.now = now - timedelta(days=days)
            learners.interview(drill)
        row = drill.store.access.row("SELECT count(*) FROM answers")
        return int(row[0]) if row else 0


def seconds(command: list[str], home: Path) -> float:
    """Wall time of a process."""
    start = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "DRILL_HOME": str(home)},
    )  # fmt: skip
    return time.perf_counter() - start


def measure(folder: Path) -> dict[str, Any]:
    """The smallest of some runs each: what the machine does beside it only adds."""
    home, target = folder / "home", folder / "report.html"
    os.environ["DRILL_HOME"] = str(home)  # where the pictures of runs are looked for
    answers = fill(home)
    command = [sys.executable, "-m", "drill", "report", "--force", "--out", str(target)]

    def forget() -> None:
        with Drill(home=home, config=Config()) as drill:
            drill.store.settings.delete(SETTING)

    cold, warm, floor = [], [], []
    for _ in range(TIMES):
        forget()
        cold.append(seconds(command, home))
        floor.append(seconds([sys.executable, "-c", IMPORTS], home))
    with Drill(home=home, config=Config()) as drill:
        outlook(drill)
    for _ in range(TIMES):
        warm.append(seconds(command, home))
    return {
        "answers": answers,
        "seconds": round(min(cold), 2),
        "seconds_with_stored_plan": round(min(warm), 2),
        "floor": round(min(floor), 2),
        "bytes": target.stat().st_size,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder))
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        print(
            f"{found['answers']:,} answers: {found['seconds']} s, with a stored plan "
            f"{found['seconds_with_stored_plan']} s; imports alone {found['floor']} s; "
            f"{found['bytes'] / 1000:.0f} kB (at most {LIMIT:g} s)"
        )
    return 0 if found["seconds"] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
