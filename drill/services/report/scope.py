"""What a report is about: everything, a period, or one mock interview."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from msgspec import Struct

from drill.services.report.document import Scope

MOST_DAYS = 36_500
"""Days that a period may go back."""


class ScopeError(ValueError):
    """A period that cannot be reported on; the message says what can."""


class Wanted(Struct, frozen=True):
    """What was asked for; at most one of the fields is set."""

    days: int = 0
    """The last so many days, today included."""
    since: str = ""
    """An ISO date."""
    mock: str = ""
    """The beginning of an interview's id, or `last`."""


def scope_of(wanted: Wanted, today: date, mock_words: str = "") -> Scope:
    """The scope of a report that is made on the study day `today`.

    Args:
        mock_words: how the interview is called that `wanted.mock` names.

    Raises:
        ScopeError: more than one thing is asked for, or a period that is empty.
    """
    if sum(map(bool, (wanted.days, wanted.since, wanted.mock))) > 1:
        raise ScopeError("--days, --since and --mock exclude each other: give one of them")
    until = today.isoformat()
    if wanted.mock:
        return Scope("mock", "", until, mock_words)
    if not wanted.days and not wanted.since:
        return Scope("all", "", until, f"Everything until {in_full(today)}")
    first = _first_day(wanted, today)
    if first > today:
        raise ScopeError(f"{first.isoformat()} is not over yet: give a day until {until}")
    words = f"From {in_full(first)} to {in_full(today)}" if first < today else in_full(today)
    return Scope("period", first.isoformat(), until, words)


def _first_day(wanted: Wanted, today: date) -> date:
    if wanted.days:
        if not 1 <= wanted.days <= MOST_DAYS:
            raise ScopeError(f"--days is a number of days from 1 to {MOST_DAYS:,}")
        return today - timedelta(days=wanted.days - 1)
    try:
        return date.fromisoformat(wanted.since.strip())
    except ValueError:
        raise ScopeError(f"{wanted.since!r} is no date: give it as {today.isoformat()}") from None


def in_full(day: date) -> str:
    """`23 November 2026`, in English whatever the machine's language is."""
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"


def short_date(iso: str) -> str:
    """`23 Nov` of an ISO date; the text itself where it is none."""
    try:
        day = date.fromisoformat(iso[:10])
    except ValueError:
        return iso
    return f"{day.day} {calendar.month_abbr[day.month]}"


def long_date(iso: str) -> str:
    """`23 November 2026` of an ISO date; the text itself where it is none."""
    try:
        return in_full(date.fromisoformat(iso[:10]))
    except ValueError:
        return iso
