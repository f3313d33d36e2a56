"""The code of a section on the whole screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding

from drill.lab.places import Shown
from drill.tui.screens.base import BaseScreen
from drill.tui.widgets.source_view import SourceView


class SourceScreen(BaseScreen):
    """Only the code, at the lines that are spoken of; the header names the file."""

    BINDINGS = [Binding("escape,q,z,f8,enter", "leave", "back")]

    def __init__(self, shown: Shown) -> None:
        super().__init__()
        self.shown = shown

    def body(self) -> ComposeResult:
        yield SourceView()

    def on_mount(self) -> None:
        first = self.shown.first + max(0, self.shown.lines[0] - 1)
        self.head(self.shown.code.origin, f"{self.shown.file.name}:{first}")
        view = self.query_one(SourceView)
        view.show(self.shown)
        view.focus()

    def action_leave(self) -> None:
        self.app.pop_screen()
