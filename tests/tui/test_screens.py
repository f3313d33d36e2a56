"""Every screen at every size: nothing clipped, nothing altered by markup."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.app import App
from textual.pilot import Pilot
from textual.widget import Widget

from drill.domain.questions import Question
from drill.services.app import Drill
from drill.tui.actions import ACTIONS
from drill.tui.app import DrillApp, run
from drill.tui.screens.browse import BrowseScreen, ItemScreen
from drill.tui.screens.help import HelpScreen
from drill.tui.screens.home import HomeScreen
from drill.tui.screens.setup import SetupScreen
from drill.tui.screens.summary import SummaryScreen
from drill.tui.widgets.confidence import ConfidenceBar
from tests.tui.drive import into_session, settle, skip_to, text_of

SIZES = [
    pytest.param((60, 18), marks=pytest.mark.slow),
    (80, 24),
    (120, 36),
    pytest.param((200, 60), marks=pytest.mark.slow),
]
HOSTILE = [
    "list[int]", "[red]hi[/red]", "[/foo]", "x[0]", "[x for x in y]", "[a=b]", "[[", "]]", "[",
    r"\[b]", "[bold", "${x}", "$primary", "{0}", "%s", "a\tb", "```", "[link=http://x]y[/]",
    "<script>", "&amp;", "\u202ertl", "é̀ ﷽ 你好", "'; DROP TABLE reviews;--",
]  # fmt: skip


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_nothing_is_wider_than_the_terminal(app: DrillApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        await settle(pilot, app)
        assert "Serving" in text_of(app) or size[1] < 24
        for keys in (["question_mark"], ["escape"], ["b"], ["enter"], ["v"], ["escape", "escape"]):
            await pilot.press(*keys)
            await settle(pilot, app)
            _inside(app)
        await into_session(pilot, app)
        for kind in ("choices", "line", "order", "explain", "mutant"):
            await skip_to(pilot, app, kind)
            _inside(app)


def _inside(app: DrillApp) -> None:
    width, height = app.screen.size
    for widget in app.screen.walk_children(Widget):
        region = widget.region
        if widget.display and region.area and widget.has_class("text"):
            assert region.right <= width, widget
    footer = app.screen.query("KeysLine").first()
    assert footer.region.bottom == height


async def test_too_small_says_so_and_comes_back(app: DrillApp) -> None:
    async with app.run_test(size=(50, 12)) as pilot:
        await settle(pilot, app)
        assert "60x18" in text_of(app) and "50x12" in text_of(app)
        await pilot.resize_terminal(80, 24)
        await settle(pilot, app)
        assert "60x18" not in text_of(app)


async def test_hostile_text_is_shown_as_it_is(app: DrillApp, drill: Drill) -> None:
    original = drill.bank.question

    def hostile(item_id: str, seed: int) -> Question:
        question = original(item_id, seed)
        rows = "\n\n".join(f"A {text} Z" for text in HOSTILE)
        return replace(question, prompt=rows, explanation=rows)

    drill.bank.question = hostile  # type: ignore[method-assign]
    wanted = [f"A {text} Z".replace("\t", " ") for text in HOSTILE]
    given = "x " + " ".join(HOSTILE).replace("\t", " ")
    async with app.run_test(size=(120, 120)) as pilot:
        await into_session(pilot, app)
        await skip_to(pilot, app, "explain")
        assert [row for row in wanted if row not in text_of(app)] == []
        app.screen.focused.text = given  # type: ignore[union-attr]
        await pilot.press("ctrl+s", "2")
        await settle(pilot, app)
        assert [row for row in wanted if row not in text_of(app)] == []
        assert drill.store.answers()[0].answer == given
        # The answer is wrapped on the screen, so its words are compared.
        told = text_of(app).split()
        assert [word for word in given.split() if word not in told] == []
        await pilot.press("escape")
        await settle(pilot, app)
        await pilot.press("b", "enter")
        await settle(pilot, app)
        assert [row for row in wanted if row not in text_of(app)] == []


async def test_first_run_can_be_skipped_and_is_kept(drill: Drill) -> None:
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_dialog(pilot)
        assert any(isinstance(s, SetupScreen) for s in app.screen_stack)
        for ch in "2027-01-05":
            await pilot.press(ch)
        await pilot.press("enter")
        await settle_dialog(pilot)
        await pilot.press("escape")  # minutes
        await settle_dialog(pilot)
        await pilot.press("a")  # serving
        await settle_dialog(pilot)
        await pilot.press("c")  # senior
        await settle_dialog(pilot)
        await pilot.press("b")  # no placement
        await settle_dialog(pilot)
        assert isinstance(app.screen, HomeScreen)
        assert "interview in" in text_of(app)
    profile = drill.profile
    assert (profile.interview, profile.minutes, profile.role, profile.level, profile.done) == (
        "2027-01-05", 20, "serving", "senior", True,
    )  # fmt: skip


async def settle_dialog(pilot: Pilot[int]) -> None:
    """A dialog waits in a worker, so that only messages are waited for."""
    for _ in range(4):
        await pilot.pause(0.02)


async def test_browse_filters_and_suspends(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        await pilot.press("b")
        await settle(pilot, app)
        screen = app.screen
        assert isinstance(screen, BrowseScreen) and len(screen.rows) == len(drill.bank.heads)
        await pilot.press("slash", *"predicted")
        await settle(pilot, app)
        assert 1 <= len(screen.rows) < len(drill.bank.heads)
        await pilot.press("enter", "s")
        await settle(pilot, app)
        state = drill.store.state(screen.rows[0].id)
        assert state is not None and state.suspended
        assert "suspended" in text_of(app)
        await pilot.press("enter")
        await settle(pilot, app)
        assert isinstance(app.screen, ItemScreen) and "suspend" in text_of(app)


async def test_the_session_ends_with_a_summary(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await into_session(pilot, app)
        for _ in range(40):
            if isinstance(app.screen, SummaryScreen):
                break
            await pilot.press("f5")
            await settle(pilot, app)
        assert isinstance(app.screen, SummaryScreen)
        await pilot.press("enter")
        await settle(pilot, app)
        assert isinstance(app.screen, HomeScreen)


async def test_undo_on_the_home_screen(app: DrillApp, drill: Drill) -> None:
    """With nothing to undo it says so and begins no session; an answer comes back."""
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        await pilot.press("u")
        await settle(pilot, app)
        assert "There is nothing to undo" in text_of(app)
        assert drill.store.sessions.recent() == [] and "today's session" in text_of(app)
        session = drill.start_session()
        assert session.asked is not None
        prompt = " ".join(session.asked.question.prompt.split())[:20]
        session.suspend()
        await pilot.press("u")
        await settle(pilot, app)
        assert f"Taken back: {prompt}" in " ".join(text_of(app).split())
        await pilot.press("u")
        await settle(pilot, app)
        assert "There is nothing to undo" in text_of(app)
        assert len(drill.store.sessions.recent()) == 1


async def test_help_lists_every_action_with_its_keys(app: DrillApp) -> None:
    async with app.run_test(size=(120, 60)) as pilot:
        await settle(pilot, app)
        await pilot.press("f1")
        await settle(pilot, app)
        assert isinstance(app.screen, HelpScreen)
        from textual.widgets import Static

        told = "\n".join(str(w.render()) for w in app.screen.query(Static))
        assert all(action.help in told for action in ACTIONS)


def test_actions_are_told_apart() -> None:
    assert len({a.id for a in ACTIONS}) == len(ACTIONS)
    for place in {a.id.split(".")[0] for a in ACTIONS}:
        keys = [k for a in ACTIONS if a.id.startswith(f"{place}.") for k in a.keys.split(",")]
        assert len(keys) == len(set(keys)), place


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark"])
async def test_meaning_does_not_need_colour(app: DrillApp, theme: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = theme if theme in app.available_themes else "textual-dark"
        await into_session(pilot, app)
        await skip_to(pilot, app, "short")
        app.screen.focused.value = "nonsense"  # type: ignore[union-attr]
        await pilot.press("enter", "2")
        await settle(pilot, app)
        assert "✗ Wrong" in text_of(app)


async def test_what_is_gone_is_painted_over(app: DrillApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_session(pilot, app)
        compositor, bar = screen._compositor, screen.query_one(ConfidenceBar)
        compositor.reflow(screen, screen.size)
        compositor._dirty_regions.clear()
        stood = bar.region
        bar.display = False
        compositor._full_map_invalidated = True  # as by an update of what is out of sight
        assert bar not in compositor.full_map
        compositor.reflow(screen, screen.size)
        assert stood in compositor._dirty_regions


async def test_what_was_just_removed_is_not_drawn(app: DrillApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_session(pilot, app)
        await skip_to(pilot, app, "explain")
        with app.batch_update():  # no layout in between
            editor = screen.query_one("Editor")
            await screen.query_one("#answer").remove_children()
            assert editor in screen._compositor._full_map
            assert screen._compositor.render_update(full=True) is not None


def test_a_crash_is_told_by_the_exit_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def crash(self: HomeScreen) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setenv("DRILL_HOME", str(tmp_path))
    monkeypatch.setattr(HomeScreen, "on_mount", crash)
    monkeypatch.setattr(DrillApp, "run", lambda self: App.run(self, headless=True, size=(80, 24)))
    assert run() == 1
