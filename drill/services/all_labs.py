"""Every experiment at its default parameters, through the child, with its claims and its time.

    python -m drill.services.all_labs [NAME...] [--device cpu] [--json FILE]

prints a table and ends with 1 where a claim is false, an experiment crashes or takes more than 30 s
after what it needs is loaded, and with 2 where no experiment can run. On a busy machine the time in
which it stood ready and was given no core is told apart and not counted. An experiment that needs
an accelerator is reported as unavailable without one; it never counts as passed.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from drill.lab.manifest import ExperimentInfo, read_labs
from drill.services.experiments import ExperimentService, RunSpec
from drill.services.worker_process import WorkerError
from drill.worker.protocol import Done, Error

if TYPE_CHECKING:
    from drill.worker.protocol import Event

LIMIT = 30.0
"""Seconds that an experiment may take at its defaults once everything is loaded."""

Verdict = Literal["passed", "claim false", "nothing claimed", "too slow", "failed", "unavailable"]
BAD: tuple[Verdict, ...] = ("claim false", "nothing claimed", "too slow", "failed")


@dataclass(slots=True)
class Row:
    """One experiment in the table."""

    name: str
    lab: str
    budget: float
    """Its own time limit in seconds."""
    load: float = 0.0
    """Seconds that loading its models took, torch not counted."""
    seconds: float = 0.0
    """Of the run, once everything was loaded."""
    waited: float = 0.0
    """Seconds of these in which other processes had the cores; 0 where it cannot be told."""
    true: int = 0
    false: int = 0
    not_applicable: int = 0
    verdict: Verdict = "failed"
    says: list[str] = field(default_factory=list)
    """False claims with what was measured, or why it did not run."""

    @property
    def own(self) -> float:
        """Seconds that the run would have taken on a quiet machine."""
        return max(0.0, self.seconds - self.waited)


def judge(row: Row, last: Event, limit: float = LIMIT) -> Row:
    """The row with what a run's last event says."""
    if isinstance(last, Error):
        row.says = [f"{last.error}: {last.message}"]
        wants = last.error == "unavailable" and "accelerator" in last.message
        row.verdict = "unavailable" if wants else "failed"
        return row
    assert isinstance(last, Done)
    row.seconds = last.seconds
    holds = [claim.get("holds") for claim in last.claims]
    row.true, row.false = holds.count(True), holds.count(False)
    row.not_applicable = holds.count(None)
    row.says = [
        f"{c['name']} is false: {c.get('measured')}; expected {c.get('expected')}"
        for c in last.claims
        if c.get("holds") is False
    ]
    row.verdict = "passed"
    if not row.true and not row.false:
        row.verdict = "nothing claimed"
    if row.own > limit:
        row.verdict = "too slow"
        row.says.append(f"it took {row.own:.1f} s; {limit:g} s are allowed")
    if row.false:
        row.verdict = "claim false"
    return row


async def run_all(
    experiments: Sequence[ExperimentInfo],
    pack: Path | None,
    device: str,
    folder: Path,
    tell: Table,
    limit: float = LIMIT,
) -> list[Row]:
    """Run each; one that is too slow is run once more, as a machine may be busy for a moment."""
    service = ExperimentService(runs=folder / "runs", logs=folder)
    rows = []
    try:
        for info in experiments:
            spec = RunSpec(info.name, info.file, pack, device=device, budget=info.seconds)
            row = Row(info.name, info.lab, info.seconds)
            try:
                warmed = await service.load(spec)
                row.load = warmed.seconds
                row = await _measured(service, spec, row, limit)
                if row.verdict == "too slow":
                    tell.note(f"{info.name}: {row.says[-1]}; once more")
                    row = await _measured(service, spec, row, limit)
            except WorkerError as error:
                row.says = [str(error)]
            rows.append(row)
            tell.row(row)
    finally:
        await service.close()
    return rows


async def _measured(service: ExperimentService, spec: RunSpec, row: Row, limit: float) -> Row:
    hello = await service.start()
    before = waited_seconds(hello.pid)
    last: Event | None = None
    async for event in service.run(spec):
        last = event
    row.waited = max(0.0, waited_seconds(hello.pid) - before)
    assert last is not None
    return judge(row, last, limit)


def waited_seconds(pid: int) -> float:
    """Seconds that the main thread of a process has stood ready without a core.

    It is the thread that runs experiments. 0 where the system does not tell (only Linux does).
    """
    try:
        told = Path(f"/proc/{pid}/task/{pid}/schedstat").read_text(encoding="ascii")
        return int(told.split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class Table:
    """The table as it grows, on stdout; what is going on, on stderr."""

    def __init__(self, width: int) -> None:
        self._width = width

    def head(self) -> None:
        titles = ("load s", "run s", "waited", "limit", "true", "false", "n/a")
        line = f"{'experiment':<{self._width}}" + "".join(f"{title:>8}" for title in titles)
        sys.stdout.write(f"{line}  verdict\n")

    def row(self, row: Row) -> None:
        numbers = f"{row.load:>8.1f}{row.own:>8.1f}{row.waited:>8.1f}{row.budget:>8g}"
        counts = f"{row.true:>8}{row.false:>8}{row.not_applicable:>8}"
        sys.stdout.write(f"{row.name:<{self._width}}{numbers}{counts}  {row.verdict}\n")
        for says in row.says:
            sys.stdout.write(f"    {says}\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the experiments of the built-in pack; the exit code."""
    import tempfile

    from drill import paths
    from drill.services import labs_packages

    parser = argparse.ArgumentParser(prog="python -m drill.services.all_labs", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME", help="experiments or labs; all if none")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds (%(default)g)")
    parser.add_argument("--pack", type=Path, default=None, help="folder of a pack of your own")
    parser.add_argument("--json", type=Path, default=None, metavar="FILE")
    given = parser.parse_args(arguments)
    if not labs_packages.present():
        sys.stderr.write("experiments need torch and diffusers: make setup-all\n")
        return 2
    labs = read_labs(given.pack or paths.builtin_pack())
    chosen = [e for e in labs.experiments() if not given.names or {e.name, e.lab} & {*given.names}]
    known = {e.name for e in labs.experiments()} | {e.lab for e in labs.experiments()}
    unknown = sorted({*given.names} - known)
    if unknown or not chosen:
        sys.stderr.write(f"no experiment or lab {', '.join(unknown)}; `drill lab list`\n")
        return 2
    table = Table(max(len(e.name) for e in chosen) + 2)
    if hasattr(os, "getloadavg"):
        table.note(f"device {given.device}; load of the machine {os.getloadavg()[0]:.1f}")
    table.head()
    with tempfile.TemporaryDirectory(prefix="drill-labs-") as folder:
        rows = asyncio.run(
            run_all(chosen, given.pack, given.device, Path(folder), table, given.limit)
        )
        bad = [row for row in rows if row.verdict in BAD]
        log = Path(folder) / "worker.log"
        if any(row.verdict == "failed" for row in bad) and log.is_file():
            sys.stderr.write(log.read_text(encoding="utf-8", errors="replace")[-6000:])
    if given.json is not None:
        document = {"device": given.device, "rows": [dataclasses.asdict(row) for row in rows]}
        given.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    counts = {verdict: [r.verdict for r in rows].count(verdict) for verdict in ("passed", *BAD)}
    missing = [row.name for row in rows if row.verdict == "unavailable"]
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    sys.stdout.write(f"{len(rows)} experiments: {told or 'none passed'}\n")
    for problem in labs.problems:
        sys.stdout.write(f"{problem}\n")
    if missing:
        sys.stdout.write(f"unavailable on {given.device}: {', '.join(missing)}\n")
    return 1 if bad or labs.problems else 0


if __name__ == "__main__":
    sys.exit(main())
