"""The question of an interview on the screen: scenario, prompt, code, dialogue, timer."""

from __future__ import annotations

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from drill.domain.interview.rounds import ROUNDS
from drill.domain.questions import LineBody, MutantBody, Question
from drill.services.mock import View
from drill.tui.answers import pane_for
from drill.tui.repaint import forget_removed
from drill.tui.screens.mock_clock import slot_line, time_left
from drill.tui.screens.mock_locked import MockLocked
from drill.tui.screens.mock_talk import given_row, talk
from drill.tui.text import prose, row, styled
from drill.tui.widgets.code_view import CodeView
from drill.tui.widgets.paragraphs import Paragraphs
from drill.tui.widgets.said import Said
from drill.tui.widgets.submit_bar import SubmitBar


class MockQuestion(MockLocked):
    """Puts a question on the screen, the answer always at the same place."""

    _shown = ""
    """The item on the screen."""

    def body(self) -> ComposeResult:
        with Horizontal(id="stage"):
            with Vertical(id="left"):
                yield Static("", id="why", markup=False)
                with VerticalScroll(id="reading", can_focus=False):
                    yield Paragraphs("before")
                    yield Said(widget_id="scenario")
                    yield Paragraphs("between")
                    yield Static("", id="prompt", markup=False)
                    yield Said(widget_id="hints")
                    yield Vertical(id="code-slot")
                    yield Paragraphs("talk")
                yield Said(widget_id="notice")
                yield Vertical(id="answer")
                yield SubmitBar("sure")
            yield Vertical(id="side")

    async def on_resize(self, event: events.Resize) -> None:
        await self.place_code()

    @work(thread=True, exit_on_error=False, group="prepare")
    def _prepare(self) -> None:
        self.seat.warm()

    async def put(self, view: View) -> None:
        """Put another question on the screen."""
        question = view.question
        self.leave_case()
        await self._place_figure(question)
        holder = self.query_one("#answer", Vertical)
        await holder.remove_children()
        self._pane = pane_for(question)
        await holder.mount(self._pane)
        if view.draft:
            self._pane.restore(view.draft)
        given = self.mock.parting if self.real else ""
        # Between the stages of a case it belongs to what is known already.
        where = "#between" if view.stage > 1 else "#before"
        for said in self.query("#before, #between").results(Paragraphs):
            here = bool(given) and f"#{said.id}" == where
            said.tell([[given_row(given)]] if here else [])
            said.display = here
        self.query_one("#scenario", Said).tell(prose(question.scenario))
        self.query_one("#prompt", Static).update(prose(question.prompt))
        self.query_one("#hints", Said).tell(self._hints(view))
        self.query_one("#sure").display = self._pane.digits_submit
        self.query_one("#answer").set_class(question.head.type == "code", "-code")
        self._shown = question.head.id
        self.query_one("#reading").scroll_home(animate=False)
        # Once it is laid out, which the first refresh may come before.
        self.call_after_refresh(self.call_after_refresh, self._to_prompt, view.stage)
        forget_removed()

    def _to_prompt(self, stage: int) -> None:
        """Where not all fits, what is asked comes before what is known already."""
        reading = self.query_one("#reading")
        names = ("#between", "#prompt") if stage > 1 else ("#scenario", "#prompt")
        shown = [w for w in map(self.query_one, names) if w.display]
        room = reading.scrollable_content_region.height
        end = shown[-1].virtual_region.bottom if shown else 0
        if end > room and self.mock.phase == "asking" and not self.mock.view.record.turns:
            fits = [w for w in shown if end - w.virtual_region.y <= room]
            # What is new is read from its beginning, what is known may be left above.
            first = (fits or shown[-1:])[0] if stage > 1 else shown[0]
            reading.scroll_to(y=first.virtual_region.y, animate=False)
        self.refresh_bindings()

    def tell_talk(self, view: View) -> None:
        said = self.query_one("#talk", Paragraphs)
        level = self.mock.interview.settings.level
        groups = talk(view.question, level, view.record.turns, view.move)
        said.tell(groups)
        said.display = bool(groups)
        if groups:
            reading = self.query_one("#reading")
            # Once it is laid out, which the first refresh may come before.
            self.call_after_refresh(self.call_after_refresh, reading.scroll_end, animate=False)

    def tell_time(self) -> None:
        interview = self.mock.interview
        if self.mock.phase != "asking":
            return
        slot = interview.slots[interview.slot]
        parts = [f"{interview.slot + 1} of {len(interview.slots)}"]
        if len(slot.items) > 1:
            parts.append(f"stage {interview.stage + 1} of {len(slot.items)}")
        parts.append(time_left(interview))
        level = Content(f" · {interview.settings.level} interview")
        self.head(row(styled(ROUNDS[slot.round], "bold"), level), " · ".join(parts))
        self.query_one("#why", Static).update(slot_line(interview), layout=False)

    @staticmethod
    def _hints(view: View) -> Content:
        total = len(view.question.hints)
        shown = [prose(f"Hint {i} of {total}: {h}") for i, h in enumerate(view.hints, start=1)]
        return Content("\n").join(shown)

    @staticmethod
    def _has_figure(question: Question) -> bool:
        return question.code is not None or MockQuestion.is_case(question)

    async def _place_figure(self, question: Question) -> None:
        slot, side = self.query_one("#code-slot", Vertical), self.query_one("#side", Vertical)
        await slot.remove_children()
        await side.remove_children()
        figure = self._has_figure(question)
        self.query_one("#stage").set_class(figure, "has-code")
        self.query_one("#stage").set_class(self.is_case(question), "has-bench")
        self.query_one("#prompt").display = not self._prompt_at_bench(question)
        if figure:
            await (side if self.wide else slot).mount(self._figure(question))

    def _figure(self, question: Question) -> Widget:
        if question.code is None:
            return self._bench(question)
        selectable = isinstance(question.body, LineBody | MutantBody)
        return CodeView(question.code, selectable=selectable, widget_id="code")
