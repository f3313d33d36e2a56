"""Answers of several lines: explanations, longer outputs, and code."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static, TextArea

from drill.domain.questions import AnswerType, CodeBody
from drill.tui.answers.pane import READING, AnswerPane


class Editor(TextArea):
    """A text area that finishes with ctrl+s and lets tab leave, except where code is indented."""

    BINDINGS = [
        Binding("ctrl+s", "finish", "submit", show=False),
        # Selects a line in a TextArea; here it is what it is everywhere else.
        Binding("f6", "screen.undo", "undo"),
        *READING,
    ]

    def action_finish(self) -> None:
        if isinstance(self.parent, ProsePane):
            self.parent.post_message(AnswerPane.Ready())


class ProsePane(AnswerPane):
    """Free text."""

    DEFAULT_CSS = """
    ProsePane { height: 9; }
    ProsePane Editor { height: 1fr; border: round $panel; padding: 0; }
    ProsePane Editor:focus { border: round $accent; }
    """
    digits_submit = False

    def __init__(self, kind: AnswerType) -> None:
        super().__init__()
        self.kind = kind

    def compose(self) -> ComposeResult:
        yield Editor(soft_wrap=self.kind == "explain", show_line_numbers=False)
        yield Static(self._help(), classes="help", markup=False)

    def _help(self) -> str:
        if self.kind == "explain":
            return "Your own words.  ctrl+s submits, ctrl+o: your own editor"
        return "The printed text.  ctrl+s submits"

    def answer(self) -> str:
        return self.query_one(Editor).text.strip()

    def on_mount(self) -> None:
        self._to_end()

    def restore(self, draft: str) -> None:
        self.query_one(Editor).text = draft
        self._to_end()

    def _to_end(self) -> None:
        """One goes on writing where the text ends."""
        editor = self.query_one(Editor)
        editor.move_cursor(editor.document.end)
        self.call_after_refresh(editor.scroll_to, x=0, animate=False)

    def focus_answer(self) -> None:
        self.query_one(Editor).focus(scroll_visible=False)

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())


class CodePane(ProsePane):
    """A function that property tests will judge."""

    DEFAULT_CSS = """
    CodePane { height: 18; }
    CodePane Editor, CodePane Editor:focus { border: none; }
    """

    def __init__(self, body: CodeBody) -> None:
        super().__init__("code")
        self.body = body

    def compose(self) -> ComposeResult:
        yield Editor(
            self.body.starter, soft_wrap=False, show_line_numbers=False, tab_behavior="indent"
        )
        yield Static(self._help(), classes="help", markup=False)

    def _help(self) -> str:
        return "tab indents by 4.  ctrl+s submits, ctrl+o: your own editor"

    def answer(self) -> str:
        return self.query_one(Editor).text.rstrip()
