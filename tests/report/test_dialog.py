"""Writing the report from the app."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from drill.services.app import Drill
from drill.tui.app import DrillApp
from drill.tui.screens.home import HomeScreen
from drill.tui.screens.report import ReportDialog
from tests.tui.drive import settle, text_of

CHILD = "drill.worker.launcher.module_command"


@pytest.fixture
def app(drill: Drill) -> DrillApp:
    drill.keep_profile(replace(drill.profile, done=True))
    return DrillApp(drill)


def _plays(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(CHILD, lambda *given: [sys.executable, "-c", script])


async def test_r_writes_it_and_shows_where(app: DrillApp, tmp_path: Path) -> None:
    opened: list[str] = []
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, app)
        app.open_url = lambda url, **given: opened.append(url)  # type: ignore[method-assign]
        await pilot.press("r")
        await pilot.pause()
        assert isinstance(app.screen, ReportDialog) and "being written" in text_of(app)
        await pilot.press("o")
        assert opened == [], "there is nothing to open yet"
        await app.workers.wait_for_complete([w for w in app.workers if w.group == "report"])
        await pilot.pause()
        (made,) = (tmp_path / "home" / "reports").iterdir()
        assert made.name in text_of(app) and "kB" in text_of(app)
        assert made.read_text().startswith("<!DOCTYPE html>")
        await pilot.press("o")
        assert opened == [made.as_uri()]
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, HomeScreen)


async def test_what_went_wrong_is_said(app: DrillApp, monkeypatch: pytest.MonkeyPatch) -> None:
    _plays(monkeypatch, "import sys; sys.exit('x.html:3: [bold]no[/] such thing')")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, app)
        await pilot.press("r")
        await app.workers.wait_for_complete([w for w in app.workers if w.group == "report"])
        await pilot.pause()
        assert "x.html:3: [bold]no[/] such thing" in text_of(app)


async def test_leaving_ends_the_writing(app: DrillApp, monkeypatch: pytest.MonkeyPatch) -> None:
    _plays(monkeypatch, "import time; time.sleep(60)")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, app)
        await pilot.press("r")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, HomeScreen)
        running = [w for w in app.workers if w.group == "report" and w.is_running]
        await app.workers.wait_for_complete(running)
