"""A broken walk in the app, measured by a real child: bought, locked, mended, resumed."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from drill.config import Config
from drill.domain.presentation import letter
from drill.domain.questions import DiagnoseBody, Question
from drill.services import diagnosing
from drill.services.app import Drill
from drill.services.finding import SYMPTOM
from drill.services.practice import practise
from drill.services.recorded import folder_of, variant_of
from drill.services.session import Session, resume
from drill.tui.answers.bench import Bench
from drill.tui.answers.diagnose import DiagnosePane
from drill.tui.app import DrillApp
from drill.tui.screens.feedback import FeedbackScreen
from drill.tui.screens.home import HomeScreen
from drill.tui.screens.mend import MendScreen
from drill.tui.screens.session import SessionScreen
from drill.tui.widgets.picture import HalfBlocks
from tests.conftest import SAMPLE, Clock
from tests.tui.drive import text_of
from tests.worker.packs import make_stubs

ITEM = "sample:sc.sample-diagnose"


@pytest.fixture
def drill(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    monkeypatch.setenv("PYTHONPATH", str(make_stubs(tmp_path / "stubs")))
    pack = Path(shutil.copytree(SAMPLE, tmp_path / "pack"))
    opened = Drill(home=tmp_path / "home", packs=[pack], clock=clock, config=Config())
    opened._standings = dict.fromkeys(opened.bank.heads, "proven")
    opened.keep_profile(replace(opened.profile, done=True))
    with opened:
        yield opened


@pytest.fixture
def app(drill: Drill) -> DrillApp:
    return DrillApp(drill, practise(drill, [ITEM]))


async def settle(pilot: Pilot[int], app: DrillApp) -> None:
    """Let what was pressed have its effect, without waiting for what is being measured."""
    for _ in range(3):
        await pilot.pause()


async def until(pilot: Pilot[int], holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, text_of(pilot.app)  # type: ignore[arg-type]
        await pilot.pause(0.05)
    await pilot.pause()


def at(app: DrillApp) -> SessionScreen:
    assert isinstance(app.screen, SessionScreen)
    return app.screen


def pane(app: DrillApp) -> DiagnosePane:
    return at(app).query_one(DiagnosePane)


def bought(app: DrillApp) -> tuple[str, ...]:
    asked = at(app).session.asked
    assert asked is not None
    return asked.bought


async def symptom(pilot: Pilot[int], app: DrillApp) -> None:
    await until(pilot, lambda: "The walk went from 1.00 to 2.57" in text_of(app))


def right(session: Session) -> str:
    assert session.asked is not None and isinstance(session.asked.question.body, DiagnoseBody)
    causes = session.asked.question.body.causes
    return letter(next(n for n, cause in enumerate(causes) if cause.right))


async def test_by_keys_from_the_symptom_to_the_feedback(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        assert "does not come down" in text_of(app)
        # A warm child may be done by now.
        begun = ("The broken pipeline is running here", "The walk went from 1.00 to 2.57")
        assert any(words in text_of(app) for words in begun)
        assert "spent 0 of par 3 min · full credit" in text_of(app)
        await symptom(pilot, app)
        await until(pilot, lambda: at(app).query(HalfBlocks))
        shown = text_of(app)
        assert "live · cpu" in shown and "▀" in shown
        for probe in ("values", "first-step", "libraries"):
            assert probe in shown
        await pilot.press("down", "enter")
        await until(pilot, lambda: bought(app) == ("first-step",))
        await until(pilot, lambda: "x1 = 1.125  [red]<- look[/red]" in text_of(app))
        assert "spent 2 of par 3 min · full credit" in text_of(app)
        assert "✓ first-step" in text_of(app)
        # Enter on what was bought shows it again and costs nothing.
        await pilot.press("pageup", "enter")
        await settle(pilot, app)
        assert bought(app) == ("first-step",) and "[red]<- look[/red]" in text_of(app)
        session = at(app).session
        await pilot.press(right(session), "3")
        await until(pilot, lambda: isinstance(app.screen, MendScreen) and app.screen.over)
        await until(pilot, lambda: "0.34" in text_of(app))
        shown = text_of(app)
        assert "✓ The symptom is gone." in shown and "Broken" in shown and "Mended" in shown
        assert "2.57" in shown and drill.store.answers() == []
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FeedbackScreen))
        shown = text_of(app)
        marks = ["✓ Right", "Your answer", "Broken", "Mended", "The sign of", "Decided by"]
        places = [shown.index(mark) for mark in marks]
        assert places == sorted(places)
        (stored,) = drill.store.answers()
        assert (stored.answer, stored.auto_score) == ("cause=sign; probes=first-step", 1.0)
        assert drill.store.runs.get(stored.run_id).outcomes["mended"] is True
        await pilot.press("enter")
        await settle(pilot, app)


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 36), (200, 60)])
async def test_at_every_size_the_bill_and_both_lists_are_reached(
    app: DrillApp, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await symptom(pilot, app)
        tall = size[1] >= 30
        for part, keys in (("probes", ()), ("causes", ("tab",)), ("probes", ("tab",))):
            await pilot.press(*keys)
            await settle(pilot, app)
            shown = text_of(app)
            assert "spent 0 of par 3 min" in shown
            assert ("values" in shown) == (tall or part == "probes"), shown
            assert ("wrong sign" in shown) == (tall or part == "causes"), shown
            assert "How sure are you?" in shown or "Sure?" in shown
        # Past the end of one list begins the other.
        await pilot.press("down", "down", "down")
        await settle(pilot, app)
        assert pane(app).part == "causes" and pane(app).causes.has_focus
        await pilot.press("up")
        await settle(pilot, app)
        assert pane(app).part == "probes" and pane(app).probes.has_focus


async def test_a_resize_keeps_all_that_is_shown(app: DrillApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await symptom(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: bought(app) == ("values",))
        for width, height, place in ((120, 36, "side"), (80, 24, "code-slot")):
            await pilot.resize_terminal(width, height)
            await settle(pilot, app)
            bench = at(app).query_one(Bench)
            assert bench.parent is not None and bench.parent.id == place
            assert [view.finding.look for view in bench.query("FindingView")] == [  # type: ignore[attr-defined]
                SYMPTOM, "values",
            ]  # fmt: skip
            if place == "side":
                assert "Since the release" in text_of(app)


async def test_what_was_bought_survives_quitting(app: DrillApp, drill: Drill) -> None:
    session = app._first_session
    assert session is not None
    async with app.run_test(size=(80, 24)) as pilot:
        await symptom(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: bought(app) == ("values",))
        await pilot.press("tab", "down", "space")
        await settle(pilot, app)
    runs = sorted((drill.store.path.parent / "runs").iterdir())
    again = DrillApp(drill, resume(drill, drill.store.sessions.get(session.id)))
    async with again.run_test(size=(80, 24)) as pilot:
        await settle(pilot, again)
        assert bought(again) == ("values",) and pane(again).causes.marked == {1}
        assert "spent 1 of par 3 min" in text_of(again)
        await until(pilot, lambda: "The walk went from 1.00 to 2.57" in text_of(again))
        await until(pilot, lambda: at(again).query(HalfBlocks))
    assert sorted((drill.store.path.parent / "runs").iterdir()) == runs


async def test_a_lock_survives_quitting_and_the_mend_runs_then(app: DrillApp, drill: Drill) -> None:
    session = app._first_session
    assert session is not None
    async with app.run_test(size=(80, 24)) as pilot:
        await symptom(pilot, app)
        await pilot.press("a", "2")
        await until(pilot, lambda: isinstance(app.screen, MendScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
    again = resume(drill, drill.store.sessions.get(session.id))
    assert again.phase == "locked" and drill.store.answers() == []
    second = DrillApp(drill, again)
    async with second.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(second.screen, MendScreen) and second.screen.over)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(second.screen, FeedbackScreen))
    assert len(drill.store.answers()) == 1


async def test_a_child_that_dies_costs_nothing_and_says_so(
    app: DrillApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKEN_WALK_DIES", "values")
    async with app.run_test(size=(80, 24)) as pilot:
        await symptom(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: "✗ Free: the experiment's process died" in text_of(app))
        assert bought(app) == () and "spent 0 of par 3 min" in text_of(app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: bought(app) == ("first-step",))


async def test_keys_are_taken_while_a_probe_is_measured(
    app: DrillApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await symptom(pilot, app)
        original = diagnosing.look_at
        hold = asyncio.Event()

        async def slow(*args: object, **options: object) -> object:
            await hold.wait()
            return await original(*args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(diagnosing, "look_at", slow)
        await pilot.press("enter", "enter", "down", "enter")
        await settle(pilot, app)
        assert "measuring… starting" in text_of(app)
        await pilot.press("f2")
        await settle(pilot, app)
        assert "Hint 1 of 2" in text_of(app)
        hold.set()
        await until(pilot, lambda: bought(app) == ("values", "first-step"))
        assert "spent 3 of par 3 min" in text_of(app)


async def test_a_question_that_is_left_stops_what_is_measured(
    app: DrillApp, drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await symptom(pilot, app)
        hold = asyncio.Event()

        async def never(*args: object, **options: object) -> object:
            await hold.wait()
            raise AssertionError("it was stopped")

        monkeypatch.setattr(diagnosing, "look_at", never)
        await pilot.press("enter")
        await settle(pilot, app)
        assert [w for w in app.workers if w.group == "look" and not w.is_finished]
        monkeypatch.undo()
        await pilot.press("a", "1")
        await until(pilot, lambda: isinstance(app.screen, MendScreen) and app.screen.over)
        assert not [w for w in app.workers if w.group == "look" and not w.is_finished]


async def test_without_the_packages_recordings_are_shown_as_such(
    drill: Drill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from drill.services.recorded import main

    root = drill.bank.roots["sample"]
    made = ["broken-walk", "--asked", "--pack", str(root), "--device", "cpu"]
    assert await asyncio.to_thread(main, made) == 0
    params = {"case": "sign", "look": "values"}
    stem = f"broken-walk@{variant_of(params)}"
    (folder_of(root, "broken-walk", params) / f"{stem}.json").unlink()
    monkeypatch.setattr(diagnosing, "can_run", lambda drill: False)
    app = DrillApp(drill, practise(drill, [ITEM]))
    async with app.run_test(size=(80, 24)) as pilot:
        await symptom(pilot, app)
        assert "not live" in text_of(app) and "it cannot run here" in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: "✗ Free: it cannot run here" in text_of(app))
        await pilot.press("a", "3")
        await until(pilot, lambda: isinstance(app.screen, MendScreen) and app.screen.over)
        await until(pilot, lambda: "The symptom is gone in the run recorded on" in text_of(app))


async def test_where_nothing_can_be_shown_the_question_can_be_put_off(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosing, "can_run", lambda drill: False)
    app = DrillApp(drill, practise(drill, [ITEM, "sample:sc.sample-number"]))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "✗ The symptom cannot be shown" in text_of(app))
        await pilot.press("r")
        await until(pilot, lambda: "✗ The symptom cannot be shown" in text_of(app))
        await pilot.press("f3")
        await settle(pilot, app)
        assert not at(app).query(Bench) and at(app).query_one("#prompt").display
        assert "spent" not in text_of(app)


async def test_hostile_texts_stay_texts(drill: Drill) -> None:
    original = drill.bank.question
    odd = "[/red] [bold]list[int][/ `x[0]`"

    def hostile(item_id: str, seed: int) -> Question:
        question = original(item_id, seed)
        body = question.body
        assert isinstance(body, DiagnoseBody)
        probes = tuple(replace(probe, label=odd) for probe in body.probes)
        causes = tuple(replace(cause, text=f"{odd} {cause.id}", says=odd) for cause in body.causes)
        return replace(question, prompt=odd, body=replace(body, probes=probes, causes=causes))

    drill.bank.question = hostile  # type: ignore[method-assign]
    app = DrillApp(drill, practise(drill, [ITEM]))
    shown = "[/red] [bold]list[int][/ x[0]"
    async with app.run_test(size=(80, 24)) as pilot:
        await symptom(pilot, app)
        assert text_of(app).count("[/red] [bold]list[int]") == 4
        await pilot.press("enter")
        await until(pilot, lambda: bought(app) == ("values",))
        await pilot.press("tab")
        await settle(pilot, app)
        assert f"{shown} sign" in text_of(app)
        await pilot.press("a", "3")
        await until(pilot, lambda: isinstance(app.screen, MendScreen) and app.screen.over)
        assert shown in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FeedbackScreen))
        assert shown in text_of(app)
