"""Code with line numbers and highlighting, and a cursor for questions answered by a line."""

from __future__ import annotations

from textual import events, work
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from drill.domain.questions import Code
from drill.tui.widgets.reveal import reveal


class CodeView(ScrollView, can_focus=False):
    """Code that is read, never wrapped; scrolled sideways only where a line is too long.

    With `selectable`, a cursor moves over the lines and marks the ones that answer the question.
    """

    DEFAULT_CSS = """
    CodeView { height: auto; border: round $panel; padding: 0 1; overflow-y: auto;
               border-title-color: $text-muted; scrollbar-size-horizontal: 1; }
    CodeView:focus { border: round $accent; }
    """
    BINDINGS = [
        Binding("up,k", "move(-1)", "line up", show=False),
        Binding("down,j", "move(1)", "line down", show=False),
        Binding("pageup,ctrl+u", "move(-8)", "page up", show=False),
        Binding("pagedown,ctrl+d", "move(8)", "page down", show=False),
        Binding("space", "mark", "mark the line", show=False),
        Binding("enter", "choose", "choose the line", show=False),
    ]

    cursor: reactive[int] = reactive(1, init=False)
    """The line under the cursor, counted from 1."""

    class Chosen(Message):
        """The learner chose the marked lines."""

        def __init__(self, view: CodeView, lines: tuple[int, ...]) -> None:
            super().__init__()
            self.view = view
            self.lines = lines

    def __init__(
        self, code: Code, *, selectable: bool = False, widget_id: str | None = None
    ) -> None:
        super().__init__(id=widget_id)
        self.code = code
        self.can_focus = selectable
        self.selectable = selectable
        self.marked: set[int] = set()
        self.flagged: dict[int, str] = {}
        """Line to a mark shown beside it once the answer is known, such as a tick."""
        plain = code.text.rstrip("\n").expandtabs(4).split("\n")
        self._rows: list[Content] = [Content(line) for line in plain]
        self._gutter = len(str(len(plain))) + 2
        width = max(row.cell_length for row in self._rows) + self._gutter
        self.virtual_size = Size(width, len(plain))
        if code.origin:
            self.border_title = Content(f" {code.origin} ")

    def again(self) -> CodeView:
        """The same view once more, as it stands, for another place."""
        view = CodeView(self.code, selectable=self.selectable, widget_id=self.id)
        view.set_reactive(CodeView.cursor, self.cursor)
        view.marked, view.flagged, view._rows = self.marked, self.flagged, self._rows
        return view

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return self.virtual_size.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self.virtual_size.height

    def on_mount(self) -> None:
        # Pygments costs tens of milliseconds: the code is readable before it is coloured.
        self.set_timer(0.08, self._highlight)

    @work(thread=True, exclusive=True, exit_on_error=False, group="highlight")
    def _highlight(self) -> None:
        from textual.highlight import highlight

        text = "\n".join(row.plain for row in self._rows)
        coloured = highlight(text, language=self.code.lang or None)
        rows = coloured.split("\n", allow_blank=True)
        if len(rows) >= len(self._rows):
            self.app.call_later(self._coloured, list(rows[: len(self._rows)]))

    def _coloured(self, rows: list[Content]) -> None:
        self._rows = rows
        self.refresh()

    def _drawn(self, number: int) -> Content:
        here = self.selectable and number == self.cursor
        mark = self.flagged.get(number, "●" if number in self.marked else ("›" if here else " "))
        lead = f"{mark}{number:>{self._gutter - 2}} "
        gutter = Content.styled(lead, "$text-accent" if here else "dim")
        line = Content("").join([gutter, self._rows[number - 1]])
        if number in self.marked or number in self.flagged:
            line = line.stylize("bold")
        if here and self.has_focus:
            width = max(self.size.width, self.virtual_size.width)
            line = line.pad_right(max(0, width - line.cell_length)).stylize("on $boost")
        return line

    def render_line(self, y: int) -> Strip:
        across, down = self.scroll_offset
        number = y + down + 1
        width = self.size.width
        if number > len(self._rows):
            return Strip.blank(width, self.visual_style.rich_style)
        whole = max(width, self.virtual_size.width)
        strips = Visual.to_strips(self, self._drawn(number), whole, 1, self.visual_style)
        return strips[0].crop(across, across + width)

    def watch_cursor(self) -> None:
        self.refresh()
        if self.is_mounted:
            self.scroll_to_region(
                Region(round(self.scroll_x), self.cursor - 1, 1, 1), animate=False, force=True
            )
            reveal(self, self.cursor - 1)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        line = event.y - self.gutter.top + self.scroll_offset.y + 1
        if self.selectable and 1 <= line <= len(self._rows):
            self.cursor = line
            self.action_mark()

    def action_move(self, by: int) -> None:
        self.cursor = max(1, min(len(self._rows), self.cursor + by))

    def action_mark(self) -> None:
        self.marked ^= {self.cursor}
        self.refresh()

    def action_choose(self) -> None:
        if not self.marked:
            self.marked = {self.cursor}
        self.refresh()
        self.post_message(self.Chosen(self, tuple(sorted(self.marked))))

    def flag(self, marks: dict[int, str]) -> None:
        """Show marks beside lines, once the answer is known."""
        self.flagged = dict(marks)
        self.refresh()
