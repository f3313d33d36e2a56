"""One sitting: what is asked next, how it is judged, and what is stored at every step.

A session is a list of entries and a position in it, kept in the store, so that quitting or being
killed anywhere loses nothing: an answer is stored together with the new position in one
transaction, a draft and a locked prediction before that, and so is what was bought of a diagnosis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from drill.domain.memory.queue import Planned
from drill.domain.memory.rating import grade_of
from drill.domain.memory.running import (
    Running,
    answered,
    dropped,
    next_item,
    put_back,
    regraded,
)
from drill.domain.memory.running import begin as running_from
from drill.domain.memory.state import GRADE_NAMES, MemoryState
from drill.domain.questions import CodeBody
from drill.domain.verdict import MalformedAnswerError, Verdict
from drill.services.asked import Asked, BeliefNote, Feedback, GradePreview
from drill.services.judging import (
    as_locked,
    judge,
    point_states,
    refuse_unreadable,
    spoken,
    toggled,
    waits_for_run,
)
from drill.services.sitting import Sitting
from drill.services.summary import Summary, summary_of
from drill.services.when import in_words
from drill.store.entry import Review
from drill.store.sessions import Session as StoredSession

if TYPE_CHECKING:
    from drill.services.app import Drill


class Session(Sitting):
    """The running session; both front ends hold exactly one."""

    def prepare(self) -> None:
        """Load what storing an answer needs; called while the learner reads."""
        from contextlib import suppress

        from drill.domain.memory.fsrs_memory import warm

        warm()
        asked = self.asked
        if asked is not None and not waits_for_run(asked.question):
            with suppress(MalformedAnswerError):
                judge(asked.question, "1")

    def read(self, answer: str) -> None:
        """Refuse an answer that cannot be read, before the confidence is asked.

        Raises:
            MalformedAnswerError: with the reason and what is accepted.
        """
        asked = self.asked
        assert asked is not None
        refuse_unreadable(asked.question, answer)

    # -- the answer ------------------------------------------------------------------

    def submit(self, answer: str, confidence: int) -> Feedback | None:
        """Judge and store an answer; one that waits for a run is locked instead, and judged later.

        Durable when it returns. None where the answer is locked (`phase` is `locked`).

        Raises:
            MalformedAnswerError: nothing was stored and nothing is lost.
        """
        asked = self.asked
        assert asked is not None and self.phase == "asking"
        if waits_for_run(asked.question):
            answer = as_locked(asked, answer)
            self._store_draft(answer=answer, confidence=confidence, locked=True)
            self._asked = replace(asked, draft=answer, confidence=confidence)
            self.phase = "locked"
            return None
        verdict = judge(asked.question, answer)
        return self._record(answer, confidence, verdict)

    def settle(self, outcomes: Mapping[str, object], run_id: str = "") -> Feedback:
        """Judge a locked answer by what the run gave, and store it.

        A cause is right or not whatever ran: a diagnosis needs no outcomes.
        """
        asked = self.asked
        assert asked is not None and self.phase == "locked"
        verdict = judge(asked.question, asked.draft, outcomes)
        return self._record(asked.draft, asked.confidence, verdict, run_id=run_id)

    def unlock(self) -> None:
        """Give a locked answer back, where what judges it cannot run here."""
        if self.phase == "locked":
            self._store_draft(locked=False)
            self.phase = "asking"

    def run_properties(self) -> dict[str, object]:
        """Run the property tests of a `code` question on the locked answer; takes seconds.

        Raises:
            JudgeUnavailableError: it could not be judged; `unlock` gives the answer back.
        """
        from drill.services import code_judge

        asked = self.asked
        assert asked is not None and isinstance(asked.question.body, CodeBody)
        return code_judge.judge(self._drill, asked.question, asked.draft)

    def said_aloud(self, ticked: Sequence[str], seconds: float) -> Feedback:
        """Store an explanation that was spoken and ticked by the learner: self-assessed only."""
        asked = self.asked
        assert asked is not None
        verdict, score = spoken(asked.question, ticked)
        return self._record(
            "", 0, verdict, self_score=score, ticked=tuple(ticked), aloud=True, spent=seconds
        )

    def _record(
        self,
        answer: str,
        confidence: int,
        verdict: Verdict,
        *,
        run_id: str = "",
        self_score: float | None = None,
        ticked: tuple[str, ...] = (),
        aloud: bool = False,
        spent: float | None = None,
    ) -> Feedback:
        asked = self.asked
        assert asked is not None
        head = asked.question.head
        planned = next_item(self._running)
        assert planned is not None and planned.item_id == head.id
        seconds = self._draft.spent if spent is None else spent
        score = verdict.score if self_score is None else self_score
        # An answer said aloud is taken on trust: it never counts as effortless.
        sure = 2 if aloud else confidence
        grade = int(grade_of(score, sure or None, len(asked.hints), seconds, head.seconds))
        grades = self._preview(head.id, confident=confidence == 3)
        running = self._following(
            answered(self._running, planned, grade), asked, verdict, sure, seconds
        )
        review = Review(
            item_id=head.id,
            type=head.type,
            content_hash=head.content_hash,
            seed=asked.seed,
            answer=answer,
            auto_score=verdict.score,
            auto_grade=grade,
            grade=grade,
            mode="retry" if asked.again else self._mode(),
            duration_ms=round(seconds * 1000),
            expected_seconds=head.seconds,
            confidence=confidence or None,
            hints=len(asked.hints),
            self_score=self_score,
            said_aloud=aloud,
            session_id=self.id,
            points=point_states(verdict.points, ticked),
            misconceptions=verdict.misconceptions,
            run_id=run_id,
        )
        recorded = self._drill.store.record(
            review, position=running.position, plan=self._plan(running)
        )
        self._running = running
        self._draft.put_off.pop(head.id, None)
        self._draft.clear()
        self._asked = None
        self.feedback = Feedback(
            asked=asked,
            answer=answer,
            confidence=confidence,
            verdict=verdict,
            grade=grade,
            grades=grades,
            due=self._due_words(recorded.state),
            again_today=_waits(running, head.id),
            beliefs=self._beliefs(verdict),
            ticked=ticked,
            self_score=self_score,
            aloud=aloud,
            review_id=recorded.uuid,
        )
        self.phase = "feedback"
        return self.feedback

    def _following(
        self, running: Running, asked: Asked, verdict: Verdict, confidence: int, seconds: float
    ) -> Running:
        """What comes after an answer; a placement decides here what to ask next."""
        return running

    def _preview(self, item_id: str, *, confident: bool) -> tuple[GradePreview, ...]:
        states = self._drill.store.preview(item_id, confident=confident)
        return tuple(
            GradePreview(int(g), GRADE_NAMES[int(g)], self._due_words(s)) for g, s in states.items()
        )

    def _due_words(self, state: MemoryState) -> str:
        """When an item comes back; on the way to a date only a retest has a day of its own."""
        from drill.services.planning import countdown

        if countdown(self._drill) is not None and not state.retest_day:
            return "when the plan asks it"
        return in_words(state.due_day, self._drill.store.today())

    def _beliefs(self, verdict: Verdict) -> tuple[BeliefNote, ...]:
        registry = self._drill.bank.misconceptions
        return tuple(
            BeliefNote(name, registry[name].belief, registry[name].correction)
            for name in verdict.misconceptions
            if name in registry
        )

    # -- after the answer ------------------------------------------------------------

    def overrule(self, grade: int) -> Feedback:
        """Give the answer another grade; the automatic one stays in the log."""
        feedback = self.feedback
        assert feedback is not None
        return self._amend(feedback, grade, feedback.self_score, feedback.ticked, overruled=True)

    def tick(self, point_id: str) -> Feedback:
        """Toggle a point of the rubric; the automatic score is kept apart from the learner's."""
        feedback = self.feedback
        assert feedback is not None
        ticked, score, grade = toggled(feedback, point_id)
        return self._amend(feedback, grade, score, ticked, overruled=False)

    def _amend(
        self,
        feedback: Feedback,
        grade: int,
        self_score: float | None,
        ticked: tuple[str, ...],
        *,
        overruled: bool,
    ) -> Feedback:
        recorded = self._drill.store.overrule(
            feedback.review_id,
            grade,
            self_score=self_score,
            points=point_states(feedback.verdict.points, ticked),
        )
        self._running = regraded(self._running, grade)
        self._asked = None
        self._save_plan()
        self.feedback = replace(
            feedback,
            grade=grade,
            self_score=self_score,
            ticked=ticked,
            overruled=overruled or feedback.overruled,
            due=self._due_words(recorded.state),
            again_today=_waits(self._running, feedback.asked.question.head.id),
        )
        return self.feedback

    def undo(self) -> str:
        """Take the newest answer or mark back, of this session or an earlier one.

        Returns the prompt (or id) of its item, empty when there is nothing. The item is asked
        again at once, as it was shown before.
        """
        feedback, store = self.feedback, self._drill.store
        undone = store.undo(feedback.review_id if feedback is not None else None)
        if undone is None:
            return ""
        item = undone.item_id
        asked = self._running.asked
        if asked and asked[-1].item_id == item:
            self._running = put_back(self._running)
        elif item in self._drill.bank.heads:
            first = Planned(item, "due", self._drill.bank.heads[item].seconds)
            rest = dropped(self._running, item)
            self._running = replace(rest, upcoming=(first, *rest.upcoming))
        self.feedback = None
        self._moved()
        if self.asked is not None and self.asked.question.head.id == item:
            return " ".join(self.asked.question.prompt.split())[:60]
        return item

    # -- the end ---------------------------------------------------------------------

    def finish(self) -> Summary:
        """End the session and say what happened in it."""
        summary = summary_of(self._drill, self.id, self._empty_reason)
        if self.phase == "done":
            ended = {"answered": summary.answered, "right": summary.right}
            self._drill.store.sessions.end(self.id, ended)
        return summary


def begin(drill: Drill, minutes: float, *, topic: str = "", limit: int | None = None) -> Session:
    """Plan a session of `minutes` and store it."""
    from drill.services.planning import plan

    day = drill.store.today()
    planned, empty = plan(drill, minutes, topic=topic, limit=limit)
    document = {"running": running_from(planned).to_json(), "empty": empty}
    stored = drill.store.sessions.start("session", document, day, seed=day, minutes=minutes)
    return Session(drill, stored)


def resume(drill: Drill, stored: StoredSession) -> Session:
    """Go on with a session that was left in the middle."""
    return Session(drill, stored)


def _waits(running: Running, item_id: str) -> bool:
    """Whether an item comes back later in the session."""
    return any(retry.item_id == item_id for retry in running.retries)
