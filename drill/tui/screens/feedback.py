"""After an answer: the verdict, why, the learner's ticks, the grade and what comes next."""

from __future__ import annotations

import gc

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from drill.domain.questions import LineBody, MutantBody, Question
from drill.services.asked import Feedback
from drill.services.session import Session
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.text import lines, prose, styled
from drill.tui.widgets import feedback as text
from drill.tui.widgets.code_view import CodeView
from drill.tui.widgets.paragraphs import Paragraphs
from drill.tui.widgets.reveal import reveal


class FeedbackScreen(BaseScreen):
    """Dismissed with what to say on going on, often nothing, or None to go home."""

    BINDINGS = bindings("feedback")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.cursor = 0

    def body(self) -> ComposeResult:
        # Composed with its texts: filled in later, all would be laid out and painted once more.
        feedback = self.session.feedback
        assert feedback is not None
        question = feedback.asked.question
        told = text.body(feedback, cursor=self._cursor_of(feedback))
        with Horizontal(id="stage", classes="has-code" if question.code else ""):
            with Vertical(id="left"), VerticalScroll(id="feedback"):
                yield Static(text.verdict_line(feedback), id="verdict", markup=False)
                yield Paragraphs("told", told)
                yield Static(self._asked(question), id="shown-prompt", markup=False)
                with Vertical(id="code-slot"):
                    if not self.wide:
                        yield from self._code(question)
            with Vertical(id="side"):
                if self.wide:
                    yield from self._code(question)
        if question.experiment is not None:
            offer = text.experiment_line(question, self.app.size.width - 2)
            yield Static(offer, id="offer", markup=False)
        yield Static(text.memory_line(feedback), id="memory", markup=False)

    @staticmethod
    def _asked(question: Question) -> Content:
        return lines(styled("The question", "bold"), prose(question.prompt))

    @staticmethod
    def _code(question: Question) -> ComposeResult:
        if question.code is not None:
            view = CodeView(question.code, widget_id="code")
            if isinstance(question.body, LineBody):
                view.flag(dict.fromkeys(question.body.lines, "✓"))
            elif isinstance(question.body, MutantBody):
                view.flag({question.body.line: "✓"})
            yield view

    async def on_resize(self, event: events.Resize) -> None:
        await self.place_code()

    def on_mount(self) -> None:
        feedback = self.session.feedback
        assert feedback is not None
        self.head_of(self.session, feedback.asked)
        self.query_one("#feedback").focus(scroll_visible=False)
        self.newly_shown()
        # While the learner reads: in the middle of the next answer it would be felt.
        self.set_timer(0.4, gc.collect)

    def _cursor_of(self, feedback: Feedback) -> int:
        return self.cursor if feedback.verdict.points else -1

    def redraw(self) -> None:
        """Draw the feedback as it is now."""
        feedback = self.session.feedback
        if feedback is None:
            return
        self.query_one("#verdict", Static).update(text.verdict_line(feedback))
        self.query_one(Paragraphs).tell(text.body(feedback, cursor=self._cursor_of(feedback)))
        self.query_one("#memory", Static).update(text.memory_line(feedback))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        feedback = self.session.feedback
        if feedback is None:
            return True
        if action == "experiment":
            return feedback.asked.question.experiment is not None
        if action == "tick":
            return bool(feedback.verdict.points)
        return True

    def action_next(self) -> None:
        self.session.advance()
        self._leave("")

    def action_back(self) -> None:
        self.session.advance()
        self._leave(None)

    def _leave(self, said: str | None) -> None:
        screen: Screen[str | None] = self  # type: ignore[assignment]
        screen.dismiss(said)

    def action_undo(self) -> None:
        self.session.undo()
        self._leave("Taken back; answer again.")

    def action_suspend(self) -> None:
        self.session.suspend()
        self._leave("Suspended; browse brings it back.")

    def action_grade(self, grade: int) -> None:
        self.session.overrule(grade)
        self.redraw()

    def action_cursor(self, by: int) -> None:
        feedback = self.session.feedback
        scroll = self.query_one("#feedback", VerticalScroll)
        if feedback is None or not feedback.verdict.points:
            scroll.scroll_relative(y=2 * by, animate=False)
            return
        self.cursor += by
        if not 0 <= self.cursor < len(feedback.verdict.points):
            self.cursor = max(0, min(len(feedback.verdict.points) - 1, self.cursor))
            scroll.scroll_relative(y=2 * by, animate=False)
        self.redraw()
        told = self.query_one(Paragraphs)
        reveal(told, told.line_of("›"), 3)

    def action_tick(self) -> None:
        feedback = self.session.feedback
        if feedback is not None and feedback.verdict.points:
            self.session.tick(feedback.verdict.points[self.cursor].id)
            self.redraw()

    def action_experiment(self) -> None:
        feedback = self.session.feedback
        link = feedback.asked.question.experiment if feedback is not None else None
        if link is None:
            return
        from drill.tui.screens.run import RunScreen

        self.app.push_screen(RunScreen(link.name, dict(link.params), claim=link.claim))
