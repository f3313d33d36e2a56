"""A session: one question in focus, its answer always at the same place, then why."""

from __future__ import annotations

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from drill.domain.questions import ExplainBody, LineBody, MutantBody, Question
from drill.domain.verdict import MalformedAnswerError
from drill.services.asked import Asked
from drill.services.session import Session
from drill.tui.actions import bindings
from drill.tui.answers import pane_for
from drill.tui.answers.pane import AnswerPane
from drill.tui.repaint import forget_removed
from drill.tui.screens.case import CaseScreen
from drill.tui.screens.locked import LockedScreen
from drill.tui.text import prose, styled
from drill.tui.widgets.code_view import CodeView
from drill.tui.widgets.confidence import ConfidenceBar
from drill.tui.widgets.said import Said


class SessionScreen(LockedScreen, CaseScreen):
    """Asks the session's current question and hands over to the feedback."""

    BINDINGS = bindings("session")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._shown: str = ""
        self._warmed = ""

    # -- composition ---------------------------------------------------------------

    def body(self) -> ComposeResult:
        # The first question is composed with its texts: filling them in later would lay out and
        # paint everything once more before the learner can read.
        asked = self.session.asked
        question = asked.question if asked is not None else None
        why = prompt = hints = Content("")
        if asked is not None:
            self._pane = pane_for(asked.question)
            why, prompt, hints = self._why(asked), prose(asked.question.prompt), self._hints(asked)
        figure = question is not None and self._has_figure(question)
        with Horizontal(id="stage") as stage:
            stage.set_class(figure, "has-code")
            stage.set_class(question is not None and self.is_case(question), "has-bench")
            with Vertical(id="left"):
                with VerticalScroll(id="reading", can_focus=False):
                    yield Static(why, id="why", markup=False)
                    first = Static(prompt, id="prompt", markup=False)
                    first.display = question is None or not self._prompt_at_bench(question)
                    yield first
                    yield Said(hints, widget_id="hints")
                    with Vertical(id="code-slot"):
                        if question is not None and figure and not self.wide:
                            yield self._figure(question)
                yield Said(widget_id="notice")
                with Vertical(id="answer"):
                    if self._pane is not None:
                        yield self._pane
                yield ConfidenceBar("sure")
            with Vertical(id="side"):
                if question is not None and figure and self.wide:
                    yield self._figure(question)

    @staticmethod
    def _has_figure(question: Question) -> bool:
        return question.code is not None or CaseScreen.is_case(question)

    def _figure(self, question: Question) -> Widget:
        """What stands beside the text where the terminal is wide: the code, or the bench."""
        if question.code is None:
            return self._bench(question)
        selectable = isinstance(question.body, LineBody | MutantBody)
        return CodeView(question.code, selectable=selectable, widget_id="code")

    async def on_resize(self, event: events.Resize) -> None:
        await self.place_code()

    def on_mount(self) -> None:
        reading = self.query_one("#reading")
        self.watch(reading, "show_vertical_scrollbar", self.refresh_bindings, init=False)
        if self.session.asked is None:
            self.call_next(self.show_current)
        else:
            self._arrived()

    @work(thread=True, exit_on_error=False, group="prepare")
    def _prepare(self) -> None:
        """Load what judging needs while the learner reads."""
        self.session.prepare()

    # -- showing -------------------------------------------------------------------

    async def show_current(self) -> None:
        """Show what the session asks now, or the end of it."""
        asked = self.session.asked
        if asked is None:
            from drill.tui.screens.summary import SummaryScreen

            self.give_way(SummaryScreen(self.session))
            return
        question = asked.question
        self.leave_case()
        await self._place_figure(question)
        holder = self.query_one("#answer", Vertical)
        await holder.remove_children()
        self._pane = pane_for(question)
        await holder.mount(self._pane)
        self.query_one("#why", Static).update(self._why(asked))
        self.query_one("#prompt", Static).update(prose(question.prompt))
        self._notice("")
        self.query_one("#hints", Said).tell(self._hints(asked))
        self.query_one("#reading").scroll_home(animate=False)
        self._arrived()
        forget_removed()

    def _arrived(self) -> None:
        """The question stands on the screen: its header, its draft, the focus, its time."""
        asked, pane = self.session.asked, self._pane
        assert asked is not None and pane is not None
        head = asked.question.head
        self.head_of(self.session, asked, f"{asked.minutes_left:.0f} min left")
        if asked.draft:
            pane.restore(asked.draft)
        self.begin_case()
        pane.focus_answer()
        self._busy = False
        self._shown = head.id
        self.query_one("#answer").set_class(head.type == "code", "-code")
        self.refresh_bindings()
        self.session.seen()
        self.newly_shown()
        self.set_timer(0.2, self._prepare)
        self.set_timer(1.0, self._warm_up)
        if self.session.phase == "locked":
            self.call_next(self._judge_locked)

    def _warm_up(self) -> None:
        name = self.session.soon_run()
        if name and name != self._warmed:
            self._warmed = name
            self.drill_app.warm_up(name)

    @staticmethod
    def _why(asked: Asked) -> Content:
        return styled(asked.reason, "$foreground 60%")

    @staticmethod
    def _hints(asked: Asked) -> Content:
        total = len(asked.question.hints)
        shown = [prose(f"Hint {i} of {total}: {h}") for i, h in enumerate(asked.hints, start=1)]
        return Content("\n").join(shown)

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

    async def on_screen_resume(self) -> None:
        asked = self.session.asked
        if self._shown and asked is not None and asked.question.head.id != self._shown:
            await self.show_current()

    def _refuse(self, error: MalformedAnswerError) -> None:
        """Why an answer cannot be read; what is accepted stands under the answer already."""
        self._notice(str(error).partition("\nAccepted:")[0], error=True)

    # -- answering -----------------------------------------------------------------

    @on(AnswerPane.Changed)
    def _keep_draft(self) -> None:
        if self._pane is not None:
            self.session.keep_draft(self._pane.answer())

    @on(CodeView.Chosen)
    def _line_chosen(self, event: CodeView.Chosen) -> None:
        from drill.tui.answers.lines import LinePane

        if isinstance(self._pane, LinePane):
            self._pane.chose(event.lines)

    def on_key(self, event: events.Key) -> None:
        """1, 2, 3 right after choosing: there is nothing else that they could mean."""
        pane = self._pane
        if event.key in "123" and pane is not None and pane.digits_submit and pane.answer():
            event.stop()
            if self._readable():
                self.query_one(ConfidenceBar).action_sure(int(event.key))

    @on(AnswerPane.Ready)
    def _ready(self) -> None:
        if self._readable():
            self.query_one(ConfidenceBar).focus()

    def _readable(self) -> bool:
        """Whether the answer can be submitted; says why not."""
        if self._pane is None or self.session.phase != "asking":
            return False
        answer = self._pane.answer()
        try:
            if answer:
                self.session.read(answer)
        except MalformedAnswerError as error:
            self._refuse(error)
            return False
        self._notice("" if answer else "There is no answer yet.", error=True)
        return bool(answer)

    @on(ConfidenceBar.Given)
    def _submit(self, event: ConfidenceBar.Given) -> None:
        if self._pane is None or self._busy:
            return
        answer = self._pane.answer()
        self.leave_case()
        try:
            self.session.submit(answer, event.confidence)
        except MalformedAnswerError as error:
            self._refuse(error)
            self._pane.focus_answer()
            return
        if self.session.phase == "locked":
            self._judge_locked()
        else:
            self._show_feedback()

    def _show_feedback(self) -> None:
        from drill.tui.screens.feedback import FeedbackScreen

        self._shown = ""
        self.app.push_screen(FeedbackScreen(self.session), self._after_feedback)

    async def _after_feedback(self, said: str | None) -> None:
        if said is None:
            self.leave()
        else:
            await self._go_on(said)

    async def _go_on(self, said: str) -> None:
        """To what is asked now, with a word about what was done."""
        await self.show_current()
        self._notice(said)

    # -- actions -------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        asked = self.session.asked
        if asked is None:
            return True
        question = asked.question
        if action == "hint":
            left = len(question.hints) - len(asked.hints)
            return bool(left) or (None if question.hints else False)
        if action == "zoom":
            return question.code is not None
        if action == "aloud":
            return isinstance(question.body, ExplainBody)
        if action == "read":
            return any(reading.show_vertical_scrollbar for reading in self._readings())
        return True

    def key_word(self, action: str, word: str) -> str:
        asked = self.session.asked
        if action == "hint" and asked is not None:
            total = len(asked.question.hints)
            return f"hint {min(total, len(asked.hints) + 1)} of {total}"
        return self._pane.key_word(action, word) if self._pane is not None else word

    def action_hint(self) -> None:
        hint = self.session.hint()
        asked = self.session.asked
        if hint is not None and asked is not None:
            self.query_one("#hints", Said).tell(self._hints(asked), reveal=True)
            self.refresh_bindings()

    def action_read(self, by: int) -> None:
        for reading in self._readings():
            reading.scroll_relative(y=by * max(1, reading.size.height - 2), animate=False)

    async def action_skip(self) -> None:
        self.session.skip()
        await self._go_on("Put off to the end of the session.")

    async def action_known(self) -> None:
        self.session.mark_known()
        await self._go_on("Marked as known; asked once more before the date.")

    async def action_suspend(self) -> None:
        self.session.suspend()
        await self._go_on("Suspended; browse brings it back.")

    async def action_undo(self) -> None:
        if self.session.undo():
            await self._go_on("Taken back; answer again.")
        else:
            self._notice("There is nothing to take back.")

    def action_aloud(self) -> None:
        asked = self.session.asked
        if asked is None:
            return
        from drill.tui.screens.aloud import AloudScreen

        self.app.push_screen(AloudScreen(asked.question), self._said_aloud)

    def _said_aloud(self, result: tuple[tuple[str, ...], float] | None) -> None:
        if result is not None:
            ticked, seconds = result
            self.session.said_aloud(ticked, seconds)
            self._show_feedback()

    def action_editor(self) -> None:
        from drill.tui.answers.prose import ProsePane
        from drill.tui.editor import edit

        if isinstance(self._pane, ProsePane):
            suffix = ".py" if self._pane.kind == "code" else ".txt"
            text = edit(self.app, self._pane.answer(), suffix, self.drill.config.editor)
            if text is not None:
                self._pane.restore(text)
                self.session.keep_draft(self._pane.answer())
        else:
            self._notice("An editor is for answers of several lines.")

    def action_zoom(self) -> None:
        asked = self.session.asked
        if asked is not None and asked.question.code is not None:
            from drill.tui.screens.zoom import ZoomScreen

            self.app.push_screen(ZoomScreen(asked.question.code))

    def action_back(self) -> None:
        pane = self._pane
        if isinstance(self.focused, ConfidenceBar) and pane is not None and not self._busy:
            pane.focus_answer()
        elif pane is None or not pane.step_back():
            self.leave()
