"""The statistics in the app: six pages by keys, at every size, for a new learner and a busy one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.pilot import Pilot

from drill.domain.statistics.evidence import Given
from drill.services.app import Drill
from drill.services.statistics_pages import PAGES
from drill.store import evidence
from drill.store.db import Access
from drill.tui.app import DrillApp
from drill.tui.screens.home import HomeScreen
from drill.tui.screens.stats import StatsScreen
from drill.tui.widgets.page_tabs import PageTabs
from tests.conftest import Clock
from tests.store.conftest import answer
from tests.tui.drive import settle, text_of

CHOICE = "sample:sc.sample-choice"
SIZES = [
    pytest.param((60, 18), marks=pytest.mark.slow),
    (80, 24),
    (120, 36),
]


def study(drill: Drill, clock: Clock) -> None:
    for day in range(4):
        for n, item in enumerate(drill.bank.heads):
            wrong = (day + n) % 3 == 0
            said = ("sc.N_eq_calls", "[red]x[/red] [b") if wrong else ()
            made = answer(item, 1 if wrong else 3, confidence=3, misconceptions=said)
            drill.store.record(made)
        clock.forward(days=1)


async def opened(pilot: Pilot[int], app: DrillApp) -> StatsScreen:
    await settle(pilot, app)
    await pilot.press("x")
    return await ready(pilot, app)


async def ready(pilot: Pilot[int], app: DrillApp) -> StatsScreen:
    await pilot.pause()
    screen = app.screen
    assert isinstance(screen, StatsScreen)
    await app.workers.wait_for_complete([w for w in app.workers if w.group == "statistics"])
    await pilot.pause()
    return screen


async def all_of(pilot: Pilot[int], app: DrillApp) -> str:
    """The whole page, by scrolling down with the keys."""
    told = [text_of(app)]
    for _ in range(30):
        before = app.screen.query_one("#stats").scroll_y
        await pilot.press("pagedown")
        await pilot.pause()
        if app.screen.query_one("#stats").scroll_y == before:
            return "\n".join(told)
        told.append(text_of(app))
    raise AssertionError("the page has no end")


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_every_page_is_reached_and_read_to_its_end(
    app: DrillApp, drill: Drill, clock: Clock, size: tuple[int, int]
) -> None:
    study(drill, clock)
    ends = {
        "overview": "% right",
        "memory": "what is new comes",
        "calibration": "Schedulers",
        "beliefs": "shown",
        "time": "By hour",
        "interviews": "four axes",
    }
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot, app)
        for n, name in enumerate(PAGES, start=1):
            await pilot.press(str(n))
            await pilot.pause()
            assert screen.query_one("#stats").scroll_y == 0
            assert PAGES[name][0] in text_of(app)
            told = await all_of(pilot, app)
            assert ends[name] in told, name
            assert all(len(row) <= size[0] for row in told.splitlines())


async def test_pages_follow_each_other(app: DrillApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app)
        for keys, page in (("n", 1), ("right", 2), ("tab", 3), ("p", 2), ("left", 1)):
            await pilot.press(keys)
            await pilot.pause()
            assert screen.shown == page, keys
        await pilot.press("p", "shift+tab")
        await pilot.pause()
        assert screen.shown == 5
        await pilot.click(PageTabs, offset=(18, 0))
        await pilot.pause()
        assert screen.shown == 1
        await pilot.press("q")
        await settle(pilot, app)
        assert isinstance(app.screen, HomeScreen)


async def test_a_new_learner_sees_what_will_be_there(app: DrillApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, app)
        assert "Nothing was answered yet" in text_of(app)
        for key, word in (("3", "begins with the first answer"), ("6", "mock interview")):
            await pilot.press(key)
            await pilot.pause()
            assert word in " ".join(text_of(app).split())


async def test_text_of_packs_is_never_markup(app: DrillApp, drill: Drill, clock: Clock) -> None:
    study(drill, clock)
    async with app.run_test(size=(80, 36)) as pilot:
        await opened(pilot, app)
        await pilot.press("4")
        await pilot.pause()
        assert "[red]x[/red] [b" in await all_of(pilot, app)


async def test_period_and_topic(app: DrillApp, drill: Drill, clock: Clock) -> None:
    study(drill, clock)
    clock.forward(days=60)
    drill.store.record(answer(CHOICE, 3))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, app)
        assert "all time" in text_of(app) and "61 answers" in text_of(app)
        await pilot.press("d", "d")
        await ready(pilot, app)
        assert "last 30 days" in text_of(app) and "1 answer to 1 item" in text_of(app)
        await pilot.press("t")
        await settle(pilot, app)
        await pilot.press("down", "enter")
        await ready(pilot, app)
        assert screen.topic == "overview" and "Nothing was answered yet in" in text_of(app)


async def test_a_page_is_drawn_again_when_the_terminal_changes(
    app: DrillApp, drill: Drill, clock: Clock
) -> None:
    study(drill, clock)
    async with app.run_test(size=(120, 36)) as pilot:
        await opened(pilot, app)
        assert "model" in text_of(app)
        await pilot.resize_terminal(60, 18)
        await pilot.pause()
        await pilot.pause()
        told = text_of(app)
        assert "1 Overview" in told and "2 Memory" not in told
        assert "mature" in await all_of(pilot, app) and "predicted" not in told


async def test_leaving_does_not_wait_for_the_reading(
    app: DrillApp, drill: Drill, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    study(drill, clock)
    pages, read = evidence.answers, []

    def small(access: Access) -> Iterator[list[Given]]:
        for page in pages(access, 1):
            read.append(page)
            yield page

    monkeypatch.setattr(evidence, "answers", small)
    monkeypatch.setattr("drill.tui.screens.stats.SLICE", 0.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        app.simulate_key("x")
        while not read:
            await pilot.pause(0.001)
        app.simulate_key("escape")
        await settle(pilot, app)
        assert isinstance(app.screen, HomeScreen)
        assert len(read) < len(drill.store.answers())
