"""Answers and minutes by day, the year at a glance, streaks, hours of the day."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from drill.domain.memory.study_day import date_of_day, streak
from drill.domain.statistics.evidence import Given, Placed, placed
from drill.domain.statistics.interval import share
from drill.domain.statistics.model import Day, Heat, Hour, Streak

WEEKS = 53
"""Of the heat map: any day of the past year is on it."""
BUSY = 0.9
"""Share of the studied days that are at most as busy as the top level of the heat map."""


class ActivityFold:
    """Counts every answer of every mode, retries included."""

    def __init__(self) -> None:
        self._days: dict[int, list[float]] = {}
        self._hours: list[list[int]] = [[0, 0] for _ in range(24)]
        self.items: set[str] = set()
        self.modes: Counter[str] = Counter()
        self.overruled = 0

    def add(self, answer: Placed) -> None:
        """Count an answer."""
        given = answer.given
        day = self._days.get(given.study_day)
        if day is None:
            day = self._days[given.study_day] = [0.0] * 4
        day[0] += 1
        day[1] += answer.right
        day[2] += answer.gap is None
        day[3] += given.seconds
        self.modes[given.mode] += 1
        self.items.add(given.item_id)
        self.overruled += given.overruled
        hour = self._hours[local_hour(given.at, given.offset_minutes)]
        hour[0] += 1
        hour[1] += answer.right

    def days(self) -> tuple[Day, ...]:
        """Study days with an answer, oldest first."""
        return tuple(
            Day(
                day=day,
                date=date_of_day(day).isoformat(),
                answers=int(counts[0]),
                right=int(counts[1]),
                first=int(counts[2]),
                minutes=counts[3] / 60.0,
            )
            for day, counts in sorted(self._days.items())
        )

    def hours(self) -> tuple[Hour, ...]:
        """All 24 hours of local time."""
        return tuple(Hour(n, share(right, all_)) for n, (all_, right) in enumerate(self._hours))


class YearFold:
    """Answers by study day, for streaks and the heat map: every answer, whatever the period."""

    def __init__(self) -> None:
        self._answers: Counter[int] = Counter()
        self._studied: set[int] = set()

    def add(self, answer: Placed) -> None:
        """Count an answer; after travel it may count for two days of a streak."""
        given = answer.given
        self._answers[given.study_day] += 1
        if given.other_day is not None:
            self._studied.add(given.other_day)

    @property
    def first_day(self) -> int | None:
        """Study day of the first answer."""
        return min(self._answers, default=None)

    def heat(self, today: int) -> Heat:
        """The year that ends today."""
        return heat(self._answers, today)

    def streak(self, today: int) -> Streak:
        """Streaks and days studied."""
        return streaks(self._studied.union(self._answers), self._answers, today)


def local_hour(at: str, offset_minutes: int) -> int:
    """Hour of the day, 0 to 23, of a UTC text where local time is UTC + `offset_minutes`."""
    minutes = int(at[11:13]) * 60 + int(at[14:16]) + offset_minutes
    return minutes // 60 % 24


def heat(answers: Mapping[int, int], today: int) -> Heat:
    """Answers by study day as weeks from Monday to Sunday.

    Levels are quarters of a busy day (the 90th percentile of the studied days that are shown, by
    nearest rank), so that one marathon does not pale all other days.
    """
    monday = today - date_of_day(today).weekday()
    first = monday - 7 * (WEEKS - 1)
    shown = sorted(n for day, n in answers.items() if first <= day <= today)
    top = shown[math.ceil(BUSY * len(shown)) - 1] if shown else 0
    weeks = tuple(
        tuple(answers.get(day, 0) if day <= today else -1 for day in range(start, start + 7))
        for start in range(first, monday + 1, 7)
    )
    levels = tuple(tuple(_level(n, top) for n in week) for week in weeks)
    return Heat(first, weeks, levels, top)


def _level(answers: int, top: int) -> int:
    if answers <= 0:
        return answers
    return min(4, math.ceil(4 * answers / top))


def streaks(studied: Collection[int], own: Collection[int], today: int) -> Streak:
    """Streaks of study days.

    `studied` holds every day that an answer may count for, `own` the days that answers were given
    on; only these are counted as days studied. Of several longest streaks the last is told.
    """
    longest, longest_end = 0, None
    length, before = 0, None
    for day in sorted(studied):
        length = length + 1 if before is not None and day == before + 1 else 1
        before = day
        if length >= longest:
            longest, longest_end = length, day
    return Streak(
        current=streak(studied, today),
        longest=longest,
        longest_end=longest_end,
        studied=len(own),
        studied_30=sum(today - 30 < day <= today for day in own),
    )


def activity(answers: Iterable[Given]) -> ActivityFold:
    """What was done in answers, oldest first."""
    fold = ActivityFold()
    for answer in placed(answers):
        fold.add(answer)
    return fold


def year(answers: Iterable[Given]) -> YearFold:
    """Days of answers, oldest first."""
    fold = YearFold()
    for answer in placed(answers):
        fold.add(answer)
    return fold
