"""What the tests of all labs do: run an experiment in this process, hold its claims against a
result, and change one number in made-up metrics."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from drill.lab import Claim, Context, Experiment, Result, Transfers
from drill.lab.experiment import check_claims, check_outcomes
from drill.lab.params import resolve
from drill.worker.protocol import Event

ROOT = Path(__file__).resolve().parents[2]
MADE_UP = Transfers("yes", "made up")


def run_here(
    experiment: Experiment, models: Path | None = None, model: str = "", **params: Any
) -> tuple[Result, list[Event]]:
    """Run an experiment without a child; its outcomes are those that it declares."""
    events: list[Event] = []
    context = Context(
        params=resolve(experiment.params, params),
        pack=ROOT,
        models=models,
        model=model,
        emit=events.append,
    )
    result = experiment.run(context)
    check_outcomes(experiment, result)
    return result, events


def holding(claims: Iterable[Claim], result: Result) -> dict[str, bool | None]:
    """Claim to whether it holds; None where it does not apply."""
    return {each.claim.name: each.finding.holds for each in check_claims(tuple(claims), result)}


def result_of(metrics: Any, outcomes: Any = None, sentence: str = "It happened.") -> Result:
    """A result with made-up metrics."""
    return Result(metrics, outcomes or {}, sentence, MADE_UP)


def put(metrics: Any, path: str, value: Any) -> None:
    """Set `a/b/0` in nested mappings and lists."""
    *outer, last = path.split("/")
    for each in outer:
        metrics = metrics[int(each) if isinstance(metrics, list) else each]
    metrics[int(last) if isinstance(metrics, list) else last] = value


def changed(metrics: Any, path: Iterable[Any], value: Any) -> Any:
    """A copy of metrics with the value at a path of keys and indices replaced."""
    made = copy.deepcopy(metrics)
    *outer, last = path
    place = made
    for key in outer:
        place = place[key]
    place[last] = value
    return made
