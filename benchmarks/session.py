"""From submitting an answer to its feedback, and on to the next question, without a terminal."""

from __future__ import annotations

import asyncio
import gc
import time
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drill.tui.app import DrillApp

ANSWERS = 40


def answer_to_next(home: Path) -> tuple[float, float]:
    """95th percentiles in ms of two times.

    From an answer submitted to durable, and from going on to the next question painted, added up;
    and from submitted to the first frame with the feedback. Reading the feedback is left out, and
    so is the writing of a frame to a terminal.
    """
    times = asyncio.run(_play(home))
    whole = [stored + following for stored, _, following in times]
    return quantiles(whole, n=20)[-1], quantiles([shown for _, shown, _ in times], n=20)[-1]


async def _play(home: Path) -> list[tuple[float, float, float]]:
    import os

    os.environ["DRILL_HOME"] = str(home)
    from drill.services.app import Drill
    from drill.tui.app import DrillApp
    from drill.tui.screens.feedback import FeedbackScreen
    from drill.tui.screens.session import SessionScreen
    from drill.tui.widgets.confidence import ConfidenceBar
    from tests.services.keys import wrong_answer

    times: list[tuple[float, float, float]] = []
    with Drill() as drill:
        session = drill.start_session(minutes=240, more=True)
        app = DrillApp(drill, session)
        submit, stored = session.submit, [0.0]

        def timed(answer: str, confidence: int) -> object:
            begun = time.perf_counter()
            feedback = submit(answer, confidence)
            stored[0] = time.perf_counter() - begun
            return feedback

        session.submit = timed  # type: ignore[method-assign,assignment]
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause(0.5)
            gc.freeze()  # as the app does on a terminal
            gc.set_threshold(10_000, 20, 20)
            while len(times) < ANSWERS and session.asked is not None:
                screen = app.screen
                assert isinstance(screen, SessionScreen) and screen._pane is not None
                question = session.asked.question
                if question.head.type in ("predict", "code", "diagnose"):
                    session.skip()
                    await screen.show_current()
                    continue
                given = wrong_answer(question)
                screen._pane.answer = partial(str, given)  # type: ignore[method-assign]
                await asyncio.sleep(0.5)  # nobody answers faster
                begun = time.perf_counter()
                framed = _first_frame(app)
                screen.post_message(ConfidenceBar.Given(2))
                took = await framed - begun
                await asyncio.sleep(0.5)  # nobody reads faster
                begun = time.perf_counter()
                assert isinstance(app.screen, FeedbackScreen)
                app.screen.action_next()
                await _painted(app, SessionScreen)
                following = time.perf_counter() - begun
                times.append((1000 * stored[0], 1000 * took, 1000 * following))
    return times


def _first_frame(app: DrillApp) -> asyncio.Future[float]:
    """When the first frame in which the feedback has its place was drawn."""
    from drill.tui.screens.feedback import FeedbackScreen

    drawn: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def displayed() -> None:
        shown = isinstance(app.screen, FeedbackScreen) and app.screen.query("#verdict")
        if shown and shown.first().region.area and not drawn.done():
            drawn.set_result(time.perf_counter())

    app.post_display_hook = displayed  # type: ignore[method-assign]
    return drawn


async def _painted(app: DrillApp, kind: type) -> None:
    """Until a screen of this kind is shown and has been painted."""
    while not isinstance(app.screen, kind) or not app.screen.is_mounted:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    painted = asyncio.Event()
    app.screen.call_after_refresh(painted.set)
    await painted.wait()
