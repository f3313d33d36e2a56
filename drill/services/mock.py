"""A mock interview as it runs: what the learner does, and how one begins and goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from msgspec.structs import replace

from drill.domain.interview import state as states
from drill.domain.interview.choosing import Course, Settings, choose
from drill.domain.interview.state import Interview, Judged, Turn
from drill.domain.questions import CodeBody, Question
from drill.domain.verdict import MalformedAnswerError
from drill.services.mock_hold import InterviewHeldError
from drill.services.mock_place import HEARTBEAT, MockPhase, MockPlace, View

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.store.sessions import Session as StoredSession

__all__ = [
    "HEARTBEAT",
    "KIND",
    "InterviewHeldError",
    "InterviewOpenError",
    "InterviewShortError",
    "Mock",
    "MockPhase",
    "View",
    "begin",
    "course",
    "resume",
    "unfinished",
]

KIND = "mock"


class InterviewShortError(Exception):
    """The reserve holds nothing that this interview could ask; the message says why."""


class InterviewOpenError(Exception):
    """Another interview was left in the middle: it goes on or is given up first."""


class Mock(MockPlace):
    """The running interview; both front ends hold exactly one."""

    def answer(
        self,
        text: str,
        settled: Callable[[Question, str, Judged], tuple[Judged, str]] | None = None,
    ) -> None:
        """Take an answer, or a reply to a probe.

        What a run judges (`predict`, `code`, `diagnose`) is locked: `settle` goes on. `settled`
        may change what the grader found, and says who did; it must not block.

        Raises:
            MalformedAnswerError: nothing was stored and nothing is lost.
        """
        from drill.services.judging import waits_for_run

        view = self._asking()
        if waits_for_run(view.question):
            self._lock(view, text)
            return
        found = self._judged(view, text)
        kind: states.TurnKind = "answer" if view.move.kind == "open" else "reply"
        self._turn(view, kind, text, found, settled)

    def _judged(self, view: View, text: str) -> Judged:
        from drill.domain.interview.judging import judged

        return judged(view.question, text, reply=view.move.kind != "open")

    def _lock(self, view: View, text: str) -> None:
        """Lock an answer; raises MalformedAnswerError for one that cannot be read."""
        from drill.services.judging import as_locked

        asked = self.asked
        assert asked is not None
        locked = as_locked(asked, text)
        self._count()
        self._since = None
        self._draft = ""
        self._keep(replace(view.record, locked=locked))

    def run_properties(self) -> dict[str, object]:
        """Run the property tests of a `code` question on the locked answer; takes seconds.

        Raises:
            JudgeUnavailableError: it could not be judged; `unlock` gives the answer back.
        """
        from drill.services import code_judge

        view = self.view
        return code_judge.judge(self._drill, view.question, view.record.locked)

    def settle(self, outcomes: Mapping[str, object], run_id: str = "") -> None:
        """Judge a locked answer by what the run gave."""
        from drill.domain.interview.judging import judged

        record = self._record
        if record is None or not record.locked:
            raise ValueError("no answer is locked")
        question = self.question(record.item_id)
        found = judged(question, record.locked, outcomes)
        turn = Turn("answer", self.interview.seconds, record.locked, judged=found)
        record = replace(record, locked="", run_id=run_id, turns=(*record.turns, turn))
        self._keep(record)
        self._done_with(record)

    def unlock(self) -> None:
        """Give a locked answer back, where what judges it cannot run here."""
        record = self._record
        if record is not None and record.locked:
            self._draft = record.locked
            self._keep(replace(record, locked=""))

    def unjudged(self) -> None:
        """Move on from a locked answer that cannot be judged here; it is not scored."""
        record = self._record
        if record is None or not record.locked:
            raise ValueError("no answer is locked")
        turn = Turn("cut", self.interview.seconds, record.locked)
        self._keep(replace(record, locked="", turns=(*record.turns, turn)))
        self._move_on()

    def claim(self) -> None:
        """Answer a probe with "I said that": left to the learner's own ticks."""
        view = self._asking()
        if view.move.kind != "probe" or view.move.style == "belief":
            raise ValueError("only a probe about a missing point can be answered so")
        self._turn(view, "claim", "", None, None)

    def pass_on(self) -> None:
        """Leave a probe, or the whole question, unanswered."""
        view = self._asking()
        self._turn(view, "pass", "", None, None)

    def hint(self) -> str | None:
        """Study mode: the next hint, or None; it costs credit."""
        view = self._asking()
        if self.interview.settings.mode != "study":
            return None
        if view.record.hints >= len(view.question.hints):
            return None
        self._keep(replace(view.record, hints=view.record.hints + 1))
        return view.question.hints[view.record.hints]

    def cut(self, draft: str) -> None:
        """Time is up: what is typed is taken as it stands, and the debrief begins.

        What a run judges is locked where it can be read (`phase` is `locked`), and the debrief
        comes after `settle`. What cannot be read is not scored.
        """
        from drill.services.judging import waits_for_run

        self._count()
        if self._record is None or self.phase == "locked":
            return
        view = self.view
        if waits_for_run(view.question):
            body = view.question.body
            blank = isinstance(body, CodeBody) and draft.strip() == body.starter.strip()
            if draft.strip() and not blank:
                with suppress(MalformedAnswerError):
                    self._lock(view, draft)
                    return
            draft = ""
        if draft.strip():
            found = None
            with suppress(MalformedAnswerError):
                found = self._judged(view, draft)
            move = view.move
            turn = Turn(
                "cut", self.interview.seconds, draft, move.target, move.style, move.text, found
            )
            record = replace(view.record, turns=(*view.record.turns, turn))
            self.interview = states.with_record(self.interview, record)
        self.end_questions()

    def end_questions(self) -> None:
        """Go to the debrief now, whatever is left to ask."""
        self._count()
        self._since = None
        self._draft = ""
        record = self._record
        if record is not None and record.ended is None:
            ended = replace(record, ended=self.interview.seconds)
            self.interview = states.with_record(self.interview, ended)
        self.feedback_item = ""
        if self.interview.phase == "asking":
            self.interview = replace(self.interview, phase="debrief")
        self._save()

    def next(self) -> None:
        """Study mode: the feedback is read."""
        if self.feedback_item:
            self.feedback_item = ""
            self._move_on()

    def _asking(self) -> View:
        if self.phase != "asking":
            raise ValueError(f"nothing is asked: the interview is at {self.phase}")
        self._count()
        return self.view

    def _turn(
        self,
        view: View,
        kind: states.TurnKind,
        text: str,
        found: Judged | None,
        settled: Callable[[Question, str, Judged], tuple[Judged, str]] | None,
    ) -> None:
        by = ""
        if settled is not None and found is not None:
            found, by = settled(view.question, text, found)
        move, at = view.move, self.interview.seconds
        turn = Turn(kind, at, text, move.target, move.style, move.text, found, by)
        record = replace(view.record, turns=(*view.record.turns, turn))
        self._draft = ""
        self._keep(record)
        if self.move(record).kind != "probe" or self.time_is_up:
            self._done_with(record)

    # -- the debrief -------------------------------------------------------------------

    def tick(self, item_id: str, point: str) -> None:
        """Put the learner's own tick on a point, or take it off."""
        from drill.domain.interview.credit import CREDIT, how_said

        record = self.interview.record(item_id)
        if record is None:
            raise KeyError(item_id)
        credited = how_said(point, record.turns) in CREDIT
        self.interview = states.ticked(self.interview, item_id, point, credited=credited)
        self._save()


def course(drill: Drill, settings: Settings) -> Course:
    """The questions that an interview with these settings would ask now, and what it lacks."""
    used: Counter[str] = Counter()
    newest: list[str] = []
    for stored in reversed(drill.store.sessions.recent(10_000, KIND)):
        # What was shown counts, also where the time was up before it was answered.
        newest = [record.item_id for record in Interview.from_json(stored.plan).records]
        used.update(newest)
    # The log also holds the interviews of other machines.
    for item, count in drill.store.mock_counts().items():
        used[item] = max(used[item], count)
    return choose(drill.interview_heads(), settings, used, newest)


def begin(drill: Drill, settings: Settings, timer: Callable[[], float] = monotonic) -> Mock:
    """Begin an interview.

    Raises:
        InterviewShortError: the reserve has nothing for it.
        InterviewOpenError: another one was left in the middle.
        InterviewHeldError: another process holds one.
    """
    if unfinished(drill) is not None:
        raise InterviewOpenError("An interview was left in the middle.")
    chosen = course(drill, settings)
    if not chosen.slots:
        raise InterviewShortError(" ".join(chosen.lacks) or "The reserve is empty.")
    drill.mock_hold.take()
    interview = Interview(settings, chosen.slots, chosen.lacks)
    stored = drill.store.sessions.start(
        KIND, interview.to_json(), drill.store.today(), settings.seed, float(settings.minutes)
    )
    return Mock(drill, stored, timer)


def unfinished(drill: Drill) -> StoredSession | None:
    """An interview that was left in the middle."""
    return drill.store.sessions.unfinished(KIND)


def resume(drill: Drill, stored: StoredSession, timer: Callable[[], float] = monotonic) -> Mock:
    """Go on with an interview that was left.

    Raises:
        InterviewHeldError: it goes on in another process.
    """
    drill.mock_hold.take()
    return Mock(drill, stored, timer)
