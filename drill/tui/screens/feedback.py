"""After an answer: the verdict, why, the learner's ticks, the grade and what comes next."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from drill.domain.questions import TOPICS, LineBody, MutantBody, Question
from drill.services.session import Session
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.text import lines, prose, row, styled
from drill.tui.widgets import feedback as text
from drill.tui.widgets.code_view import CodeView
from drill.tui.widgets.paragraphs import Paragraphs
from drill.tui.widgets.reveal import reveal


class FeedbackScreen(BaseScreen):
    """Dismissed with True to go on, False to go home."""

    BINDINGS = bindings("feedback")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.cursor = 0

    def body(self) -> ComposeResult:
        feedback = self.session.feedback
        assert feedback is not None
        question = feedback.asked.question
        with Horizontal(id="stage", classes="has-code" if question.code else ""):
            with Vertical(id="left"):
                with VerticalScroll(id="feedback"):
                    yield Static("", id="verdict", markup=False)
                    yield Paragraphs("told")
                    yield Static(self._asked(question), id="shown-prompt", markup=False)
                    yield Vertical(id="code-slot")
                yield Static("", id="memory", markup=False)
            yield Vertical(id="side")

    @staticmethod
    def _asked(question: Question) -> Content:
        return lines(styled("The question", "bold"), prose(question.prompt))

    async def on_mount(self) -> None:
        feedback = self.session.feedback
        assert feedback is not None
        question = feedback.asked.question
        topic = TOPICS.get(question.head.topic, question.head.topic).split(":")[0]
        self.head(
            row(styled(topic, "bold"), Content(f" · {question.head.level} · {question.head.type}")),
            f"{feedback.asked.number} of ~{feedback.asked.expected}",
        )
        self.query_one("#code-slot").styles.height = "auto"
        if question.code is not None:
            view = CodeView(question.code, widget_id="code")
            place = "#side" if self.has_class("-wide") else "#code-slot"
            await self.query_one(place).mount(view)
            if isinstance(question.body, LineBody):
                view.flag(dict.fromkeys(question.body.lines, "✓"))
            elif isinstance(question.body, MutantBody):
                view.flag({question.body.line: "✓"})
        self.redraw()
        self.query_one("#feedback").focus()

    def redraw(self) -> None:
        """Draw the feedback as it is now."""
        feedback = self.session.feedback
        if feedback is None:
            return
        cursor = self.cursor if feedback.verdict.points else -1
        self.query_one("#verdict", Static).update(text.verdict_line(feedback))
        self.query_one(Paragraphs).tell(text.body(feedback, cursor=cursor))
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
        self._leave(True)

    def action_back(self) -> None:
        self.session.advance()
        self._leave(False)

    def _leave(self, went_on: bool) -> None:
        screen: Screen[bool] = self  # type: ignore[assignment]
        screen.dismiss(went_on)

    def action_undo(self) -> None:
        self.session.undo()
        self.notify("Taken back; answer again.", markup=False)
        self._leave(True)

    def action_suspend(self) -> None:
        self.session.suspend()
        self.notify("Suspended; browse brings it back.", markup=False)
        self._leave(True)

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
