"""`drill plan`: what it shows, what it stores, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from drill.cli import plan as command
from drill.services import forecast
from drill.services.app import Drill
from drill.services.outlook import Outlook
from tests.conftest import Clock
from tests.services.learner import crowd, practise


@pytest.fixture(autouse=True)
def _few_futures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested does not need many of them."""
    monkeypatch.setattr(forecast, "MOST_FUTURES", 6)


@pytest.fixture
def learner(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> Drill:
    """A learner whose data the command opens."""
    crowd(drill, ("cfg", "vae", "loop", "serving"), 4)
    drill.keep_profile(replace(drill.profile, done=True, minutes=10, interview="2026-12-03"))

    @contextmanager
    def opened() -> Iterator[Drill]:
        yield drill

    monkeypatch.setattr(command, "opened", opened)
    return drill


def run(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(command.plan, list(arguments))
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    return done


def document(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_the_document_is_the_outlook(learner: Drill) -> None:
    told = document()
    found = msgspec.convert(told, Outlook)
    assert (found.interview, found.days_left, found.minutes) == ("2026-12-03", 10, 10)
    assert {"item_id", "title", "topic", "reason", "why", "seconds", "gain"} <= set(
        told["today"][0]
    )
    assert {"topic", "title", "weight", "items", "seen", "now", "at_date", "low", "high"} <= set(
        told["topics"][0]
    )
    assert set(told["more"]) == {"minutes", "at_date", "low", "high"}
    assert {"answers", "right", "low", "high"} == set(told["practised"]) == set(told["reserve"])
    assert told["said"] and all(isinstance(line, str) for line in told["said"])


def test_the_page_fits_and_says_why(learner: Drill, clock: Clock) -> None:
    practise(learner, clock, 2, minutes=5)
    learner.keep_profile(replace(learner.profile, minutes=5))
    page = run().stdout
    assert max(len(line) for line in page.splitlines()) <= 80
    assert page.startswith("Interview in 8 days, 3 Dec, 5 minutes a day\n")
    assert "10 more minutes a day" in page
    assert page.count("\n  · What is drill:") == len(document()["today"]) > 3
    assert "→" in page and "All topics" in page and "Never asked before the interview" in page


def test_other_minutes_and_dates_are_only_shown(learner: Drill) -> None:
    before = learner.profile
    done = run("--date", "2026-12-06", "--minutes", "40")
    assert done.stdout.startswith("Interview in 13 days, 6 Dec, 40 minutes a day\n")
    assert "--save keeps it" in done.stderr and learner.profile == before
    told = document("--date", "8 days")
    assert told["days_left"] == 8 and told["minutes"] == 10 and learner.profile == before
    done = run("--date", "2026-12-06", "--minutes", "40", "--save")
    assert "--save" not in done.stderr
    assert (learner.profile.interview, learner.profile.minutes) == ("2026-12-06", 40)


def test_without_a_date_it_shows_plain_fsrs_and_today(learner: Drill) -> None:
    learner.keep_profile(replace(learner.profile, interview=""))
    page = run().stdout
    assert "No interview date is set: plain FSRS" in " ".join(page.split())
    assert "drill setup --date" in page and "\n  · What is drill:" in page
    assert document()["days_left"] is None


def test_an_empty_date_shows_the_plan_without_one(learner: Drill) -> None:
    done = run("--date", "")
    assert done.stdout.startswith("No interview date, 10 minutes a day\n")
    assert "--save keeps it" in done.stderr and learner.profile.interview == "2026-12-03"
    assert document("--date", "")["days_left"] is None
    assert document()["days_left"] == 10
    run("--date", "", "--save")
    assert learner.profile.interview == ""


@pytest.mark.parametrize(
    "arguments", [("--date", "2026-11-01"), ("--date", "soon"), ("--minutes", "3")], ids=str
)
def test_what_cannot_be_read_exits_2(learner: Drill, arguments: tuple[str, str]) -> None:
    before = learner.profile
    done = run(*arguments, "--save", code=2)
    assert not done.stdout and learner.profile == before


def test_progress_is_told_to_a_terminal_only(
    learner: Drill, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    assert not run().stderr
    learner.store.settings.delete("outlook")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    command._outlook(learner, replace(learner.profile, minutes=11))
    assert not capsys.readouterr().out


def test_due_is_unchanged(learner: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    from drill.cli import due

    @contextmanager
    def opened() -> Iterator[Drill]:
        yield learner

    monkeypatch.setattr(due, "opened", opened)
    told = json.loads(CliRunner().invoke(due.due, ["--json"]).stdout)
    assert set(told) >= {"due", "new", "topics"} and told["new"] == len(learner.bank.heads)
