"""Where an interview stands: its clock, the question in front of the learner, and what is stored.

Every turn is stored before the next thing is shown. The draft of the present answer and the time
used are stored with each beat (once a second), so that a killed interview goes on where it was.
The clock runs only while the learner is asked: not while drill is closed, while an experiment or
the tests of a code answer run, nor while feedback is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from drill.domain.interview import state as states
from drill.domain.interview.dialogue import Move, next_move
from drill.domain.interview.rounds import ROUNDS
from drill.domain.interview.state import Interview, Record
from drill.domain.memory.variants import presentation_seed
from drill.domain.presentation import shown
from drill.domain.questions import Question, Round
from drill.services.asked import Asked
from drill.services.finding import Finding, from_json, to_json

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.store.sessions import Session as StoredSession

HEARTBEAT = 1.0
"""Seconds between two beats. An interview that was killed is charged one of them: the time since
the last beat is not known, and being killed must never be a way to gain time."""
MockPhase = Literal["asking", "locked", "feedback", "debrief", "done"]
"""`locked`: an answer waits for the run that judges it; `feedback`: in study mode, after a
question."""


class View(Struct, frozen=True):
    """What is in front of the learner."""

    question: Question
    """Options and steps in the order in which they are shown."""
    move: Move
    record: Record
    round: Round
    number: int
    """Place of the slot, from 1."""
    slots: int
    stage: int
    """Place in a case, from 1."""
    stages: int
    draft: str
    hints: tuple[str, ...] = ()


class MockPlace:
    """The place in an interview; `Mock` adds what the learner does."""

    def __init__(
        self, drill: Drill, stored: StoredSession, timer: Callable[[], float] = monotonic
    ) -> None:
        self._drill = drill
        self._timer = timer
        self.id = stored.id
        self.interview = Interview.from_json(stored.plan)
        self._since: float | None = None
        self._questions: dict[str, Question] = {}
        self.feedback_item = ""
        """Study mode: the item whose feedback is read."""
        self._draft = self.interview.draft
        self._restore(stored.draft)
        self._show()

    def _restore(self, beat: Any) -> None:
        """Take in the beat, which a change clears: it is of the present question."""
        seconds, running = self.interview.seconds, self.interview.running
        if isinstance(beat, dict):
            seconds = max(seconds, float(beat.get("seconds", 0.0)))
            running = bool(beat.get("running", False))
            self._draft = str(beat.get("text", ""))
        if running:
            seconds += HEARTBEAT
        if running or seconds != self.interview.seconds:
            self.interview = replace(self.interview, seconds=seconds)
            self._save()

    # -- the clock -------------------------------------------------------------------

    def start_clock(self) -> None:
        """The question is on the screen: its time runs."""
        if self._since is None and self.phase == "asking":
            self._since = self._timer()
            self.beat(self._draft)

    def stop_clock(self) -> None:
        """Time that passes from now on is not the learner's."""
        if self._since is not None:
            self._count()
            self._since = None
            self.beat(self._draft)

    def _count(self) -> None:
        if self._since is not None:
            now = self._timer()
            used = self.interview.seconds + max(0.0, now - self._since)
            self.interview = replace(self.interview, seconds=used)
            self._since = now

    @property
    def seconds_left(self) -> float:
        """Until the interview is over."""
        self._count()
        return self.interview.seconds_left

    @property
    def time_is_up(self) -> bool:
        """Whether only the debrief is left."""
        self._count()
        return self.interview.phase == "asking" and self.interview.asking_seconds_left <= 0

    def beat(self, draft: str) -> None:
        """Store the time used and what is typed; a front end calls it every `HEARTBEAT`."""
        self._count()
        self._draft = draft
        self._drill.store.sessions.save_draft(
            self.id,
            {
                "seconds": self.interview.seconds,
                "text": draft,
                "running": self._since is not None,
            },
        )

    def leave(self, draft: str) -> None:
        """Stop in the middle, to go on another time."""
        self._draft = draft
        self.stop_clock()
        self._save()

    # -- what is in front of the learner -----------------------------------------------

    @property
    def phase(self) -> MockPhase:
        """What the front end shows."""
        if self.feedback_item:
            return "feedback"
        if self.interview.phase != "asking":
            return self.interview.phase
        record = self._record
        return "locked" if record is not None and record.locked else "asking"

    @property
    def _record(self) -> Record | None:
        return self.interview.record(self.interview.item)

    @property
    def _turns(self) -> int:
        record = self._record
        return 0 if record is None else len(record.turns)

    @property
    def view(self) -> View:
        """The present question with what was said about it; only while asking or locked."""
        record = self._record
        if record is None:
            raise ValueError("there is no question at this point of the interview")
        question = self.question(record.item_id)
        slot = self.interview.slots[self.interview.slot]
        return View(
            question=question,
            move=self.move(record),
            record=record,
            round=slot.round,
            number=self.interview.slot + 1,
            slots=len(self.interview.slots),
            stage=self.interview.stage + 1,
            stages=len(slot.items),
            draft=record.locked or self._draft,
            hints=question.hints[: record.hints],
        )

    @property
    def asked(self) -> Asked | None:
        """The present question as a session would show it, with what was bought of a diagnosis."""
        record = self._record
        if record is None:
            return None
        view = self.view
        seen = (from_json(each) for each in record.findings)
        return Asked(
            question=view.question,
            seed=record.seed,
            reason=ROUNDS[view.round],
            number=view.number,
            expected=view.slots,
            minutes_left=self.interview.seconds_left / 60,
            hints=view.hints,
            draft=view.draft,
            findings=tuple(each for each in seen if each is not None),
        )

    @property
    def parting(self) -> str:
        """What the interviewer gave before moving on from the last question; may be empty."""
        if self._turns or self.phase == "feedback":
            return ""
        present = self.interview.item
        before = [record for record in self.interview.records if record.item_id != present]
        return self.move(before[-1]).given if before and before[-1].turns else ""

    def move(self, record: Record) -> Move:
        """What the interviewer does after what was said about an item."""
        if self.left_the_bank(record.item_id):
            return Move("done")
        question = self.question(record.item_id)
        return next_move(question, self.interview.settings.level, record.turns)

    def question(self, item_id: str) -> Question:
        """A question of this interview as it was shown.

        Raises:
            KeyError: it left the bank.
            drill.packs.excerpt.ExcerptError: the installed source that it shows is gone.
        """
        if item_id not in self._questions:
            record = self.interview.record(item_id)
            seed = self._seed(item_id) if record is None else record.seed
            self._questions[item_id] = shown(self._drill.bank.question(item_id, seed), seed)
        return self._questions[item_id]

    def left_the_bank(self, item_id: str) -> bool:
        """Whether an item of this interview cannot be shown any more."""
        from drill.packs.excerpt import ExcerptError

        try:
            self.question(item_id)
        except (KeyError, ExcerptError):
            return True
        return False

    def _seed(self, item_id: str) -> int:
        return presentation_seed(f"{self.interview.settings.seed} {item_id}", 0)

    def _show(self) -> None:
        """Put the present item in front of the learner; one that left the bank is passed over."""
        while self.interview.item and self.left_the_bank(self.interview.item):
            self._draft = ""
            self.interview = states.moved_on(self.interview)
        before = self.interview
        if before.item:
            self.interview = states.shown(before, self._seed(before.item))
        if self.interview is not before:
            self._save()
        record = self._record
        if record is None or record.locked:
            return
        if self.view.move.kind == "done":
            # It was left after the last answer to this question and before the next one was shown.
            self._done_with(record)
        elif self.time_is_up:
            self.cut(self._draft)

    def _done_with(self, record: Record) -> None:
        """After the last turn about an item: its feedback in study mode, or the next question."""
        if self.interview.settings.mode == "study":
            self.stop_clock()
            self.feedback_item = record.item_id
        else:
            self._move_on()

    def _move_on(self) -> None:
        self._count()
        self._draft = ""
        self.interview = states.moved_on(self.interview)
        if self.interview.phase != "asking":
            self._since = None
        self._save()
        self._show()

    def cut(self, draft: str) -> None:
        """Time is up."""
        raise NotImplementedError

    # -- storing -------------------------------------------------------------------------

    def keep_finding(self, finding: Finding | Mapping[str, Any]) -> None:
        """Keep what a look at a broken pipeline showed; a probe is paid with this, once."""
        record = self._record
        if record is not None:
            body = to_json(finding) if isinstance(finding, Finding) else dict(finding)
            others = [each for each in record.findings if each["look"] != body["look"]]
            self._keep(replace(record, findings=(*others, body)))

    def _keep(self, record: Record) -> None:
        self._count()
        self.interview = states.with_record(self.interview, record)
        self._save()

    def _save(self) -> None:
        """Store everything, the draft with it, in one transaction."""
        running = self._since is not None
        self.interview = replace(self.interview, draft=self._draft, running=running)
        position = sum(bool(record.turns) for record in self.interview.records)
        self._drill.store.sessions.save_plan(self.id, self.interview.to_json(), position)
