"""Driving the app as a person would: keys in, text of the screen out."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.screen import Screen

from drill.tui.app import DrillApp
from drill.tui.screens.session import SessionScreen


def text_of(app: DrillApp) -> str:
    """Everything on the screen, row by row."""
    screen: Screen[object] = app.screen
    width, height = screen.size
    lines = screen._compositor.render_strips(screen.size) if width and height else []
    return "\n".join(strip.text.rstrip() for strip in lines)


async def settle(pilot: Pilot[int], app: DrillApp) -> None:
    """Wait for messages and for workers that end by themselves."""
    await pilot.pause()
    await app.workers.wait_for_complete([w for w in app.workers if w.group == "default"])
    await pilot.pause()


async def into_session(pilot: Pilot[int], app: DrillApp) -> SessionScreen:
    """From home into today's session."""
    await settle(pilot, app)
    await pilot.press("enter")
    await settle(pilot, app)
    assert isinstance(app.screen, SessionScreen)
    return app.screen


async def skip_to(pilot: Pilot[int], app: DrillApp, item_type: str) -> None:
    """Put questions off until one of this type is asked."""
    screen = app.screen
    assert isinstance(screen, SessionScreen)
    for _ in range(40):
        asked = screen.session.asked
        assert asked is not None
        if asked.question.head.type == item_type:
            await screen.show_current()
            await settle(pilot, app)
            return
        screen.session.skip()
    raise AssertionError(f"no {item_type} in the session")
