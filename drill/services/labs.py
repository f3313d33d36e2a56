"""Experiments for both front ends: what there is, running one, keeping its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab.manifest import ExperimentInfo, Lab, Labs, find_experiment, find_lab, read_labs
from drill.lab.params import resolve
from drill.services.experiments import RunSpec
from drill.store.runs import Run
from drill.worker.protocol import Done, Error

if TYPE_CHECKING:
    from drill.services.app import Drill

NOTHING_RAN = ("unavailable", "params")
"""Kinds of errors after which there is no run to keep."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A finished run, kept in the store."""

    run_id: str
    outcomes: Mapping[str, object]
    done: Done


def all_labs(drill: Drill) -> Labs:
    """The labs of all packs, pack by pack in their order, without importing torch."""
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


def topic_of(drill: Drill, info: ExperimentInfo) -> str:
    """The topic of an experiment's lab."""
    return next(lab.topic for lab in all_labs(drill).labs if info in lab.experiments)


def named(drill: Drill, name: str) -> Lab | ExperimentInfo | Run:
    """The lab, the experiment or the kept run of a name, looked for in this order.

    A run is found by its id or the beginning of it.

    Raises:
        KeyError: nothing of that name; the message names the nearest.
    """
    labs = all_labs(drill)
    for find in (find_lab, find_experiment):
        try:
            return find(labs, name)
        except KeyError:
            continue
    try:
        return drill.store.runs.get(name)
    except KeyError as error:
        if "several runs" in str(error):
            raise
    from drill.packs.problems import nearest

    near = nearest(name, names(labs))
    hint = f"did you mean {near}?" if near else "`drill lab list` names what there is"
    raise KeyError(f"no lab, experiment or run {name!r}; {hint}")


def runnable(drill: Drill, name: str) -> Lab | ExperimentInfo:
    """The experiment of a name, else the lab, whose starter is run.

    Raises:
        KeyError: neither; the message names the nearest.
    """
    labs = all_labs(drill)
    for find in (find_experiment, find_lab):
        try:
            return find(labs, name)
        except KeyError:
            continue
    from drill.packs.problems import did_you_mean

    raise KeyError(f"no experiment or lab {name!r}; {did_you_mean(name, names(labs))}")


def names(labs: Labs) -> list[str]:
    """The names of all labs and experiments."""
    return [lab.id for lab in labs.labs] + [each.name for each in labs.experiments()]


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
    from drill.paths import builtin_pack

    labs = all_labs(drill)
    info = find_experiment(labs, name)
    resolve(info.params, params)
    lab = lab_of(labs, info)
    root = lab.folder.parents[1]
    return RunSpec(
        name=name,
        file=info.file,
        pack=None if root.resolve() == builtin_pack().resolve() else root,
        refused=why_not_run(drill, lab),
        params=dict(params),
        device=device or drill.config.device or "auto",
        model=model,
        seed=seed,
        budget=budget,
    )


def lab_of(labs: Labs, info: ExperimentInfo) -> Lab:
    """The lab of an experiment, of the first pack that has it."""
    return next(lab for lab in labs.labs if info in lab.experiments)


def why_not_run(drill: Drill, lab: Lab) -> str:
    """Why nothing of a lab is run, with the way out; empty where it may be run."""
    root = lab.folder.parents[1]
    pack = next((pack for pack, of in drill.bank.roots.items() if of == root), None)
    return f"{root} is no pack that is open" if pack is None else drill.why_not_run(pack)


def keep(drill: Drill, done: Done) -> RunRecord:
    """Store a finished run beside the learner's answers."""
    if not done.recorded:
        extra = {"sentence": done.sentence, "transfers": done.transfers, "model": done.model}
        drill.store.runs.save(
            Run(
                id=done.run,
                name=done.experiment,
                started=_now(),
                seconds=done.seconds,
                params=done.params,
                metrics=done.metrics,
                claims=list(done.claims),
                outcomes=done.outcomes,
                device=done.device,
                versions=done.versions,
                seed=done.seed,
                artefacts=_relative(done.artefacts),
                extra=extra,
            )
        )
    return RunRecord(done.run, done.outcomes, done)


def keep_failed(drill: Drill, error: Error) -> Run | None:
    """Store what a failed or cancelled run had come to; None where nothing had run.

    Its `extra` has `error` (the kind), `message` and `stage`, what it was doing at the end; its
    metrics are lists of (step, value) under their names.
    """
    from drill.paths import runs_dir
    from drill.services.runs import load_run

    if error.error in NOTHING_RAN or not error.run:
        return None
    try:
        document = load_run(runs_dir(), error.run).document
    except KeyError:
        return None
    run = Run(
        id=error.run,
        name=document.get("experiment", ""),
        started=_now(),
        seconds=document.get("seconds", 0.0),
        params=document.get("params", {}),
        metrics=document.get("metrics", {}),
        claims=[],
        outcomes={},
        device=document.get("device", ""),
        versions=document.get("versions", {}),
        seed=document.get("seed", 0),
        artefacts=_relative(document.get("artefacts", [])),
        extra={
            "error": error.error,
            "message": error.message,
            "stage": document.get("stage", ""),
            "log": error.log,
            "model": document.get("model", ""),
        },
    )
    drill.store.runs.save(run)
    return run


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _relative(paths: Any) -> list[str]:
    """Paths of pictures as they are kept: below the runs folder, which may be moved."""
    from drill.paths import runs_dir

    root = runs_dir()
    return [
        str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else str(path)
        for path in paths
    ]


def pictures_of(run: Run) -> list[Path]:
    """The pictures of a kept run that are still there."""
    from drill.paths import runs_dir

    return [path for each in run.artefacts if (path := runs_dir() / each).is_file()]


def former(drill: Drill, name: str, limit: int = 10) -> list[Run]:
    """Earlier runs of an experiment on this machine, newest first, failed ones included."""
    return drill.store.runs.list(name, limit)


def failed(run: Run) -> str:
    """The kind of error by which a kept run ended; empty for one that finished."""
    return str(run.extra.get("error", ""))


def recorded(drill: Drill, name: str, params: Mapping[str, Any] | None = None) -> Done | None:
    """The recorded run that a pack ships, made with these parameters."""
    from drill.services.recorded import recorded_run

    for root in drill.bank.roots.values():
        found = recorded_run(root, name, params)
        if found is not None:
            return found.event
    return None
