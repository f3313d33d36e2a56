"""Which misconceptions a learner holds, from what their answers showed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, Protocol

from msgspec import Struct

from drill.domain.memory.rating import GUESS
from drill.domain.memory.state import HARD

BeliefStatus = Literal["held", "shaken", "cleared"]
"""`held`: shown, and no right answer since; `shaken`: one study day of right answers since;
`cleared`: right answers on two study days or more since it was last shown."""
DAYS_TO_CLEAR = 2


class Evidence(Protocol):
    """What is needed of an answer."""

    @property
    def item_id(self) -> str: ...
    @property
    def study_day(self) -> int: ...
    @property
    def grade(self) -> int: ...
    @property
    def confidence(self) -> int | None: ...
    @property
    def mode(self) -> str: ...
    @property
    def misconceptions(self) -> tuple[str, ...]: ...


class BeliefState(Struct, frozen=True):
    """Where a learner stands with one misconception."""

    id: str
    status: BeliefStatus
    shown: int
    """Answers that showed it."""
    first_day: int
    last_day: int
    """Study day on which it was last shown."""
    last_item: str
    sure: bool
    """Whether it was last shown with full confidence."""
    cleared_days: int = 0
    """Study days with a right answer since."""


def beliefs(
    answers: Iterable[Evidence], shows: Mapping[str, Collection[str]]
) -> dict[str, BeliefState]:
    """Beliefs by id, from answers oldest first.

    A right answer counts against a belief when its item can show it (`shows`) or has shown it.
    In-session retries and guesses are no evidence: the feedback has just been read.
    """
    showing: dict[str, list[Evidence]] = {}
    against: dict[str, set[int]] = {}
    carriers: dict[str, set[str]] = {}
    for answer in answers:
        for belief in answer.misconceptions:
            showing.setdefault(belief, []).append(answer)
            carriers.setdefault(answer.item_id, set()).add(belief)
            against[belief] = set()
        if answer.mode == "retry" or answer.grade < HARD or answer.confidence == GUESS:
            continue
        can_show = carriers.get(answer.item_id, set()).union(shows.get(answer.item_id, ()))
        for belief in can_show.difference(answer.misconceptions):
            if belief in showing:
                against[belief].add(answer.study_day)
    found: dict[str, BeliefState] = {}
    for belief, seen in showing.items():
        last = seen[-1]
        days = len(against[belief])
        status: BeliefStatus = "held"
        if days:
            status = "cleared" if days >= DAYS_TO_CLEAR else "shaken"
        found[belief] = BeliefState(
            id=belief,
            status=status,
            shown=len(seen),
            first_day=seen[0].study_day,
            last_day=last.study_day,
            last_item=last.item_id,
            sure=last.confidence == 3,
            cleared_days=days,
        )
    return found
