"""What the eye finds: the prompt from its start, the keys that work, the experiment, the hints."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from drill.domain.questions import Question
from drill.services.app import Drill
from drill.tui.app import DrillApp
from drill.tui.screens.feedback import FeedbackScreen
from drill.tui.screens.home import HomeScreen
from drill.tui.screens.summary import SummaryScreen
from drill.tui.widgets.code_view import CodeView
from drill.tui.widgets.keys_line import MOST_KEYS, KeysLine
from tests.services.keys import wrong_answer
from tests.tui.drive import into_session, settle, skip_to, text_of
from tests.tui.test_answers import TYPES, give

SIZES = [
    pytest.param((60, 18), marks=pytest.mark.slow),
    (80, 24),
    (120, 36),
]


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_question_is_read_from_its_start(app: DrillApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        screen = await into_session(pilot, app)
        for kind in TYPES:
            await skip_to(pilot, app, kind)
            asked = screen.session.asked
            assert asked is not None
            beginning = asked.question.prompt.replace("`", "").split()[:4]
            told = text_of(app)
            assert " ".join(beginning) in " ".join(told.split()), kind
            assert "guess" in told and "f3 skip" in told.splitlines()[-1], kind
            if kind not in ("choices", "predict"):
                assert screen.query("Editor, Input, Options, Steps, CodeView").first().size.height


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_line_under_the_cursor_is_seen(app: DrillApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        screen = await into_session(pilot, app)
        for kind in ("line", "mutant"):
            await skip_to(pilot, app, kind)
            view = screen.query_one(CodeView)
            for _ in view.code.text.splitlines():
                await pilot.press("down")
                await settle(pilot, app)
                (marked,) = [row for row in text_of(app).splitlines() if "│" in row and "›" in row]
                assert f"{view.cursor} " in marked


async def test_the_footer_tells_the_keys_that_work(app: DrillApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        screen = await into_session(pilot, app)
        for kind in TYPES:
            await skip_to(pilot, app, kind)
            asked = screen.session.asked
            assert asked is not None
            keys = screen.query_one(KeysLine).keys()
            words = [word for _, word, _ in keys]
            assert 1 <= len(keys) <= MOST_KEYS
            assert ("say aloud" in words) == (kind == "explain")
            assert ("code" in words) == (asked.question.code is not None)


async def test_the_footer_counts_the_hints(app: DrillApp, drill: Drill) -> None:
    original = drill.bank.question

    def hinted(item_id: str, seed: int) -> Question:
        question = original(item_id, seed)
        hints = ("Look at the sign.", "It is negative.") if question.head.type == "line" else ()
        return replace(question, hints=hints)

    drill.bank.question = hinted  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, "number")
        keys = screen.query_one(KeysLine)
        assert "f2" not in [key for key, _, _ in KeysLine.keys(keys)]
        await skip_to(pilot, app, "line")
        for shown, (word, works) in enumerate(
            [("hint 1 of 2", True), ("hint 2 of 2", True), ("hint 2 of 2", False)]
        ):
            assert ("f2", word, works) in KeysLine.keys(keys)
            told = text_of(app)
            assert ("Hint 1 of 2: Look at the sign." in told) == (shown > 0)
            assert ("Hint 2 of 2: It is negative." in told) == (shown > 1)
            await pilot.press("f2")
            await settle(pilot, app)


async def test_the_feedback_offers_the_experiment(app: DrillApp, drill: Drill) -> None:
    linked = {
        drill.bank.heads[i].type: drill.bank.question(i, 0).experiment is not None
        for i in drill.bank.heads
        if drill.bank.heads[i].type in ("explain", "short", "order")
    }
    async with app.run_test(size=(120, 60)) as pilot:
        screen = await into_session(pilot, app)
        for kind in linked:
            await skip_to(pilot, app, kind)
            asked = screen.session.asked
            assert asked is not None
            link = asked.question.experiment
            screen.session.submit(wrong_answer(asked.question), 3)
            screen._show_feedback()
            await settle(pilot, app)
            assert isinstance(app.screen, FeedbackScreen)
            keys = app.screen.query_one(KeysLine).keys()
            assert ("experiment" in [word for _, word, _ in keys]) == (link is not None)
            assert link is None or f"e runs {link.name}" in text_of(app)
            await pilot.press("enter")
            await settle(pilot, app)


async def test_digits_submit_what_was_chosen(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await into_session(pilot, app)
        await skip_to(pilot, app, "choices")
        await pilot.press("2")
        await settle(pilot, app)
        assert drill.store.answers() == []
        await pilot.press("a", "2")
        await settle(pilot, app)
        assert isinstance(app.screen, FeedbackScreen)
        assert [a.confidence for a in drill.store.answers()] == [2]


async def test_opened_in_a_session_it_ends_at_home(drill: Drill) -> None:
    import msgspec

    drill.keep_profile(msgspec.structs.replace(drill.profile, done=True, minutes=200))
    app = DrillApp(drill, drill.start_session(limit=1))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        await pilot.press("f5")
        await settle(pilot, app)
        assert isinstance(app.screen, SummaryScreen)
        await pilot.press("enter")
        await settle(pilot, app)
        assert isinstance(app.screen, HomeScreen)
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, "number")
        asked = screen.session.asked
        assert asked is not None
        await give(pilot, app, asked.question)
        await pilot.press("escape", "escape")
        await settle(pilot, app)
        assert isinstance(app.screen, HomeScreen)
