"""A list of lettered options with a cursor, used wherever something is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.message import Message

from drill.tui.text import spans
from drill.tui.widgets.rows import Rows

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Options(Rows):
    """Options a, b, c…: a letter chooses, arrows move, space marks, enter is done."""

    BINDINGS = [
        Binding("space", "mark", "mark", show=False),
        Binding("enter", "done", "done", show=False),
    ]

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
        self._bodies = [spans(text) for text in self.texts]

    @property
    def count(self) -> int:
        return len(self.texts)

    def entry(self, index: int) -> tuple[Content, Content]:
        on = index in self.marked
        box = ("[x]" if on else "[ ]") if self.many else ("(•)" if on else "( )")
        letter = Content.styled(f"{LETTERS[index]} ", "bold $text-accent")
        body = self._bodies[index]
        return Content("").join([Content(f"{box} "), letter]), body.stylize("bold") if on else body

    def mark(self, index: int) -> None:
        """Mark one option; alone where only one may be chosen."""
        self.cursor = index
        if self.many:
            self.marked ^= {index}
        else:
            self.marked = {index}
        self.refresh()
        self.post_message(self.Marked(self))

    def restore(self, marked: set[int]) -> None:
        """Mark these without telling anyone."""
        self.marked = set(marked)
        self.refresh()

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

    def clicked(self, row: int) -> None:
        self.mark(row)
