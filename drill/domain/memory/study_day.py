"""Study days: whole days that begin at a roll-over hour in local time.

A study day is an integer, days since 1970-01-01 of the local date after the roll-over. With the
default roll-over of 4, an answer at 02:30 on the 23rd belongs to the study day of the 22nd.
All scheduling counts these days, never blocks of 24 hours.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

DEFAULT_ROLLOVER = 4
"""Local hour at which a new study day begins."""
AHEAD = 2
"""Days after today that answers may lie on: a journey to the west, or a clock that was set back."""
EPOCH = date(1970, 1, 1)
UTC_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def study_day(at: datetime, offset_minutes: int, rollover: int = DEFAULT_ROLLOVER) -> int:
    """Study day of the moment `at` (timezone-aware) where local time is UTC + `offset_minutes`.

    Raises ValueError for a naive datetime.
    """
    if at.tzinfo is None:
        raise ValueError("a study day needs a timezone-aware datetime, got a naive one")
    local = at - UTC_EPOCH + timedelta(minutes=offset_minutes) - timedelta(hours=rollover)
    return local.days


def offset_minutes(at: datetime) -> int:
    """UTC offset of an aware datetime in whole minutes."""
    offset = at.utcoffset()
    if offset is None:
        raise ValueError("a UTC offset needs a timezone-aware datetime, got a naive one")
    return round(offset.total_seconds() / 60)


def day_of_date(day: date) -> int:
    """Study day of a calendar date, such as the date of an interview."""
    return (day - EPOCH).days


def date_of_day(day: int) -> date:
    """Calendar date of a study day."""
    return EPOCH + timedelta(days=day)


def next_rollover(at: datetime, offset_minutes: int, rollover: int = DEFAULT_ROLLOVER) -> datetime:
    """UTC moment at which the study day after that of `at` begins."""
    day = study_day(at, offset_minutes, rollover)
    return UTC_EPOCH + timedelta(days=day + 1, hours=rollover) - timedelta(minutes=offset_minutes)


def other_day(
    at: datetime, offset: int, previous_offset: int | None, rollover: int = DEFAULT_ROLLOVER
) -> int | None:
    """Study day by the offset of the answer before, where travel makes that another day.

    A streak accepts either day, so that crossing the date line never breaks it.
    """
    if previous_offset is None or previous_offset == offset:
        return None
    day = study_day(at, previous_offset, rollover)
    return None if day == study_day(at, offset, rollover) else day


def streak(days: Collection[int], today: int) -> int:
    """Consecutive study days with at least one answer, ending today or yesterday.

    `days` holds every study day that an answer may count for (its own and `other_day`). Today
    without an answer yet does not end a streak; a whole missed day does. Answers up to `AHEAD` days
    after today count as today's: neither travel nor a clock that is set back breaks a streak.
    """
    studied = days if isinstance(days, set | frozenset) else set(days)
    length = int(any(today + n in studied for n in range(AHEAD + 1)))
    day = today - 1
    while day in studied:
        length += 1
        day -= 1
    return length
