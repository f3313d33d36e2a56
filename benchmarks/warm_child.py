"""Time from asking a warm experiment child for a run to its first progress events.

    python benchmarks/warm_child.py [--runs 20] [--json]

Goes through the service that the app uses. `first` is the first progress event of a run, `step`
the first finished denoising step of a guidance sweep with one seed: the experiment is loaded, the
model taken from memory, the prompts encoded. Each run is cancelled there. Bar: 150 ms for `first`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs from a bare checkout too

from drill.services.experiments import ExperimentService, RunSpec
from drill.worker.protocol import Error, Progress

BAR_MS = 150.0


async def measure(runs: int, folder: Path) -> dict[str, list[float]]:
    """Milliseconds of each run, and seconds of start-up under `hello` and `ready`."""
    service = ExperimentService(runs=folder / "runs", logs=folder)
    spec = RunSpec(
        "cfg-sweep",
        "labs/cfg_reading/experiment.py",
        params={"scales": [1, 5, 20], "seeds": 1, "check": False},
        device="cpu",
    )
    times: dict[str, list[float]] = {"first": [], "step": [], "hello": [], "ready": []}
    started = time.perf_counter()
    await service.start(spec)
    times["hello"].append((time.perf_counter() - started) * 1e3)
    try:
        for k in range(runs + 1):
            begun, first, step = time.perf_counter(), 0.0, 0.0
            async for event in service.run(spec):
                now = (time.perf_counter() - begun) * 1e3
                if isinstance(event, Progress) and not first:
                    first = now
                if isinstance(event, Progress) and event.label.startswith("denoising") and not step:
                    step = now
                    await service.cancel()
                if isinstance(event, Error) and event.error != "cancelled":
                    raise SystemExit(f"{event.error}: {event.message}")
            if k == 0:  # the child was still importing torch and loading the model
                times["ready"].append((time.perf_counter() - started) * 1e3)
                continue
            times["first"].append(first)
            times["step"].append(step)
    finally:
        await service.close()
    return times


def times_of(runs: int) -> dict[str, list[float]]:
    """As `measure`, with a folder and a loop of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measure(runs, Path(folder)))


def first_progress(runs: int = 15) -> float:
    """Median milliseconds from asking a warm child to its first progress event."""
    return statistics.median(times_of(runs)["first"])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true", dest="as_json")
    given = parser.parse_args()
    times = times_of(given.runs)
    median = {name: statistics.median(values) for name, values in times.items()}
    worst = {name: max(values) for name, values in times.items()}
    holds = median["first"] <= BAR_MS
    if given.as_json:
        print(json.dumps({"median_ms": median, "worst_ms": worst, "holds": holds}, indent=1))
    else:
        print(f"cold child: hello after {median['hello']:.0f} ms, one run after "
              f"{median['ready'] / 1e3:.1f} s")  # fmt: skip
        for name in ("first", "step"):
            print(f"{name:<6} median {median[name]:6.1f} ms, worst {worst[name]:6.1f} ms")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
