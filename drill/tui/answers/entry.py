"""Answers on one line: numbers, shapes, terms, formulas, short outputs."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from drill.domain.grading.accepted import answer_help
from drill.domain.questions import NumberBody, Question
from drill.tui.answers.pane import READING, AnswerPane
from drill.tui.text import spans


class Entry(Input):
    """The line; what is long is the question."""

    BINDINGS = [*READING]


class EntryPane(AnswerPane):
    """One line to type on, with the accepted spelling under it."""

    digits_submit = False

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        body = self.question.body
        unit = f" in {body.unit}" if isinstance(body, NumberBody) and body.unit else ""
        yield Entry(placeholder=f"your answer{unit}", compact=True, select_on_focus=False)
        accepted = spans(answer_help(self.question.head.type), "$text")
        yield Static(accepted, classes="help", markup=False)

    def answer(self) -> str:
        return self.query_one(Input).value.strip()

    def restore(self, draft: str) -> None:
        self.query_one(Input).value = draft

    def focus_answer(self) -> None:
        self.query_one(Input).focus(scroll_visible=False)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Ready())
