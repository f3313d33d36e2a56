"""Each answer type by keyboard alone, from question to feedback."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from drill.domain.questions import ChoiceBody, MutantBody, OrderBody, PredictBody, Question
from drill.services.app import Drill
from drill.tui.answers.option_list import LETTERS
from drill.tui.app import DrillApp
from drill.tui.screens.feedback import FeedbackScreen
from drill.tui.screens.run import RunScreen
from drill.tui.screens.session import SessionScreen
from tests.services.keys import right_answer
from tests.tui.drive import into_session, settle, skip_to, text_of

TYPES = [
    "choices", "number", "shape", "short", "formula", "explain", "order", "line", "mutant",
    "output", "code", "predict",
]  # fmt: skip


async def give(pilot: Pilot[int], app: DrillApp, question: Question) -> None:
    """Type the right answer up to the point where the confidence is asked."""
    body = question.body
    kind = question.head.type
    if isinstance(body, ChoiceBody):
        for index, option in enumerate(body.options):
            if option.right:
                await pilot.press(LETTERS[index])
        if body.many:
            await pilot.press("enter")
    elif kind in ("number", "shape", "short", "formula") or (
        kind == "output" and "\n" not in right_answer(question).strip()
    ):
        for ch in right_answer(question):
            app.screen.focused.insert_text_at_cursor(ch)  # type: ignore[union-attr]
        await pilot.press("enter")
    elif kind in ("explain", "output", "code"):
        app.screen.focused.text = right_answer(question)  # type: ignore[union-attr]
        await pilot.press("ctrl+s")
    elif isinstance(body, OrderBody):
        await order(pilot, body)
    elif kind in ("line", "mutant"):
        line = int(right_answer(question).split(";")[0].split(",")[0])
        for _ in range(line - 1):
            await pilot.press("down")
        await pilot.press("enter")
        if isinstance(body, MutantBody):
            index = next(i for i, effect in enumerate(body.effects) if effect.right)
            await pilot.press(LETTERS[index])
    else:
        assert isinstance(body, PredictBody)
        for field in body.fields:
            if field.options:
                for wanted in field.expected:
                    await pilot.press(LETTERS[field.options.index(wanted)])
                if field.many:
                    await pilot.press("enter")
            else:
                await pilot.press("1", "enter")
    await settle(pilot, app)


async def order(pilot: Pilot[int], body: OrderBody) -> None:
    """Bring the lines into the key's order with the keys, and leave out what does not belong."""
    now = [step.id for step in body.steps]
    wanted = [*body.key, *(i for i in now if i not in body.key)]
    at = 0
    for place, step in enumerate(wanted):
        here = now.index(step)
        while at < here:
            await pilot.press("down")
            at += 1
        while at > here:
            await pilot.press("up")
            at -= 1
        while here > place:
            await pilot.press("K")
            now[here - 1], now[here] = now[here], now[here - 1]
            here -= 1
            at = here
    for place in range(len(body.key), len(wanted)):
        while at < place:
            await pilot.press("down")
            at += 1
        await pilot.press("x")
    await pilot.press("enter")


@pytest.mark.parametrize(
    ("item_type", "size"),
    [*((t, (80, 24)) for t in TYPES), ("mutant", (120, 36)), ("line", (60, 18))],
    ids=str,
)
async def test_an_answer_by_keyboard(
    app: DrillApp, drill: Drill, item_type: str, size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from drill.services.session import Session

    monkeypatch.setattr(
        Session, "run_properties", lambda self: {"passed": 1, "total": 1, "failures": []}
    )
    async with app.run_test(size=size) as pilot:
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, item_type)
        asked = screen.session.asked
        assert asked is not None
        await give(pilot, app, asked.question)
        await pilot.press("3")
        await settle(pilot, app)
        if item_type == "predict":
            assert isinstance(app.screen, RunScreen)
            assert screen.session.phase == "locked"
            assert drill.store.answers() == []
            return
        assert isinstance(app.screen, FeedbackScreen)
        assert "Right" in text_of(app)
        stored = drill.store.answers()
        assert [a.item_id for a in stored] == [asked.question.head.id]
        assert stored[0].auto_score == 1.0 and stored[0].confidence == 3
        await pilot.press("enter")
        await settle(pilot, app)
        assert isinstance(app.screen, SessionScreen)
        assert screen.session.asked is not None
        assert screen.session.asked.question.head.id != asked.question.head.id


async def test_an_unreadable_answer_says_why_and_costs_nothing(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await into_session(pilot, app)
        await skip_to(pilot, app, "number")
        await pilot.press("m", "a", "n", "y", "enter")
        await settle(pilot, app)
        assert isinstance(app.screen, SessionScreen)
        assert "many" in text_of(app) and drill.store.answers() == []


async def test_overrule_tick_and_undo_in_the_feedback(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, "explain")
        app.screen.focused.text = "I would read the documentation."  # type: ignore[union-attr]
        await pilot.press("ctrl+s", "1")
        await settle(pilot, app)
        assert "Wrong" in text_of(app)
        await pilot.press("space")
        await settle(pilot, app)
        assert drill.store.answers()[0].self_score == 1.0
        await pilot.press("4")
        await settle(pilot, app)
        assert drill.store.answers()[0].grade == 4
        item = drill.store.answers()[0].item_id
        await pilot.press("u")
        await settle(pilot, app)
        assert isinstance(app.screen, SessionScreen) and drill.store.answers() == []
        assert screen.session.asked is not None
        assert screen.session.asked.question.head.id == item
