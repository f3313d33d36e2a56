"""The plan to the interview day against plain FSRS, on simulated learners.

`python benchmarks/planner.py [--seeds N] [--only WORDS] [--json] [--gate]`

Each row is one setting in one condition of the world. The numbers are expected recall of all
items on the day of the interview, mean over the seeds with the standard error of ours: an item
never asked counts as 0, one that was asked counts with its true chance of recall. A first answer
is right with probability 0.45, a wrong answer takes twice the time of a right one (its retry is
in that), work is done on each of the days before the interview and none on the day itself.
`bound` is what no plan exceeds where the model is true, by weak duality (`World.bound`).
`.70` to `.95` is FSRS at that desired retention, by drill's own scheduler and order of urgency.
`/ .90` and `/ best` are ours over FSRS at 0.9 and over the best of the four in that row; `/ own`
is ours over the retention that is best where the model is true, which is what a learner would
have to choose without knowing the truth.

Conditions: `true` the scheduler's model is the truth; `halved`, `doubled` true stabilities are
so; `random` each item's is scaled by its own lognormal factor (sigma log 2); `missed` a quarter
of the days, at random, are not worked; `away` a week in the middle is not; `known` 30 % of the
items were known before, which nobody tells the planner; `varied` weights of 0.2 to 1 and times
of 20 to 600 s. `--held-out` takes settings that no choice in the planner was made by.

Bars (`--gate`, exit 1 under one): `true` at least 1.25 over .90 and 1.03 over the best, `varied`
1.03 over the best (FSRS, which takes what weighs most first, is so good there that 1.25 of .90
would be more than everything); every row at least 1.0 over .90 and over own; a plan for 5,000
items in 200 ms of processor time. A bar that would ask for more than everything is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.planner_world import Condition, Setting, World
from drill.domain.memory.state import ParameterSet
from drill.domain.plan import Candidate, choose

RETENTIONS = (0.7, 0.8, 0.9, 0.95)
SETTINGS = (Setting(200, 14, 40), Setting(400, 21, 60), Setting(400, 30, 40), Setting(400, 60, 30))
HELD_OUT = (
    Setting(300, 10, 60),
    Setting(600, 45, 50),
    Setting(267, 28, 25),
    Setting(150, 90, 20),
    Setting(800, 14, 90),
)
CONDITIONS = (
    Condition("true"),
    Condition("halved", scale=0.5),
    Condition("doubled", scale=2.0),
    Condition("random", scale_spread=log(2.0)),
    Condition("missed", missed=0.25),
    Condition("away", week_away=True),
    Condition("known", known=0.3),
    Condition("varied", varied=True),
)
OVER_90, OVER_BEST, OVER_OWN = 1.25, 1.03, 1.0
SPEED_ITEMS, SPEED_MS = 5_000, 200.0


@dataclass(frozen=True, slots=True)
class Row:
    """One setting in one condition: means over the seeds."""

    setting: str
    condition: str
    fixed: dict[float, float]
    """FSRS at each retention."""
    own: float
    """FSRS at the retention that is best where the model is true."""
    ours: float
    error: float
    """Standard error of ours."""
    bound: float | None
    """What no plan exceeds; None where the model is not the truth."""

    @property
    def over_90(self) -> float:
        return self.ours / self.fixed[0.9]

    @property
    def over_best(self) -> float:
        return self.ours / max(self.fixed.values())

    @property
    def over_own(self) -> float:
        return self.ours / self.own

    def failures(self) -> list[str]:
        """Bars that it is under; none that would be more than recalling everything."""
        bars = [(self.over_90, 1.0, "FSRS .90"), (self.over_own, OVER_OWN, "its own choice")]
        if self.condition == "true":
            bars.append((self.over_90, OVER_90, "FSRS .90"))
        if self.condition in ("true", "varied"):
            bars.append((self.over_best, OVER_BEST, "the best"))
        where = f"{self.setting}, {self.condition}"
        return [
            f"{where}: {found:.3f} of {what}, bar {bar}"
            for found, bar, what in bars
            if found < bar and bar * self.ours / found <= 1.0
        ]


Job = tuple[Setting, Condition, int, float]
"""Setting, condition, seed, and the retention; 0 for ours."""


def recall(job: Job) -> float:
    """Expected recall on the day, 0 to 1."""
    setting, condition, seed, retention = job
    world = World(setting, condition, seed)
    return world.fixed(retention) if retention else world.ours()


def rows(
    settings: Sequence[Setting], conditions: Sequence[Condition], seeds: int, workers: int
) -> list[Row]:
    """Every setting in every condition. The true world is always run, for what it would choose."""
    wanted = [CONDITIONS[0], *(c for c in conditions if c.name != "true")]
    jobs: list[Job] = [
        (s, c, seed, r)
        for s in settings
        for c in wanted
        for seed in range(seeds)
        for r in (0.0, *RETENTIONS)
    ]
    done: dict[Job, float] = {}
    started = time.monotonic()
    with ProcessPoolExecutor(workers) as pool:
        waiting = {pool.submit(recall, job): job for job in jobs}
        for future in as_completed(waiting):
            done[waiting[future]] = future.result()
            if sys.stderr.isatty() or len(done) % 100 == 0:
                took = time.monotonic() - started
                print(f"\r{len(done)}/{len(jobs)} runs, {took:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)

    def mean(s: Setting, c: Condition, r: float) -> float:
        return statistics.fmean(done[s, c, seed, r] for seed in range(seeds))

    found = []
    for s in settings:
        own = max(RETENTIONS, key=lambda r: mean(s, wanted[0], r))
        for c in wanted:
            ours = [done[s, c, seed, 0.0] for seed in range(seeds)]
            spread = statistics.stdev(ours) if seeds > 1 else 0.0
            found.append(
                Row(
                    setting=str(s),
                    condition=c.name,
                    fixed={r: mean(s, c, r) for r in RETENTIONS},
                    own=mean(s, c, own),
                    ours=statistics.fmean(ours),
                    error=spread / seeds**0.5,
                    bound=World(s, c, 0).bound() if c.name == "true" else None,
                )
            )
    return found


def many(count: int, seed: int = 1) -> list[Candidate]:
    """A large bank in the middle of its use: a third new, weights, times and states all spread."""
    rng = Random(seed)
    found = []
    for place in range(count):
        seconds = 20.0 * 30.0 ** rng.random()
        seen = rng.random() > 0.33
        found.append(
            Candidate(
                item_id=f"item-{place:05}",
                weight=0.2 * 5.0 ** rng.random(),
                seconds_right=seconds,
                seconds_wrong=1.7 * seconds,
                stability=0.2 * 500.0 ** rng.random() if seen else 0.0,
                difficulty=rng.uniform(1.0, 10.0) if seen else 0.0,
                last_day=100 - rng.randint(1, 30) if seen else 0,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds of one day's plan for `SPEED_ITEMS`."""

    first_ms: float
    """Of processor time, the first in a process: the tables are made."""
    cpu_ms: float
    """Of processor time, median of the next seven."""
    wall_ms: float
    """Of the clock, which other work on the machine stretches."""


def speed(days: int = 30) -> Speed:
    """Measure it."""
    items = many(SPEED_ITEMS)
    took = []
    for _ in range(8):
        wall, cpu = time.perf_counter(), time.process_time()
        choose(items, day=100, date=100 + days, seconds=2400, parameters=ParameterSet())
        took.append((time.process_time() - cpu, time.perf_counter() - wall))
    return Speed(
        first_ms=took[0][0] * 1000.0,
        cpu_ms=statistics.median(c for c, _ in took[1:]) * 1000.0,
        wall_ms=statistics.median(w for _, w in took[1:]) * 1000.0,
    )


def table(found: Sequence[Row]) -> str:
    """The rows as Markdown."""
    head = "| setting | world | .70 | .80 | .90 | .95 | ours | ± | bound | / .90 | / best | / own |"
    lines = [head, "|" + "---|" * 12]
    for r in found:
        fixed = " | ".join(f"{r.fixed[x]:.3f}" for x in RETENTIONS)
        lines.append(
            f"| {r.setting} | {r.condition} | {fixed} | **{r.ours:.3f}** | {r.error:.3f} "
            f"| {'' if r.bound is None else f'{r.bound:.3f}'} "
            f"| {r.over_90:.2f} | {r.over_best:.3f} | {r.over_own:.3f} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[c.name for c in CONDITIONS])
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--gate", action="store_true")
    args = parser.parse_args()
    fast = speed()
    conditions = [c for c in CONDITIONS if c.name in args.only]
    found = rows(HELD_OUT if args.held_out else SETTINGS, conditions, args.seeds, args.workers)
    failures = [text for row in found for text in row.failures()]
    if fast.cpu_ms > SPEED_MS:
        failures.append(
            f"a plan for {SPEED_ITEMS} items takes {fast.cpu_ms:.0f} ms, bar {SPEED_MS:.0f}"
        )
    if args.json:
        body = {"seeds": args.seeds, "rows": [asdict(r) for r in found], "speed": asdict(fast)}
        print(json.dumps(body | {"failures": failures}, indent=1))
    else:
        print(table(found))
        print(
            f"\nA plan for {SPEED_ITEMS:,} items: {fast.cpu_ms:.0f} ms of processor time "
            f"({fast.wall_ms:.0f} ms by the clock), {fast.first_ms:.0f} ms the first in a process."
        )
    for text in failures:
        print(f"under the bar: {text}", file=sys.stderr)
    return 1 if args.gate and failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
