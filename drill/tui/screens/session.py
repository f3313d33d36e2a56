"""A session: one question in focus, its answer always at the same place, then why."""

from __future__ import annotations

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from drill.domain.questions import (
    CodeBody,
    ExplainBody,
    LineBody,
    MutantBody,
    PredictBody,
    Question,
)
from drill.domain.verdict import MalformedAnswerError
from drill.services.asked import Asked
from drill.services.session import Session
from drill.tui.actions import bindings
from drill.tui.answers import pane_for
from drill.tui.answers.pane import AnswerPane
from drill.tui.repaint import forget_removed
from drill.tui.screens.base import BaseScreen
from drill.tui.text import prose, styled
from drill.tui.widgets.code_view import CodeView
from drill.tui.widgets.confidence import ConfidenceBar
from drill.tui.widgets.said import Said


class SessionScreen(BaseScreen):
    """Asks the session's current question and hands over to the feedback."""

    BINDINGS = bindings("session")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._pane: AnswerPane | None = None
        self._busy = False
        self._shown: str = ""
        self._anyway = False
        """Run a prediction although the experiments' packages are still being installed."""

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
        code = question is not None and question.code is not None
        with Horizontal(id="stage", classes="has-code" if code else ""):
            with Vertical(id="left"):
                with VerticalScroll(id="reading", can_focus=False):
                    yield Static(why, id="why", markup=False)
                    yield Static(prompt, id="prompt", markup=False)
                    yield Said(hints, widget_id="hints")
                    with Vertical(id="code-slot"):
                        if question is not None and code and not self.wide:
                            yield self._code_view(question)
                yield Said(widget_id="notice")
                with Vertical(id="answer"):
                    if self._pane is not None:
                        yield self._pane
                yield ConfidenceBar("sure")
            with Vertical(id="side"):
                if question is not None and code and self.wide:
                    yield self._code_view(question)

    @staticmethod
    def _code_view(question: Question) -> CodeView:
        selectable = isinstance(question.body, LineBody | MutantBody)
        assert question.code is not None
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
        await self._place_code(question)
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
        pane.focus_answer()
        self._busy = False
        self._shown = head.id
        self.query_one("#answer").set_class(head.type == "code", "-code")
        self.refresh_bindings()
        self.session.seen()
        self.newly_shown()
        self.set_timer(0.2, self._prepare)
        if self.session.phase == "locked":
            self.call_next(self._judge_locked)

    @staticmethod
    def _why(asked: Asked) -> Content:
        return styled(asked.reason, "$foreground 60%")

    @staticmethod
    def _hints(asked: Asked) -> Content:
        total = len(asked.question.hints)
        shown = [prose(f"Hint {i} of {total}: {h}") for i, h in enumerate(asked.hints, start=1)]
        return Content("\n").join(shown)

    async def _place_code(self, question: Question) -> None:
        slot, side = self.query_one("#code-slot", Vertical), self.query_one("#side", Vertical)
        await slot.remove_children()
        await side.remove_children()
        self.query_one("#stage").set_class(question.code is not None, "has-code")
        if question.code is not None:
            await (side if self.wide else slot).mount(self._code_view(question))

    async def on_screen_resume(self) -> None:
        asked = self.session.asked
        if self._shown and asked is not None and asked.question.head.id != self._shown:
            await self.show_current()

    def _notice(self, text: str, *, error: bool = False) -> None:
        notice = self.query_one("#notice", Said)
        notice.set_class(error, "-error")
        notice.tell(text)

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

    def _judge_locked(self) -> None:
        """A prediction or code stands: run what judges it."""
        asked = self.session.asked
        if asked is None or self._busy:
            return
        self._busy = True
        if isinstance(asked.question.body, CodeBody):
            self._notice("Running the property tests…")
            self._run_properties()
            return
        from drill.services import labs_packages

        standing = labs_packages.standing()
        if standing.state == "installing" and not self._anyway:
            self._busy = False
            self._offer_to_wait(standing.line())
            return
        from drill.tui.screens.run import RunScreen

        link = asked.question.experiment
        assert link is not None  # the schema requires it for predict
        body = asked.question.body
        screen = RunScreen(
            link.name,
            dict(link.params),
            claim=link.claim,
            prediction=asked.draft,
            fields=body.fields if isinstance(body, PredictBody) else (),
        )
        self.app.push_screen(screen, self._ran)

    def _offer_to_wait(self, why: str) -> None:
        """The experiments' packages are still on their way."""
        from drill.tui.dialog import Pick

        choices = [
            "put the question off to the end of the session",
            "wait here until they are installed",
            "go on: judge by the recorded run, if the pack ships one",
        ]
        self.app.push_screen(Pick(f"Your prediction is locked. {why}", choices), self._waits)

    async def _waits(self, choice: int | None) -> None:
        if choice == 1:
            self._notice("Waiting for the experiments' packages; f3 puts the question off.")
            self._waiting = self.set_interval(2.0, self._look_again)
        elif choice == 2:
            self._anyway = True
            self._judge_locked()
        else:
            await self.action_skip()

    def _look_again(self) -> None:
        from drill.services import labs_packages

        if labs_packages.standing().state != "installing":
            self._waiting.stop()
            if self.session.phase == "locked" and self.app.screen is self:
                self._judge_locked()

    def _ran(self, result: object) -> None:
        from drill.services.labs import RunRecord

        self._busy = False
        if isinstance(result, RunRecord):
            self.session.settle(result.outcomes, run_id=result.run_id)
            self._show_feedback()
        else:
            self._notice(
                "Your prediction stays locked. enter runs the experiment again, "
                "f3 puts it off to the end of the session.",
                error=True,
            )
            self.query_one(ConfidenceBar).focus()

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _run_properties(self) -> None:
        from drill.services.code_judge import JudgeUnavailableError

        try:
            outcomes = self.session.run_properties()
        except JudgeUnavailableError as error:
            self.app.call_from_thread(self._not_judged, str(error))
        else:
            self.app.call_from_thread(self._properties_ran, outcomes)

    def _not_judged(self, why: str) -> None:
        self._busy = False
        self.session.unlock()
        self._notice(f"Your code could not be judged: {why}", error=True)

    def _properties_ran(self, outcomes: dict[str, object]) -> None:
        self._busy = False
        self._notice("")
        self.session.settle(outcomes)
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
            return any(reading.show_vertical_scrollbar for reading in self.query("#reading"))
        return True

    def key_word(self, action: str, word: str) -> str:
        asked = self.session.asked
        if action == "hint" and asked is not None:
            total = len(asked.question.hints)
            return f"hint {min(total, len(asked.hints) + 1)} of {total}"
        return word

    def action_hint(self) -> None:
        hint = self.session.hint()
        asked = self.session.asked
        if hint is not None and asked is not None:
            self.query_one("#hints", Said).tell(self._hints(asked), reveal=True)
            self.refresh_bindings()

    def action_read(self, by: int) -> None:
        reading = self.query_one("#reading")
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
