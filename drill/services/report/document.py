"""The report as a document: what every format shows. Shares and recall are fractions from 0 to 1.

Dates are ISO dates of study days, times are local. Texts are plain: nothing here is markup.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from drill.domain.statistics.model import Share, Statistics
from drill.services.outlook_document import Outlook

ScopeKind = Literal["all", "period", "mock"]
FORMAT = "drill-report/1"


class Scope(Struct, frozen=True):
    """What the report is about."""

    kind: ScopeKind
    since: str
    """First day; empty for everything."""
    until: str
    words: str
    """As it stands under the title."""


class Learner(Struct, frozen=True):
    """What the learner told of themselves."""

    level: str
    role: str
    interview: str
    """ISO date; empty without one."""
    days_left: int | None
    minutes: int


class Fact(Struct, frozen=True):
    """A number of the summary."""

    label: str
    value: str
    note: str = ""


class Strength(Struct, frozen=True):
    """A topic that goes well."""

    topic: str
    title: str
    first: Share
    """Answers that were the first of their item on a day."""
    recall: float | None
    seen: int
    items: int


class BeliefRow(Struct, frozen=True):
    """A wrong belief that answers showed."""

    id: str
    belief: str
    correction: str
    topic: str
    """Its title."""
    status: Literal["held", "shaken", "cleared"]
    shown: int
    returned: int
    last: str
    """ISO date."""
    sure: bool
    """Whether it was last shown with full confidence."""
    right_days: int


class Bin(Struct, frozen=True):
    """Answers of a day, a week or a month."""

    start: str
    answers: int
    right: int
    minutes: float


class HardItem(Struct, frozen=True):
    """An item that went wrong again and again."""

    item_id: str
    prompt: str
    topic: str
    wrong: int
    answers: int


class SureWrong(Struct, frozen=True):
    """An answer that was wrong with full confidence."""

    item_id: str
    prompt: str
    topic: str
    answer: str
    """As it was given; what it names in words where it was chosen."""
    expected: str
    date: str
    mended: bool
    """Whether the item was answered right on a later day."""


class Practice(Struct, frozen=True):
    """What was answered, beside the statistics."""

    unit: Literal["day", "week", "month"]
    bins: tuple[Bin, ...]
    hard: tuple[HardItem, ...]
    sure_wrong: tuple[SureWrong, ...]
    sure_wrong_count: int
    next_due: str
    """Date on which something comes back; empty where nothing does."""
    due_then: int


class Picture(Struct, frozen=True):
    """A picture of a run, small enough to be sent."""

    uri: str
    """A `data:` URI of a PNG or WebP."""
    width: int
    height: int
    alt: str


class Curves(Struct, frozen=True):
    """A plot of a run: points (x, y) by series."""

    name: str
    x_label: str
    y_label: str
    series: dict[str, tuple[tuple[float, float], ...]]


class Claim(Struct, frozen=True):
    """A claim of an experiment and what was measured."""

    says: str
    holds: bool | None
    """None where it does not apply to the run's parameters."""
    measured: str
    expected: str


class RunRow(Struct, frozen=True):
    """A run of an experiment on the learner's machine."""

    id: str
    name: str
    title: str
    when: str
    sentence: str
    error: str
    holds: int
    applied: int
    """Claims that apply to the run's parameters."""
    claims: tuple[Claim, ...]
    params: str
    device: str
    seconds: float
    pictures: tuple[Picture, ...]
    left_out: int
    """Pictures that are not shown."""
    plots: tuple[Curves, ...]


class Runs(Struct, frozen=True):
    """Runs of the scope."""

    count: int
    experiments: int
    holds: int
    claims: int
    """Those that apply to the parameters of their runs."""
    shown: tuple[RunRow, ...]
    """Newest first, one of each experiment before a second one of any."""


class MockDocument(Struct, frozen=True):
    """An interview with its scorecard and transcript, as `drill mock show --json` tells it."""

    id: str
    date: str
    settings: str
    band: str
    document: dict[str, Any]


class Reading(Struct, frozen=True):
    """A section of a handbook page."""

    anchor: str
    page: str
    section: str
    command: str
    text: str
    """Markdown of the pack."""


class Step(Struct, frozen=True):
    """What to do next."""

    title: str
    why: str
    command: str
    reading: tuple[Reading, ...] = ()


class Report(Struct, frozen=True):
    """The whole report. A part that is None or empty has nothing to tell, or is out of scope."""

    format: str
    drill: str
    """Version."""
    made: str
    """Local time, ISO to the minute."""
    title: str
    scope: Scope
    learner: Learner
    bank_items: int
    """Items that practice can ask."""
    answered_ever: int
    """Answers in the log, whatever the scope."""
    summary: tuple[str, ...]
    """Paragraphs."""
    facts: tuple[Fact, ...]
    outlook: Outlook | None
    """The way to the interview day and today's plan, as of the day of the report."""
    statistics: Statistics | None
    practice: Practice | None
    strengths: tuple[Strength, ...]
    beliefs: tuple[BeliefRow, ...]
    """Those that hold or are shaken first."""
    runs: Runs | None
    mocks: tuple[MockDocument, ...]
    """Newest first, those that are shown whole."""
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    """What is missing from the report and why."""

    @property
    def reading(self) -> tuple[Reading, ...]:
        """The sections that the steps name, each once."""
        found = {page.anchor: page for step in self.steps for page in step.reading}
        return tuple(found.values())
