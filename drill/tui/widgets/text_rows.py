"""A list of rows with a cursor; what enter does is for the screen to say."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding
from textual.content import Content
from textual.message import Message

from drill.tui.widgets.rows import Rows


class TextRows(Rows):
    """Rows that are set as a whole; each is a lead and a text that wraps under its own start."""

    BINDINGS = [
        Binding("home,g", "move(-10000)", "first", show=False),
        Binding("end,G", "move(10000)", "last", show=False),
    ]

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, rows: TextRows, row: int) -> None:
            super().__init__()
            self.rows = rows
            self.row = row

        @property
        def control(self) -> TextRows:
            return self.rows

    class Clicked(Moved):
        """A row was clicked; the cursor stands on it."""

    def __init__(
        self, rows: Sequence[tuple[Content, Content]] = (), *, widget_id: str | None = None
    ) -> None:
        super().__init__(id=widget_id)
        self._rows = list(rows)

    @property
    def count(self) -> int:
        return len(self._rows)

    def entry(self, index: int) -> tuple[Content, Content]:
        return self._rows[index]

    def fill(self, rows: Sequence[tuple[Content, Content]]) -> None:
        """Show these rows; the cursor stays where it is as far as it can."""
        self._rows = list(rows)
        self.cursor = max(0, min(self.cursor, len(self._rows) - 1))
        self.refresh(layout=True)

    def watch_cursor(self) -> None:
        super().watch_cursor()
        if self._rows:
            self.post_message(self.Moved(self, self.cursor))

    def clicked(self, row: int) -> None:
        self.post_message(self.Clicked(self, row))
