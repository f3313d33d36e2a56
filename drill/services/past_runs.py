"""Former runs of an experiment beside each other: what is the same, what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.services.labs import failed, former, pictures_of
from drill.store.runs import Run
from drill.worker.protocol import Done

if TYPE_CHECKING:
    from drill.services.app import Drill


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that is over: of this machine, or recorded elsewhere and shipped."""

    run: Run
    recorded: str = ""
    """Date of a recording; empty for a run of the learner's own."""
    pictures: tuple[Path, ...] = ()

    @property
    def when(self) -> str:
        """When it was, for a person: local time to the minute, or the date of a recording."""
        if self.recorded:
            return f"recorded {self.recorded}"
        from datetime import datetime

        try:
            started = datetime.fromisoformat(self.run.started).astimezone()
        except ValueError:
            return self.run.started
        return started.strftime("%Y-%m-%d %H:%M")

    @property
    def error(self) -> str:
        """The kind of error by which it ended; empty for one that finished."""
        return failed(self.run)

    @property
    def sentence(self) -> str:
        """What happened, in a sentence."""
        extra = self.run.extra
        if self.error:
            stage = f" while {extra['stage']}" if extra.get("stage") else ""
            return f"{self.error}{stage}: {extra.get('message', '')}"
        return str(extra.get("sentence", ""))


def of_run(run: Run) -> PastRun:
    """A kept run of the learner's own, with its pictures."""
    return PastRun(run, "", tuple(pictures_of(run)))


def past_runs(drill: Drill, name: str, limit: int = 30) -> list[PastRun]:
    """The runs of an experiment, newest first, then those that packs ship."""
    return [*map(of_run, former(drill, name, limit)), *shipped_runs(drill, name)]


def shipped_runs(drill: Drill, name: str) -> list[PastRun]:
    """The recorded runs of an experiment that the packs ship."""
    from drill.services.recorded import recorded_runs

    return [
        PastRun(run_of(each.event), each.event.recorded, each.pictures)
        for root in drill.bank.roots.values()
        for each in recorded_runs(root, name)
    ]


def run_of(done: Done) -> Run:
    """A finished run as the store keeps it."""
    extra = {"sentence": done.sentence, "transfers": done.transfers, "model": done.model}
    return Run(
        id=done.run,
        name=done.experiment,
        started=done.recorded,
        seconds=done.seconds,
        params=done.params,
        metrics=done.metrics,
        claims=list(done.claims),
        outcomes=done.outcomes,
        device=done.device,
        versions=done.versions,
        seed=done.seed,
        artefacts=list(done.artefacts),
        extra=extra,
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """One thing in two runs; `differs` where both have it and it is not the same."""

    name: str
    one: Any
    other: Any

    @property
    def differs(self) -> bool:
        return bool(plain(self.one) != plain(self.other))


def pairs(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Pair]:
    """What two mappings hold under each name, in the order of the first, then of the second."""
    names = [*one, *(name for name in other if name not in one)]
    return [Pair(name, one.get(name), other.get(name)) for name in names]


def plain(value: Any) -> Any:
    """A value as JSON would have it: tuples are lists, whole floats are whole numbers."""
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
