"""One line under an answer that is chosen, not typed: enter says that it stands."""

from __future__ import annotations

from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.widgets import Static


class SubmitBar(Static, can_focus=True):
    """Takes the focus once an answer is complete."""

    DEFAULT_CSS = """
    SubmitBar { height: 1; padding: 0 1; color: $text-muted; }
    SubmitBar:focus { background: $boost; color: $text; }
    """
    BINDINGS = [Binding("enter", "submit", "submit", show=False)]

    class Given(Message):
        """The answer stands."""

    def __init__(self, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id, markup=False)

    def render(self) -> Content:
        if not self.has_focus:
            return Content("enter submits once an answer is chosen")
        key = Content.styled(" enter ", "bold reverse")
        return Content("").join([key, Content("  submits this answer; esc goes back to it")])

    def action_submit(self) -> None:
        self.post_message(self.Given())
