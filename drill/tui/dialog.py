"""Small windows over a screen: a message, a question, a field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from drill.tui.answers.option_list import Options
from drill.tui.text import plain, styled

T = TypeVar("T")


class Dialog(ModalScreen[T], Generic[T]):
    """A box in the middle; escape leaves without a choice."""

    BINDINGS = [Binding("escape", "leave", "back")]

    def action_leave(self) -> None:
        self.dismiss(None)


class Note(Dialog[None]):
    """Something to read, such as an error with its log."""

    BINDINGS = [Binding("enter,q", "leave", "close"), Binding("c", "copy", "copy")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.title_text = title
        self.text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box"):
            yield Static(styled(self.title_text, "bold"), markup=False)
            yield Static(plain(self.text), markup=False)
            yield Static(styled("enter closes, c copies", "$foreground 60%"), markup=False)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.text)
        self.notify("copied", markup=False)


class Pick(Dialog[int]):
    """One of several options, by letter."""

    def __init__(self, title: str, options: Sequence[str]) -> None:
        super().__init__()
        self.title_text = title
        self.choices = tuple(options)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box", can_focus=False):
            yield Static(plain(self.title_text), markup=False)
            yield Options(self.choices)

    def on_mount(self) -> None:
        self.query_one(Options).focus()

    @on(Options.Done)
    def _done(self, event: Options.Done) -> None:
        self.dismiss(min(event.options.marked))


class Ask(Dialog[str]):
    """One line of text."""

    def __init__(self, title: str, value: str = "", placeholder: str = "") -> None:
        super().__init__()
        self.title_text = title
        self.value = value
        self.placeholder = placeholder

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box", can_focus=False):
            yield Static(plain(self.title_text), markup=False)
            yield Input(self.value, placeholder=self.placeholder, compact=True)
            yield Static(styled("enter accepts, esc skips", "$foreground 60%"), markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
