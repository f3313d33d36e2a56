"""How late the app's own clock ticks while an experiment runs in the child."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from statistics import quantiles

TICK = 0.02


def stalls(home: Path, name: str = "cfg-sweep") -> tuple[float, float]:
    """(99th percentile, longest) lateness of a 20 ms tick in ms, over one run of `name`."""
    late = asyncio.run(_watch(home, name))
    return 1000 * quantiles(late, n=100)[-1], 1000 * max(late)


async def _watch(home: Path, name: str) -> list[float]:
    os.environ["DRILL_HOME"] = str(home)
    from drill.services.app import Drill
    from drill.tui.app import DrillApp
    from drill.tui.screens.run import RunScreen

    late: list[float] = []
    with Drill() as drill:
        app = DrillApp(drill)
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause(0.5)
            screen = RunScreen(name, {"scales": [1.0, 5.0, 20.0], "seeds": 2})
            app.push_screen(screen)
            while not screen.over:
                due = time.perf_counter() + TICK
                await asyncio.sleep(TICK)
                late.append(max(0.0, time.perf_counter() - due))
            if screen.record is None or screen.record.done.recorded:
                raise RuntimeError("the experiment did not run; see the worker's log")
    return late
