"""Source code with its file's line numbers; the lines that are spoken of stand out."""

from __future__ import annotations

from textual import work
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from drill.lab.places import Shown

ABOVE = 2
"""Lines kept in sight above a block."""


class SourceView(ScrollView, can_focus=True):
    """Shows one piece of code after the other, each scrolled to the lines that matter.

    Those lines have a bar before their number and a background; the others are dimmed.
    """

    DEFAULT_CSS = """
    SourceView { height: 1fr; width: 1fr; border: round $panel; padding: 0 1;
                 border-title-color: $text-muted; scrollbar-size-horizontal: 0; }
    SourceView:focus { border: round $accent; }
    """
    BINDINGS = [
        Binding("up,k", "by(0, -1)", "line up", show=False),
        Binding("down,j", "by(0, 1)", "line down", show=False),
        Binding("left,h", "by(-8, 0)", "left", show=False),
        Binding("right,l", "by(8, 0)", "right", show=False),
        Binding("space,pagedown,ctrl+d", "page(1)", "page down", show=False),
        Binding("b,pageup,ctrl+u", "page(-1)", "page up", show=False),
        Binding("home,g", "edge(-1)", "top", show=False),
        Binding("end,G", "edge(1)", "end", show=False),
    ]

    def __init__(self, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.shown: Shown | None = None
        self.message = ""
        self._rows: list[Content] = []
        self._gutter = 0
        self._coloured: dict[str, list[Content]] = {}

    def show(self, shown: Shown | None, message: str = "") -> None:
        """Show code, or in its place a message that says why there is none."""
        before, self.shown, self.message = self.shown, shown, message
        if shown is None:
            self.border_title = ""
            self._rows = []
            self.virtual_size = Size(0, 0)
            self.refresh()
            return
        text = shown.code.text.expandtabs(4)
        self._rows = self._coloured.get(text) or [Content(line) for line in text.split("\n")]
        self._gutter = len(str(shown.first + len(self._rows) - 1)) + 2
        width = max(row.cell_length for row in self._rows) + self._gutter
        self.virtual_size = Size(width, len(self._rows))
        self.border_title = Content(f" {shown.code.origin} ")
        if text not in self._coloured:
            self._highlight(text, shown.code.lang)
        same = before is not None and before.code == shown.code
        self.call_after_refresh(self._reveal, same)
        self.refresh()

    def on_resize(self) -> None:
        self._reveal(False)

    def _reveal(self, same: bool) -> None:
        """Scroll to the lines that are spoken of; within the same code only as far as needed."""
        if self.shown is None:
            return
        first, last = self.shown.lines
        height = self.scrollable_content_region.height
        if not first:
            if not same:
                self.scroll_to(0, 0, animate=False, force=True)
            return
        spare = height - (last - first + 1)
        above = spare // 2 if first == last else max(0, min(ABOVE, spare))
        top = round(self.scroll_y)
        seen = same and top + 1 <= first and last <= top + height
        if not seen:
            self.scroll_to(0, max(0, first - 1 - above), animate=False, force=True)

    @work(thread=True, exclusive=True, exit_on_error=False, group="highlight")
    def _highlight(self, text: str, language: str) -> None:
        # Pygments costs tens of milliseconds: the code is readable before it is coloured.
        from textual.highlight import highlight

        rows = list(highlight(text, language=language or None).split("\n", allow_blank=True))
        self.app.call_later(self._colour, text, rows)

    def _colour(self, text: str, rows: list[Content]) -> None:
        count = text.count("\n") + 1
        if len(rows) < count:
            return
        self._coloured[text] = rows[:count]
        if self.shown is not None and self.shown.code.text.expandtabs(4) == text:
            self._rows = rows[:count]
            self.refresh()

    def _drawn(self, number: int, width: int) -> Content:
        assert self.shown is not None
        first, last = self.shown.lines
        meant = first <= number <= last
        lead = f"{'▌' if meant else ' '}{self.shown.first + number - 1:>{self._gutter - 2}} "
        gutter = Content.styled(lead, "bold $text-accent" if meant else "dim")
        line = self._rows[number - 1]
        if first and not meant:
            line = line.stylize("dim")
        whole = Content("").join([gutter, line])
        if meant:
            whole = whole.pad_right(max(0, width - whole.cell_length)).stylize("on $boost")
        return whole

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if self.shown is None:
            lines = Content(self.message).wrap(max(8, width)) if self.message else []
            line = lines[y] if y < len(lines) else Content("")
            return Visual.to_strips(self, line, width, 1, self.visual_style)[0]
        across, down = self.scroll_offset
        number = y + down + 1
        if number > len(self._rows):
            return Strip.blank(width, self.visual_style.rich_style)
        whole = max(width, self.virtual_size.width)
        line = self._drawn(number, whole)
        strip = Visual.to_strips(self, line, whole, 1, self.visual_style)[0]
        if line.cell_length <= across + width or line.plain[across + width :].isspace():
            return strip.crop(across, across + width)
        # What is cut off is told by a mark, and the arrows go there.
        more = Visual.to_strips(self, Content.styled("…", "dim"), 1, 1, self.visual_style)[0]
        return Strip.join([strip.crop(across, across + width - 1), more])

    def action_by(self, across: int, down: int) -> None:
        self.scroll_relative(x=across, y=down, animate=False)

    def action_page(self, pages: int) -> None:
        self.scroll_relative(y=pages * max(1, self.size.height - 2), animate=False)

    def action_edge(self, end: int) -> None:
        self.scroll_to(y=self.max_scroll_y if end > 0 else 0, animate=False)
