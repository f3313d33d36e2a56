"""How late the app's own clock ticks while an experiment runs in the child, on a real terminal.

`python -m benchmarks.smoothness FILE NAME` is the app on it; it writes the latenesses to FILE.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs from a bare checkout too

from benchmarks.terminal import Terminal

TICK = 0.02
SETTLED = 1.5
"""Seconds until what the app does after its first paint is over."""


def stalls(home: Path, name: str = "cfg-sweep") -> tuple[float, float]:
    """(99th percentile, longest) lateness of a 20 ms tick in ms, over one run of `name`."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "late.json"
        command = [sys.executable, "-m", "benchmarks.smoothness", str(found), name]
        terminal = Terminal(command, {"DRILL_HOME": str(home)})
        try:
            last = terminal.wait_for_end(300.0)
        finally:
            terminal.close()
        if not found.is_file():
            raise RuntimeError(f"the experiment did not run; see the worker's log: {last!r}")
        late = json.loads(found.read_text(encoding="utf-8"))
    return 1000 * quantiles(late, n=100)[-1], 1000 * max(late)


def run(found: Path, name: str) -> None:
    """Open the app as the command does, run the experiment, and note every tick."""
    from textual.pilot import Pilot

    import drill.__main__ as command  # sets the garbage collector as the command does
    from drill.services.app import Drill
    from drill.tui.app import DrillApp
    from drill.tui.screens.run import RunScreen

    late: list[float] = []

    async def watch(pilot: Pilot[object]) -> None:
        await asyncio.sleep(SETTLED)
        screen = RunScreen(name, {"scales": [1.0, 5.0, 20.0], "seeds": 2})
        pilot.app.push_screen(screen)
        while not screen.over:
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            late.append(max(0.0, time.perf_counter() - due))
        if screen.record is None or screen.record.done.recorded:
            late.clear()
        pilot.app.exit()

    assert command.main is not None
    with Drill() as drill:
        DrillApp(drill).run(auto_pilot=watch)
    if late:
        found.write_text(json.dumps(late), encoding="utf-8")


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2])
