"""The measurements of a broken pipeline with their prices, and what was bought."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.message import Message

from drill.domain.questions import Measurement
from drill.services.finding import Finding
from drill.tui.text import plain, row, spans, styled
from drill.tui.widgets.rows import Rows

_MUTED = "$foreground 60%"


NARROW = 64
"""Columns under which a probe takes two lines, where the terminal has them."""


class Probes(Rows):
    """One or two lines each, so that nothing moves when one is bought; enter buys."""

    BINDINGS = [Binding("enter,space", "buy", "measure")]

    class Buy(Message):
        """The learner pays for this probe."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Seen(Message):
        """The cursor stands on a probe that was bought."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Left(Message):
        """The cursor was moved on below the last probe."""

    class Typed(Message):
        """A letter was typed: it names a cause."""

        def __init__(self, letter: str) -> None:
            super().__init__()
            self.letter = letter

    def __init__(self, probes: tuple[Measurement, ...], letters: str) -> None:
        super().__init__()
        self.probes = probes
        self.letters = letters
        self.bought: dict[str, Finding] = {}
        self.doing: dict[str, str] = {}
        """What is being measured, by probe, with what it is doing."""
        self.failed: dict[str, str] = {}
        """Why nothing was measured, by probe."""
        self._width = max(len(probe.id) for probe in probes)

    @property
    def count(self) -> int:
        return len(self.probes)

    @property
    def here(self) -> Measurement:
        """The probe under the cursor."""
        return self.probes[self.cursor]

    def tell(self, bought: Mapping[str, Finding]) -> None:
        """Show what was bought."""
        self.bought = dict(bought)
        self.refresh()

    @property
    def _in_two(self) -> bool:
        return self.size.width < NARROW and self.screen.has_class("-tall")

    def _parts(self, index: int) -> tuple[Content, Content, Content]:
        """Mark, name and what is known of a probe."""
        probe = self.probes[index]
        found = self.bought.get(probe.id)
        mark = "✓ " if found else "… " if probe.id in self.doing else "  "
        if found is not None:
            text = spans(" ".join(found.sentence.split()), "")
        elif probe.id in self.doing:
            text = styled(self.doing[probe.id] or "measuring", _MUTED)
        elif probe.id in self.failed:
            text = styled(self.failed[probe.id], "$text-error")
        else:
            text = plain(probe.label)
        name = styled(probe.id, "$text-accent" if found else "bold")
        return styled(mark, "$text-accent"), name, text

    def entry(self, index: int) -> tuple[Content, Content]:
        mark, name, text = self._parts(index)
        gap = " " * (self._width - name.cell_length)
        price = styled(f"{gap} {self.probes[index].price:>3} min  ", _MUTED)
        lead = row(mark, name, price)
        room = max(8, self.size.width - lead.cell_length - 1)
        return lead, text.truncate(room, ellipsis=True)

    def _drawn(self, index: int, width: int) -> list[Content]:
        if not self._in_two:
            return super()._drawn(index, width)
        here = self.has_focus and index == self.cursor
        mark, name, text = self._parts(index)
        price = styled(f"  {self.probes[index].price} min", _MUTED)
        first = row(Content("›" if here else " "), mark, name, price)
        second = row(Content("   "), text.truncate(max(8, width - 3), ellipsis=True))
        if not here:
            return [first, second]
        return [
            line.pad_right(width - line.cell_length).stylize("on $boost")
            for line in (first, second)
        ]

    def action_buy(self) -> None:
        self.post_message(self.Buy(self.here.id))

    def action_move(self, by: int) -> None:
        if by > 0 and self.cursor == self.count - 1:
            self.post_message(self.Left())
            return
        super().action_move(by)

    def watch_cursor(self) -> None:
        super().watch_cursor()
        if self.here.id in self.bought:
            self.post_message(self.Seen(self.here.id))

    def on_key(self, event: events.Key) -> None:
        if len(event.key) == 1 and event.key in self.letters:
            event.stop()
            event.prevent_default()
            self.post_message(self.Typed(event.key))
