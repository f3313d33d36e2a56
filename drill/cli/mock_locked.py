"""What runs in a mock interview on plain text: measurements, experiments, tests of code.

The clock stands still meanwhile. A real interview shows what an experiment measured, and neither
whether its claims hold nor which cause a mend removed: that would be the verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from drill.cli.plain_runs import PlainRuns
from drill.cli.show import wrapped
from drill.domain.questions import DiagnoseBody, PredictBody
from drill.services.mock_words import said_in_words

if TYPE_CHECKING:
    from drill.cli.plain_case import PlainCase
    from drill.services.app import Drill
    from drill.services.mock import Mock, View


class LockedAnswers:
    """Shows broken pipelines, and judges the answers that wait for a run."""

    def __init__(
        self, drill: Drill, mock: Mock, say: Callable[[str], None], line: Callable[[str], str]
    ) -> None:
        self._drill = drill
        self._mock = mock
        self._say = say
        self._line = line
        self._runs = PlainRuns(drill, say)

    def close(self) -> None:
        """End the child."""
        self._runs.close()

    def case(self, view: View) -> PlainCase | None:
        """The broken thing of a `diagnose` question, its symptom shown."""
        if not isinstance(view.question.body, DiagnoseBody):
            return None
        case = self._case()
        case.symptom()
        return case

    def _case(self) -> PlainCase:
        from drill.cli.plain_case import PlainCase

        return PlainCase(self._drill, self._mock, self._runs.run, self._say)

    def judge(self) -> None:
        """Run what judges the locked answer."""
        view, study = self._mock.view, self._mock.interview.settings.mode == "study"
        body = view.question.body
        if isinstance(body, PredictBody):
            self._prediction(view, study=study)
        elif isinstance(body, DiagnoseBody):
            chosen = said_in_words(view.question, view.record.locked) or view.record.locked
            self._say("\n" + wrapped(f"Locked: {chosen}"))
            if study:
                self._case().mend()
            else:
                self._mock.settle({})
        else:
            self._code()

    def _prediction(self, view: View, *, study: bool) -> None:
        link = view.question.experiment
        assert link is not None
        self._say(f"\nLocked: {view.record.locked}.")
        self._say("Running the experiment; the clock stands still.")
        outcomes, run_id = self._runs.experiment(link.name, dict(link.params), claims=study)
        if outcomes is not None:
            self._mock.settle(outcomes, run_id)
            return
        word = self._line("r runs it again, enter goes on without it (not scored) > ")
        if word.strip().lower() != "r":
            self._mock.unjudged()

    def _code(self) -> None:
        from drill.services.code_judge import JudgeUnavailableError

        self._say("\nRunning the property tests; the clock stands still.")
        try:
            self._mock.settle(self._mock.run_properties())
        except JudgeUnavailableError as error:
            self._say(wrapped(f"Not judged and not scored: {error}"))
            self._mock.unjudged()
