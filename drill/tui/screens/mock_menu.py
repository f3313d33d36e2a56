"""The list of the interview set-up: what was left, the settings, former interviews."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from textual.content import Content
from textual.message import Message

from drill.tui.text import row, styled
from drill.tui.widgets.paragraphs import Row, hung
from drill.tui.widgets.rows import Rows

_MUTED = "$foreground 60%"


class Line(Struct, frozen=True):
    """One row that the cursor can stand on."""

    name: str
    """What it is to the screen, such as `minutes` or `past 3`."""
    lead: str
    text: Content
    heading: str = ""
    """Stands above it, after an empty line."""
    below: tuple[tuple[Row, ...], ...] = ()
    """Groups of rows under it, each after an empty line; the cursor does not go there."""


class MockMenu(Rows):
    """Rows under headings; the screen says what enter and the arrows do."""

    class Here(Message):
        """The cursor stands on another row."""

    class Typed(Message):
        """A digit, or nothing for backspace, was typed on a row."""

        def __init__(self, digit: str) -> None:
            super().__init__()
            self.digit = digit

    def __init__(self, lines: Sequence[Line] = (), *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.lines = list(lines)

    @property
    def count(self) -> int:
        return len(self.lines)

    @property
    def here(self) -> str:
        """The name of the row under the cursor; empty without rows."""
        return self.lines[self.cursor].name if self.lines else ""

    def entry(self, index: int) -> tuple[Content, Content]:
        line = self.lines[index]
        return styled(line.lead, _MUTED), line.text

    def _drawn(self, index: int, width: int) -> list[Content]:
        drawn = super()._drawn(index, width)
        line = self.lines[index]
        above = [Content("")] if index and line.heading else []
        if line.heading:
            above.append(row(Content(" "), styled(line.heading, "bold")))
        under: list[Content] = []
        for group in line.below:
            under.append(Content(""))
            for lead, text in group:
                under += hung(row(Content(" "), lead), text, width)
        return [*above, *drawn, *under]

    def fill(self, lines: Sequence[Line]) -> None:
        """Show these rows; the cursor stays on the row of its name where that is left."""
        here = self.here
        self.lines = list(lines)
        names = [line.name for line in self.lines]
        at = names.index(here) if here in names else 0
        self.set_reactive(MockMenu.cursor, at)
        self.refresh(layout=True)

    def watch_cursor(self) -> None:
        super().watch_cursor()
        self.post_message(self.Here())

    def key_backspace(self) -> None:
        self.post_message(self.Typed(""))

    def on_key(self, event: object) -> None:
        from textual import events

        if isinstance(event, events.Key) and event.key.isdigit():
            event.stop()
            self.post_message(self.Typed(event.key))

    def clicked(self, row: int) -> None:
        self.post_message(self.Here())
