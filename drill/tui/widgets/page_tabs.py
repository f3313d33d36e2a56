"""Names of pages on one line, the shown one set apart; a click chooses one."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from drill.tui.text import styled


class PageTabs(Widget):
    """`1 Overview  2 Memory …`; where the names do not fit only the shown one is written out."""

    DEFAULT_CSS = "PageTabs { height: 1; width: 1fr; padding: 0 1; }"

    shown: reactive[int] = reactive(0)

    class Chosen(Message):
        """A page was clicked."""

        def __init__(self, page: int) -> None:
            super().__init__()
            self.page = page

    def __init__(self, titles: Sequence[str], widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.titles = list(titles)
        self._ends: list[int] = []

    def render(self) -> Content:
        names = [f" {n} {name} " for n, name in enumerate(self.titles, start=1)]
        if sum(map(len, names)) > self.size.width:
            names = [name if n == self.shown else f" {n + 1} " for n, name in enumerate(names)]
        self._ends, parts = [], []
        for n, name in enumerate(names):
            style = "bold reverse" if n == self.shown else "$foreground 60%"
            parts.append(styled(name, style))
            self._ends.append((self._ends[-1] if self._ends else 0) + len(name))
        return Content("").join(parts)

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.gutter.left
        page = next((n for n, end in enumerate(self._ends) if x < end), None)
        if page is not None and x >= 0:
            self.post_message(self.Chosen(page))
