"""An outlook in the making: every part of it read or simulated in short steps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from msgspec.structs import replace

from drill.domain.memory.state import retrievability
from drill.domain.memory.study_day import date_of_day, day_of_date
from drill.domain.questions import TOPICS
from drill.services import planning
from drill.services.outlook_document import Accuracy, More, Outlook, PlannedItem, TopicOutlook
from drill.services.outlook_words import LITTLE, drops, sentences
from drill.services.plan_words import topic_words

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.services.forecast import Forecast, Found

WINDOW_DAYS = 28
"""Study days of sessions that `practised` counts."""
MOST_TESTS = 2000
"""Newest recall tests that count, for `practised` and for how long memories last."""


class OutlookRun:
    """An outlook in the making: `outlook` is what is known so far."""

    def __init__(
        self,
        drill: Drill,
        minutes: int,
        interview: date | None,
        key: str,
        futures: int | None = None,
    ) -> None:
        self.key = key
        self._futures = futures
        self._drill = drill
        self._minutes = minutes
        self._interview = interview
        self._forecast: Forecast | None = None
        self._work = self._prepared()
        self.outlook = self._bare()
        self.done = False
        self.prepared = False
        """Whether all of `outlook` but what the futures tell is there."""

    @property
    def share(self) -> float:
        """How much of the work is done, 0 to 1."""
        if self.done or self.outlook.futures:
            return 1.0
        return self._forecast.share if self._forecast is not None else 0.0

    def advance(self, seconds: float) -> bool:
        """Work for about `seconds`; whether all is done. Reads the store, so on its thread."""
        if self.done:
            return True
        if next(self._work, False) is not False:
            return False
        self.prepared = True
        if self._forecast is not None:
            if not self._forecast.advance(seconds):
                return False
            assert self._forecast.found is not None
            self.outlook = self._with(self._forecast.found)
            self._forecast = None
            self._work = self._ahead()
            return False
        self.done = True
        self.outlook = replace(self.outlook, said=sentences(self.outlook))
        return True

    # -- the parts, each short -----------------------------------------------------------

    def _bare(self) -> Outlook:
        drill = self._drill
        profile = drill.profile
        today = date_of_day(drill.store.today())
        day = self._interview
        over = day is None or day < today
        nobody = Accuracy(0, 0, 0.0, 1.0)
        return Outlook(
            interview="" if day is None else day.isoformat(),
            day=today.isoformat(),
            days_left=None if over or day is None else (day - today).days,
            minutes=self._minutes,
            level=profile.level,
            role=profile.role or "",
            today=(),
            empty="",
            answered_today=0,
            topics=(),
            overall=TopicOutlook("", "All topics", 0.0, 0, 0, 0.0),
            practised=nobody,
            reserve=nobody,
        )

    def _prepared(self) -> Iterator[bool]:
        """Everything but the futures, piece by piece; yields True after each."""
        from drill.store import plan_facts

        drill = self._drill
        day = drill.store.today()
        interview = None if self._interview is None else day_of_date(self._interview)
        dated = interview is not None and interview >= day
        self._read_standing()
        yield True
        tests = plan_facts.recalled(drill.store.access, day - WINDOW_DAYS + 1, MOST_TESTS)
        kept = [i for i, head in drill.bank.heads.items() if head.reserve]
        met = plan_facts.met_in_interviews(drill.store.access, kept)
        self.outlook = replace(
            self.outlook,
            practised=_accuracy([test.right for test in tests]),
            reserve=_accuracy(met),
        )
        yield True
        spent = plan_facts.seconds_on(drill.store.access, day)
        answered = plan_facts.answers_on(drill.store.access, day)
        yield from self._planned(interview if dated else None, spent, answered)
        if dated and interview is not None:
            from drill.domain.memory_scale import believed
            from drill.services.forecast import MOST_FUTURES, Forecast

            futures = self._futures or MOST_FUTURES
            made = planning.inputs(drill, interview)
            yield True
            weights = made.parameters.parameters
            # A bias that other weights had is not that of those in use.
            own = plan_facts.sets_with(drill.store.access, weights)
            pairs = [
                (test.predicted, test.right)
                for test in tests
                if test.predicted is not None and test.parameter_set in own
            ]
            scale = believed(pairs, weights[20]) if weights else believed(pairs)
            read = answered * made.history.feedback_seconds
            seconds = self._minutes * 60.0
            first = max(0.0, seconds - spent - read)
            yield True
            self._forecast = Forecast(made, scale, seconds, first, futures=futures, seed=made.day)
            self.outlook = replace(
                self.outlook,
                memory_scale=scale.quantile(0.5),
                memory_low=scale.quantile(0.1),
                memory_high=scale.quantile(0.9),
                memory_tests=scale.tests,
            )

    def _ahead(self) -> Iterator[bool]:
        """What the next day begins with, so that it begins at once."""
        if self._interview == self._drill.profile.interview_date:
            planning.keep_tomorrow(self._drill)
        yield True

    def _read_standing(self) -> None:
        """Where each topic stands today, by the memory model alone."""
        drill = self._drill
        day = drill.store.today()
        states = drill.store.states()
        heads = drill.bank.heads
        sums: dict[str, list[float]] = {topic: [0.0, 0.0, 0, 0] for topic in TOPICS}
        for item, weight in self._weights().items():
            row = sums.setdefault(heads[item].topic, [0.0, 0.0, 0, 0])
            row[0] += weight
            row[2] += 1
            state = states.get(item)
            if state is not None and not state.new:
                row[1] += weight * retrievability(state, day)
                row[3] += 1
        topics = tuple(
            TopicOutlook(t, topic_words(t), w, int(n), int(seen), r / w if w else 0.0)
            for t, (w, r, n, seen) in sums.items()
            if n
        )
        total = sum(t.weight for t in topics)
        self.outlook = replace(
            self.outlook,
            topics=topics,
            overall=TopicOutlook(
                "",
                "All topics",
                total,
                sum(t.items for t in topics),
                sum(t.seen for t in topics),
                sum(t.weight * t.now for t in topics) / total if total else 0.0,
            ),
        )

    def _planned(self, interview: int | None, spent: float, answered: int) -> Iterator[bool]:
        """Today's session: the one that was begun, or the one that would be."""
        from drill.services.browse import Browser

        drill = self._drill
        self.outlook = replace(self.outlook, answered_today=answered)
        own = self._interview == drill.profile.interview_date
        places = self._begun() if own and self._minutes == drill.profile.minutes else None
        empty = ""
        if places is None:
            left = self._minutes - spent / 60.0
            if answered and left < 1.0:
                places, empty = [], "Today's minutes are used; another session may still be begun."
            else:
                places, empty = planning.todays(drill, left, interview)
        yield True
        browser = Browser(drill)
        items = []
        for place in places:
            planned = place.planned
            if planned.item_id not in drill.bank.heads:
                continue
            items.append(
                PlannedItem(
                    item_id=planned.item_id,
                    title=browser.prompt(planned.item_id),
                    topic=drill.bank.heads[planned.item_id].topic,
                    reason=planned.reason,
                    why=planned.why,
                    seconds=planned.seconds,
                    gain=place.gain,
                )
            )
            yield True
        self.outlook = replace(self.outlook, today=tuple(items), empty=empty)

    def _begun(self) -> list[planning.Today] | None:
        """What is left of a session that was begun today; None where there is none."""
        from drill.domain.memory.running import Running
        from drill.services.plan_words import why_plain

        drill = self._drill
        unfinished = drill.store.sessions.unfinished()
        if unfinished is None or unfinished.study_day != drill.store.today():
            return None
        running = Running.from_json((unfinished.plan or {})["running"])
        states = drill.store.states([p.item_id for p in running.upcoming])
        day = drill.store.today()
        return [
            planning.Today(
                replace(p, why=p.why or why_plain(p, states.get(p.item_id), day)),
            )
            for p in running.upcoming
        ]

    def _with(self, found: Found) -> Outlook:
        """The outlook with what the futures came to."""
        heads = self._drill.bank.heads
        weights = self._weights()
        by_topic: dict[str, int] = {}
        for item in found.dropped:
            by_topic[heads[item].topic] = by_topic.get(heads[item].topic, 0) + 1
        now = self.outlook
        drop = drops(heads, weights, found.dropped)

        def ready(row: TopicOutlook, dropped: int) -> TopicOutlook:
            if row.topic not in found.at_date:
                return row
            at = found.at_date[row.topic]
            return replace(
                row,
                now=found.now[row.topic],
                at_date=at.mean,
                low=at.low,
                high=at.high,
                dropped=dropped,
            )

        more = None
        if found.more is not None:
            from drill.services.forecast import MORE_MINUTES

            minutes = self._minutes + MORE_MINUTES
            more = More(minutes, found.more.mean, found.more.low, found.more.high)
        return replace(
            now,
            topics=tuple(ready(t, by_topic.get(t.topic, 0)) for t in now.topics),
            overall=ready(now.overall, len(found.dropped)),
            more=more,
            drop=drop,
            enough=sum(each.weight for each in drop) < LITTLE,
            futures=found.futures,
        )

    def _weights(self) -> dict[str, float]:
        """Importance of every item that counts: those that are not suspended."""
        from drill.domain.importance import importance

        profile = self._drill.profile
        states = self._drill.store.states()
        return {
            item: importance(head, profile.level, profile.role)
            for item, head in self._drill.askable().items()
            if item not in states or not states[item].suspended
        }


def _accuracy(right: list[bool]) -> Accuracy:
    from drill.domain.statistics.interval import jeffreys

    low, high = jeffreys(sum(right), len(right))
    return Accuracy(len(right), sum(right), low, high)
