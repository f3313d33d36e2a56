"""What will be due on the days to come, and how long it will take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from drill.domain.memory.pace import HistorySummary
from drill.domain.memory.state import MemoryState
from drill.domain.memory.study_day import date_of_day
from drill.domain.questions import Head
from drill.domain.statistics.model import Forecast, ForecastDay

DAYS = 30


class ForecastFold:
    """Scheduled work by study day, from today on.

    An item is due on its scheduled day, on the day that a bury ends if that is later, and today
    where both are over; suspended items and those that cannot be asked are left out. Only what is
    scheduled now is counted, each item once: not what a failure brings back and nothing new.
    """

    def __init__(self, heads: Mapping[str, Head], pace: HistorySummary, today: int) -> None:
        self._heads, self._pace, self._today = heads, pace, today
        self._items = [0] * DAYS
        self._seconds = [0.0] * DAYS
        self._overdue = self._later = 0

    def add(self, state: MemoryState) -> None:
        """Count an item's next review."""
        head = self._heads.get(state.item_id)
        if head is None or state.due_day is None or state.suspended:
            return
        ahead = max(state.due_day, state.buried_until) - self._today
        if ahead >= DAYS:
            self._later += 1
            return
        self._overdue += ahead < 0
        place = max(0, ahead)
        self._items[place] += 1
        answer = self._pace.seconds(head.type, head.seconds)
        self._seconds[place] += answer + self._pace.feedback_seconds

    def result(self) -> Forecast:
        """The forecast."""
        days = tuple(
            ForecastDay(
                day=self._today + ahead,
                date=date_of_day(self._today + ahead).isoformat(),
                items=self._items[ahead],
                minutes=self._seconds[ahead] / 60.0,
            )
            for ahead in range(DAYS)
        )
        return Forecast(
            days=days,
            overdue=self._overdue,
            items_7=sum(self._items[:7]),
            minutes_7=sum(self._seconds[:7]) / 60.0,
            items_30=sum(self._items),
            minutes_30=sum(self._seconds) / 60.0,
            later=self._later,
        )


def forecast(
    states: Iterable[MemoryState], heads: Mapping[str, Head], pace: HistorySummary, today: int
) -> Forecast:
    """Scheduled work of the next 30 study days; `heads` are the askable items."""
    fold = ForecastFold(heads, pace, today)
    for state in states:
        fold.add(state)
    return fold.result()
