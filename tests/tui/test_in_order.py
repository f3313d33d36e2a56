"""Keys that come faster than the app handles them take effect in the order of their pressing."""

from __future__ import annotations

import asyncio

from textual import events
from textual.pilot import Pilot

from drill.services.app import Drill
from drill.tui.app import DrillApp
from drill.tui.screens.feedback import FeedbackScreen
from drill.tui.screens.session import SessionScreen
from drill.tui.screens.summary import SummaryScreen
from tests.services.keys import right_answer
from tests.tui.drive import into_session, settle, skip_to

CHARACTERS = {"enter": "\r", "ctrl+u": "\x15", "ctrl+s": "\x13"}


async def burst(pilot: Pilot[int], app: DrillApp, *keys: str) -> None:
    """Send keys all at once, as a slow line delivers them, and wait until nothing moves."""
    assert app._driver is not None
    for key in keys:
        character = CHARACTERS.get(key, key if len(key) == 1 else None)
        app._driver.send_message(events.Key(key, character))
    await asyncio.sleep(0)
    await settle(pilot, app)
    while app._typing is not None:
        await settle(pilot, app)
    await settle(pilot, app)


async def test_text_does_not_overtake_what_is_bound(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, "number")
        asked = screen.session.asked
        assert asked is not None
        right = right_answer(asked.question)
        await burst(pilot, app, *"987", "ctrl+u", *right, "enter", "2")
        assert isinstance(app.screen, FeedbackScreen)
        (stored,) = drill.store.answers()
        assert (stored.answer, stored.confidence, stored.auto_score) == (right, 2, 1.0)


async def test_a_paste_keeps_its_place_among_keys(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await into_session(pilot, app)
        await skip_to(pilot, app, "explain")
        assert app._driver is not None
        app._driver.send_message(events.Key("a", "a"))
        app._driver.send_message(events.Paste("b c"))
        await burst(pilot, app, "d", "ctrl+s", "1")
        (stored,) = drill.store.answers()
        assert (stored.answer, stored.confidence) == ("ab cd", 1)


async def test_a_key_pressed_twice_neither_overrules_nor_goes_on(
    app: DrillApp, drill: Drill
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await into_session(pilot, app)
        await skip_to(pilot, app, "number")
        await burst(pilot, app, "1", "enter", "3", "3", "enter", "enter")
        assert isinstance(app.screen, FeedbackScreen)
        (stored,) = drill.store.answers()
        assert not stored.overruled and stored.grade == stored.auto_grade


async def test_nobody_answers_a_question_that_is_not_there_yet(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, "number")
        await burst(pilot, app, "1", "enter", "2")
        await burst(pilot, app, "enter", "a", "enter", "1", "1")
        assert isinstance(app.screen, SessionScreen) and screen._pane is not None
        assert screen._pane.answer() == "" and len(drill.store.answers()) == 1


async def test_the_summary_is_not_skipped_unseen(app: DrillApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_session(pilot, app)
        while screen.session.asked is not None:
            screen.session.suspend()
        screen.call_next(screen.show_current)
        await burst(pilot, app, "enter", "enter")
        assert isinstance(app.screen, SummaryScreen)
