"""Answers in an interview: typed, submitted, read by an outside judge, cut when time is up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on, work

from drill.domain.questions import CodeBody, ExplainBody
from drill.domain.verdict import MalformedAnswerError
from drill.services.mock import Mock
from drill.tui.answers.pane import AnswerPane
from drill.tui.screens.mock_question import MockQuestion
from drill.tui.widgets.code_view import CodeView
from drill.tui.widgets.submit_bar import SubmitBar

if TYPE_CHECKING:
    from drill.services.outside_judge.asking import Asking

SAID = "="
"""Typed alone into an empty reply: I said that. No reply begins with it."""


class MockAnswering(MockQuestion):
    """Takes answers and minds the clock, without ever blocking."""

    def __init__(self, mock: Mock) -> None:
        super().__init__(mock)
        self._typed = ""
        self._ending = False
        """Whether the learner ended the questions."""
        self._passing = False
        """Whether the next press of the key passes the whole question."""
        self._asking: Asking | None = None
        self._over = self._time_ran_out = False
        """Whether the debrief was opened, and whether that was the clock's doing."""

    def _show_debrief(self) -> None:
        raise NotImplementedError

    async def action_claim(self) -> None:
        """I said that: the learner's own ticks decide."""
        raise NotImplementedError

    # -- time ------------------------------------------------------------------------

    async def _tick(self) -> None:
        """Once a second: what is typed and the time used are stored."""
        if not self._shown or self.mock.phase != "asking":
            return
        self._mind_clock()
        self.mock.beat(self._typed)
        if self.mock.time_is_up and self._asking is None:
            await self._time_up()
        else:
            self.tell_time()

    def _mind_clock(self) -> None:
        """The learner's time does not run while something else does."""
        if self.looking or self._asking is not None:
            self.mock.stop_clock()
        else:
            self.mock.start_clock()

    async def _time_up(self) -> None:
        self.leave_case()
        self._time_ran_out = True
        await self._cut()

    async def _cut(self) -> None:
        """What is typed is taken as it stands; what a run judges is run first."""
        self.mock.cut(self._typed)
        if self.mock.phase == "locked":
            self._judge_locked()
        else:
            self._show_debrief()  # under a window: once that is closed

    # -- answers ---------------------------------------------------------------------

    @on(AnswerPane.Changed)
    async def _changed(self) -> None:
        before = self._typed
        self._keep_typed()
        if self._typed == SAID and not before:
            await self.action_claim()

    def _keep_typed(self) -> None:
        pane = self._pane
        if pane is None or self._asking is not None or self.mock.phase != "asking":
            return
        self._typed = pane.answer()
        body = self.mock.view.question.body
        if isinstance(body, CodeBody) and self._typed == body.starter.rstrip():
            self._typed = ""  # nothing of it is the learner's
        self._passing = False
        self.refresh_bindings()

    @on(CodeView.Chosen)
    def _line_chosen(self, event: CodeView.Chosen) -> None:
        from drill.tui.answers.lines import LinePane

        if isinstance(self._pane, LinePane):
            self._pane.chose(event.lines)

    @on(AnswerPane.Ready)
    async def _ready(self) -> None:
        if not self._readable() or self._pane is None:
            return
        if self._pane.digits_submit:
            self.query_one(SubmitBar).focus()
        else:
            await self._submit()

    def _readable(self) -> bool:
        """Whether the answer can be submitted; says why not."""
        from drill.services.judging import refuse_unreadable

        if self._pane is None or self._asking is not None or self.mock.phase != "asking":
            return False
        answer, question = self._pane.answer(), self.mock.view.question
        try:
            if answer and not isinstance(question.body, ExplainBody):
                refuse_unreadable(question, answer)
        except MalformedAnswerError as error:
            self._notice(str(error).partition("\nAccepted:")[0], error=True)
            return False
        self._notice("" if answer else "There is no answer yet.", error=True)
        return bool(answer)

    @on(SubmitBar.Given)
    async def _submit(self) -> None:
        if self._pane is None or self._busy or self._asking is not None:
            return
        text = self._pane.answer()
        if not text:
            return
        from drill.services.outside_judge.asking import begin

        self._typed = text
        view = self.mock.view
        asking = begin(self.drill, view.question, text, reply=view.move.kind != "open")
        if asking is None:
            await self._take(text, None)
        else:
            self._ask(asking)

    async def _take(self, text: str, asking: Asking | None) -> None:
        """The answer stands, and is stored."""
        self.leave_case()
        try:
            self.mock.answer(text, asking.settled if asking is not None else None)
        except MalformedAnswerError as error:
            self._notice(str(error).partition("\nAccepted:")[0], error=True)
            return
        if self.mock.phase == "locked":
            self._judge_locked()
        else:
            await self.show_current()

    @work(exclusive=True, group="judge", exit_on_error=False)
    async def _ask(self, asking: Asking) -> None:
        """The outside judge reads an answer, off this thread; the clock stands still."""
        assert self._pane is not None
        self.mock.beat(asking.text)
        self._asking = asking
        self._pane.disabled = True
        self._mind_clock()
        self._notice("The outside judge reads your answer. esc goes on without it.")
        try:
            await asyncio.to_thread(asking.run)
        finally:
            self._asking = None
        if self.mock.phase == "asking":
            self._mind_clock()
            await self._take(asking.text, asking)

    @property
    def _probed(self) -> bool:
        """Whether a probe about a missing point is open."""
        if not self._shown or self.mock.phase != "asking" or self._asking is not None:
            return False
        move = self.mock.view.move
        return move.kind == "probe" and move.style != "belief"
