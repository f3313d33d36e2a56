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
    returned: int = 0
    """Times it was shown again after it had been cleared."""


class _Standing:
    """What is kept of one belief while the answers go by."""

    __slots__ = ("against", "first_day", "last", "returned", "shown")

    def __init__(self, answer: Evidence) -> None:
        self.first_day = answer.study_day
        self.shown = self.returned = 0
        self.against: set[int] = set()
        self.show(answer)

    def show(self, answer: Evidence) -> None:
        self.last = answer
        self.shown += 1
        self.returned += len(self.against) >= DAYS_TO_CLEAR
        self.against = set()


class BeliefLedger:
    """Takes answers, oldest first, and knows at any time which beliefs are held.

    A right answer counts against a belief when its item can show it (`shows`) or has shown it.
    In-session retries and guesses are no evidence: the feedback has just been read.
    """

    def __init__(self, shows: Mapping[str, Collection[str]]) -> None:
        """`shows`: item id to the beliefs that a wrong answer to it can show."""
        self._shows = shows
        self._carriers: dict[str, set[str]] = {}
        self._standings: dict[str, _Standing] = {}

    def add(self, answer: Evidence) -> None:
        """Take the next answer into account."""
        item = answer.item_id
        for belief in answer.misconceptions:
            standing = self._standings.get(belief)
            if standing is None:
                self._standings[belief] = _Standing(answer)
            else:
                standing.show(answer)
            self._carriers.setdefault(item, set()).add(belief)
        if not self._standings or answer.grade < HARD:
            return
        if answer.mode == "retry" or answer.confidence == GUESS:
            return
        for beliefs_of in (self._shows.get(item, ()), self._carriers.get(item, ())):
            for belief in beliefs_of:
                standing = self._standings.get(belief)
                if standing is not None and belief not in answer.misconceptions:
                    standing.against.add(answer.study_day)

    def states(self) -> dict[str, BeliefState]:
        """Beliefs by id, in the order in which they were first shown."""
        return {belief: _state(belief, standing) for belief, standing in self._standings.items()}


def _state(belief: str, standing: _Standing) -> BeliefState:
    days = len(standing.against)
    status: BeliefStatus = "held"
    if days:
        status = "cleared" if days >= DAYS_TO_CLEAR else "shaken"
    return BeliefState(
        id=belief,
        status=status,
        shown=standing.shown,
        first_day=standing.first_day,
        last_day=standing.last.study_day,
        last_item=standing.last.item_id,
        sure=standing.last.confidence == 3,
        cleared_days=days,
        returned=standing.returned,
    )


def beliefs(
    answers: Iterable[Evidence], shows: Mapping[str, Collection[str]]
) -> dict[str, BeliefState]:
    """Beliefs by id, from answers oldest first; see `BeliefLedger`."""
    ledger = BeliefLedger(shows)
    for answer in answers:
        ledger.add(answer)
    return ledger.states()
