"""The code of a question on the whole screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding

from drill.domain.questions import Code
from drill.tui.screens.base import BaseScreen
from drill.tui.widgets.code_view import CodeView


class ZoomScreen(BaseScreen):
    """Only the code."""

    BINDINGS = [Binding("escape,q,z,f8,enter", "leave", "back")]

    def __init__(self, code: Code) -> None:
        super().__init__()
        self.code = code

    def body(self) -> ComposeResult:
        view = CodeView(self.code)
        view.can_focus = True
        view.styles.height = "1fr"
        yield view

    def on_mount(self) -> None:
        self.head(self.code.origin or "code")
        self.query_one(CodeView).focus()

    def action_leave(self) -> None:
        self.app.pop_screen()
