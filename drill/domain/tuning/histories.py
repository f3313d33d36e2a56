"""From the log to the sequences of grades and day gaps that FSRS-6 is trained and tested on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from drill.domain.memory.events import Event, cancelled, overrules
from drill.domain.memory.state import AGAIN, EASY, GOOD, Grade, as_grade


class Step(Struct, frozen=True):
    """One thing that changed the memory of an item."""

    day: int
    """Study day, never before that of the step before."""
    gap: int
    """Study days since the step before; 0 for the first."""
    grade: Grade
    """As the memory takes it: an Easy of an in-session retry is a Good."""
    scored: bool
    """Whether it tests recall: an answer on a later study day than the step before it."""
    at: str = ""
    """UTC text of the event: steps of all items sort by it."""


class History(Struct, frozen=True):
    """Everything that changed the memory of one item, oldest first."""

    item_id: str
    steps: tuple[Step, ...]


class Training(Struct, frozen=True):
    """One recall test with what came before it: an item of FSRS's training set."""

    day: int
    reviews: tuple[tuple[int, int], ...]
    """(grade, gap in study days), oldest first; the last one is the test, with a gap above 0."""


def history(item_id: str, events: Sequence[Event]) -> History:
    """What the events of one item, in any order, leave of its memory's course.

    The same events count as in `drill.domain.memory.events.replay_item`: undone ones are left
    out, an overruled answer has the grade that holds, and only answers that schedule count, so
    not those of mock interviews and cramming. Being taken as known is a first Easy that tests
    nothing, because that is what the memory makes of it.
    """
    gone = cancelled(events)
    grades = overrules(events, gone)
    steps: list[Step] = []
    for event in sorted(events, key=lambda e: e.order):
        if event.uuid in gone:
            continue
        answered = event.kind == "review" and event.schedules
        if not answered and not (event.kind == "known" and not steps):
            continue
        day = max(event.study_day, steps[-1].day) if steps else event.study_day
        gap = day - steps[-1].day if steps else 0
        retry = event.mode == "retry"
        grade: Grade = EASY
        if answered:
            overrule = grades.get(event.uuid)
            grade = as_grade(event.grade if overrule is None else overrule.grade)
            if retry and grade == EASY:
                grade = GOOD
        steps.append(Step(day, gap, grade, answered and gap > 0 and not retry, event.at))
    return History(item_id, tuple(steps))


def histories(events_by_item: Iterable[tuple[str, Sequence[Event]]]) -> list[History]:
    """Histories of the items that have one."""
    found = (history(item_id, events) for item_id, events in events_by_item)
    return [h for h in found if h.steps]


def training_set(histories: Iterable[History]) -> list[Training]:
    """Every recall test with its past, in the order in which they happened.

    The order matters: FSRS gives later ones more weight. An answer on the day of the step before
    is no test, since the memory cannot have faded, but stays in the past of the tests after it:
    FSRS-6 learns from it what a repetition on the same day is worth.
    """
    found: list[tuple[str, Training]] = []
    for one in histories:
        past: tuple[tuple[int, int], ...] = ()
        for step in one.steps:
            past = (*past, (int(step.grade), step.gap))
            if step.scored:
                found.append((step.at, Training(step.day, past)))
    found.sort(key=lambda pair: pair[0])
    return [training for _, training in found]


def is_right(grade: int) -> bool:
    """Hard and better is remembered."""
    return grade > AGAIN
