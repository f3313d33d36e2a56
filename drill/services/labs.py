"""Experiments for both front ends: what there is, running one, keeping its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab.manifest import ExperimentInfo, Labs, find_experiment, read_labs
from drill.lab.params import resolve
from drill.services.experiments import RunSpec
from drill.store.runs import Run
from drill.worker.protocol import Done

if TYPE_CHECKING:
    from drill.services.app import Drill


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A finished run, kept in the store."""

    run_id: str
    outcomes: Mapping[str, object]
    done: Done


def all_labs(drill: Drill) -> Labs:
    """The labs of all packs, without importing torch."""
    found = [read_labs(root, drill.cache_dir) for root in drill.bank.roots.values()]
    return Labs(
        tuple(lab for labs in found for lab in labs.labs),
        tuple(problem for labs in found for problem in labs.problems),
    )


def experiment(drill: Drill, name: str) -> ExperimentInfo:
    """One experiment by name.

    Raises:
        KeyError: none of that name; the message names the nearest.
    """
    return find_experiment(all_labs(drill), name)


def run_spec(
    drill: Drill,
    name: str,
    params: Mapping[str, Any],
    *,
    device: str = "",
    model: str = "",
    seed: int = 0,
    budget: float = 0.0,
) -> RunSpec:
    """What the worker needs to run an experiment.

    Raises:
        KeyError: unknown experiment.
        ParamError: a parameter that the experiment does not take; says which it does.
    """
    info = experiment(drill, name)
    resolve(info.params, params)
    return RunSpec(
        name=name,
        file=info.file,
        pack=_pack_of(drill, info),
        params=dict(params),
        device=device or drill.config.device or "auto",
        model=model,
        seed=seed,
        budget=budget,
    )


def _pack_of(drill: Drill, info: ExperimentInfo) -> Path | None:
    from drill.paths import builtin_pack

    for root in drill.bank.roots.values():
        if (root / info.file).is_file():
            return None if root.resolve() == builtin_pack().resolve() else root
    return None


def keep(drill: Drill, done: Done) -> RunRecord:
    """Store a finished run beside the learner's answers."""
    if not done.recorded:
        drill.store.runs.save(
            Run(
                id=done.run,
                name=done.experiment,
                started=datetime.now(UTC).isoformat(timespec="seconds"),
                seconds=done.seconds,
                params=done.params,
                metrics=done.metrics,
                claims=list(done.claims),
                outcomes=done.outcomes,
                device=done.device,
                versions=done.versions,
                seed=done.seed,
                artefacts=list(done.artefacts),
                extra={"sentence": done.sentence, "transfers": done.transfers, "model": done.model},
            )
        )
    return RunRecord(done.run, done.outcomes, done)


def former(drill: Drill, name: str, limit: int = 10) -> list[Run]:
    """Earlier runs of an experiment on this machine, newest first."""
    return drill.store.runs.list(name, limit)


def recorded(drill: Drill, name: str, params: Mapping[str, Any] | None = None) -> Done | None:
    """The recorded run that a pack ships, made with these parameters."""
    from drill.services.recorded import recorded_run

    for root in drill.bank.roots.values():
        found = recorded_run(root, name, params)
        if found is not None:
            return found.event
    return None
