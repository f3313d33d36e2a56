"""Statistics: six pages of what the log says, read in slices while the screen stands."""

from __future__ import annotations

import asyncio
from time import perf_counter

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from drill.domain.questions import TOPICS
from drill.domain.statistics.model import Statistics
from drill.services.statistics import Progress, reading
from drill.services.statistics_pages import PAGES, page
from drill.services.statistics_pages.parts import Spans
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.text import row, spans, styled
from drill.tui.widgets.page_tabs import PageTabs
from drill.tui.widgets.paragraphs import Paragraphs, Row
from drill.tui.widgets.said import Said

SLICE, PAUSE = 0.006, 0.004
"""Seconds of reading, and of leaving the screen to the keys, in turn."""
PERIODS: tuple[int | None, ...] = (None, 90, 30, 7)
_STYLES = {
    "muted": "$foreground 60%",
    "bold": "bold",
    "accent": "$text-accent",
    "good": "$text-success",
    "bad": "$text-error",
    "faint": "$foreground 20%",
}


class StatsScreen(BaseScreen):
    """One page at a time; numbers and arrows go to the others."""

    BINDINGS = bindings("stats")
    CSS = """
    #stats { height: 1fr; padding: 1 1 0 1; }
    StatsScreen.-tall #pages { margin: 1 0 0 0; }
    #stats > Paragraphs { margin: 0 0 1 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.names = list(PAGES)
        self.shown = 0
        self.days: int | None = None
        self.topic = ""
        self.found: Statistics | None = None
        self._drawn_at = 0
        self._left = False

    def body(self) -> ComposeResult:
        yield PageTabs([title for title, _ in PAGES.values()], "pages")
        with VerticalScroll(id="stats"):
            yield Said(styled("Reading what you answered…", _STYLES["muted"]), widget_id="said")

    def on_mount(self) -> None:
        self.query_one("#stats").focus()
        self._head()
        self.read()

    def on_unmount(self) -> None:
        self._left = True

    async def on_resize(self, event: events.Resize) -> None:
        if self._drawn_at and self._drawn_at != event.size.width:
            await self.redraw(keep=True)

    @work(exclusive=True, group="statistics")
    async def read(self) -> None:
        """Read the log; what was shown stays until that is done."""
        today = self.drill.store.today()
        since = None if self.days is None else today - self.days + 1
        steps = reading(self.drill, since, self.topic)
        begin = perf_counter()
        while True:
            try:
                progress = next(steps)
            except StopIteration as end:
                self.found = end.value
                break
            if perf_counter() - begin >= SLICE:
                self._tell(progress)
                await asyncio.sleep(PAUSE)
                if self._left:
                    return
                begin = perf_counter()
        await asyncio.sleep(PAUSE)
        if self._left:
            return
        self._head()
        await self.redraw()

    def _tell(self, progress: Progress) -> None:
        """How far the reading is, in steps that a person can follow."""
        if progress.total:
            done = f"{progress.done / progress.total:.0%} of {progress.total:,} answers read"
            self.head(styled("Statistics", "bold"), done)

    def _head(self) -> None:
        period = "all time" if self.days is None else f"last {self.days} days"
        topic = TOPICS[self.topic].split(":")[0] if self.topic else "all topics"
        self.head(styled("Statistics", "bold"), f"{topic} · {period}")

    async def redraw(self, *, keep: bool = False) -> None:
        """Draw the page that is shown; `keep` where it was scrolled to."""
        if self.found is None:
            return
        self._drawn_at = self.app.size.width
        scroll = self.query_one("#stats", VerticalScroll)
        at = scroll.scroll_y if keep else 0
        groups = page(self.found, self.names[self.shown], self.app.size.width - 4)
        fresh = [Paragraphs(groups=[[_row(*each) for each in group]]) for group in groups]
        self.query_one("#said", Said).tell("")
        with self.app.batch_update():
            await scroll.query(Paragraphs).remove()
            await scroll.mount_all(fresh)
        scroll.scroll_to(y=at, animate=False)

    # -- actions -------------------------------------------------------------------

    async def action_page(self, number: int) -> None:
        if number != self.shown and 0 <= number < len(self.names):
            self.shown = self.query_one(PageTabs).shown = number
            await self.redraw()

    async def action_other(self, by: int) -> None:
        await self.action_page((self.shown + by) % len(self.names))

    @on(PageTabs.Chosen)
    async def _chosen(self, event: PageTabs.Chosen) -> None:
        await self.action_page(event.page)

    def action_scroll(self, by: int) -> None:
        self.query_one("#stats").scroll_relative(y=by, animate=False)

    def action_period(self) -> None:
        """The next shorter period, then everything again."""
        self.days = PERIODS[(PERIODS.index(self.days) + 1) % len(PERIODS)]
        self._head()
        self.read()

    def action_topic(self) -> None:
        from drill.tui.dialog import Pick

        choices = ["All topics", *TOPICS.values()]
        self.app.push_screen(Pick("Count which topic?", choices), self._topic)

    def _topic(self, choice: int | None) -> None:
        if choice is not None:
            self.topic = ["", *TOPICS][choice]
            self._head()
            self.read()

    def action_back(self) -> None:
        self._left = True
        self.app.pop_screen()


def _row(lead: Spans, text: Spans) -> Row:
    return _content(lead), _content(text)


def _content(parts: Spans) -> Content:
    return row(*(_span(text, tone) for text, tone in parts))


def _span(text: str, tone: str) -> Content:
    if tone == "prose":
        return spans(text)
    if tone == "dim":
        return spans(text).stylize_before(_STYLES["muted"])
    return styled(text, _STYLES[tone]) if tone else Content(text)
