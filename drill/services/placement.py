"""The placement: at most ten minutes that start the memory of what is known already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from drill.domain.memory.placement import Placed, known_items, next_placement
from drill.domain.memory.queue import Planned
from drill.domain.memory.running import Running
from drill.domain.memory.running import begin as running_from
from drill.domain.memory.study_day import day_of_date
from drill.domain.verdict import Verdict
from drill.services.asked import Asked
from drill.services.session import Session
from drill.services.summary import Summary

if TYPE_CHECKING:
    from drill.services.app import Drill

MINUTES = 10.0


class Placement(Session):
    """A session that chooses each question from the answers so far and ends with marking."""

    def _placed(self) -> list[Placed]:
        heads = self._drill.bank.heads
        day = self._drill.store.today()
        return [
            Placed(
                a.item_id,
                heads[a.item_id].topic,
                heads[a.item_id].level,
                a.auto_score,
                a.confidence,
                a.duration_ms / 1000,
            )
            for a in self._drill.store.answers(day - 1)
            if a.session_id == self.id and a.item_id in heads
        ]

    def _following(
        self, running: Running, asked: Asked, verdict: Verdict, confidence: int, seconds: float
    ) -> Running:
        head = asked.question.head
        now = Placed(head.id, head.topic, head.level, verdict.score, confidence, seconds)
        upcoming = _next(self._drill, [*self._placed(), now])
        return replace(running, retries=(), upcoming=upcoming)

    def finish(self) -> Summary:
        """Take as known what the answers showed, once, and say how much that was."""
        over = self.phase == "done"
        marked = self._mark() if over and not self._drill.profile.placed else 0
        summary = super().finish()
        told = f"{marked} easier items are taken as known; each is asked once more."
        return replace(
            summary, tomorrow=f"{told} {summary.tomorrow}" if marked else summary.tomorrow
        )

    def _mark(self) -> int:
        drill = self._drill
        day = drill.profile.interview_date
        known = known_items(
            drill.askable(),
            self._placed(),
            drill.store.today(),
            None if day is None else day_of_date(day),
        )
        drill.store.mark_known(known, self.id)
        drill.keep_profile(replace(drill.profile, placed=True, done=True))
        return len(known)


def _next(drill: Drill, placed: Sequence[Placed]) -> tuple[Planned, ...]:
    heads = drill.askable()
    item = next_placement(heads, placed, drill.profile.level, drill.store.today(), MINUTES)
    return (Planned(item, "placement", heads[item].seconds),) if item is not None else ()


def start(drill: Drill) -> Placement:
    """Begin the placement, or go on with one that was left in the middle today."""
    day = drill.store.today()
    unfinished = drill.store.sessions.unfinished("placement")
    if unfinished is not None and unfinished.study_day == day:
        return Placement(drill, unfinished)
    plan = {
        "running": running_from(_next(drill, [])).to_json(),
        "empty": "No item is short enough for a placement.",
    }
    return Placement(drill, drill.store.sessions.start("placement", plan, day, day, MINUTES))
