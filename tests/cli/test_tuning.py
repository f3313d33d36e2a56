"""`drill tune`: what it prints, its document and its exit codes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from benchmarks.tuning import KINDS, practise
from drill.cli import cli
from drill.cli.tuning import wrapped
from drill.domain.memory.study_day import date_of_day
from drill.domain.tuning.comparison import percent
from drill.services.app import Drill
from tests.tuning.learners import fill
from tests.tuning.package import needs_package, without_package


def tune(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(cli, ["tune", *arguments])
    assert done.exit_code == code, (done.output, done.exception)
    return done


def document(*arguments: str, code: int = 0) -> Any:
    return json.loads(tune(*arguments, "--json", code=code).stdout)


def learner(kind: str, tests: int, seed: int = 3) -> None:
    """Give the data folder the history of a simulated learner."""
    made = practise(KINDS[kind](None), seed, tests)  # type: ignore[arg-type]
    with Drill() as drill:
        fill(drill.store, made.events, drill.store.today() - 1)


@needs_package
def test_too_little_history() -> None:
    assert "nothing to compare yet" in tune().stdout
    refused = tune("--apply", code=1)
    assert "too few later reviews" in refused.stderr
    told = document("--apply", code=1)
    assert told["personal"] is False and told["advice"] == "more"


@needs_package
def test_compare_adopt_and_go_back() -> None:
    learner("half", 2500)
    shown = tune()
    assert all(len(line) <= 80 for line in shown.stdout.splitlines()), shown.stdout
    assert "first Good" in shown.stdout and "drill tune --apply" in shown.stdout
    told = document()
    assert told["advice"] == "adopt" and told["personal"] is False
    assert len(told["comparison"]["splits"]) == 4
    score = told["comparison"]["default"]
    assert f"{score['log_loss']:.4f}" in shown.stdout

    applied = document("--apply")
    with Drill() as drill:
        today = date_of_day(drill.store.today())
        assert list(drill.store.parameters().parameters) == told["weights"]
    assert applied["origin"] == f"personal {today}, {told['tests']:,} reviews"
    assert "default parameters are in use from" in tune("--defaults").stdout
    assert "in use already" in tune("--defaults").stdout
    with Drill() as drill:
        assert drill.store.parameters().parameters == ()


@needs_package
def test_refused_where_the_defaults_are_as_good() -> None:
    learner("default", 900, seed=1)
    refused = tune("--apply", code=1)
    assert "defaults predict your later reviews better" in refused.stderr
    with Drill() as drill:
        assert drill.store.parameters().parameters == ()


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    without_package(monkeypatch)
    assert "pip install 'diffusion-drill[tuning]'" in tune(code=2).stderr
    assert document(code=2)["advice"] == "install"
    assert "in use already" in tune("--defaults").stdout


def test_usage() -> None:
    assert "exclude each other" in tune("--apply", "--defaults", code=2).stderr


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "over 99 %"), (0.0, "under 1 %"), (0.57, "57 %"), (0.899, "89 %")]
)
def test_a_bootstrap_is_never_certain(share: float, text: str) -> None:
    assert percent(share) == text


def test_no_command_is_broken_across_lines() -> None:
    for length in range(30, 80):
        lines = wrapped(f"{'x' * length} say `drill tune --apply` to take it").splitlines()
        assert any("`drill tune --apply`" in line for line in lines)
        assert all(len(line) <= 80 for line in lines)
    assert wrapped(f"{'x' * 70} diffusion-drill").splitlines()[1] == "diffusion-drill"
