"""The interview: what it asks now, and the keys for all but the answer itself."""

from __future__ import annotations

from drill.domain.questions import CodeBody, ExplainBody
from drill.services.mock import HEARTBEAT, View
from drill.services.mock_words import clock
from drill.tui.actions import bindings
from drill.tui.screens.mock_answering import SAID, MockAnswering
from drill.tui.widgets.said import Said
from drill.tui.widgets.submit_bar import SubmitBar


class MockScreen(MockAnswering):
    """Asks what the interview asks now, and hands over to the debrief."""

    BINDINGS = bindings("mock")
    CSS = """
    MockScreen #before, MockScreen #between { padding: 1 1 0 1; }
    MockScreen #scenario { max-width: 80; height: auto; padding: 1 1 0 1; }
    MockScreen #talk { padding: 1 1 0 1; }
    """

    def on_mount(self) -> None:
        reading = self.query_one("#reading")
        self.watch(reading, "show_vertical_scrollbar", self.refresh_bindings, init=False)
        self.set_interval(HEARTBEAT, self._tick)
        self.call_next(self.show_current)

    def on_unmount(self) -> None:
        """Whatever ends the app: the last second is kept as well."""
        if self.mock.phase == "asking":
            self.mock.leave(self._typed)

    # -- showing -------------------------------------------------------------------

    async def show_current(self) -> None:
        """Show the question, the next probe, the feedback of study mode, or the debrief."""
        if self._ending and self.mock.phase == "asking":
            self.mock.end_questions()
        phase = self.mock.phase
        if phase == "feedback":
            self._show_review()
            return
        if phase in ("debrief", "done"):
            self._show_debrief()
            return
        view = self.mock.view
        if view.record.item_id != self._shown:
            await self.put(view)
        elif view.draft or isinstance(view.question.body, ExplainBody):
            assert self._pane is not None
            self._pane.restore(view.draft)
        self.tell_talk(view)
        self._arrived(view)

    def _show_review(self) -> None:
        from drill.tui.screens.mock_debrief import DebriefScreen

        self.app.push_screen(DebriefScreen(self.mock, study=True), self._reviewed)

    async def _reviewed(self, going_on: bool | None) -> None:
        if going_on:
            self.mock.next()
            await self.show_current()
        else:
            self.leave()

    def _show_debrief(self) -> None:
        from drill.tui.screens.mock_debrief import DebriefScreen

        if self.app.screen is self and not self._over:
            self._over = True
            self.give_way(DebriefScreen(self.mock, time_up=self._time_ran_out))

    async def on_screen_resume(self) -> None:
        if self._shown and self.mock.phase == "debrief":  # time was up under another screen
            self._show_debrief()

    def _arrived(self, view: View) -> None:
        """It stands on the screen: its header, the focus, its time."""
        assert self._pane is not None
        self._typed = view.draft
        self._passing = self._busy = False
        self._notice("")
        self._pane.disabled = False
        self.mock.start_clock()
        self.tell_time()
        self.begin_case()
        self._pane.focus_answer()
        self.refresh_bindings()
        self.newly_shown()
        self.set_timer(0.2, self._prepare)
        if self.mock.phase == "locked":
            self.call_next(self._judge_locked)

    # -- actions ---------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("undo", "aloud"):  # of the answer panes; there is none here
            return False
        if not self._shown or self.mock.phase != "asking":
            return action not in ("hint", "pass", "claim", "editor", "zoom")
        view = self.mock.view
        if action == "hint":
            return not self.real and len(view.hints) < len(view.question.hints)
        if action == "claim":
            return self._probed
        if action == "zoom":
            return view.question.code is not None
        if action == "editor":
            return isinstance(view.question.body, ExplainBody | CodeBody)
        if action == "read":
            return any(reading.show_vertical_scrollbar for reading in self._readings())
        return True

    def key_word(self, action: str, word: str) -> str:
        if not self._shown or self.mock.phase != "asking":
            return word
        view = self.mock.view
        if action == "hint":
            return f"hint {len(view.hints) + 1} of {len(view.question.hints)}"
        if action == "claim" and not self._typed.strip():
            return f"{word} (or {SAID})"
        return self._pane.key_word(action, word) if self._pane is not None else word

    def action_hint(self) -> None:
        if self.mock.hint() is not None:
            self.query_one("#hints", Said).tell(self._hints(self.mock.view), reveal=True)
            self.refresh_bindings()

    async def action_claim(self) -> None:
        """I said that: the learner's own ticks decide."""
        if self._probed:
            self.mock.claim()
            await self.show_current()

    async def action_pass(self) -> None:
        """Leave a probe; the whole question, or what is typed, only when asked twice."""
        if self.mock.phase != "asking" or self._asking is not None:
            return
        probed = self.mock.view.move.kind == "probe"
        if not self._passing and (not probed or self._typed.strip()):
            self._passing = True
            what = "this probe" if probed else "the question"
            self._notice(f"The same key again leaves {what} without an answer.")
            return
        self.leave_case()
        self.mock.pass_on()
        await self.show_current()

    def action_read(self, by: int) -> None:
        for reading in self._readings():
            reading.scroll_relative(y=by * max(1, reading.size.height - 2), animate=False)

    def action_editor(self) -> None:
        from drill.tui.answers.prose import ProsePane
        from drill.tui.editor import edit

        if isinstance(self._pane, ProsePane):
            suffix = ".py" if self._pane.kind == "code" else ".txt"
            text = edit(self.app, self._pane.answer(), suffix, self.drill.config.editor)
            if text is not None:
                self._pane.restore(text)
                self._keep_typed()

    def action_zoom(self) -> None:
        code = self.mock.view.question.code
        if code is not None:
            from drill.tui.screens.zoom import ZoomScreen

            self.app.push_screen(ZoomScreen(code))

    def action_back(self) -> None:
        """A step back in the answer; from its first part, ask whether to leave."""
        if self._asking is not None:
            self._asking.cancel()
        elif isinstance(self.focused, SubmitBar) and self._pane is not None:
            self._pane.focus_answer()
        elif self._pane is None or not self._pane.step_back():
            self.action_end()

    def action_end(self) -> None:
        from drill.tui.dialog import Pick

        if self._asking is not None or not self._shown:
            return
        left = f"{clock(self.mock.seconds_left)} left"
        choices = [
            "go on",
            f"leave it for now: it waits with {left}",
            "end the questions and go to the debrief",
        ]
        self.app.push_screen(Pick("Leave the interview?", choices), self._ended)

    async def _ended(self, choice: int | None) -> None:
        if self.mock.phase not in ("asking", "locked"):
            return  # time was up under the window
        if choice == 1:
            self.leave_case()
            self.mock.leave(self._typed)
            self.leave()
        elif choice == 2:
            self.leave_case()
            self._ending = True
            if self.mock.phase == "asking":
                await self._cut()
