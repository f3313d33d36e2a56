"""What is said of the way to the interview day: one document for the screen, the CLI, the report.

Recall and accuracy are fractions, 0 to 1; None where there is nothing to say it from.
"""

from __future__ import annotations

from msgspec import Struct

from drill.domain.memory.queue import Reason


class PlannedItem(Struct, frozen=True):
    """One item of today's session, in the order in which it is asked."""

    item_id: str
    title: str
    """Its prompt on one line."""
    topic: str
    reason: Reason
    why: str
    """Why it is in today's plan, in words."""
    seconds: float
    gain: float
    """Recall on the day that asking it adds, times its importance; 0 without a date."""


class TopicOutlook(Struct, frozen=True):
    """Readiness in one topic, or over all of them (`topic` empty).

    Readiness is the share of the questions, weighted by importance, that the learner recalls. A
    question that practice never asked counts as not recalled.
    """

    topic: str
    title: str
    weight: float
    """Sum of the importance of its items."""
    items: int
    seen: int
    now: float
    at_date: float | None = None
    """Expected on the day of the interview; None without a date, or until it is computed."""
    low: float | None = None
    high: float | None = None
    """In four of five simulated futures it lies between these."""
    dropped: int = 0
    """Items that most futures never reach before the date."""


class More(Struct, frozen=True):
    """Readiness over all topics with more minutes a day, in the same futures."""

    minutes: int
    at_date: float
    low: float
    high: float


class Dropped(Struct, frozen=True):
    """Questions that the plan never reaches, of one topic and level."""

    topic: str
    title: str
    level: str
    items: tuple[str, ...]
    weight: float
    """Their share of all importance, 0 to 1."""
    words: str


class Accuracy(Struct, frozen=True):
    """A share of right answers with its 95 % interval."""

    answers: int
    right: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """Right over all; None without answers."""
        return self.right / self.answers if self.answers else None


class Outlook(Struct, frozen=True):
    """Where the learner stands on the way to the interview."""

    interview: str
    """ISO date; empty without one."""
    day: str
    """ISO date of the study day that this was made on."""
    days_left: int | None
    """None without a date, or when it is over."""
    minutes: int
    level: str
    role: str
    today: tuple[PlannedItem, ...]
    empty: str
    """Why `today` is empty, where it is."""
    answered_today: int
    topics: tuple[TopicOutlook, ...]
    overall: TopicOutlook
    practised: Accuracy
    """First answers of a day, in sessions of the last four weeks, to items of an earlier day."""
    reserve: Accuracy
    """Items of the reserve, as interviews asked them for the first time."""
    more: More | None = None
    drop: tuple[Dropped, ...] = ()
    """Least useful first."""
    enough: bool = True
    """Every question that counts is reached before the date."""
    memory_scale: float = 1.0
    """How long this learner's memory lasts over what the model expects, as far as is known."""
    memory_low: float = 1.0
    memory_high: float = 1.0
    """Four chances in five that it lies between these."""
    memory_tests: int = 0
    """Recall tests of the last four weeks that say so; 0: nothing but an assumption."""
    futures: int = 0
    """Simulated ways to the date that `at_date` is the mean of."""
    said: tuple[str, ...] = ()
    """The whole in sentences."""
