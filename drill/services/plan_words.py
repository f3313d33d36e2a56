"""The plan in words: why an item is in it, and dates as a person says them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from drill.domain.memory.state import MemoryState, retrievability
from drill.domain.memory.study_day import date_of_day
from drill.domain.questions import TOPICS

if TYPE_CHECKING:
    from drill.domain.dated_plan import Dated
    from drill.domain.memory.queue import Planned
    from drill.domain.questions import Head

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

KINDS = {"core": "core", "deep": "a follow-up", "quirk": "a quirk"}


def day_words(day: date, today: date) -> str:
    """`20 Dec`; with the year where it is another one and not soon."""
    words = f"{day.day} {MONTHS[day.month - 1]}"
    far = day.year != today.year and (day - today).days > 180
    return f"{words} {day.year}" if far else words


def days_words(left: int) -> str:
    """How long it is to the interview: `today`, `tomorrow`, `in 12 days`."""
    return "today" if left == 0 else "tomorrow" if left == 1 else f"in {left} days"


def seconds_words(seconds: float) -> str:
    """`40 s`, `70 s`, `3 min`: as coarse as a guess is."""
    if seconds < 95:
        return f"{max(10, round(seconds / 10) * 10)} s"
    return f"{round(seconds / 60)} min"


def topic_words(topic: str) -> str:
    """The short title of a topic."""
    return TOPICS.get(topic, topic).split(":")[0]


def why_dated(place: Dated, head: Head, day: int, date: int) -> str:
    """Why an item is in the plan of `day` for the interview on `date`, in one line.

    `62% → 84% on 20 Dec, 70 s`: recall on the day if it is not asked today and if it is, and
    the time that asking takes.
    """
    choice = place.choice
    if place.reason == "retest":
        return "wrong though you were sure: again"
    if place.forward:
        return "brought forward after an interview"
    if day == date:
        return f"interview today: {choice.recall:.0%} likely remembered, fresh in mind again"
    cost = seconds_words(choice.seconds)
    on = f"on {day_words(date_of_day(date), date_of_day(day))}, {cost}"
    change = f"{choice.without:.0%} → {choice.at_date:.0%}"
    if place.reason == "new":
        return f"new: {KINDS[head.relevance]} of {topic_words(head.topic)}; {change} {on}"
    known = "taken as known, checked once; " if place.reason == "known" else ""
    return f"{known}{change} {on}"


def why_plain(planned: Planned, state: MemoryState | None, day: int) -> str:
    """Why plain FSRS asks an item today, in one line."""
    from drill.services.sitting import REASONS

    words = REASONS[planned.reason]
    if planned.reason == "due" and state is not None and not state.new:
        return f"{words}: {retrievability(state, day):.0%} likely remembered"
    return words
