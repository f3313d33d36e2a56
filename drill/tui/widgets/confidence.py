"""How sure the learner is: asked with submitting, before anything is revealed."""

from __future__ import annotations

from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

CONFIDENCE = {1: "guess", 2: "think so", 3: "sure"}


class ConfidenceBar(Static, can_focus=True):
    """`1 guess  2 think so  3 sure`; a digit submits the answer with that confidence."""

    DEFAULT_CSS = """
    ConfidenceBar { height: 1; padding: 0 1; color: $text-muted; }
    ConfidenceBar:focus { background: $boost; color: $text; }
    """
    BINDINGS = [
        Binding("1", "sure(1)", "guess", show=False),
        Binding("2,enter", "sure(2)", "think so", show=False),
        Binding("3", "sure(3)", "sure", show=False),
    ]

    class Given(Message):
        """The answer stands, with this confidence."""

        def __init__(self, confidence: int) -> None:
            super().__init__()
            self.confidence = confidence

    def __init__(self, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id, markup=False)

    def render(self) -> Content:
        keys = [
            Content("").join([Content.styled(f" {n} ", "bold reverse"), Content(f" {word}  ")])
            for n, word in CONFIDENCE.items()
        ]
        lead = "Submit. How sure are you?  " if self.has_focus else "How sure are you?  "
        if self.size.width < 60:
            lead = "Sure?  "
        return Content("").join([Content(lead), *keys])

    def action_sure(self, confidence: int) -> None:
        self.post_message(self.Given(confidence))
