"""The mock interview in the app, by keys: set-up, dialogue, timer, debrief, scorecard."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from drill.config import Config
from drill.config_judge import JudgeConfig
from drill.domain.interview.choosing import Settings
from drill.domain.interview.state import Interview
from drill.domain.questions import Question
from drill.services.app import Drill
from drill.services.mock import Mock, begin, resume, unfinished
from drill.services.mock_hold import InterviewHeldError, MockHold
from drill.services.mock_report import held
from drill.tui.app import DrillApp
from drill.tui.screens.home import HomeScreen
from drill.tui.screens.mock_debrief import DebriefScreen
from drill.tui.screens.mock_interview import MockScreen
from drill.tui.screens.mock_scorecard import ScorecardScreen
from drill.tui.screens.mock_setup import MockSetupScreen
from drill.tui.screens.mock_transcript import TranscriptScreen
from drill.tui.widgets.keys_line import KeysLine
from tests.conftest import Clock
from tests.services.reserve_pack import make_pack
from tests.tui.drive import settle, text_of

GUIDANCE, NOISE = "sample:sc.r-theory-guidance", "sample:sc.r-theory-noise"
TWO = "Guidance needs two predictions at each step."


class Timer:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
def drill(tmp_path: Path, clock: Clock) -> Iterator[Drill]:
    """The services over a pack with a small reserve, every item asked as if proven."""
    pack = make_pack(tmp_path / "pack")
    opened = Drill(home=tmp_path / "home", packs=[pack], clock=clock, config=Config())
    opened._standings = dict.fromkeys(opened.bank.heads, "proven")
    opened.keep_profile(replace(opened.profile, done=True, level="senior"))
    with opened:
        yield opened


def held_of(drill: Drill, timer: Timer, *items: str, mode: str = "real", minutes: int = 15) -> Mock:
    """An interview that asks these items in turn, each in a slot of two minutes."""
    from drill.domain.interview.choosing import Slot

    settings = Settings(minutes, "senior", 7, mode=mode)  # type: ignore[arg-type]
    slots = tuple(Slot("theory", (f"{item}",), 2.0) for item in items)
    plan = Interview(settings, slots)
    stored = drill.store.sessions.start(
        "mock", plan.to_json(), drill.store.today(), 7, float(minutes)
    )
    return Mock(drill, stored, timer)


async def opened(pilot: Pilot[int], app: DrillApp, mock: Mock) -> MockScreen:
    await settle(pilot, app)
    app.push_screen(MockScreen(mock))
    await settle(pilot, app)
    assert isinstance(app.screen, MockScreen)
    return app.screen


async def still(pilot: Pilot[int]) -> None:
    """As `settle`, without waiting for what goes on in the background."""
    for _ in range(5):
        await pilot.pause(0.02)


async def say(pilot: Pilot[int], app: DrillApp, text: str) -> None:
    """Type a text and submit it."""
    screen = app.screen
    assert isinstance(screen, MockScreen) and screen._pane is not None
    screen._pane.restore(text)
    await still(pilot)
    await pilot.press("ctrl+s")
    await (still(pilot) if app.drill.config.judge.on else settle(pilot, app))


def words(app: DrillApp) -> str:
    return " ".join(text_of(app).split())


def keys(app: DrillApp) -> list[str]:
    return [word for _, word, _ in KeysLine.keys(app.screen.query_one(KeysLine))]


# -- set-up --------------------------------------------------------------------------


async def test_setup_says_what_it_holds_and_lacks(drill: Drill) -> None:
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        await pilot.press("m")
        await settle(pilot, app)
        screen = app.screen
        assert isinstance(screen, MockSetupScreen)
        told = words(app)
        assert "[45]" in told and "[senior]" in told and "[real]" in told
        assert str(screen.settings.seed) in told
        assert "Warm-up 2 min" in told and "debrief 3 min" in told
        assert "in 3 stages" in told  # the estimate is a case
        assert "calibrated to no employer" in told
        await pilot.press("right", "down", "left", "down", "down", "right", "down", "n")
        await settle(pilot, app)
        assert screen.settings.minutes == 60 and screen.settings.level == "mid"
        assert screen.settings.mode == "study" and "feedback after each question" in words(app)
        await pilot.press(*["backspace"] * 6, "4", "2")
        await settle(pilot, app)
        assert screen.settings.seed == 42
        assert "Coding from blank 20 min" in words(app)
        await pilot.press("t", "m", "enter")  # only serving
        await settle(pilot, app)
        assert screen.settings.topics == ("serving",)
        assert "Coding from blank: the reserve has no question left on serving" in words(app)
        await pilot.press("up", "up", "up", "up", "left", "left", "left", "enter")
        await settle(pilot, app)
        assert screen.settings.minutes == 15
        assert app.screen is screen and "✗" in words(app)  # a serving reserve of cases only
        assert unfinished(drill) is None


async def test_the_app_opens_at_the_setup_with_what_was_asked_for(drill: Drill) -> None:
    app = DrillApp(drill, mock={"minutes": 15, "level": "staff", "seed": 5, "mode": "study"})
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        screen = app.screen
        assert isinstance(screen, MockSetupScreen)
        assert screen.settings == Settings(15, "staff", 5, mode="study")
        await pilot.press("enter")
        await settle(pilot, app)
        assert isinstance(app.screen, MockScreen)
        assert app.screen.mock.interview.settings == screen.settings
        assert "1 of 3 · 14:5" in words(app) or "1 of 3 · 15:00" in words(app)


async def test_an_interview_that_was_left_comes_first(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, GUIDANCE, NOISE)
    mock.start_clock()
    timer.now = 100.0
    mock.answer(TWO)
    mock.leave("and half of a rep")
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        assert "An interview was left in the middle: m goes on with it." in words(app)
        await pilot.press("m")
        await settle(pilot, app)
        assert "Go on: 13:20 of 15:00 left, 1 of 2 questions begun" in words(app)
        assert "[15]" not in words(app)  # no second one beside it
        await pilot.press("enter")
        await settle(pilot, app)
        screen = app.screen
        assert isinstance(screen, MockScreen) and screen._pane is not None
        assert screen._pane.answer() == "and half of a rep"
        assert TWO in words(app) and "They And the price?" in words(app)
        assert "13:20 left" in words(app) or "13:19 left" in words(app)


async def test_an_interview_that_is_open_elsewhere_waits_until_it_is_left(
    drill: Drill, timer: Timer, tmp_path: Path
) -> None:
    held_of(drill, timer, GUIDANCE)
    elsewhere = MockHold(tmp_path / "home")
    elsewhere.take()
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        await pilot.press("m")
        await settle(pilot, app)
        assert f"open in another drill (process {os.getpid()})" in words(app)
        assert "Go on:" not in words(app) and "Drop it" not in words(app)
        await pilot.press("enter")
        await settle(pilot, app)
        assert "Look again" in words(app) and isinstance(app.screen, MockSetupScreen)
        elsewhere.free()
        await pilot.press("enter")
        await settle(pilot, app)
        assert "Go on: 15:00 of 15:00 left" in words(app)
        with pytest.raises(InterviewHeldError):
            elsewhere.take()
        await pilot.press("escape")
        await settle(pilot, app)
        elsewhere.take()
        elsewhere.free()


async def test_what_was_left_can_be_ended_or_dropped(drill: Drill, timer: Timer) -> None:
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        mock = held_of(drill, timer, GUIDANCE, NOISE)
        mock.answer(TWO)
        await settle(pilot, app)
        await pilot.press("m")
        await settle(pilot, app)
        await pilot.press("down", "enter")
        await settle(pilot, app)
        assert isinstance(app.screen, DebriefScreen)
        await pilot.press("escape")
        await settle(pilot, app)
        assert "its debrief is left" in words(app)
        await pilot.press("enter", "enter")
        await settle(pilot, app)
        assert isinstance(app.screen, ScorecardScreen) and len(held(drill)) == 1
        held_of(drill, timer, NOISE)
        await pilot.press("escape")
        await settle(pilot, app)
        await pilot.press("down", "down", "enter")
        await settle(pilot, app)
        assert "without a scorecard?" in words(app)
        await pilot.press("b")
        await settle(pilot, app)
        assert unfinished(drill) is None and len(held(drill)) == 1
        assert isinstance(app.screen, MockSetupScreen) and "[45]" in words(app)


async def test_past_interviews_open_and_a_sibling_comes_after_a_week(
    drill: Drill, timer: Timer, clock: Clock
) -> None:
    from drill.services.mock_report import finish

    mock = held_of(drill, timer, GUIDANCE)
    mock.answer(TWO)
    finish(drill, mock)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        await pilot.press("m")
        await settle(pilot, app)
        assert "Former interviews" in words(app) and "senior 15 min" in words(app)
        assert "A week has passed" not in words(app)
        await pilot.press("G", *["down"] * 9, "enter")
        await settle(pilot, app)
        assert isinstance(app.screen, ScorecardScreen)
        await pilot.press("t")
        await settle(pilot, app)
        assert isinstance(app.screen, TranscriptScreen) and TWO in words(app)
        await pilot.press("escape", "escape", "escape")
        await settle(pilot, app)
        clock.forward(days=8)
        await pilot.press("m")
        await settle(pilot, app)
        assert "A week has passed Like that of" in words(app).replace("›", "")
        await pilot.press("up", *["up"] * 9, "enter")
        await settle(pilot, app)
        assert isinstance(app.screen, MockScreen)
        assert app.screen.mock.interview.settings.seed == 8


# -- the dialogue --------------------------------------------------------------------


async def test_probes_claims_and_what_the_interviewer_gives(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, GUIDANCE, NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app, mock)
        assert "Theory · senior interview" in words(app) and "1 of 2 · 15:00 left" in words(app)
        assert "I said that" not in " ".join(keys(app))
        await pilot.press("=")  # nothing was probed: an ordinary sign
        await settle(pilot, app)
        assert screen._typed == "="
        await say(pilot, app, TWO)
        assert f"You {TWO} They And the price?" in words(app)
        assert "I said that (or =)" in keys(app)
        await pilot.press("a", "=")
        await settle(pilot, app)
        assert screen._typed == "a=" and "I said that" in keys(app)
        assert [turn.kind for turn in mock.interview.records[0].turns] == ["answer"]
        await pilot.press("backspace", "backspace", "=")
        await settle(pilot, app)
        first = mock.interview.records[0]
        assert [turn.kind for turn in first.turns] == ["answer", "claim"]
        # The point for staff is not probed at the senior bar: on to the next question.
        assert "2 of 2" in words(app) and "Why may a sampler be swapped" in words(app)
        await say(pilot, app, "It is a matter of taste.")
        assert "What is left alone?" in words(app)
        await say(pilot, app, "The tokenizer.")
        assert "Which network is meant?" in words(app)
        await pilot.press("f3")
        await settle(pilot, app)
        assert "What I was after: The denoiser stays the same" in words(app)
        assert "They What are they then?" in words(app)
        await pilot.press("x", "f4")  # a chord works with something typed
        await settle(pilot, app)
        kinds = [turn.kind for turn in mock.interview.records[1].turns]
        assert kinds == ["answer", "reply", "pass", "claim"]
        assert isinstance(app.screen, DebriefScreen)


async def test_a_belief_is_probed_and_cannot_be_claimed(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, GUIDANCE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app, mock)
        await say(pilot, app, f"{TWO} So the schedule gets longer.")
        assert "They Which of the two is it that gets longer?" in words(app)
        assert not any("I said that" in word for word in keys(app))
        await pilot.press("=")
        await settle(pilot, app)
        assert screen._typed == "=" and len(mock.interview.records[0].turns) == 1


async def test_a_question_is_passed_only_by_pressing_twice(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, GUIDANCE, NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        await pilot.press("f3")
        await settle(pilot, app)
        assert "The same key again leaves the question" in words(app)
        await pilot.press("x", "f3")
        await settle(pilot, app)
        assert not mock.interview.records[0].turns  # typing takes the first press back
        await pilot.press("f3")
        await settle(pilot, app)
        assert mock.interview.records[0].turns[0].kind == "pass"
        assert "2 of 2" in words(app)


async def test_a_case_shows_its_scenario_and_its_stage(drill: Drill) -> None:
    mock = begin(drill, Settings(45, "senior", 3, topics=("serving",)))
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        for stage in (1, 2, 3):
            assert f"stage {stage} of 3" in words(app)
            assert "A service makes 1,000 pictures an hour" in words(app)
            if stage == 2:
                assert "Take 1 s a picture from now on." in words(app)
            if stage < 3:
                await pilot.press("1", "enter")
                await settle(pilot, app)


async def test_chosen_answers_stand_only_after_enter(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, "sample:sc.r-warm-choice", "sample:sc.r-read-mutant")
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app, mock)
        await pilot.press("a")
        await settle(pilot, app)
        assert not mock.interview.records[0].turns and "submits this answer" in words(app)
        await pilot.press("escape", "b", "enter")
        await settle(pilot, app)
        assert mock.interview.records[0].turns[0].text == "b"
        await pilot.press("down", "down", "enter", "a", "enter")
        await settle(pilot, app)
        assert mock.interview.records[1].turns[0].text == "3; a"
        assert screen is not app.screen


@pytest.mark.parametrize("mode", ["real", "study"])
async def test_only_study_mode_tells_anything(drill: Drill, timer: Timer, mode: str) -> None:
    number = "sample:sc.r-warm-number"
    mock = held_of(drill, timer, number, GUIDANCE, mode=mode)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        assert ("hint 1 of 1" in keys(app)) == (mode == "study")
        await pilot.press("f2")
        await settle(pilot, app)
        assert ("Hint 1 of 1" in words(app)) == (mode == "study")
        await pilot.press("2", "0", "enter")
        await settle(pilot, app)
        told = words(app)
        if mode == "real":
            assert isinstance(app.screen, MockScreen)
            for mark in ("✓", "✗", "Wrong", "Right", "Each step asks twice"):
                assert mark not in told
        else:
            assert isinstance(app.screen, DebriefScreen) and "✗ Wrong" in told
            assert "Right answer 40" in told
            timer.now += 300  # reading does not count
            await pilot.press("enter")
            await settle(pilot, app)
            assert isinstance(app.screen, MockScreen) and "15:00 left" in words(app)
            assert mock.interview.records[0].hints == 1


# -- time ----------------------------------------------------------------------------


async def tick(pilot: Pilot[int], app: DrillApp) -> None:
    screen = app.screen
    assert isinstance(screen, MockScreen)
    await screen._tick()
    await settle(pilot, app)


async def test_the_timer_says_what_is_left(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, GUIDANCE, NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        for now, header, line in (
            (30, "14:30 left", "2 min planned for this question"),
            (90, "13:30 left", "0:30 left of the 2 min planned for this question"),
            (150, "12:30 left", "0:30 over the 2 min planned for this question"),
            (15 * 60 - 180 - 100, "4:40 left", "The debrief begins in 1:40."),
        ):
            timer.now = float(now)
            await tick(pilot, app)
            assert header in words(app) and line in words(app), words(app)


async def test_when_time_is_up_the_answer_is_taken_as_it_stands(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, GUIDANCE, NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app, mock)
        assert screen._pane is not None
        screen._pane.restore("Guidance needs two predictions and then")
        await settle(pilot, app)
        timer.now = 15 * 60 - 180
        await tick(pilot, app)
        assert isinstance(app.screen, DebriefScreen)
        assert "Time was up" in words(app) and "Guidance needs two predictions" in words(app)
        (turn,) = mock.interview.records[0].turns
        assert turn.kind == "cut" and turn.judged is not None
        assert turn.judged.points["two"] == "credited"


async def test_time_that_is_up_under_a_window_waits_for_it(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, GUIDANCE, NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app, mock)
        await pilot.press("escape")
        await settle(pilot, app)
        assert "Leave the interview?" in words(app)
        timer.now = 15 * 60.0
        await screen._tick()
        await settle(pilot, app)
        assert "Leave the interview?" in words(app)
        await pilot.press("a")
        await settle(pilot, app)
        assert isinstance(app.screen, DebriefScreen | ScorecardScreen)
        assert len(app.screen_stack) == 2


async def test_leaving_keeps_the_words_and_the_time(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, GUIDANCE, NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        timer.now = 61.0
        await pilot.press(*"half typed", "escape")
        await settle(pilot, app)
        assert "it waits with 13:59 left" in words(app)
        await pilot.press("b")
        await settle(pilot, app)
        assert isinstance(app.screen, HomeScreen)
    timer.now += 1000  # closed
    stored = unfinished(drill)
    assert stored is not None
    again = resume(drill, stored, timer)
    assert again.view.draft == "half typed" and again.interview.seconds == pytest.approx(61.0)


async def test_quitting_the_app_keeps_the_last_second(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, GUIDANCE, NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        timer.now = 5.0
        await pilot.press(*"so", "ctrl+q")
        await pilot.pause()
    stored = unfinished(drill)
    assert stored is not None
    again = resume(drill, stored, timer)
    assert again.view.draft == "so" and again.interview.seconds == pytest.approx(5.0)


async def test_the_questions_can_be_ended_early(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, GUIDANCE, NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        await pilot.press("f9", "c")
        await settle(pilot, app)
        assert isinstance(app.screen, ScorecardScreen)  # nothing was said
        assert "too little was asked for a band" in words(app)


# -- what runs -----------------------------------------------------------------------


async def test_a_prediction_runs_off_the_clock(
    drill: Drill, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from drill.services.labs import RunRecord
    from drill.tui.screens.run import RunScreen

    monkeypatch.setattr(RunScreen, "_run", lambda self: None)  # what runs is tested elsewhere
    from drill.services import labs_packages

    ready = labs_packages.LabsPackages("ready")
    monkeypatch.setattr(labs_packages, "standing", lambda: ready)
    mock = held_of(drill, timer, "sample:sc.r-run-1", NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        timer.now = 10.0
        await pilot.press("c", "enter")
        await settle(pilot, app)
        assert isinstance(app.screen, RunScreen) and "You predicted" in words(app)
        assert mock.phase == "locked"
        timer.now = 500.0
        app.screen.dismiss(RunRecord("run-1", {"best_steps": 20}, None))  # type: ignore[arg-type]
        await settle(pilot, app)
        assert isinstance(app.screen, MockScreen) and "2 of 2" in words(app)
        (turn,) = mock.interview.records[0].turns
        assert turn.judged is not None and turn.judged.score == 1.0
        assert mock.interview.seconds == pytest.approx(10.0)


async def test_a_run_that_gives_nothing_can_be_left_unscored(
    drill: Drill, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from drill.services import labs_packages
    from drill.tui.screens.run import RunScreen

    monkeypatch.setattr(RunScreen, "_run", lambda self: None)
    ready = labs_packages.LabsPackages("ready")
    monkeypatch.setattr(labs_packages, "standing", lambda: ready)
    mock = held_of(drill, timer, "sample:sc.r-run-1", NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        await pilot.press("c", "enter")
        await settle(pilot, app)
        app.screen.dismiss(None)
        await settle(pilot, app)
        assert "gave no result" in words(app)
        await pilot.press("b")
        await settle(pilot, app)
        assert "2 of 2" in words(app) and mock.interview.records[0].turns[0].kind == "cut"


async def test_code_is_tested_off_the_clock_and_the_starter_is_no_answer(
    drill: Drill, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def judge(*_: Any) -> dict[str, object]:
        asked.wait(10)
        return {"passed": 1, "total": 1, "failures": []}

    monkeypatch.setattr("drill.services.code_judge.judge", judge)
    mock = held_of(drill, timer, "sample:sc.r-code", NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app, mock)
        assert screen._pane is not None
        await pilot.press("end", "x", "backspace")
        await settle(pilot, app)
        assert "def x0_from_eps" in screen._pane.answer() and screen._typed == ""
        await pilot.press("enter", *"return 1")
        await settle(pilot, app)
        timer.now = 10.0
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "Running the property tests" in words(app)
        timer.now = 300.0
        asked.set()
        await settle(pilot, app)
        assert "2 of 2" in words(app)
        assert mock.interview.seconds == pytest.approx(10.0)
        (turn,) = mock.interview.records[0].turns
        assert turn.judged is not None and turn.judged.score == 1.0


async def test_a_diagnosis_is_not_mended_before_the_end(
    drill: Drill, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from drill.services import diagnosing

    looked = asyncio.Event()

    async def never(*_: Any, **__: Any) -> None:
        looked.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(diagnosing, "look_at", never)
    mock = held_of(drill, timer, "sample:sc.r-diagnose", NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        screen = MockScreen(mock)
        app.push_screen(screen)
        await looked.wait()
        await screen._tick()
        timer.now = 120.0  # nothing to think about yet: the broken thing runs
        await screen._tick()
        assert screen.looking and mock.interview.seconds == pytest.approx(0.0)
        await pilot.press("tab", "a", "enter")
        await still(pilot)
        assert isinstance(app.screen, MockScreen) and "2 of 2" in words(app)
        (turn,) = mock.interview.records[0].turns
        assert turn.text.startswith("cause=") and turn.judged is not None


# -- the outside judge ---------------------------------------------------------------


@pytest.fixture
def judge(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A judge that is asked until the event is set."""
    from drill.services.outside_judge import client
    from drill.services.outside_judge.config import JudgeError

    drill.config = replace(drill.config, judge=JudgeConfig("http://localhost:1/v1", "m"))
    goes_on = threading.Event()

    def run(self: client.Call) -> bytes:
        while not goes_on.wait(0.02) and not self._over.is_set():
            pass
        if self._over.is_set():
            raise JudgeError("it was cancelled")
        said = (
            '{"points": {"cost": {"said": true, "quote": "you pay for two calls of the network"}}}'
        )
        return (
            b'{"choices": [{"message": {"content": "' + said.replace('"', '\\"').encode() + b'"}}]}'
        )

    monkeypatch.setattr(client.Call, "run", run)
    yield goes_on
    goes_on.set()


JUDGED = f"{TWO} And you pay for two calls of the network."


async def test_the_judge_never_blocks_and_the_clock_stands_still(
    drill: Drill, timer: Timer, judge: threading.Event
) -> None:
    mock = held_of(drill, timer, GUIDANCE, NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        timer.now = 10.0
        await say(pilot, app, JUDGED)
        assert "The outside judge reads your answer" in words(app)
        await pilot.press("f1")  # the app goes on
        await still(pilot)
        assert not isinstance(app.screen, MockScreen)
        await pilot.press("escape")
        timer.now = 99.0
        judge.set()
        await settle(pilot, app)
        (turn,) = mock.interview.records[0].turns
        assert turn.judged is not None and turn.judged.points["cost"] == "credited"
        assert turn.by and mock.interview.seconds == pytest.approx(10.0)


async def test_the_judge_can_be_done_without(
    drill: Drill, timer: Timer, judge: threading.Event
) -> None:
    mock = held_of(drill, timer, GUIDANCE, NOISE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        await say(pilot, app, JUDGED)
        await pilot.press("escape")
        await settle(pilot, app)
        (turn,) = mock.interview.records[0].turns
        assert turn.judged is not None and turn.judged.points["cost"] != "credited"
        assert "They And the price?" in words(app)
        assert app.screen.query_one("#answer AnswerPane").disabled is False


async def test_the_setup_says_what_leaves_the_machine(drill: Drill, judge: threading.Event) -> None:
    app = DrillApp(drill, mock={})
    async with app.run_test(size=(80, 40)) as pilot:
        await settle(pilot, app)
        assert "An outside judge is configured." in words(app)


# -- debrief and scorecard -----------------------------------------------------------


async def test_ticks_widen_the_interval_and_the_card_shows_it(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, "sample:sc.r-warm-number", GUIDANCE)
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        await pilot.press("4", "0", "enter")
        await settle(pilot, app)
        await say(pilot, app, TWO)
        await pilot.press("=")
        await settle(pilot, app)
        assert isinstance(app.screen, DebriefScreen)
        assert "✓ Right" in words(app) and "tick" not in keys(app)
        await pilot.press("enter")
        await settle(pilot, app)
        told = words(app)
        assert "›[✓] Guidance needs two predictions at each step. mid; said" in told
        assert f"“{TWO[:-1]}" in told
        assert "[?] The evaluations of the network double. senior; you said that you had" in told
        await pilot.press("down", "space")
        await settle(pilot, app)
        assert "›[✓] The evaluations of the network double. senior; you say so" in words(app)
        claimed = mock.interview.records[1].ticks
        await pilot.press("down", "space")
        await settle(pilot, app)
        assert "›[✓] Both halves go through the network in one batch. staff; you say so" in words(
            app
        )
        await pilot.press("space", "p")
        await settle(pilot, app)
        assert mock.interview.records[1].ticks == claimed and "1 of 2" in words(app)
        await pilot.press("enter", "enter")
        await settle(pilot, app)
        screen = app.screen
        assert isinstance(screen, ScorecardScreen)
        told = words(app)
        axis = held(drill)[0].summary["scorecard"]["bars"]["senior"]["axes"]["tradeoff"]
        assert axis["low"] < axis["high"]
        assert f"{axis['low']:.1f} to {axis['high']:.1f}" in told
        assert "senior bar:" in told and "mid" in told and "staff" in told
        everything = told
        for _ in range(6):
            await pilot.press("pagedown")
            await settle(pilot, app)
            everything += words(app)
        assert "counted, not scored" in everything
        assert "And for the next level · Both halves" in everything
        assert "Mechanism, in your words" in everything
        assert "Due tomorrow: 1 question" in everything
        assert f"drill mock show {mock.id[:8]}" in everything
        await pilot.press("t")
        await settle(pilot, app)
        assert isinstance(app.screen, TranscriptScreen)
        await pilot.press("n")
        await settle(pilot, app)
        assert "I said that." in words(app)
        await pilot.press("escape", "escape")
        await settle(pilot, app)
        assert isinstance(app.screen, HomeScreen)


async def test_what_is_asked_is_seen_before_what_is_known(
    drill: Drill, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = drill.bank.question

    def longer(item_id: str, seed: int) -> Question:
        known = " ".join(f"Known {n}." for n in range(250))
        return replace(original(item_id, seed), scenario=known)

    monkeypatch.setattr(drill.bank, "question", longer)
    mock = begin(drill, Settings(45, "senior", 3, topics=("serving",)))
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        assert "Known 0." in words(app)  # read from its beginning where it is new
        await pilot.press("1", "enter")
        await settle(pilot, app)
        assert "Take 1 s a picture from now on." in words(app) and "more" in keys(app)
        await pilot.press("1", "enter")
        await settle(pilot, app)
        assert "What would you measure to check" in words(app)
        await say(pilot, app, "I cannot say.")
        assert "What does a user notice?" in words(app)


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 36)], ids=str)
async def test_every_screen_fits(drill: Drill, timer: Timer, size: tuple[int, int]) -> None:
    mock = held_of(drill, timer, "sample:sc.r-warm-choices", GUIDANCE, "sample:sc.r-read-line")
    app = DrillApp(drill)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot, app, mock)
        assert "Which of these does a scheduler hold?" in words(app)
        await pilot.press("a", "enter", "enter")
        await settle(pilot, app)
        long = "It is what I would say about it. " * 12
        await say(pilot, app, long)
        # The open probe is seen whatever was said before it, and so is where it is answered.
        assert "What goes into it?" in words(app)
        assert screen.query("#answer Editor").first().size.height >= 3
        await pilot.press("f3", "f3", "f3")
        await settle(pilot, app)
        assert "Which line computes" in words(app)
        await pilot.press("enter", "enter")
        await settle(pilot, app)
        assert isinstance(app.screen, DebriefScreen)
        await pilot.press("enter", "enter", "enter")
        await settle(pilot, app)
        assert isinstance(app.screen, ScorecardScreen) and "senior bar" in words(app)


async def test_hostile_words_are_shown_as_they_are(drill: Drill, timer: Timer) -> None:
    mock = held_of(drill, timer, GUIDANCE)
    app = DrillApp(drill)
    text = "[bold]two predictions[/bold] \\[x] {y} [link=z]"
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app, mock)
        await say(pilot, app, text)
        assert text in words(app)
        await pilot.press("=")
        await settle(pilot, app)
        await pilot.press("enter", "t")
        await settle(pilot, app)
        assert isinstance(app.screen, TranscriptScreen) and text in words(app)
