"""A short list with a cursor, drawn by one widget: each row is a lead and a text that wraps."""

from __future__ import annotations

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from drill.tui.widgets.paragraphs import hung
from drill.tui.widgets.reveal import reveal


class Rows(Widget, can_focus=True):
    """Arrows move the cursor; long texts wrap under their own start."""

    DEFAULT_CSS = "Rows { height: auto; width: 1fr; padding: 0 1; }"
    BINDINGS = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
    ]
    cursor: reactive[int] = reactive(0, init=False)

    @property
    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def entry(self, index: int) -> tuple[Content, Content]:
        """Lead and text of a row."""
        raise NotImplementedError

    def _drawn(self, index: int, width: int) -> list[Content]:
        here = self.has_focus and index == self.cursor
        lead, text = self.entry(index)
        lead = Content("").join([Content("›" if here else " "), lead])
        drawn = hung(lead, text, width)
        if not here:
            return drawn
        return [
            line.pad_right(width - line.cell_length).stylize("on $foreground 10%") for line in drawn
        ]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return sum(len(self._drawn(index, width)) for index in range(self.count))

    def render(self) -> Content:
        width = self.size.width
        lines = [line for index in range(self.count) for line in self._drawn(index, width)]
        return Content("\n").join(lines)

    def row_at(self, y: int) -> int | None:
        """The row drawn at line `y` of the widget."""
        for index in range(self.count):
            y -= len(self._drawn(index, self.size.width))
            if y < 0:
                return index
        return None

    def watch_cursor(self) -> None:
        self.refresh()
        if self.is_mounted and self.size.width:
            tops = [len(self._drawn(index, self.size.width)) for index in range(self.cursor + 1)]
            reveal(self, sum(tops[:-1]), tops[-1])

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_move(self, by: int) -> None:
        self.cursor = max(0, min(self.count - 1, self.cursor + by))

    def on_click(self, event: events.Click) -> None:
        row = self.row_at(event.y - self.gutter.top)
        if row is not None:
            self.cursor = row
            self.clicked(row)

    def clicked(self, row: int) -> None:
        """A row was clicked; the cursor stands on it."""
