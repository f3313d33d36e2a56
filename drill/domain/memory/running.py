"""A session while it runs: what comes next, and wrong items coming back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from drill.domain.memory.queue import RETRY_SHARE, Planned
from drill.domain.memory.state import AGAIN

RETRY_AFTER = 3
"""Other items between a wrong answer and its retry, unless the session ends before."""
MOST_RETRIES = 2
"""Retries of one item in a session: a third failure is left to the next day."""


class Retry(Struct, frozen=True):
    """A wrong item waiting to come back."""

    item_id: str
    ready_at: int
    """Count of answered places from which it may come."""
    tries: int
    """Retries that it has had already."""
    seconds: float


class Running(Struct, frozen=True):
    """The whole state of a running session; store it as JSON after every answer."""

    upcoming: tuple[Planned, ...]
    asked: tuple[Planned, ...] = ()
    """Answered places in order, retries included."""
    retries: tuple[Retry, ...] = ()

    @property
    def position(self) -> int:
        """Places answered."""
        return len(self.asked)

    @property
    def remaining(self) -> int:
        """Places left, retries included."""
        return len(self.upcoming) + len(self.retries)

    @property
    def seconds_left(self) -> float:
        """Expected time of what is left."""
        return sum(p.seconds for p in self.upcoming) + sum(r.seconds for r in self.retries)

    def to_json(self) -> dict[str, Any]:
        """A form that JSON can hold."""
        made: dict[str, Any] = msgspec.to_builtins(self)
        return made

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Running:
        """The inverse of `to_json`."""
        return msgspec.convert(body, cls)


def begin(plan: Sequence[Planned]) -> Running:
    """A session that has not asked anything yet."""
    return Running(upcoming=tuple(plan))


def next_item(running: Running) -> Planned | None:
    """What to ask now; None when the session is over.

    A retry comes as soon as three other items were answered since, or when nothing else is left.
    """
    for retry in running.retries:
        if retry.ready_at <= running.position:
            return _as_planned(retry)
    if running.upcoming:
        return running.upcoming[0]
    return _as_planned(running.retries[0]) if running.retries else None


def answered(running: Running, planned: Planned, grade: int) -> Running:
    """The session after an answer to `planned`, which `next_item` gave."""
    running = dropped(running, planned.item_id)
    asked = (*running.asked, planned)
    retries = running.retries
    tries = sum(p.item_id == planned.item_id and p.reason == "retry" for p in asked)
    if grade == AGAIN and tries < MOST_RETRIES:
        seconds = planned.seconds * (1.0 if planned.reason == "retry" else RETRY_SHARE)
        retries = (
            *retries,
            Retry(planned.item_id, len(asked) + RETRY_AFTER, tries, seconds),
        )
    return replace(running, asked=asked, retries=retries)


def regraded(running: Running, grade: int) -> Running:
    """The session after the learner overruled the grade of the last answer."""
    if not running.asked:
        return running
    last = running.asked[-1]
    before = replace(
        running,
        asked=running.asked[:-1],
        retries=tuple(r for r in running.retries if r.item_id != last.item_id),
    )
    return answered(before, last, grade)


def postponed(running: Running, item_id: str) -> Running:
    """The session with an item moved to its end: skipped for now."""
    moved = tuple(p for p in running.upcoming if p.item_id == item_id)
    if moved:
        rest = tuple(p for p in running.upcoming if p.item_id != item_id)
        return replace(running, upcoming=rest + moved)
    late = tuple(
        replace(r, ready_at=running.position + RETRY_AFTER)
        for r in running.retries
        if r.item_id == item_id
    )
    return replace(
        running, retries=tuple(r for r in running.retries if r.item_id != item_id) + late
    )


def dropped(running: Running, item_id: str) -> Running:
    """The session without an item: buried, suspended or set aside."""
    return replace(
        running,
        upcoming=tuple(p for p in running.upcoming if p.item_id != item_id),
        retries=tuple(r for r in running.retries if r.item_id != item_id),
    )


def put_back(running: Running) -> Running:
    """The session before its last answer, which was undone: that item comes next.

    An item whose first answer is undone waits for no retry.
    """
    if not running.asked:
        return running
    last = running.asked[-1]
    running = dropped(replace(running, asked=running.asked[:-1]), last.item_id)
    if last.reason == "retry":
        tries = sum(p.item_id == last.item_id and p.reason == "retry" for p in running.asked)
        again = Retry(last.item_id, running.position, tries, last.seconds)
        return replace(running, retries=(again, *running.retries))
    return replace(running, upcoming=(last, *running.upcoming))


def _as_planned(retry: Retry) -> Planned:
    return Planned(retry.item_id, "retry", retry.seconds)
