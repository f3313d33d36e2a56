"""What happens once an answer is locked: the experiment, the mend or the property tests run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.timer import Timer

from drill.domain.questions import CodeBody, DiagnoseBody, PredictBody
from drill.services.session import Session
from drill.tui.screens.base import BaseScreen
from drill.tui.widgets.confidence import ConfidenceBar
from drill.tui.widgets.said import Said

if TYPE_CHECKING:
    from drill.tui.answers.pane import AnswerPane


class LockedScreen(BaseScreen):
    """The part of the session screen that runs what judges a locked answer."""

    session: Session
    _pane: AnswerPane | None = None
    _busy = False
    _anyway = False
    """Run a prediction although the experiments' packages are still being installed."""
    _waiting: Timer

    async def action_skip(self) -> None:
        """Put the question off."""
        raise NotImplementedError

    def _show_feedback(self) -> None:
        raise NotImplementedError

    def _notice(self, text: str, *, error: bool = False) -> None:
        notice = self.query_one("#notice", Said)
        notice.set_class(error, "-error")
        notice.tell(text)

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
        if isinstance(asked.question.body, DiagnoseBody):
            from drill.tui.screens.mend import MendScreen

            self.app.push_screen(MendScreen(self.session), self._mended)
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

    def _mended(self, run_id: str | None) -> None:
        """The mend was seen, or could not be: the cause is right or not all the same."""
        self._busy = False
        if run_id is None:
            self.leave()
            return
        self.session.settle({}, run_id=run_id)
        self._show_feedback()

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
