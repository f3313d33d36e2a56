"""A list of lettered options with a cursor, used wherever something is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from drill.tui.text import spans

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class OptionRow(Static):
    """One option; long texts wrap under their own start."""

    DEFAULT_CSS = (
        "OptionRow { height: auto; padding: 0 0 0 1; } OptionRow.-cursor { background: $boost; }"
    )


class Options(Vertical, can_focus=True):
    """Options a, b, c…: a letter chooses, arrows move, space marks, enter is done."""

    DEFAULT_CSS = "Options { height: auto; max-height: 100%; overflow-y: auto; }"
    BINDINGS = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("space", "mark", "mark", show=False),
        Binding("enter", "done", "done", show=False),
    ]
    cursor: reactive[int] = reactive(0)

    class Marked(Message):
        """The marked set changed."""

        def __init__(self, options: Options) -> None:
            super().__init__()
            self.options = options

    class Done(Message):
        """The learner finished choosing."""

        def __init__(self, options: Options) -> None:
            super().__init__()
            self.options = options

    def __init__(
        self, texts: Sequence[str], *, many: bool = False, widget_id: str | None = None
    ) -> None:
        super().__init__(id=widget_id)
        self.texts = tuple(texts)
        self.many = many
        self.marked: set[int] = set()

    def compose(self) -> ComposeResult:
        for index in range(len(self.texts)):
            yield OptionRow(self._row(index), markup=False)

    def _row(self, index: int) -> Content:
        on = index in self.marked
        box = ("[x]" if on else "[ ]") if self.many else ("(•)" if on else "( )")
        letter = Content.styled(f"{LETTERS[index]} ", "bold $text-accent")
        body = spans(self.texts[index])
        return Content("").join([Content(f"{box} "), letter, body.stylize("bold") if on else body])

    def _redraw(self) -> None:
        for index, row in enumerate(self.query(OptionRow)):
            row.update(self._row(index))
            row.set_class(self.has_focus and index == self.cursor, "-cursor")

    def watch_cursor(self) -> None:
        self._redraw()
        rows = list(self.query(OptionRow))
        if self.is_mounted and rows:
            rows[self.cursor].scroll_visible(animate=False)

    def on_focus(self) -> None:
        self._redraw()

    def on_blur(self) -> None:
        self._redraw()

    def mark(self, index: int) -> None:
        """Mark one option; alone where only one may be chosen."""
        self.cursor = index
        if self.many:
            self.marked ^= {index}
        else:
            self.marked = {index}
        self._redraw()
        self.post_message(self.Marked(self))

    def restore(self, marked: set[int]) -> None:
        """Mark these without telling anyone."""
        self.marked = set(marked)
        self._redraw()

    def action_move(self, by: int) -> None:
        self.cursor = (self.cursor + by) % len(self.texts)

    def action_mark(self) -> None:
        self.mark(self.cursor)

    def action_done(self) -> None:
        if not self.marked and not self.many:
            self.mark(self.cursor)
        self.post_message(self.Done(self))

    def on_key(self, event: events.Key) -> None:
        key = event.key
        if len(key) == 1 and key in LETTERS[: len(self.texts)]:
            event.stop()
            event.prevent_default()
            self.mark(LETTERS.index(key))
            if not self.many:
                self.post_message(self.Done(self))

    def on_click(self, event: events.Click) -> None:
        for index, row in enumerate(self.query(OptionRow)):
            if event.widget is row:
                self.mark(index)
