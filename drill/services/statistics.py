"""All statistics of one learner: the log, the states and the interviews read once, in slices.

`reading` yields after every slice, a few milliseconds of work, so that a screen stays smooth
while it reads; `statistics` runs it to its end.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from drill.domain.interview.rounds import AXES
from drill.domain.memory.beliefs import BeliefLedger, BeliefState
from drill.domain.memory.state import MemoryState
from drill.domain.memory.study_day import date_of_day
from drill.domain.questions import Head
from drill.domain.statistics.activity import ActivityFold, YearFold
from drill.domain.statistics.calibration import CalibrationFold
from drill.domain.statistics.evidence import Given, Walk
from drill.domain.statistics.forecast import ForecastFold
from drill.domain.statistics.mastery import AccuracyFold, MasteryFold
from drill.domain.statistics.model import (
    BeliefHistory,
    Beliefs,
    Leech,
    Mock,
    MockAxis,
    Statistics,
    Totals,
)
from drill.domain.statistics.retention import RetentionFold
from drill.domain.statistics.times import PredictionsFold, TimesFold
from drill.services.mock_words import band_words
from drill.store import evidence

if TYPE_CHECKING:
    from drill.domain.memory_scale import ScaleBelief
    from drill.packs.beliefs import Misconception
    from drill.services.app import Drill

_ORDER = {"held": 0, "shaken": 1, "cleared": 2}


class Progress(Struct, frozen=True):
    """How far the reading is."""

    done: int
    """Answers read."""
    total: int


def statistics(drill: Drill, since_day: int | None = None, topic: str = "") -> Statistics:
    """The statistics as of now, read from one state of the file.

    Other threads wait for the store meanwhile: a screen goes through `reading` instead.

    Args:
        since_day: study day that the period begins with; None: everything. What was done is
            counted from it on, or from the first answer on where that came later; the year,
            streaks, beliefs, memory and what is due are of today.
        topic: count only this topic's items.
    """
    with drill.store.access.read():
        steps = reading(drill, since_day, topic)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found = end.value
                assert isinstance(found, Statistics)
                return found


def reading(
    drill: Drill, since_day: int | None = None, topic: str = ""
) -> Generator[Progress, None, Statistics]:
    """`statistics` in slices of some milliseconds; the value of the generator is the document."""
    from drill.services.own_memory import believed_scale

    access, today = drill.store.access, drill.store.today()
    heads = {i: h for i, h in drill.bank.heads.items() if not topic or h.topic == topic}
    log = _Log(drill, heads)
    total = evidence.count(access)
    yield Progress(0, total)
    done = 0
    for page in evidence.answers(access):
        log.add(page, since_day, bool(topic))
        done += len(page)
        yield Progress(done, total)

    askable = {i: h for i, h in drill.askable().items() if i in heads}
    scale = believed_scale(drill)
    yield Progress(done, total)
    memory = _Memory(drill, askable, heads, today, scale)
    for states in evidence.states(access):
        for state in states:
            memory.add(state)
        yield Progress(done, total)
    mocks: list[Mock] = []
    if not topic:
        for stored in evidence.mocks(access):
            mocks += [
                _mock(each) for each in stored if since_day is None or each.study_day >= since_day
            ]
            yield Progress(done, total)
    if since_day is not None:
        first = log.year.first_day
        since_day = max(since_day, today if first is None else first)
    retention = log.retention.result(today, since_day)
    calibration = log.calibration.result()
    yield Progress(done, total)
    days, hours = log.activity.days(), log.activity.hours()
    heat, streak = log.year.heat(today), log.year.streak(today)
    yield Progress(done, total)
    times = log.times.result()
    yield Progress(done, total)
    experiments = log.predictions.result(_labs(drill) if log.predictions.any else {})
    yield Progress(done, total)
    topics = memory.mastery.result(log.accuracy)
    return Statistics(
        day=today,
        date=date_of_day(today).isoformat(),
        since_day=since_day,
        since="" if since_day is None else date_of_day(since_day).isoformat(),
        topic=topic,
        totals=_totals(log, memory, drill.bank.heads),
        retention=retention,
        streak=streak,
        days=days,
        heat=heat,
        forecast=memory.forecast.result(),
        topics=topics,
        calibration=calibration,
        beliefs=beliefs_of(log.ledger.states(), drill.bank.misconceptions),
        times=times,
        experiments=experiments,
        mocks=tuple(mocks),
        hours=hours,
        leeches=memory.worst(),
        memory_scale=scale.quantile(0.5),
        memory_tests=scale.tests,
    )


class _Log:
    """Every fold over the answers."""

    def __init__(self, drill: Drill, heads: Mapping[str, Head]) -> None:
        self._heads = heads
        topics = {item: head.topic for item, head in heads.items()}
        self.walk = Walk()
        self.ledger = BeliefLedger({i: head.misconceptions for i, head in heads.items()})
        self.retention = RetentionFold()
        self.year = YearFold()
        self.activity = ActivityFold()
        self.calibration = CalibrationFold(topics)
        self.accuracy = AccuracyFold(topics)
        self.times = TimesFold()
        self.predictions = PredictionsFold(
            drill.bank.experiments, evidence.run_names(drill.store.access)
        )
        self._counted = tuple(
            fold.add
            for fold in (
                self.retention,
                self.activity,
                self.calibration,
                self.accuracy,
                self.times,
                self.predictions,
            )
        )

    def add(self, page: Iterable[Given], since_day: int | None, only: bool) -> None:
        """Show a page of answers to every fold; those before the period only to the folds that
        need them, and with `only` those of the chosen items."""
        place, believe, mark = self.walk.place, self.ledger.add, self.year.add
        for given in page:
            if only and given.item_id not in self._heads:
                continue
            answer = place(given)
            believe(given)
            mark(answer)
            if since_day is None or given.study_day >= since_day:
                for add in self._counted:
                    add(answer)


def _labs(drill: Drill) -> dict[str, str]:
    """Experiment to the lab that it stands in."""
    from drill.services.labs import all_labs

    return {each.name: lab.id for lab in all_labs(drill).labs for each in lab.experiments}


class _Memory:
    """Every fold over the states."""

    def __init__(
        self,
        drill: Drill,
        askable: Mapping[str, Head],
        heads: Mapping[str, Head],
        today: int,
        scale: ScaleBelief,
    ) -> None:
        self._heads, self._askable = heads, askable
        self.mastery = MasteryFold(askable, today, scale)
        self.forecast = ForecastFold(askable, drill.store.summary(today), today)
        self.leeches: list[Leech] = []
        self.suspended = self.known = self.seen = 0

    def add(self, state: MemoryState) -> None:
        head = self._heads.get(state.item_id)
        if head is None:
            return
        self.mastery.add(state)
        self.forecast.add(state)
        if state.item_id in self._askable:
            self.suspended += state.suspended
            self.known += state.known
            self.seen += not state.new and not state.suspended
        if state.leech:
            self.leeches.append(
                Leech(state.item_id, head.topic, state.lapses, state.stability, state.suspended)
            )

    @property
    def items(self) -> int:
        """Items that practice asks: a suspended one is none of them."""
        return len(self._askable) - self.suspended

    def worst(self) -> tuple[Leech, ...]:
        """Leeches, those with most lapses first."""
        return tuple(sorted(self.leeches, key=lambda each: (-each.lapses, each.item_id)))


def _totals(log: _Log, memory: _Memory, bank: Mapping[str, Head]) -> Totals:
    days, modes = log.activity.days(), log.activity.modes
    return Totals(
        answers=sum(modes.values()),
        items_answered=len(log.activity.items),
        first=sum(day.first for day in days),
        retries=modes["retry"],
        minutes=sum(day.minutes for day in days),
        overruled=log.activity.overruled,
        by_mode=dict(sorted(modes.items())),
        items=memory.items,
        seen=memory.seen,
        suspended=memory.suspended,
        leeches=len(memory.leeches),
        known=memory.known,
        gone=len(log.activity.items - bank.keys()),
    )


def beliefs_of(states: Mapping[str, BeliefState], registry: Mapping[str, Misconception]) -> Beliefs:
    """Misconceptions with their words: the held ones first, and of them the surest and newest."""
    found = []
    for name, state in states.items():
        words = registry.get(name)
        found.append(
            BeliefHistory(
                id=name,
                belief=name if words is None else words.belief,
                correction="" if words is None else words.correction,
                topic="" if words is None else words.topic,
                status=state.status,
                shown=state.shown,
                returned=state.returned,
                first_day=state.first_day,
                last_day=state.last_day,
                last_date=date_of_day(state.last_day).isoformat(),
                last_item=state.last_item,
                sure=state.sure,
                right_days=state.cleared_days,
            )
        )
    found.sort(
        key=lambda b: (_ORDER[b.status], b.status == "held" and not b.sure, -b.last_day, b.id)
    )
    counts = [b.status for b in found]
    return Beliefs(
        held=counts.count("held"),
        shaken=counts.count("shaken"),
        cleared=counts.count("cleared"),
        returned=sum(b.returned > 0 for b in found),
        beliefs=tuple(found),
    )


def every_mock(drill: Drill) -> tuple[Mock, ...]:
    """All finished interviews, oldest first."""
    return tuple(_mock(each) for stored in evidence.mocks(drill.store.access) for each in stored)


def _mock(stored: evidence.StoredMock) -> Mock:
    bar = stored.bar
    return Mock(
        id=stored.id,
        day=stored.study_day,
        date=date_of_day(stored.study_day).isoformat(),
        minutes=int(stored.settings["minutes"]),
        used=stored.seconds / 60.0,
        level=stored.level,
        mode=stored.settings.get("mode", "real"),
        band=bar["band"],
        why_none="" if bar["band"] else band_words(bar),
        low=bar["low"],
        high=bar["high"],
        axes=tuple(
            MockAxis(axis, AXES.get(axis, axis), each["seen"], each["low"], each["high"])
            for axis, each in bar["axes"].items()
        ),
        missing=bar["missing"],
    )
