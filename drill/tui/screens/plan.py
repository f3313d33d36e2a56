"""The plan to the interview day: countdown, readiness, today and why, what there is no time for."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from drill.services.outlook_words import until_words
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.screens.plan_words import (
    drop_group,
    evidence_group,
    head_group,
    note_group,
    on_words,
    today_group,
    today_line,
)
from drill.tui.text import styled
from drill.tui.widgets.paragraphs import Paragraphs
from drill.tui.widgets.readiness import ready_table

if TYPE_CHECKING:
    from drill.services.outlook import OutlookRun

SLICE = 0.002
"""Seconds of looking ahead between two looks at the keys; at least one simulated day."""
PAUSE = 0.003
SHOWN_EVERY = 0.2
"""Seconds between two drawings of the progress."""
SIDE = 46
"""Columns of today's list where it stands beside the rest."""


class PlanScreen(BaseScreen):
    """Everything at once, in one scroll; beside each other where there is room."""

    BINDINGS = bindings("plan")
    _drawn_at = 0
    _memory = ""
    """Which memory parameters are in use, in a sentence."""

    def body(self) -> ComposeResult:
        with VerticalScroll(id="plan"):
            with Vertical(id="plan-ready"):
                yield Static("", id="plan-next", markup=False)
                yield Paragraphs("plan-head")
                yield Static("", id="plan-table", markup=False)
                yield Paragraphs("plan-rest")
            with Vertical(id="plan-today"):
                yield Paragraphs("plan-items")

    def on_mount(self) -> None:
        self.query_one("#plan").focus()

    def on_screen_resume(self) -> None:
        self.call_next(self.look_ahead)

    def on_screen_suspend(self) -> None:
        self.workers.cancel_group(self, "outlook")

    async def on_resize(self, event: events.Resize) -> None:
        if self._drawn_at not in (0, event.size.width):
            self.call_next(self.look_ahead)

    @work(exclusive=True, group="outlook")
    async def look_ahead(self) -> None:
        """Show what is known, and simulate the futures in slices that no key waits for."""
        from drill.services.outlook import begin, keep
        from drill.services.tuning import standing

        run = begin(self.drill)
        drawn, prepared = monotonic(), run.prepared
        self._memory = ""
        self._draw(run)
        while not run.advance(SLICE):
            if run.prepared and not prepared:
                prepared = True
                self._draw(run)
            elif monotonic() - drawn >= SHOWN_EVERY:
                self._draw_head(run)
                drawn = monotonic()
            await asyncio.sleep(PAUSE)
        keep(self.drill, run)
        await asyncio.sleep(PAUSE)
        self._memory = standing(self.drill).said
        self._draw(run)

    def _draw(self, run: OutlookRun) -> None:
        found = run.outlook
        self._drawn_at = width = self.app.size.width
        beside = self.wide
        ready = min(80, width - 5 - (SIDE + 2 if beside else 0))
        self.head(styled("Plan", "bold"), until_words(found))
        self.query_one("#plan-next", Static).update(today_line(found))
        self._draw_head(run)
        table = ready_table(found.topics, found.overall, on_words(found), ready)
        self.query_one("#plan-table", Static).update(table)
        rest = [evidence_group(found), drop_group(found), note_group(found, self._memory)]
        self.query_one("#plan-rest", Paragraphs).tell(rest)
        items = today_group(found, SIDE - 2 if beside else ready)
        self.query_one("#plan-items", Paragraphs).tell([items])

    def _draw_head(self, run: OutlookRun) -> None:
        head = self.query_one("#plan-head", Paragraphs)
        head.tell([head_group(run.outlook, run.share)])

    # -- actions -------------------------------------------------------------------

    def action_start(self) -> None:
        from drill.tui.screens.session import SessionScreen

        self.app.push_screen(SessionScreen(self.drill.start_session()))

    def action_today(self) -> None:
        """Scroll to today's list, or to its end where it stands beside the rest, and back."""
        scroll = self.query_one("#plan", VerticalScroll)
        region = self.query_one("#plan-today").virtual_region
        to = region.bottom - scroll.size.height if region.y == 0 else region.y
        to = max(0, min(to, scroll.max_scroll_y))
        scroll.scroll_to(y=0 if scroll.scroll_y >= to else to, animate=False)

    def action_scroll(self, by: int) -> None:
        self.query_one("#plan").scroll_relative(y=2 * by, animate=False)

    def action_page(self, by: int) -> None:
        scroll = self.query_one("#plan")
        scroll.scroll_relative(y=by * (scroll.size.height - 2), animate=False)

    @work(exclusive=True)
    async def action_date(self) -> None:
        from drill.tui.screens.setup import ask_date

        if await ask_date(self):
            self.look_ahead()

    @work(exclusive=True)
    async def action_minutes(self) -> None:
        from drill.tui.screens.setup import ask_minutes

        if await ask_minutes(self):
            self.look_ahead()

    def action_back(self) -> None:
        self.leave()
