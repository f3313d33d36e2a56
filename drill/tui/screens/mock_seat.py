"""The question of an interview in the form in which the screens of practice take it."""

from __future__ import annotations

from collections.abc import Mapping

from drill.services.asked import Asked, Phase
from drill.services.finding import Finding
from drill.services.mock import Mock


class MockSeat:
    """What runs, looks and tests need to know of the question in front of the learner."""

    kind = "mock"

    def __init__(self, mock: Mock) -> None:
        self.mock = mock

    @property
    def phase(self) -> Phase:
        """Whether an answer is open, or locked until something has run."""
        phase = self.mock.phase
        return "done" if phase == "debrief" else phase

    @property
    def asked(self) -> Asked | None:
        """The question in front of the learner; None in feedback and from the debrief on."""
        return self.mock.asked if self.mock.phase in ("asking", "locked") else None

    def keep_finding(self, finding: Finding) -> None:
        """Keep what a look at a broken pipeline showed."""
        self.mock.keep_finding(finding)

    def settle(self, outcomes: Mapping[str, object], run_id: str = "") -> None:
        """Judge the locked answer by what ran."""
        self.mock.settle(outcomes, run_id)

    def unlock(self) -> None:
        """Give the locked answer back."""
        self.mock.unlock()

    def run_properties(self) -> dict[str, object]:
        """Run the property tests on the locked code; takes seconds.

        Raises:
            JudgeUnavailableError: it could not be judged.
        """
        return self.mock.run_properties()

    def warm(self) -> None:
        """Load what judging and storing need, while the learner reads."""
        from contextlib import suppress

        from drill.domain.memory.fsrs_memory import warm
        from drill.domain.verdict import MalformedAnswerError
        from drill.services.judging import judge, waits_for_run

        warm()
        asked = self.asked
        if asked is not None and not waits_for_run(asked.question):
            with suppress(MalformedAnswerError):
                judge(asked.question, "1")
