"""The session screen beside the answer itself: reading on, stepping back, what is said."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from drill.domain.presentation import letter
from drill.domain.questions import ExperimentLink, OrderBody, Question
from drill.services.app import Drill
from drill.tui.app import DrillApp
from drill.tui.screens.browse import BrowseScreen
from drill.tui.screens.feedback import FeedbackScreen
from drill.tui.screens.home import HomeScreen
from drill.tui.screens.session import SessionScreen
from drill.tui.widgets.code_view import CodeView
from drill.tui.widgets.keys_line import KeysLine
from tests.services.keys import wrong_answer
from tests.tui.drive import into_session, settle, skip_to, text_of


def words_of(app: DrillApp) -> list[str]:
    return [word for _, word, _ in KeysLine.keys(app.screen.query_one(KeysLine))]


@pytest.mark.parametrize("kind", ["number", "explain", "choices"])
async def test_a_long_question_is_read_on_with_the_keyboard(
    app: DrillApp, drill: Drill, kind: str
) -> None:
    original = drill.bank.question

    def longer(item_id: str, seed: int) -> Question:
        rows = [f"Row {number}." for number in range(40)]
        return replace(original(item_id, seed), prompt="\n\n".join(rows), code=None)

    drill.bank.question = longer  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        await into_session(pilot, app)
        await skip_to(pilot, app, kind)
        assert "Row 0." in text_of(app) and "more" in words_of(app)
        seen = {row for row in range(40) if f"Row {row}." in text_of(app)}
        for _ in range(20):
            await pilot.press("pagedown")
            await settle(pilot, app)
            seen |= {row for row in range(40) if f"Row {row}." in text_of(app)}
        assert seen == set(range(40))
        for _ in range(20):
            await pilot.press("pageup")
        await settle(pilot, app)
        assert "Row 0." in text_of(app)


async def test_a_short_question_needs_no_key_to_read_on(app: DrillApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await into_session(pilot, app)
        await skip_to(pilot, app, "number")
        assert "more" not in words_of(app)


async def test_the_code_moves_with_the_width_as_it_stands(app: DrillApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, "line")
        await pilot.press("down", "space", "down")
        for width, height, place in ((80, 24, "code-slot"), (120, 36, "side")):
            await pilot.resize_terminal(width, height)
            await settle(pilot, app)
            view = screen.query_one(CodeView)
            assert view.parent is not None and view.parent.id == place
            assert (view.cursor, view.marked, view.has_focus) == (3, {2}, True)
            assert "●2" in text_of(app).replace(" ", "")


async def test_escape_steps_back_through_a_mutant(app: DrillApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, "mutant")
        await pilot.press("enter", "a")
        await settle(pilot, app)
        assert screen.focused is screen.query_one("#sure")
        await pilot.press("escape")
        await settle(pilot, app)
        assert isinstance(screen.focused, CodeView)
        await pilot.press("enter")
        await settle(pilot, app)
        assert screen.focused is screen.query_one("LinePane Options")
        await pilot.press("escape")
        await settle(pilot, app)
        assert isinstance(screen.focused, CodeView)
        await pilot.press("escape")
        await settle(pilot, app)
        assert isinstance(app.screen, HomeScreen)


async def test_what_was_done_is_said_where_nothing_is_covered(app: DrillApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await into_session(pilot, app)
        for keys, said in (
            (("f6",), "There is nothing to take back."),
            (("f3",), "Put off to the end of the session."),
            (("f4",), "Marked as known"),
            (("f5",), "Suspended; browse brings it back."),
            (("f6",), "Taken back; answer again."),
        ):
            await pilot.press(*keys)
            await settle(pilot, app)
            assert said in text_of(app), keys
            assert not app.screen.query("Toast")


async def test_an_order_is_told_in_words(app: DrillApp) -> None:
    async with app.run_test(size=(120, 60)) as pilot:
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, "order")
        asked = screen.session.asked
        assert asked is not None and isinstance(asked.question.body, OrderBody)
        first, *rest = [step.text.replace("`", "") for step in asked.question.body.steps]
        await pilot.press("enter", "2")
        await settle(pilot, app)
        told = text_of(app)
        assert f"Your answer   a) {first}" in told
        for place, text in enumerate(rest, start=1):
            assert f"{letter(place)}) {text}" in told


async def test_feedback_keeps_its_order_and_its_offer_in_sight(app: DrillApp, drill: Drill) -> None:
    original = drill.bank.question

    def longer(item_id: str, seed: int) -> Question:
        question = original(item_id, seed)
        why = "\n\n".join(["WHY"] * 30)
        link = ExperimentLink("toy", "it-shows")
        return replace(
            question, explanation=why, follow_up=("NEXT",), stamp="STAMP", experiment=link
        )

    drill.bank.question = longer  # type: ignore[method-assign]
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, "short")
        asked = screen.session.asked
        assert asked is not None
        screen.session.submit(wrong_answer(asked.question), 3)
        screen._show_feedback()
        await settle(pilot, app)
        assert isinstance(app.screen, FeedbackScreen)
        assert "✗ Wrong" in text_of(app) and "WHY" in text_of(app)
        assert "e runs toy: it shows" in text_of(app)
        await pilot.resize_terminal(80, 120)
        await settle(pilot, app)
        told = text_of(app)
        marks = [
            "✗ Wrong",
            "Your answer",
            "WHY",
            "STAMP",
            "NEXT",
            "The question",
            "e runs",
            "Grade",
        ]
        at = [told.index(mark) for mark in marks]
        assert at == sorted(at), told


async def test_a_placement_promises_no_number_of_questions(app: DrillApp, drill: Drill) -> None:
    placed = DrillApp(drill, drill.start_placement())
    async with placed.run_test(size=(80, 24)) as pilot:
        await settle(pilot, placed)
        assert isinstance(placed.screen, SessionScreen)
        header = text_of(placed).splitlines()[0]
        assert "question 1" in header and "of ~" not in header


async def test_browse_says_how_to_get_rows_back(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        await pilot.press("b")
        await settle(pilot, app)
        screen = app.screen
        assert isinstance(screen, BrowseScreen)
        await pilot.press("slash", *"zzzz")
        await settle(pilot, app)
        assert screen.rows == [] and "Nothing matches" in text_of(app)
        await pilot.press("escape")
        await settle(pilot, app)
        assert len(screen.rows) == len(drill.bank.heads)
        await pilot.press("d", "d", "d", "d", "d")  # leeches
        await settle(pilot, app)
        assert screen.rows == [] and "Nothing matches" in text_of(app)
        await pilot.press("c", "down")
        await settle(pilot, app)
        assert len(screen.rows) == len(drill.bank.heads)
        assert screen.query_one("OptionList").has_focus


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_home_keeps_a_topic_on_one_line(app: DrillApp, drill: Drill, width: int) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot, app)
        await pilot.resize_terminal(width, 40)
        await settle(pilot, app)
        items = sum(head.topic == "scheduler" for head in drill.bank.heads.values())
        (line,) = [row for row in text_of(app).splitlines() if "Schedulers and samplers" in row]
        assert line.endswith(f" 0/{items}") and "─" in line


async def test_home_tells_what_is_still_believed(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, "formula")
        feedback = screen.session.submit("(x_t - (1 - ab)*eps) / sqrt(ab)", 3)
        assert feedback is not None and feedback.beliefs
        screen._show_feedback()
        await settle(pilot, app)
        await pilot.press("escape")
        await settle(pilot, app)
        await settle(pilot, app)
        told = " ".join(text_of(app).split())
        assert "Still believed, though wrong" in told
        belief = " ".join(feedback.beliefs[0].belief.replace("`", "").split())
        assert f"✗ {belief}" in told


async def test_the_child_is_warmed_while_the_learner_thinks(
    app: DrillApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmed: list[str] = []
    monkeypatch.setattr(app, "warm_up", warmed.append)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, "predict")
        asked = screen.session.asked
        assert asked is not None and asked.question.experiment is not None
        await pilot.pause(1.3)
        assert asked.question.experiment.name in warmed
        assert len(warmed) == len(set(warmed))
