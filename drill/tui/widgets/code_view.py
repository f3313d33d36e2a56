"""Code with line numbers and highlighting, and a cursor for questions answered by a line."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from drill.domain.questions import Code


class CodeView(ScrollableContainer, can_focus=False):
    """Code that is read, never wrapped; scrolled sideways only where a line is too long.

    With `selectable`, a cursor moves over the lines and marks the ones that answer the question.
    """

    DEFAULT_CSS = """
    CodeView { height: auto; max-height: 100%; border: round $panel; padding: 0 1;
               border-title-color: $text-muted; }
    CodeView:focus { border: round $accent; }
    CodeView > Static { width: auto; height: auto; }
    """
    BINDINGS = [
        Binding("up,k", "move(-1)", "line up", show=False),
        Binding("down,j", "move(1)", "line down", show=False),
        Binding("pageup,ctrl+u", "move(-8)", "page up", show=False),
        Binding("pagedown,ctrl+d", "move(8)", "page down", show=False),
        Binding("space", "mark", "mark the line", show=False),
        Binding("enter", "choose", "choose the line", show=False),
    ]

    cursor: reactive[int] = reactive(1)
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
        self._plain = code.text.rstrip("\n").expandtabs(4).split("\n")
        self._rows: list[Content] = [Content(line) for line in self._plain]
        if code.origin:
            self.border_title = Content(f" {code.origin} ")

    def compose(self) -> ComposeResult:
        yield Static(self._drawn(), markup=False)

    def on_mount(self) -> None:
        # Pygments costs tens of milliseconds: the code is readable before it is coloured.
        self.set_timer(0.08, self._highlight)

    @work(thread=True, exclusive=True, exit_on_error=False, group="highlight")
    def _highlight(self) -> None:
        from textual.highlight import highlight

        language = self.code.lang if self.code.lang else None
        coloured = highlight("\n".join(self._plain), language=language)
        rows = coloured.split("\n", allow_blank=True)
        if len(rows) >= len(self._plain):
            self.app.call_later(self._coloured, list(rows[: len(self._plain)]))

    def _coloured(self, rows: list[Content]) -> None:
        self._rows = rows
        self._redraw()

    def _drawn(self) -> Content:
        width = len(str(len(self._rows)))
        drawn: list[Content] = []
        for number, row in enumerate(self._rows, start=1):
            here = self.selectable and number == self.cursor
            mark = self.flagged.get(
                number, "●" if number in self.marked else ("›" if here else " ")
            )
            gutter = Content.styled(f"{mark}{number:>{width}} ", "$text-accent" if here else "dim")
            line = Content("").join([gutter, row])
            if here and self.has_focus:
                line = line.stylize("on $boost")
            elif number in self.marked or number in self.flagged:
                line = line.stylize("bold")
            drawn.append(line)
        return Content("\n").join(drawn)

    def _redraw(self) -> None:
        if self.is_mounted and self.query(Static):
            self.query_one(Static).update(self._drawn())

    def watch_cursor(self) -> None:
        self._redraw()
        if self.is_mounted:
            top = self.cursor - 1
            if not self.scroll_offset.y <= top < self.scroll_offset.y + max(1, self.size.height):
                self.scroll_to(y=max(0, top - self.size.height // 2), animate=False)

    def on_focus(self) -> None:
        self._redraw()

    def on_blur(self) -> None:
        self._redraw()

    def on_click(self, event: object) -> None:
        y = getattr(event, "y", None)
        if self.selectable and isinstance(y, int):
            line = y + self.scroll_offset.y  # the border takes the first row
            if 1 <= line <= len(self._rows):
                self.cursor = line
                self.action_mark()

    def action_move(self, by: int) -> None:
        self.cursor = max(1, min(len(self._rows), self.cursor + by))

    def action_mark(self) -> None:
        self.marked ^= {self.cursor}
        self._redraw()

    def action_choose(self) -> None:
        if not self.marked:
            self.marked = {self.cursor}
        self._redraw()
        self.post_message(self.Chosen(self, tuple(sorted(self.marked))))

    def flag(self, marks: dict[int, str]) -> None:
        """Show marks beside lines, once the answer is known."""
        self.flagged = dict(marks)
        self._redraw()
