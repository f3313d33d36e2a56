"""Study days, roll-over, time zones, daylight saving and streaks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.domain.memory.study_day import (
    date_of_day,
    day_of_date,
    next_rollover,
    offset_minutes,
    other_day,
    streak,
    study_day,
)


def day_at(text: str, zone: str, rollover: int = 4) -> date:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return date_of_day(study_day(local, offset_minutes(local), rollover))


@pytest.mark.parametrize(
    ("text", "zone", "rollover", "expected"),
    [
        ("2026-11-23T03:59:59", "Europe/Berlin", 4, "2026-11-22"),
        ("2026-11-23T04:00:00", "Europe/Berlin", 4, "2026-11-23"),
        ("2026-11-23T00:00:00", "Europe/Berlin", 0, "2026-11-23"),
        ("2026-11-22T23:59:59", "Europe/Berlin", 0, "2026-11-22"),
        ("2026-11-23T04:00:00", "Asia/Kolkata", 4, "2026-11-23"),
        ("2026-11-23T03:59:00", "Pacific/Auckland", 4, "2026-11-22"),
        ("2026-11-23T12:00:00", "Pacific/Honolulu", 4, "2026-11-23"),
        ("1969-12-31T12:00:00", "UTC", 4, "1969-12-31"),
    ],
)
def test_roll_over(text: str, zone: str, rollover: int, expected: str) -> None:
    assert day_at(text, zone, rollover) == date.fromisoformat(expected)


@pytest.mark.parametrize("change", ["2026-03-29", "2026-10-25"])
def test_a_day_of_daylight_saving_is_one_study_day(change: str) -> None:
    day = date.fromisoformat(change)
    zone = ZoneInfo("Europe/Berlin")
    before = datetime(day.year, day.month, day.day, 1, 30, tzinfo=zone)
    after = datetime(day.year, day.month, day.day, 12, 0, tzinfo=zone)
    late = datetime(day.year, day.month, day.day, 23, 59, tzinfo=zone)
    assert offset_minutes(before) != offset_minutes(after)
    days = [date_of_day(study_day(at, offset_minutes(at))) for at in (before, after, late)]
    assert days == [day - timedelta(days=1), day, day]


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        study_day(datetime(2026, 1, 1), 0)
    with pytest.raises(ValueError, match="aware"):
        offset_minutes(datetime(2026, 1, 1))


def test_dates_and_days_agree() -> None:
    assert day_of_date(date(1970, 1, 1)) == 0
    assert date_of_day(day_of_date(date(2028, 2, 29))) == date(2028, 2, 29)


@given(
    at=st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)).map(
        lambda d: d.replace(tzinfo=UTC)
    ),
    offset=st.integers(-12 * 60, 14 * 60),
    rollover=st.integers(0, 23),
)
def test_the_next_roll_over_begins_the_next_day(at: datetime, offset: int, rollover: int) -> None:
    boundary = next_rollover(at, offset, rollover)
    assert at < boundary <= at + timedelta(days=1)
    today = study_day(at, offset, rollover)
    assert study_day(boundary, offset, rollover) == today + 1
    assert study_day(boundary - timedelta(microseconds=1), offset, rollover) == today


def test_streak_counts_back_from_today_or_yesterday() -> None:
    assert streak({10, 11, 12}, 12) == 3
    assert streak([10, 11, 12], 13) == 3
    assert streak({10, 11, 12}, 14) == 0
    assert streak({10, 12}, 12) == 1
    assert streak(set(), 12) == 0


def test_a_missed_day_is_not_forgiven() -> None:
    assert streak({8, 9, 11, 12}, 12) == 2


def counted(moments: list[datetime]) -> set[int]:
    days: set[int] = set()
    previous: int | None = None
    for at in moments:
        offset = offset_minutes(at)
        days.add(study_day(at, offset))
        other = other_day(at, offset, previous)
        if other is not None:
            days.add(other)
        previous = offset
    return days


def test_flying_over_the_date_line_keeps_the_streak() -> None:
    los_angeles = ZoneInfo("America/Los_Angeles")
    tokyo = ZoneInfo("Asia/Tokyo")
    moments = [
        datetime(2026, 11, 1, 10, tzinfo=los_angeles),
        datetime(2026, 11, 3, 5, tzinfo=tokyo),  # 12:00 on the 2nd in Los Angeles
        datetime(2026, 11, 4, 9, tzinfo=tokyo),
    ]
    today = study_day(moments[-1], offset_minutes(moments[-1]))
    own = {study_day(at, offset_minutes(at)) for at in moments}
    assert streak(own, today) == 2, "by the new offset alone the 2nd of November is lost"
    assert streak(counted(moments), today) == 4


def test_staying_put_gives_no_second_day() -> None:
    zone = timezone(timedelta(hours=2))
    at = datetime(2026, 11, 1, 3, tzinfo=zone)
    assert other_day(at, 120, 120) is None
    assert other_day(at, 120, None) is None
    assert other_day(at, 120, 60) is None
    assert other_day(at, 120, 300) == study_day(at, 120) + 1
