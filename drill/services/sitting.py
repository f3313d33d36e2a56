"""Where a session stands: the question in front of the learner, its draft, and what comes next.

Everything here is stored as it changes, so that quitting or being killed anywhere loses nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from drill.domain.memory.events import Mode
from drill.domain.memory.queue import Planned
from drill.domain.memory.running import Running, dropped, next_item, postponed
from drill.domain.memory.state import retrievability
from drill.domain.memory.variants import presentation_seed
from drill.domain.presentation import shown
from drill.services.asked import Asked, Feedback, Phase
from drill.services.draft import Draft
from drill.services.finding import Finding
from drill.store.sessions import Session as StoredSession

if TYPE_CHECKING:
    from drill.services.app import Drill

REASONS = {
    "due": "due",
    "retest": "you were sure, and wrong: asked once more",
    "known": "you marked it as known: checked once",
    "new": "new",
    "ahead": "not due yet",
    "retry": "again: you missed it a moment ago",
    "placement": "placement: what do you know already?",
}


class Sitting:
    """The position in a session's entries, and the draft of the one that is asked."""

    def __init__(self, drill: Drill, stored: StoredSession) -> None:
        self._drill = drill
        self.id = stored.id
        self.kind = stored.kind
        plan = stored.plan or {}
        self._running = Running.from_json(plan["running"])
        self._empty_reason = str(plan.get("empty", ""))
        self._draft = Draft(stored.draft, plan.get("put_off", {}))
        self._asked: Asked | None = None
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

    def soon_run(self) -> str:
        """The experiment that this question or the one after it will run; empty for none.

        Its child can be started and warmed while the learner thinks.
        """
        bank = self._drill.bank
        for planned in (next_item(self._running), *self._running.upcoming[:2]):
            if planned is not None and planned.item_id in bank.heads:
                runs = bank.heads[planned.item_id].type in ("predict", "diagnose")
                if runs and planned.item_id in bank.experiments:
                    return bank.experiments[planned.item_id]
        return ""

    def seen(self) -> None:
        """The question is on the screen: its time starts now."""
        self._draft.seen()

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
            self._draft.begin(planned.item_id, seed)
            return Asked(
                question=question,
                seed=seed,
                reason=self._reason(planned),
                number=self._running.position + 1,
                expected=self._running.position + self._running.remaining,
                minutes_left=self._running.seconds_left / 60,
                hints=question.hints[: self._draft.hints],
                draft=self._draft.answer,
                confidence=self._draft.confidence,
                again=planned.reason == "retry",
                findings=self._draft.findings,
            )
        return None

    def _reason(self, planned: Planned) -> str:
        words = planned.why or REASONS[planned.reason]
        if planned.reason == "due" and not planned.why:
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
            self.phase = "locked" if self._draft.locked else "asking"

    # -- before the answer -----------------------------------------------------------

    def keep_draft(self, answer: str) -> None:
        """Keep what is typed so far."""
        if self.phase == "asking" and answer != self._draft.answer:
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

    def keep_finding(self, finding: Finding) -> None:
        """Keep what a look at a broken pipeline showed; a probe is paid with this, once."""
        asked = self.asked
        assert asked is not None
        others = tuple(each for each in asked.findings if each.look != finding.look)
        self._asked = replace(asked, findings=(*others, finding))
        self._store_draft(findings=self._asked.findings)

    # -- other ways out of a question -----------------------------------------------

    def skip(self) -> None:
        """Put the question off to the end of the session, with its draft or its lock."""
        asked = self.asked
        if asked is not None:
            if self._draft.begun:
                self._store_draft()
                self._draft.keep_for_later(asked.question.head.id)
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
        self._asked = None
        self._draft.clear()
        self._save_plan()
        self._settle_phase()

    def advance(self) -> None:
        """Leave the feedback and go on to the next question."""
        self.feedback = None
        self._settle_phase()

    # -- storing ---------------------------------------------------------------------

    def _mode(self) -> Mode:
        return "placement" if self.kind == "placement" else "session"

    def _plan(self, running: Running) -> dict[str, Any]:
        return {
            "running": running.to_json(),
            "empty": self._empty_reason,
            "put_off": self._draft.put_off,
        }

    def _save_plan(self) -> None:
        self._drill.store.sessions.save_plan(
            self.id, self._plan(self._running), self._running.position
        )

    def _store_draft(self, **changes: Any) -> None:
        asked = self.asked
        if asked is None:
            return
        self._drill.store.sessions.save_draft(self.id, self._draft.changed(asked, **changes))
