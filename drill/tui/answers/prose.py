"""Answers of several lines: explanations, longer outputs, and code."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static, TextArea

from drill.domain.questions import AnswerType, CodeBody
from drill.tui.answers.pane import AnswerPane


class Editor(TextArea):
    """A text area that finishes with ctrl+s and lets tab leave, except where code is indented."""

    BINDINGS = [Binding("ctrl+s", "finish", "submit", show=False)]

    def action_finish(self) -> None:
        if isinstance(self.parent, ProsePane):
            self.parent.post_message(AnswerPane.Ready())


class ProsePane(AnswerPane):
    """Free text."""

    DEFAULT_CSS = """
    ProsePane Editor { height: 8; border: round $panel; padding: 0; }
    ProsePane Editor:focus { border: round $accent; }
    CodePane Editor { height: 12; }
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
            return "Your own words; terse is fine.  ctrl+s submits, ctrl+t says it aloud instead"
        return "The printed text.  ctrl+s submits"

    def answer(self) -> str:
        return self.query_one(Editor).text.strip()

    def restore(self, draft: str) -> None:
        self.query_one(Editor).text = draft

    def focus_answer(self) -> None:
        self.query_one(Editor).focus(scroll_visible=False)

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())


class CodePane(ProsePane):
    """A function that property tests will judge."""

    def __init__(self, body: CodeBody) -> None:
        super().__init__("code")
        self.body = body

    def compose(self) -> ComposeResult:
        yield Editor(
            self.body.starter, soft_wrap=False, show_line_numbers=True, tab_behavior="indent"
        )
        yield Static(self._help(), classes="help", markup=False)

    def _help(self) -> str:
        return "Write the function.  ctrl+s submits, ctrl+o opens your own editor"

    def answer(self) -> str:
        return self.query_one(Editor).text.rstrip()
