"""An interview's predictions, diagnoses and code: what runs once an answer is locked."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from drill.domain.questions import DiagnoseBody
from drill.services.mock import Mock
from drill.tui.screens.case import LOOK, CaseScreen
from drill.tui.screens.locked import LockedScreen
from drill.tui.screens.mock_seat import MockSeat

if TYPE_CHECKING:
    from drill.services.session import Session

_UNSCORED = "go on; this question is not scored"


class MockLocked(LockedScreen, CaseScreen):
    """Runs as in a session; the clock stands still meanwhile, and nothing can be put off."""

    def __init__(self, mock: Mock) -> None:
        super().__init__()
        self.mock = mock
        self.seat = MockSeat(mock)
        # It has all that the screens of practice ask of a session while something is locked.
        self.session = cast("Session", self.seat)

    @property
    def real(self) -> bool:
        """Whether nothing is told before the end."""
        return self.mock.interview.settings.mode == "real"

    @property
    def looking(self) -> bool:
        """Whether something broken is looked at now."""
        return any(
            worker.node is self and worker.group == LOOK and not worker.is_finished
            for worker in self.workers
        )

    async def show_current(self) -> None:
        """Show what the interview is at."""
        raise NotImplementedError

    def _show_feedback(self) -> None:
        """Judged: whatever comes next."""
        self.call_next(self.show_current)

    def _judge_locked(self) -> None:
        asked = self.seat.asked
        if asked is None or self._busy:
            return
        if self.real and isinstance(asked.question.body, DiagnoseBody):
            # The mend would tell the cause; it needs none to be judged.
            self.seat.settle({})
            self._show_feedback()
            return
        super()._judge_locked()

    # -- where it cannot run -----------------------------------------------------------

    def _offer_to_wait(self, why: str) -> None:
        from drill.tui.dialog import Pick

        choices = [
            "wait here until they are installed; the clock stands still",
            "go on: judge by the recorded run, if the pack ships one",
            _UNSCORED,
        ]
        self.app.push_screen(Pick(f"Your prediction is locked. {why}", choices), self._waits)

    async def _waits(self, choice: int | None) -> None:
        if choice == 2:
            await self._unjudged()
        elif choice == 1:
            self._anyway = True
            self._judge_locked()
        else:
            self._notice("Waiting for the experiments' packages.")
            self._waiting = self.set_interval(2.0, self._look_again)

    def _ran(self, result: object) -> None:
        from drill.services.labs import RunRecord
        from drill.tui.dialog import Pick

        self._busy = False
        if isinstance(result, RunRecord):
            self.seat.settle(result.outcomes, run_id=result.run_id)
            self._show_feedback()
            return
        says = "The experiment gave no result; your prediction stays locked."
        self.app.push_screen(Pick(says, ["run it again", _UNSCORED]), self._again)

    def _not_judged(self, why: str) -> None:
        from drill.tui.dialog import Pick

        self._busy = False
        self._notice(f"Your code could not be judged: {why}", error=True)
        choices = ["try again", _UNSCORED, "back to the code"]
        self.app.push_screen(Pick("Your code could not be judged.", choices), self._again)

    async def _again(self, choice: int | None) -> None:
        if choice == 1:
            await self._unjudged()
        elif choice == 2:
            self.seat.unlock()
            await self.show_current()
        elif choice == 0:
            self._judge_locked()
        else:
            self.leave()  # the lock stays

    async def _unjudged(self) -> None:
        self.mock.unjudged()
        await self.show_current()

    async def action_skip(self) -> None:
        """In an interview nothing is put off."""
