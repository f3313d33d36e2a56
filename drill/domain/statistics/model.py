"""The document of all statistics: what `drill stats --json` prints and both front ends draw.

Shares and recall are fractions from 0 to 1. A `day` is a study day (days since 1970-01-01), a
`date` its ISO text. Fields that a new learner has nothing for are empty, 0 or None.
"""

from __future__ import annotations

from msgspec import Struct

from drill.domain.memory.beliefs import BeliefStatus


class Share(Struct, frozen=True):
    """How many of how many, with the interval that so few answers allow."""

    right: int
    answers: int
    share: float | None
    """None without answers."""
    low: float
    """Ends of the 95 % Jeffreys interval; 0 and 1 without answers."""
    high: float


class Retention(Struct, frozen=True):
    """True retention over a window of study days that ends today."""

    days: int | None
    """7, 30 or 90; None: everything that is counted, which in a period is the period."""
    all: Share
    young: Share
    """Items whose stability was under 21 days when they were asked."""
    mature: Share
    predicted: float | None
    """Mean recall that the memory model had predicted for the same answers."""


class ForecastDay(Struct, frozen=True):
    """Work that is scheduled for a day as things stand now."""

    day: int
    date: str
    items: int
    minutes: float
    """With the learner's own pace and the time for feedback."""


class Forecast(Struct, frozen=True):
    """What will be due, if nothing new is begun and no answer moves anything."""

    days: tuple[ForecastDay, ...]
    """30 days; the first is today, with everything that is overdue."""
    overdue: int
    """Items of today that were due before today."""
    items_7: int
    minutes_7: float
    items_30: int
    minutes_30: float
    later: int
    """Scheduled items that come after the 30 days."""


class Day(Struct, frozen=True):
    """One study day with answers."""

    day: int
    date: str
    answers: int
    """All modes, retries included."""
    right: int
    first: int
    """Items that were answered for the first time ever."""
    minutes: float
    """Spent on answering; reading the feedback is not in it."""


class Heat(Struct, frozen=True):
    """Answers by day over 53 weeks, the last of them this one."""

    first_day: int
    """The Monday that `weeks` begins with."""
    weeks: tuple[tuple[int, ...], ...]
    """Answers of Monday to Sunday; the days to come are -1."""
    levels: tuple[tuple[int, ...], ...]
    """The same as 0 (none) to 4; -1 for the days to come. 4 is more than 3/4 of `top`."""
    top: int
    """Answers of a busy day: the 90th percentile of the days studied."""


class Streak(Struct, frozen=True):
    """Consecutive study days with an answer; travel never breaks one."""

    current: int
    """Ends today or yesterday."""
    longest: int
    longest_end: int | None
    """The day on which the longest one ended."""
    studied: int
    """Days with an answer."""
    studied_30: int
    """Of the last 30."""


class Mastery(Struct, frozen=True):
    """How one topic stands today."""

    topic: str
    title: str
    items: int
    """Askable ones that the learner has not suspended; of the reserve only what an interview has
    asked."""
    seen: int
    unseen: int
    """Nothing is claimed about these."""
    due: int
    recall: float | None
    """Mean recall expected of the seen items: today, of those answered today tomorrow. How long
    this learner's memories last is counted in."""
    low: float
    """95 % interval of the share that would be recalled; 0 and 1 where nothing was seen."""
    high: float
    accuracy: Share
    """The last 20 answers of sessions that were the first of their item on a study day."""


class Confidence(Struct, frozen=True):
    """Answers given with one confidence."""

    confidence: int
    """1 guess, 2 think, 3 sure."""
    name: str
    stated: float
    """The chance of being right that the word is taken for."""
    right: Share


class TopicConfidence(Struct, frozen=True):
    """How sure answers of one topic came out."""

    topic: str
    title: str
    sure: Share
    guesses: Share
    expected_wrong: float
    """Sure answers that would be wrong if `sure` meant what it is taken for."""
    p: float
    """Chance of that many wrong ones or more if it did (binomial)."""
    overconfident: bool
    """`p` is under 5 % shared among all topics with a sure answer (Bonferroni)."""


class Calibration(Struct, frozen=True):
    """Confidence, said before the answer was judged, against how it came out."""

    answers: int
    levels: tuple[Confidence, ...]
    """Always three."""
    topics: tuple[TopicConfidence, ...]
    """With a sure answer or a guess; those with the smallest `p` first."""
    brier: float | None
    """Mean squared distance between the stated chance and 1 (right) or 0; 0 is perfect."""
    brier_flat: float | None
    """The same if every answer had been given the learner's own share of right ones."""


class BeliefHistory(Struct, frozen=True):
    """One misconception that was shown at some time."""

    id: str
    belief: str
    """The learner's wrong belief in words; the id where its pack is gone."""
    correction: str
    topic: str
    status: BeliefStatus
    """`held`, `shaken` or `cleared`, as of now."""
    shown: int
    """Answers that showed it."""
    returned: int
    """Times it was shown again after it had been cleared."""
    first_day: int
    last_day: int
    last_date: str
    last_item: str
    sure: bool
    """Whether it was last shown with full confidence."""
    right_days: int
    """Study days with a right answer since; 2 clear it."""


class Beliefs(Struct, frozen=True):
    """All misconceptions that were shown, the ones to mend first."""

    held: int
    shaken: int
    cleared: int
    returned: int
    """Beliefs that came back at least once."""
    beliefs: tuple[BeliefHistory, ...]


class TypeTime(Struct, frozen=True):
    """Time that one type of answer takes."""

    type: str
    answers: int
    seconds: float
    """Median of the newest 1,000; retries and interviews left out."""
    declared: float
    """Median of what their items declare."""
    ratio: float
    """Median of one over the other, answer by answer."""


class ExperimentAccuracy(Struct, frozen=True):
    """Predictions made before an experiment ran."""

    experiment: str
    """Empty for items that have left the bank and whose run is gone."""
    lab: str
    predictions: Share
    score: float
    """Mean score: fields of a prediction count by themselves."""
    last_date: str


class MockAxis(Struct, frozen=True):
    """One axis of a scorecard, 1 to 4."""

    axis: str
    title: str
    seen: bool
    low: float
    """By automatic credit."""
    high: float
    """After the learner's own ticks."""


class Mock(Struct, frozen=True):
    """A finished interview."""

    id: str
    day: int
    date: str
    minutes: int
    """Its length."""
    used: float
    """Minutes that it took."""
    level: str
    mode: str
    band: str | None
    why_none: str
    """Why no band is named; empty where one is."""
    low: str | None
    high: str | None
    axes: tuple[MockAxis, ...]
    missing: int
    """Points that the level expects and that were not heard."""


class Hour(Struct, frozen=True):
    """Answers begun within an hour of local time."""

    hour: int
    right: Share


class Leech(Struct, frozen=True):
    """An item that is forgotten again and again."""

    item_id: str
    topic: str
    lapses: int
    stability: float
    """Days."""
    suspended: bool


class Totals(Struct, frozen=True):
    """Plain counts: of the period what was done, of today what there is."""

    answers: int
    items_answered: int
    """Different items."""
    first: int
    """Items met for the first time."""
    retries: int
    minutes: float
    overruled: int
    """Answers whose grade the learner gave."""
    by_mode: dict[str, int]
    items: int
    """Askable ones that the learner has not suspended; of the reserve only what an interview has
    asked."""
    seen: int
    """Of `items`."""
    suspended: int
    leeches: int
    known: int
    """Marked as known and not yet confirmed."""
    gone: int
    """Answered items that are in the bank no longer."""


class Statistics(Struct, frozen=True):
    """Everything. `totals`, `retention`, `days`, `calibration`, `times`, `experiments`, `mocks`,
    `hours` and the accuracies of `topics` are of the period; the rest is of today and of the whole
    log."""

    day: int
    date: str
    """Today."""
    since_day: int | None
    """First study day of the period, not before the first answer; None: from the beginning."""
    since: str
    """Its date; empty from the beginning."""
    topic: str
    """The only topic that is counted; empty: all."""
    totals: Totals
    retention: tuple[Retention, ...]
    """7, 30, 90 days and everything, as far as they begin within the period."""
    streak: Streak
    days: tuple[Day, ...]
    """Oldest first."""
    heat: Heat
    forecast: Forecast
    topics: tuple[Mastery, ...]
    """In the order of the handbook; without those that have no items."""
    calibration: Calibration
    beliefs: Beliefs
    times: tuple[TypeTime, ...]
    experiments: tuple[ExperimentAccuracy, ...]
    mocks: tuple[Mock, ...]
    """Oldest first; none where only one topic is counted."""
    hours: tuple[Hour, ...]
    """24, by local time where the answer was given."""
    leeches: tuple[Leech, ...]
    """Most lapses first."""
    memory_scale: float = 1.0
    """How many times as long as the memory model computes this learner's memories last: the median
    of what is believed, which the recall of `topics` counts in."""
    memory_tests: int = 0
    """Reviews that this was learned from."""
