"""Prints every number that drill promises to hold, each as a multiple of a floor where it has one.

`python benchmarks/run.py [--gate] [--json] [--only NAME]`: with `--gate` it fails at twice a bar,
because machines of others are noisy; the bars themselves are what is promised.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number and the bar that it is held to."""

    name: str
    measured: float
    bar: float
    unit: str
    detail: str = ""
    at_least: bool = False

    def holds(self, factor: float = 1.0) -> bool:
        """Whether it is within `factor` times the bar."""
        return (
            self.measured >= self.bar / factor
            if self.at_least
            else self.measured <= self.bar * factor
        )


def startup(home: Path) -> Iterator[Figure]:
    """Start of the app and of the quick commands."""
    from benchmarks import startup as bench

    ours, floor = bench.first_question(home)
    detail = f"{ours * 1000:.0f} ms over {floor * 1000:.0f} ms"
    yield Figure("first painted question", ours / floor, 1.6, "x empty Textual app", detail)
    for arguments in (["--help"], ["due", "--json"]):
        ours, floor = bench.quick_command(arguments, home)
        detail = f"{ours * 1000:.0f} ms over {floor * 1000:.0f} ms"
        yield Figure(f"drill {' '.join(arguments)}", ours / floor, 8.0, "x python -c pass", detail)


def dated(home: Path) -> Iterator[Figure]:
    """The start with an interview date: with a session planned ahead, and with none."""
    from benchmarks import startup as bench

    for ahead, name in ((True, "planned ahead"), (False, "not planned ahead")):
        ours, floor = bench.first_dated_question(home, ahead)
        detail = f"{ours * 1000:.0f} ms over {floor * 1000:.0f} ms"
        yield Figure(f"the same, date, {name}", ours / floor, 1.6, "x empty Textual app", detail)


def plan(home: Path) -> Iterator[Figure]:
    """A day's plan, and the report."""
    from benchmarks.planner import speed

    found = speed()
    detail = f"the first in a process {found.first_ms:.0f} ms"
    yield Figure("a day's plan for 5,000 items", found.wall_ms, 200.0, "ms", detail)
    took = _figures("report.py")
    detail = f"{took['seconds_with_stored_plan']:.2f} s with a plan that is stored"
    yield Figure("report of 20,000 answers", took["seconds"], 3.0, "s", detail)


def store(home: Path) -> Iterator[Figure]:
    """The due queue."""
    found = _figures("store.py")
    yield Figure("due queue at 100,000 cards", found["due"]["p95_ms"], 10.0, "ms")


def _figures(script: str, *arguments: str) -> dict[str, Any]:
    """What another benchmark prints as JSON; its own exit code is about its bars."""
    command = [sys.executable, str(Path(__file__).with_name(script)), *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise SystemExit(f"{script} failed:\n{done.stdout}{done.stderr}") from error
    return document


def session(home: Path) -> Iterator[Figure]:
    """Answer submitted to durable and next question painted."""
    from benchmarks.session import answer_to_next

    whole, shown = answer_to_next(home)
    detail = f"feedback painted after {shown:.0f} ms"
    yield Figure("answer to durable and next painted, p95", whole, 50.0, "ms", detail)


def smoothness(home: Path) -> Iterator[Figure]:
    """Stalls of the app while an experiment runs."""
    from benchmarks.smoothness import stalls

    p99, longest = stalls(home)
    yield Figure(
        "longest stall beside an experiment, p99", p99, 20.0, "ms", f"max {longest:.0f} ms"
    )


def experiments(home: Path) -> Iterator[Figure]:
    """The warm child and the batched sweep."""
    warm = _figures("warm_child.py")
    yield Figure("warm child to first progress", warm["median_ms"]["first"], 150.0, "ms")
    for row in _figures("sweep.py")["results"]:
        bar = 2.0 if row["seeds"] == 1 else 1.0
        name = f"sweep of 8 scales, {row['seeds']} seed{'s' * (row['seeds'] > 1)}"
        unit = "x faster than a call a scale"
        detail = f"pairs {row['least_ratio']:.2f} to {row['most_ratio']:.2f}"
        yield Figure(name, row["ratio"], bar, unit, detail, True)


GROUPS: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "startup": startup,
    "dated": dated,
    "plan": plan,
    "store": store,
    "session": session,
    "smoothness": smoothness,
    "experiments": experiments,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gate", action="store_true", help="fail at twice a bar")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=GROUPS, action="append")
    given = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        from benchmarks.crowded_home import make

        make(home)
        for name in given.only or GROUPS:
            for figure in GROUPS[name](home):
                figures.append(figure)
                if not given.json:
                    mark = "ok  " if figure.holds() else "OVER"
                    sign = ">=" if figure.at_least else "<="
                    print(
                        f"{mark} {figure.name:<42} {figure.measured:8.2f} {figure.unit}"
                        f"  ({sign} {figure.bar:g}) {figure.detail}",
                        flush=True,
                    )
    if given.json:
        print(json.dumps([{**asdict(f), "holds": f.holds()} for f in figures], indent=2))
    return 1 if given.gate and not all(f.holds(2.0) for f in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
