"""The plan screen, and what home tells of the way to the interview."""

from __future__ import annotations

import time
from datetime import date

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from drill.services import forecast, outlook, planning
from drill.services.app import Drill
from drill.services.outlook import Outlook
from drill.tui.app import DrillApp
from drill.tui.screens import home as home_module
from drill.tui.screens.home import HomeScreen
from drill.tui.screens.plan import PlanScreen
from drill.tui.screens.plan_words import head_group
from drill.tui.screens.session import SessionScreen
from drill.tui.widgets.paragraphs import Row
from tests.conftest import Clock
from tests.services.learner import answer, crowd, practise
from tests.tui.drive import settle, text_of

SIZES = [
    pytest.param((60, 18), marks=pytest.mark.slow),
    (80, 24),
    (120, 36),
    pytest.param((200, 60), marks=pytest.mark.slow),
]


@pytest.fixture(autouse=True)
def _few_futures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested does not need many of them."""
    monkeypatch.setattr(forecast, "MOST_FUTURES", 6)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "SETTLED", 0.0)


@pytest.fixture
def learner(drill: Drill, clock: Clock) -> Drill:
    crowd(drill, ("cfg", "vae", "loop", "serving"), 4)
    profile = replace(drill.profile, done=True, minutes=10, interview="2026-12-03")
    drill.keep_profile(profile)
    practise(drill, clock, 2, minutes=10)
    return drill


async def looked_ahead(pilot: Pilot[int], app: DrillApp) -> None:
    """Wait until the futures are in."""
    await settle(pilot, app)
    await app.workers.wait_for_complete([w for w in app.workers if w.group == "outlook"])
    await pilot.pause()


def words_of(app: DrillApp) -> str:
    """Everything on the screen, wherever its lines end."""
    return " ".join(text_of(app).split())


async def shown(pilot: Pilot[int]) -> None:
    """Wait for what is painted, and for no work."""
    for _ in range(4):
        await pilot.pause(0.02)


async def into_plan(pilot: Pilot[int], app: DrillApp) -> PlanScreen:
    await looked_ahead(pilot, app)
    await pilot.press("p")
    await looked_ahead(pilot, app)
    assert isinstance(app.screen, PlanScreen)
    return app.screen


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_plan_tells_readiness_and_today(learner: Drill, size: tuple[int, int]) -> None:
    app = DrillApp(learner)
    async with app.run_test(size=size) as pilot:
        screen = await into_plan(pilot, app)
        found = outlook.begin(learner).outlook
        told = text_of(app)
        assert f"interview in {found.days_left} days, 3 Dec, 10 minutes a day" in told
        assert f"On 3 Dec: {found.overall.at_date:.0%}" in told
        assert "With 20 instead of 10 minutes a day" in told
        for widget in screen.query("Static, Paragraphs"):
            assert widget.region.right <= size[0], widget
            assert not widget.display or widget.size.width > 40
        for _ in range(12):
            await pilot.press("pagedown")
        await settle(pilot, app)
        told += text_of(app)
        assert f"All topics{'':>19}" in told
        for item in found.today:
            assert f"What is {item.item_id}?" in told or size[1] < 60
        assert "practised before" in told or size[1] < 60
        assert "Memory parameters in use: the defaults" in told or size[1] < 60
        assert "Counted: " in told or size == (80, 24) or size == (60, 18)


async def test_keys_of_the_plan(learner: Drill) -> None:
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_plan(pilot, app)
        assert "Today, and why" not in text_of(app)
        await pilot.press("t")
        await settle(pilot, app)
        assert "Today, and why" in text_of(app) and " 1  What is drill:" in text_of(app)
        assert "on 3 Dec" in text_of(app)
        await pilot.press("t")
        await settle(pilot, app)
        assert screen.query_one("#plan").scroll_y == 0
        await pilot.press("enter")
        await settle(pilot, app)
        assert isinstance(app.screen, SessionScreen)
        assert app.screen.session.asked is not None
        first = app.screen.session.asked.question.head.id
        while isinstance(app.screen, SessionScreen):
            await pilot.press("escape")
            await settle(pilot, app)
        await looked_ahead(pilot, app)
        assert isinstance(app.screen, PlanScreen)
        assert outlook.begin(learner).outlook.today[0].item_id == first
        await pilot.press("escape")
        await settle(pilot, app)
        assert isinstance(app.screen, HomeScreen)


async def test_date_and_minutes_are_changed_from_the_plan(learner: Drill) -> None:
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await into_plan(pilot, app)
        for keys, value in (("d", "nonsense"), ("", "2026-12-20"), ("n", "25")):
            if keys:
                await pilot.press(keys)
            await shown(pilot)
            field = app.screen.query_one("Input")
            field.value = value  # type: ignore[attr-defined]
            await pilot.press("enter")
            await shown(pilot)
            if value == "nonsense":
                assert "A date is 2026-12-20" in " ".join(text_of(app).split())
        await looked_ahead(pilot, app)
        assert learner.profile.interview == "2026-12-20" and learner.profile.minutes == 25
        assert "20 Dec, 25 minutes a day" in text_of(app)
        assert "On 20 Dec: " in text_of(app) and "With 35 instead of 25" in text_of(app)
        await pilot.press("n")
        await shown(pilot)
        await pilot.press("escape")
        await settle(pilot, app)
        assert isinstance(app.screen, PlanScreen) and learner.profile.minutes == 25


async def test_progress_is_shown_while_it_looks_ahead(
    learner: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    from drill.tui.screens import plan as plan_module

    monkeypatch.setattr(home_module, "SETTLED", 60.0)  # home leaves the work to the plan
    monkeypatch.setattr(plan_module, "SLICE", 0.0)
    monkeypatch.setattr(plan_module, "SHOWN_EVERY", 0.0)
    drawn: list[str] = []

    def noted(found: Outlook, share: float) -> list[Row]:
        rows = head_group(found, share)
        drawn.append(rows[0][1].plain)
        return rows

    monkeypatch.setattr(plan_module, "head_group", noted)
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot)
        await pilot.press("p")
        await app.workers.wait_for_complete([w for w in app.workers if w.name == "look_ahead"])
        await shown(pilot)
        assert "On 3 Dec: " in text_of(app)
    ahead = [line for line in drawn if line.startswith("Looking ahead")]
    assert len(set(ahead)) > 5 and ahead[0].endswith(" 0%") and drawn[-1].startswith("On 3 Dec")


async def test_without_a_date_it_says_how_to_set_one(learner: Drill) -> None:
    learner.keep_profile(replace(learner.profile, interview=""))
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await into_plan(pilot, app)
        told = text_of(app)
        assert "no interview date" in told and "plain FSRS" in told and "d sets a date" in told
        assert "on the day" not in told and "d date" in told.splitlines()[-1]
        await pilot.press("escape")
        await looked_ahead(pilot, app)
        assert "due   new   seen" in text_of(app)


@pytest.mark.parametrize("interview", ["", "2026-12-03"])
async def test_home_and_plan_agree_once_the_minutes_are_used(
    learner: Drill, interview: str
) -> None:
    learner.keep_profile(replace(learner.profile, interview=interview))
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await looked_ahead(pilot, app)
        assert "today's session of 10 minutes: " in text_of(app)
    for item in list(learner.bank.heads)[-2:]:
        answer(learner, item, right=True, seconds=120)
    left = round(planning.minutes_left(learner, 10))
    assert left in (5, 6)
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await looked_ahead(pilot, app)
        assert f"the {left} minutes left today: " in text_of(app)
    for item in list(learner.bank.heads)[:2]:
        answer(learner, item, right=True, seconds=150)
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await looked_ahead(pilot, app)
        said = "enter   another session. Today's minutes are used.\n"
        assert said in text_of(app)
        await into_plan(pilot, app)
        assert said in text_of(app)


@pytest.mark.parametrize("interview", ["", "2026-12-03"])
async def test_home_and_plan_say_that_everything_is_suspended(
    learner: Drill, interview: str
) -> None:
    learner.keep_profile(replace(learner.profile, interview=interview))
    for item in learner.bank.heads:
        learner.store.suspend(item)
    app = DrillApp(learner)
    async with app.run_test(size=(100, 24)) as pilot:
        await looked_ahead(pilot, app)
        said = "All questions are suspended; browse (b) brings them back."
        assert said in words_of(app) and "✓" not in text_of(app) and "0/0" in text_of(app)
        await into_plan(pilot, app)
        assert said in words_of(app) and "Time for every" not in text_of(app)


async def test_home_and_plan_say_that_the_new_items_of_the_day_are_done(learner: Drill) -> None:
    learner.keep_profile(replace(learner.profile, interview="", minutes=30))
    for item, state in learner.store.states().items():
        if not state.new:
            learner.store.suspend(item)
    learner.config = replace(learner.config, new_per_day=1)
    fresh = next(i for i in learner.bank.heads if learner.store.state(i) is None)
    answer(learner, fresh, right=True)
    app = DrillApp(learner)
    async with app.run_test(size=(100, 24)) as pilot:
        await looked_ahead(pilot, app)
        said = "Nothing is left for today. Nothing is due, and today's 1 new item is done."
        assert said in words_of(app)
        await into_plan(pilot, app)
        assert said in words_of(app)


async def test_the_day_before_is_tomorrow_on_both_screens(learner: Drill) -> None:
    learner.keep_profile(replace(learner.profile, interview="2026-11-26"))
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await looked_ahead(pilot, app)
        assert "interview tomorrow\n" in text_of(app)
        await into_plan(pilot, app)
        assert "interview tomorrow, 26 Nov" in text_of(app)


async def test_a_session_of_an_earlier_day_is_not_gone_on_with(
    learner: Drill, clock: Clock
) -> None:
    learner.start_session()
    assert learner.overview().unfinished
    clock.forward(days=1)
    assert not learner.overview().unfinished


async def test_today_beside_the_rest_is_scrolled_to_its_end(learner: Drill) -> None:
    learner.keep_profile(replace(learner.profile, minutes=60))
    app = DrillApp(learner)
    async with app.run_test(size=(120, 24)) as pilot:
        screen = await into_plan(pilot, app)
        last = f"{len(outlook.begin(learner).outlook.today):>2}  What is"
        assert screen.wide and last not in text_of(app)
        await pilot.press("t")
        await settle(pilot, app)
        assert last in text_of(app)
        await pilot.press("t")
        await settle(pilot, app)
        assert screen.query_one("#plan").scroll_y == 0


async def test_home_shows_readiness_from_what_was_stored_and_then_anew(
    learner: Drill, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_module, "SETTLED", 60.0)
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot)
        told = text_of(app)
        assert "on 3 Dec" in told and "%" not in told and "p: what and why" in told
    before = outlook.outlook(learner)
    practise(learner, clock, 1, minutes=10)
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot)
        (cfg,) = [line for line in text_of(app).splitlines() if "Classifier-free" in line]
        share = next(t.at_date for t in before.topics if t.topic == "cfg")
        assert cfg.rstrip().endswith(f"{share:.0%}") and " · " not in cfg
    monkeypatch.setattr(home_module, "SETTLED", 0.0)
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await looked_ahead(pilot, app)
        now = outlook.stored(learner)
        assert now is not None and now.day == "2026-11-26"
        (cfg,) = [line for line in text_of(app).splitlines() if "Classifier-free" in line]
        share = next(t.at_date for t in now.topics if t.topic == "cfg")
        assert cfg.rstrip().endswith(f"{share:.0%}")
        assert f"{len(now.today)} questions" in text_of(app)


@pytest.mark.parametrize("size", [(60, 18), (80, 24)], ids=str)
async def test_home_stays_on_its_rows(learner: Drill, size: tuple[int, int]) -> None:
    app = DrillApp(learner)
    async with app.run_test(size=size) as pilot:
        await looked_ahead(pilot, app)
        rows = [line for line in text_of(app).splitlines() if "/16" in line]
        assert len(rows) >= 2 and all("%" in row for row in rows)
        assert len({row.index("/16") for row in rows}) == 1


async def test_looking_ahead_never_holds_a_key_up(
    learner: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longest slice of work, in time of this process: other work does not count."""
    from drill.services.outlook import OutlookRun

    slices: list[float] = []
    advance = OutlookRun.advance

    def timed(run: OutlookRun, seconds: float) -> bool:
        began = time.thread_time()
        done = advance(run, seconds)
        slices.append(time.thread_time() - began)
        return done

    monkeypatch.setattr(OutlookRun, "advance", timed)
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await looked_ahead(pilot, app)
    slices.sort()
    assert len(slices) > 30 and slices[-1] < 0.1
    assert slices[int(0.95 * len(slices))] < 0.02


async def test_leaving_home_stops_the_work_and_coming_back_goes_on(
    learner: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    from drill.tui.screens import plan as plan_module

    monkeypatch.setattr(plan_module, "SLICE", 0.0)
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.1)
        await pilot.press("b")
        await shown(pilot)
        share = outlook.begin(learner).share
        assert [w for w in app.workers if w.group == "outlook" and w.is_running] == []
        await pilot.pause(0.1)
        assert outlook.begin(learner).share == share < 1.0
        monkeypatch.setattr(plan_module, "SLICE", 0.01)
        await pilot.press("escape")
        await looked_ahead(pilot, app)
        assert outlook.begin(learner).done


async def test_the_palette_runs_what_the_keys_do(learner: Drill) -> None:
    app = DrillApp(learner)
    async with app.run_test(size=(80, 24)) as pilot:
        await looked_ahead(pilot, app)
        await pilot.press("ctrl+p")
        await pilot.pause(0.1)
        await pilot.press(*"how ready on the day")
        for _ in range(50):
            await pilot.pause(0.02)
            if "plan (p)" in text_of(app):
                break
        await pilot.press("down", "enter")
        await pilot.pause(0.2)
        await settle(pilot, app)
        assert isinstance(app.screen, PlanScreen)


def test_dates_are_words() -> None:
    from drill.services.plan_words import day_words, days_words, seconds_words

    today = date(2026, 11, 23)
    assert day_words(date(2026, 12, 20), today) == "20 Dec"
    assert day_words(date(2027, 1, 5), today) == "5 Jan"
    assert day_words(date(2027, 11, 5), today) == "5 Nov 2027"
    assert [days_words(n) for n in (0, 1, 9)] == ["today", "tomorrow", "in 9 days"]
    assert [seconds_words(s) for s in (3, 44, 91, 96, 400)] == [
        "10 s", "40 s", "90 s", "2 min", "7 min",
    ]  # fmt: skip
