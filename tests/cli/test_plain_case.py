"""A `diagnose` question line by line: a real child measures, and what was bought stays bought."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from drill.cli.plain import PlainSession
from drill.config import Config
from drill.domain.presentation import letter
from drill.domain.questions import DiagnoseBody
from drill.services.app import Drill
from drill.services.practice import practise
from drill.services.session import Session, resume
from tests.conftest import SAMPLE, Clock
from tests.worker.packs import make_stubs

ITEM = "sample:sc.sample-diagnose"


@pytest.fixture
def drill(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    monkeypatch.setenv("PYTHONPATH", str(make_stubs(tmp_path / "stubs")))
    opened = Drill(home=tmp_path / "home", packs=[SAMPLE], clock=clock, config=Config())
    opened._standings = dict.fromkeys(opened.bank.heads, "proven")
    with opened:
        yield opened


def told(drill: Drill, session: Session, *typed: str) -> str:
    """What a session says when these lines are typed, and then nothing more."""
    out = io.StringIO()
    PlainSession(drill, session, io.StringIO("\n".join([*typed, ""])), out).run()
    return out.getvalue()


def right(session: Session) -> str:
    assert session.asked is not None and isinstance(session.asked.question.body, DiagnoseBody)
    causes = session.asked.question.body.causes
    return letter(next(n for n, cause in enumerate(causes) if cause.right))


def test_from_the_symptom_to_the_mend(drill: Drill) -> None:
    session = practise(drill, [ITEM])
    typed = ("probe", "probe first-stp", "probe first-step", "probe first-step", ":hint")
    said = told(drill, session, *typed, right(session), "3", "")
    order = [
        "first-step   2 min  The first step alone", "What is the cause?", "The symptom:",
        "The walk went from 1.00 to 2.57", "[live · cpu", "`probe NAME` buys", "Spent 0 min",
        "There is no probe `first-stp`", "The first step went by +0.125", "[red]<- look[/red]",
        "Spent 2 min; par is 3", "Hint: Does it go up", "Locked: cause=sign; probes=first-step",
        "Broken:", "Mended:", "to 0.34 in 8 steps", "RIGHT (100%)", "It is decided by `first-step`",
    ]  # fmt: skip
    at = -1
    for text in order:
        assert said.find(text, at + 1) > at, (text, said)
        at = said.find(text, at + 1)
    (stored,) = drill.store.answers()
    assert (stored.answer, stored.auto_score) == ("cause=sign; probes=first-step", 1.0)
    assert stored.hints == 1 and stored.run_id
    assert drill.store.runs.get(stored.run_id).outcomes == {"cause": "sign", "mended": True}
    assert [run.id for run in drill.store.runs.list("broken-walk")] == [stored.run_id]


def test_what_was_bought_is_shown_again_and_not_measured_again(drill: Drill) -> None:
    session = practise(drill, [ITEM])
    said = told(drill, session, "probe libraries")
    assert "Left; the session goes on" in said and "Spent 6 min" in said
    again = resume(drill, drill.store.sessions.get(session.id))
    runs = sorted(path.name for path in (drill.store.path.parent / "runs").iterdir())
    said = told(drill, again, "probe libraries")
    assert "Every library is as new" in said and "Spent 6 min; par is 3." in said
    assert sorted(path.name for path in (drill.store.path.parent / "runs").iterdir()) == runs
    last = resume(drill, drill.store.sessions.get(session.id))
    said = told(drill, last, right(last), "2", "")
    assert "PARTLY RIGHT (70%)" in said and "6 min were spent where par is 3" in said


def test_a_child_that_dies_costs_nothing(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKEN_WALK_DIES", "values")
    session = practise(drill, [ITEM])
    said = " ".join(told(drill, session, "probe values", "probe").split())
    assert "Nothing was measured: the experiment's process died" in said
    assert "It costs nothing." in said and said.count("Spent 0 min") == 1
    # The next probe has a child of its own again.
    monkeypatch.delenv("BROKEN_WALK_DIES")
    said = told(drill, resume(drill, drill.store.sessions.get(session.id)), "probe values")
    assert "Spent 1 min" in said
