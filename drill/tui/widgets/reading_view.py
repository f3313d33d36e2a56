"""A text in sections that is scrolled; the section at the top is the one that is being read."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from drill.tui.markdown import Block, blocks, drawn
from drill.tui.text import styled

WIDEST = 78
"""Columns of text; the bar of the section that is read stands before them."""


class ReadingView(ScrollView, can_focus=True):
    """Sections one below the other, with a bar beside the one that is read.

    Room is left under the last section, so that it too can be scrolled to the top.
    """

    DEFAULT_CSS = """
    ReadingView { height: 1fr; width: 1fr; padding: 0 1; overflow-x: hidden;
                  scrollbar-gutter: stable; }
    """
    BINDINGS = [
        Binding("up,k", "by(-1)", "line up", show=False),
        Binding("down,j", "by(1)", "line down", show=False),
        Binding("space,pagedown,ctrl+d", "page(1)", "page down", show=False),
        Binding("b,pageup,ctrl+u", "page(-1)", "page up", show=False),
        Binding("home,g", "to(0)", "first section", show=False),
        Binding("end,G", "to(-1)", "last section", show=False),
    ]

    section: reactive[int] = reactive(0, init=False)
    """Index of the section that is read."""

    class Moved(Message):
        """Another section is read now."""

        def __init__(self, view: ReadingView, section: int) -> None:
            super().__init__()
            self.view = view
            self.section = section

        @property
        def control(self) -> ReadingView:
            return self.view

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ReadingView.Moved)

    def __init__(
        self, sections: Sequence[tuple[str, str]], *, widget_id: str | None = None
    ) -> None:
        """`sections` are headings (which may be empty) with Markdown texts."""
        super().__init__(id=widget_id)
        self._titles = [title for title, _ in sections]
        self._blocks: list[list[Block]] = [blocks(text) for _, text in sections]
        self._lines: list[Content] = []
        self._starts: list[int] = []
        self._width = self._height = 0

    @property
    def count(self) -> int:
        """How many sections there are."""
        return len(self._titles)

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        """Draw all lines at the present width; the section that is read stays at the top."""
        size = self.scrollable_content_region.size
        width = min(WIDEST, size.width - 2)
        if width < 8:
            return
        if width != self._width:
            self._width = width
            self._lines, self._starts = [], []
            for title, found in zip(self._titles, self._blocks, strict=True):
                if self._lines:
                    self._lines.append(Content(""))
                self._starts.append(len(self._lines))
                if title:
                    heading = styled(title, "bold").wrap(width)
                    self._lines += [*heading, Content("")]
                self._lines += drawn(found, width)
        self._height = size.height
        last = len(self._lines) - (self._starts[-1] if self._starts else 0)
        room = max(0, size.height - last) if len(self._lines) > size.height else 0
        self.virtual_size = Size(size.width, len(self._lines) + room)
        if self._starts:
            self.scroll_to(y=self._starts[self.section], animate=False, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self.max_scroll_y or self.scrollable_content_region.height != self._height:
            return  # it was resized: the section that is read stays, and is scrolled to
        top = round(new_value)
        before = [n for n, start in enumerate(self._starts) if start <= top]
        if before:
            self.section = before[-1]

    def watch_section(self, section: int) -> None:
        self.refresh()
        self.post_message(self.Moved(self, section))

    def read(self, section: int) -> None:
        """Go to a section; one that is not there is taken as the nearest."""
        if not self._starts:
            return
        self.section = max(0, min(self.count - 1, section))
        self.scroll_to(y=self._starts[self.section], animate=False, force=True)

    def action_by(self, lines: int) -> None:
        if self.max_scroll_y:
            self.scroll_relative(y=lines, animate=False)
        else:  # everything is in sight: the bar moves alone
            self.read(self.section + lines)

    def action_page(self, pages: int) -> None:
        self.action_by(pages * max(1, self.size.height - 2) if self.max_scroll_y else pages)

    def action_to(self, section: int) -> None:
        self.read(section if section >= 0 else self.count - 1)

    def on_click(self, event: events.Click) -> None:
        at = event.y - self.gutter.top + round(self.scroll_y)
        under = [n for n, start in enumerate(self._starts) if start <= at]
        if under:
            self.read(under[-1])

    def render_line(self, y: int) -> Strip:
        number = y + round(self.scroll_y)
        width = self.scrollable_content_region.width
        if number >= len(self._lines):
            return Strip.blank(width, self.visual_style.rich_style)
        here = self._starts[self.section]
        following = self._starts[self.section + 1 :]
        read = here <= number < (following[0] - 1 if following else len(self._lines))
        lead = styled("▌ ", "$text-accent") if read else Content("  ")
        line = Content("").join([lead, self._lines[number]])
        # Never wrapped a second time: what does not fit would be lost.
        whole = max(width, line.cell_length)
        return Visual.to_strips(self, line, whole, 1, self.visual_style)[0].crop(0, width)
