"""True retention: of what was to be remembered, how much was."""

from __future__ import annotations

from collections.abc import Iterable

from drill.domain.memory.state import DEFAULT_DECAY
from drill.domain.statistics.evidence import MATURE, Given, Placed, placed, stability_of
from drill.domain.statistics.interval import share
from drill.domain.statistics.model import Retention

WINDOWS = (7, 30, 90)


class RetentionFold:
    """Counts the answers that test memory.

    Such an answer was given in a session, was the first one of its item on that study day, came at
    least one study day after the item's last answer in any mode, and the item had a memory (an
    item that only an interview had asked has none). Hard is a pass. Placements, retries, cramming
    and interviews are left out. An item is mature from 21 days of stability just before the
    answer, young below.
    """

    def __init__(self) -> None:
        self._days: dict[int, list[float]] = {}

    def add(self, answer: Placed) -> None:
        """Count an answer, if it is one of these."""
        given = answer.given
        if not answer.gap or given.mode != "session":
            return
        stability = stability_of(given, DEFAULT_DECAY)
        if stability is None:
            return
        day = self._days.setdefault(given.study_day, [0.0] * 5)
        passed = given.grade > 1
        day[0] += 1
        day[1] += passed
        if stability >= MATURE:
            day[2] += 1
            day[3] += passed
        day[4] += given.recall or 0.0

    def over(self, first_day: int | None, today: int, days: int | None) -> Retention:
        """Retention from study day `first_day` (None: the first one) to `today`."""
        total = [0.0] * 5
        for day, counts in self._days.items():
            if day <= today and (first_day is None or day >= first_day):
                total = [a + b for a, b in zip(total, counts, strict=True)]
        asked, passed, mature, mature_passed = (int(n) for n in total[:4])
        return Retention(
            days=days,
            all=share(passed, asked),
            young=share(passed - mature_passed, asked - mature),
            mature=share(mature_passed, mature),
            predicted=total[4] / asked if asked else None,
        )

    def result(self, today: int, since_day: int | None = None) -> tuple[Retention, ...]:
        """The last 7, 30 and 90 days with today, then everything from `since_day` on.

        Windows that would not begin after `since_day` are left out.
        """
        starts = [(days, today - days + 1) for days in WINDOWS]
        found = [
            self.over(start, today, days)
            for days, start in starts
            if since_day is None or start > since_day
        ]
        return (*found, self.over(since_day, today, None))


def retention(
    answers: Iterable[Given], today: int, since_day: int | None = None
) -> tuple[Retention, ...]:
    """True retention of answers, oldest first; see `RetentionFold`."""
    fold = RetentionFold()
    for answer in placed(answers):
        fold.add(answer)
    return fold.result(today, since_day)
