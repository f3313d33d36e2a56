"""`drill stats`: one document, a page of at most 80 columns, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner, Result

from drill.cli import cli
from drill.services.app import Drill
from tests.conftest import Clock
from tests.store.conftest import answer

CHOICE = "sample:sc.sample-choice"


@pytest.fixture
def run(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """Commands on the sample pack."""

    @contextmanager
    def opened() -> Iterator[Drill]:
        yield drill

    monkeypatch.setattr("drill.cli.stats.opened", opened)
    yield CliRunner()


def stats(run: CliRunner, *arguments: str, code: int = 0) -> Result:
    done = run.invoke(cli, ["stats", *arguments])
    assert done.exit_code == code, done.output
    return done


def study(drill: Drill, clock: Clock, days: int = 4) -> None:
    for day in range(days):
        for n, item in enumerate(drill.bank.heads):
            wrong = (day + n) % 3 == 0
            drill.store.record(
                answer(
                    item,
                    1 if wrong else 3,
                    type=item.rpartition("-")[2],
                    confidence=3,
                    misconceptions=("sc.N_eq_calls",) if wrong else (),
                )
            )
        clock.forward(days=1)


def test_the_document(run: CliRunner, drill: Drill, clock: Clock) -> None:
    study(drill, clock)
    told = json.loads(stats(run, "--json").stdout)
    assert set(told) >= {
        "retention", "forecast", "days", "heat", "streak", "topics", "calibration", "beliefs",
        "times", "experiments", "mocks", "hours", "leeches", "totals",
    }  # fmt: skip
    assert told["totals"]["answers"] == 4 * len(drill.bank.heads)
    assert told["beliefs"]["beliefs"][0]["belief"].startswith("N inference steps")


def test_the_page_is_text_of_80_columns(run: CliRunner, drill: Drill, clock: Clock) -> None:
    study(drill, clock)
    told = stats(run).stdout
    assert max(map(len, told.splitlines())) <= 80
    assert not [line for line in told.splitlines() if line != line.rstrip()]
    for heading in ("Overview", "Memory", "Calibration", "Beliefs", "Time, labs", "Interviews"):
        assert f"\n{heading}\n{'=' * len(heading)}\n" in told
    assert " N inference steps always mean N calls" in told
    assert "\x1b" not in told and "$text" not in told


def test_a_new_learner(run: CliRunner) -> None:
    told = stats(run).stdout
    assert "Nothing was answered yet" in told and max(map(len, told.splitlines())) <= 80


def test_days_and_topic(run: CliRunner, drill: Drill, clock: Clock) -> None:
    study(drill, clock, 3)
    drill.store.record(answer(CHOICE, 3))
    told = json.loads(stats(run, "--days", "2", "--json").stdout)
    assert told["totals"]["answers"] == 1 + len(drill.bank.heads)
    assert "since 20" in stats(run, "--days", "2").stdout.splitlines()[0]
    none = json.loads(stats(run, "--topic", "vae", "--json").stdout)
    assert none["topic"] == "vae" and none["totals"]["answers"] == 0
    only = stats(run, "--page", "calibration").stdout
    assert "What you said" in only and "True retention" not in only


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(["--topic", "nonsense"], "cfg"), (["--page", "x"], "overview"), (["--days", "0"], "0")],
)
def test_what_there_is_not(run: CliRunner, arguments: list[str], word: str) -> None:
    done = stats(run, *arguments, code=2)
    assert word in done.stderr and not done.stdout
