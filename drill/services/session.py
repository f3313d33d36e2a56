"""One sitting: what is asked next, how it is judged, and what is stored at every step.

A session is a list of entries and a position in it, kept in the store, so that quitting or being
killed anywhere loses nothing: an answer is stored together with the new position in one
transaction, a draft and a locked prediction before that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from drill.domain.memory.events import Mode
from drill.domain.memory.queue import Planned
from drill.domain.memory.rating import confidently_wrong, grade_of
from drill.domain.memory.running import (
    Running,
    answered,
    dropped,
    next_item,
    postponed,
    put_back,
    regraded,
)
from drill.domain.memory.running import begin as running_from
from drill.domain.memory.state import GRADE_NAMES, retrievability
from drill.domain.memory.variants import presentation_seed
from drill.domain.presentation import shown
from drill.domain.questions import CodeBody, ExplainBody, PredictBody, Question
from drill.domain.verdict import PASS_MARK, MalformedAnswerError, PointResult, Verdict
from drill.services.asked import Asked, BeliefNote, Feedback, GradePreview, Phase
from drill.services.when import in_words
from drill.store.entry import Review
from drill.store.sessions import Session as StoredSession

if TYPE_CHECKING:
    from drill.services.app import Drill

REASONS = {
    "due": "due",
    "retest": "you were sure, and wrong: asked once more",
    "known": "you marked it as known: checked once",
    "new": "new",
    "ahead": "not due yet, but weak on the day of the interview",
    "retry": "again: you missed it a moment ago",
    "placement": "placement: what do you know already?",
}
LONGEST_ANSWER = 15 * 60.0
"""Seconds; a longer pause on one question is a break, not thinking."""


class Summary(Struct, frozen=True):
    """What is said at the end of a session."""

    answered: int
    right: int
    partly: int
    wrong: int
    minutes: float
    sure_and_wrong: tuple[str, ...]
    beliefs: tuple[str, ...]
    tomorrow: str
    empty_reason: str = ""


class Session:
    """The running session; both front ends hold exactly one."""

    def __init__(self, drill: Drill, stored: StoredSession) -> None:
        self._drill = drill
        self.id = stored.id
        self.kind = stored.kind
        plan = stored.plan or {}
        self._running = Running.from_json(plan["running"])
        self._empty_reason = str(plan.get("empty", ""))
        self._draft: dict[str, Any] = dict(stored.draft or {})
        self._put_off: dict[str, dict[str, Any]] = dict(plan.get("put_off", {}))
        """Drafts of questions that were skipped, by item; a locked prediction stays locked."""
        self._question: Question | None = None
        self._asked: Asked | None = None
        self._since = 0.0
        self.feedback: Feedback | None = None
        self.phase: Phase = "asking"
        self._settle_phase()

    # -- what is asked ---------------------------------------------------------------

    @property
    def asked(self) -> Asked | None:
        """The question in front of the learner; None when the session is over."""
        if self._asked is None:
            self._asked = self._ask()
        return self._asked

    def prepare(self) -> None:
        """Load what storing an answer needs; called while the learner reads."""
        from contextlib import suppress

        from drill.domain.memory.fsrs_memory import warm

        warm()
        asked = self.asked
        if asked is not None and not isinstance(asked.question.body, PredictBody | CodeBody):
            with suppress(MalformedAnswerError):
                _judge(asked.question, "1", None)

    def seen(self) -> None:
        """The question is on the screen: its time starts now."""
        self._since = monotonic()

    def _ask(self) -> Asked | None:
        from drill.packs.excerpt import ExcerptError

        while (planned := next_item(self._running)) is not None:
            past = self._drill.store.past_reviews(planned.item_id)
            seed = presentation_seed(planned.item_id, past)
            try:
                question = shown(self._drill.bank.question(planned.item_id, seed), seed)
            except (KeyError, ExcerptError):
                # It left the bank, or the installed source changed under it.
                self._running = dropped(self._running, planned.item_id)
                self._save_plan()
                continue
            if self._draft.get("item") != planned.item_id:
                self._draft = dict(self._put_off.get(planned.item_id, {}))
            if self._draft.get("seed") != seed:
                self._draft = {}
            return Asked(
                question=question,
                seed=seed,
                reason=self._reason(planned),
                number=self._running.position + 1,
                expected=self._running.position + self._running.remaining,
                minutes_left=self._running.seconds_left / 60,
                hints=question.hints[: int(self._draft.get("hints", 0))],
                draft=str(self._draft.get("answer", "")),
                confidence=int(self._draft.get("confidence", 0)),
                again=planned.reason == "retry",
            )
        return None

    def _reason(self, planned: Planned) -> str:
        words = REASONS[planned.reason]
        if planned.reason == "due":
            state = self._drill.store.state(planned.item_id)
            if state is not None and not state.new:
                recall = retrievability(state, self._drill.store.today())
                return f"{words}: {recall:.0%} likely remembered"
        return words

    def _settle_phase(self) -> None:
        asked = self.asked
        if asked is None:
            self.phase = "done"
        else:
            self.phase = "locked" if self._draft.get("locked") else "asking"

    # -- before the answer -----------------------------------------------------------

    def keep_draft(self, answer: str) -> None:
        """Keep what is typed so far."""
        if self.phase == "asking" and answer != self._draft.get("answer", ""):
            self._store_draft(answer=answer)

    def hint(self) -> str | None:
        """The next hint, or None; using it is stored with the answer."""
        asked = self.asked
        if asked is None or len(asked.hints) >= len(asked.question.hints):
            return None
        count = len(asked.hints) + 1
        self._store_draft(hints=count)
        self._asked = replace(asked, hints=asked.question.hints[:count])
        return asked.question.hints[count - 1]

    def read(self, answer: str) -> None:
        """Refuse an answer that cannot be read, before the confidence is asked.

        Raises:
            MalformedAnswerError: with the reason and what is accepted.
        """
        asked = self.asked
        assert asked is not None
        _judge(asked.question, answer, None, dry=True)

    # -- the answer ------------------------------------------------------------------

    def submit(self, answer: str, confidence: int) -> Feedback | None:
        """Judge and store an answer; a prediction or code is locked instead and judged later.

        Durable when it returns. None where the answer is locked (`phase` is `locked`).

        Raises:
            MalformedAnswerError: nothing was stored and nothing is lost.
        """
        asked = self.asked
        assert asked is not None and self.phase == "asking"
        if isinstance(asked.question.body, PredictBody | CodeBody):
            _judge(asked.question, answer, None, dry=True)
            self._store_draft(answer=answer, confidence=confidence, locked=True)
            self._asked = replace(asked, draft=answer, confidence=confidence)
            self.phase = "locked"
            return None
        verdict = _judge(asked.question, answer, None)
        return self._record(answer, confidence, verdict)

    def settle(self, outcomes: Mapping[str, object], run_id: str = "") -> Feedback:
        """Judge a locked answer by what the run gave, and store it."""
        asked = self.asked
        assert asked is not None and self.phase == "locked"
        verdict = _judge(asked.question, asked.draft, outcomes)
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
        from drill.services.code_judge import judge

        asked = self.asked
        assert asked is not None and isinstance(asked.question.body, CodeBody)
        return judge(self._drill, asked.question, asked.draft)

    def said_aloud(self, ticked: Sequence[str], seconds: float) -> Feedback:
        """Store an explanation that was spoken and ticked by the learner: self-assessed only."""
        asked = self.asked
        assert asked is not None and isinstance(asked.question.body, ExplainBody)
        points = asked.question.body.points
        score = _share(points, set(ticked))
        results = tuple(
            PointResult(p.id, p.statement, "missed", p.weight == "essential") for p in points
        )
        verdict = Verdict(0.0, "said aloud, ticked by yourself", "", points=results)
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
        seconds = self._spent() if spent is None else spent
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
            points=_point_states(verdict.points, ticked),
            misconceptions=verdict.misconceptions,
            run_id=run_id,
        )
        recorded = self._drill.store.record(
            review, position=running.position, plan=self._plan(running)
        )
        self._running, self._draft = running, {}
        self._put_off.pop(head.id, None)
        self._asked = None
        self.feedback = Feedback(
            asked=asked,
            answer=answer,
            confidence=confidence,
            verdict=verdict,
            grade=grade,
            grades=grades,
            due=self._due_words(recorded.state.due_day),
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

    def _spent(self) -> float:
        now = monotonic() - self._since if self._since else 0.0
        return min(LONGEST_ANSWER, float(self._draft.get("spent", 0.0)) + now)

    def _preview(self, item_id: str, *, confident: bool) -> tuple[GradePreview, ...]:
        states = self._drill.store.preview(item_id, confident=confident)
        return tuple(
            GradePreview(int(g), GRADE_NAMES[int(g)], self._due_words(s.due_day))
            for g, s in states.items()
        )

    def _due_words(self, due_day: int | None) -> str:
        return in_words(due_day, self._drill.store.today())

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
        point = next(p for p in feedback.verdict.points if p.id == point_id)
        name = f"-{point_id}" if point.state == "credited" else point_id
        ticked = set(feedback.ticked) ^ {name}
        held = {
            p.id
            for p in feedback.verdict.points
            if (p.state == "credited" and f"-{p.id}" not in ticked) or p.id in ticked
        }
        body = feedback.asked.question.body
        assert isinstance(body, ExplainBody)
        score = _share(body.points, held) if ticked else None
        head = feedback.asked.question.head
        judged = feedback.verdict.score if score is None else score
        grade = int(
            grade_of(
                judged, feedback.confidence or 2, len(feedback.asked.hints), None, head.seconds
            )
        )
        return self._amend(feedback, grade, score, tuple(sorted(ticked)), overruled=False)

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
            points=_point_states(feedback.verdict.points, ticked),
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
            due=self._due_words(recorded.state.due_day),
            again_today=_waits(self._running, feedback.asked.question.head.id),
        )
        return self.feedback

    def advance(self) -> None:
        """Leave the feedback and go on to the next question."""
        self.feedback = None
        self._settle_phase()

    # -- other ways out of a question -----------------------------------------------

    def skip(self) -> None:
        """Put the question off to the end of the session, with its draft or its lock."""
        asked = self.asked
        if asked is not None:
            if self._draft:
                self._store_draft()
                self._put_off[asked.question.head.id] = self._draft
            self._running = postponed(self._running, asked.question.head.id)
            self._moved()

    def suspend(self) -> None:
        """Never ask the item of the current question, or of the feedback, again."""
        item = self._current_item()
        if item:
            self._drill.store.suspend(item)
            self._drop(item)

    def mark_known(self) -> None:
        """Mark the item as known: asked once more before the interview, or in three weeks."""
        item = self._current_item()
        if item:
            self._drill.mark_known(item, self.id)
            self._drop(item)

    def _current_item(self) -> str:
        if self.feedback is not None:
            return self.feedback.asked.question.head.id
        return self.asked.question.head.id if self.asked is not None else ""

    def _drop(self, item: str) -> None:
        self._running = dropped(self._running, item)
        self.feedback = None
        self._moved()

    def _moved(self) -> None:
        self._asked, self._draft = None, {}
        self._save_plan()
        self._settle_phase()

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
        store = self._drill.store
        day = store.today()
        answers = [a for a in store.answers(day - 1) if a.session_id == self.id]
        first = [a for a in answers if a.mode != "retry"]
        scores = [a.auto_score if a.self_score is None else a.self_score for a in first]
        right = sum(score >= PASS_MARK for score in scores)
        wrong = sum(score < 0.5 for score in scores)
        sure = [a.item_id for a in first if confidently_wrong(a.grade, a.confidence)]
        names = dict.fromkeys(name for a in first for name in a.misconceptions)
        registry = self._drill.bank.misconceptions
        due = len([i for i in store.due(day + 1) if i in self._drill.bank.heads])
        summary = Summary(
            answered=len(first),
            right=right,
            partly=len(first) - right - wrong,
            wrong=wrong,
            minutes=sum(a.duration_ms for a in answers) / 60000,
            sure_and_wrong=tuple(self._title(item) for item in sure),
            beliefs=tuple(registry[n].belief for n in names if n in registry),
            tomorrow=f"Tomorrow {due} {'item is' if due == 1 else 'items are'} due.",
            empty_reason=self._empty_reason,
        )
        if self.phase == "done":
            store.sessions.end(self.id, {"answered": summary.answered, "right": right})
        return summary

    def _title(self, item_id: str) -> str:
        try:
            prompt = self._drill.bank.question(item_id, 0).prompt
        except (KeyError, ValueError):
            return item_id
        words = " ".join(prompt.split())
        return words if len(words) <= 72 else words[:71] + "…"

    # -- storing ---------------------------------------------------------------------

    def _mode(self) -> Mode:
        return "placement" if self.kind == "placement" else "session"

    def _plan(self, running: Running) -> dict[str, Any]:
        return {
            "running": running.to_json(),
            "empty": self._empty_reason,
            "put_off": self._put_off,
        }

    def _save_plan(self) -> None:
        self._drill.store.sessions.save_plan(
            self.id, self._plan(self._running), self._running.position
        )

    def _store_draft(self, **changes: Any) -> None:
        asked = self.asked
        if asked is None:
            return
        self._draft.update(item=asked.question.head.id, seed=asked.seed, **changes)
        draft = {**self._draft, "spent": round(self._spent(), 1)}
        self._drill.store.sessions.save_draft(self.id, json.loads(json.dumps(draft)))


def _judge(
    question: Question, answer: str, outcomes: Mapping[str, object] | None, *, dry: bool = False
) -> Verdict:
    """Grade; with `dry` only refuse what cannot be read."""
    from drill.domain.grading import grade

    if dry and isinstance(question.body, PredictBody):
        from drill.domain.grading.predict import parse_prediction

        parse_prediction(question, answer)
        return Verdict(0.0, "", "")
    if dry and isinstance(question.body, CodeBody):
        from drill.domain.grading.code import parse_code

        parse_code(question, answer)
        return Verdict(0.0, "", "")
    return grade(question, answer, outcomes)


def _share(points: Sequence[Any], held: set[str]) -> float:
    """Share of the essential points that are held."""
    essential = [p for p in points if p.weight == "essential"] or list(points)
    return sum(p.id in held for p in essential) / len(essential)


def _point_states(points: Sequence[PointResult], ticked: Sequence[str]) -> dict[str, str]:
    """Point id to its state, with the learner's own ticks told apart."""
    states: dict[str, str] = {p.id: p.state for p in points}
    for name in ticked:
        states[name.removeprefix("-")] = "unticked" if name.startswith("-") else "ticked"
    return states


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
