"""The settings of an interview in words, what it would hold, and the choice of topics."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from drill.domain.interview.choosing import Course, Settings
from drill.domain.interview.rounds import DEBRIEF_MINUTES, ROUNDS
from drill.domain.questions import TOPICS
from drill.tui.answers.option_list import Options
from drill.tui.dialog import Dialog
from drill.tui.text import plain, styled
from drill.tui.widgets.paragraphs import Row

MOST_SEED = 999_999
MODE_WORDS = {
    "real": "a visible timer, and nothing is told until the end",
    "study": "hints, and feedback after each question",
}
RESULT = (
    "Four axes from 1 to 4, each an interval with your own words as evidence. The bands, from "
    "strong hire to strong no hire, are drill's own and calibrated to no employer."
)


class PickTopics(Dialog[tuple[str, ...]]):
    """Any number of topics; none: all of them."""

    def __init__(self, chosen: tuple[str, ...]) -> None:
        super().__init__()
        self.chosen = chosen

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box", can_focus=False):
            yield Static(styled("Topics: letters mark, enter is done, none: all", "bold"))
            yield Options([text.split(":")[0] for text in TOPICS.values()], many=True)

    def on_mount(self) -> None:
        options = self.query_one(Options)
        names = list(TOPICS)
        options.restore({names.index(topic) for topic in self.chosen if topic in names})
        options.focus()

    @on(Options.Done)
    def _done(self, event: Options.Done) -> None:
        names = list(TOPICS)
        marked = tuple(names[index] for index in sorted(event.options.marked))
        self.dismiss(() if len(marked) == len(names) else marked)


def one_of(values: tuple[Any, ...], chosen: Any) -> Content:
    """All values, the chosen one set apart without colour as well."""
    parts = [
        styled(f"[{value}]", "bold $text-accent") if value == chosen else plain(f" {value} ")
        for value in values
    ]
    return Content(" ").join(parts)


def next_of(values: tuple[Any, ...], value: Any, by: int) -> Any:
    """The value beside one of several, around the end."""
    at = values.index(value) + by if value in values else 0
    return values[at % len(values)]


def fields_of(settings: Settings) -> dict[str, Any]:
    """Settings as JSON holds them."""
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


def course_rows(course: Course) -> list[Row]:
    """The rounds in order with their minutes, and what is lacking."""
    parts = [
        f"{ROUNDS[slot.round]} {slot.minutes:g} min"
        + (f" in {len(slot.items)} stages" if len(slot.items) > 1 else "")
        for slot in course.slots
    ]
    parts.append(f"debrief {DEBRIEF_MINUTES:g} min")
    holds = " · ".join(parts) if course.slots else "nothing"
    rows: list[Row] = [(styled("Holds  ", "bold"), plain(holds))]
    for at, lack in enumerate(course.lacks):
        rows.append((styled("Lacks  " if not at else " " * 7, "bold $text-warning"), plain(lack)))
    return rows
