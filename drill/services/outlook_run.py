"""An outlook in the making: every part of it read or simulated in short steps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from msgspec.structs import replace

from drill.domain.memory.study_day import date_of_day, day_of_date
from drill.services import planning
from drill.services.outlook_document import Accuracy, More, Outlook, PlannedItem, TopicOutlook
from drill.services.outlook_words import LITTLE, drops, sentences

if TYPE_CHECKING:
    from drill.domain.memory_scale import ScaleBelief
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
        tests = plan_facts.recalled(drill.store.access, day - WINDOW_DAYS + 1, MOST_TESTS)
        kept = [i for i, head in drill.bank.heads.items() if head.reserve]
        met = plan_facts.met_in_interviews(drill.store.access, kept)
        self.outlook = replace(
            self.outlook,
            practised=_accuracy([test.right for test in tests]),
            reserve=_accuracy(met),
        )
        yield True
        from drill.services.own_memory import scale_by

        scale = scale_by(drill, tests)
        yield True
        self._read_standing(scale)
        yield True
        answered = plan_facts.answers_on(drill.store.access, day)
        self.outlook = replace(self.outlook, answered_today=answered)
        left = planning.minutes_left(drill, self._minutes)
        yield from self._planned(interview if dated else None, left)
        if dated and interview is not None:
            from drill.services.forecast import MOST_FUTURES, Forecast

            futures = self._futures or MOST_FUTURES
            made = planning.inputs(drill, interview)
            yield True
            seconds, first = self._minutes * 60.0, max(0.0, left * 60.0)
            self._forecast = Forecast(made, scale, seconds, first, futures=futures, seed=made.day)

    def _ahead(self) -> Iterator[bool]:
        """What the next day begins with, so that it begins at once."""
        if self._interview == self._drill.profile.interview_date:
            planning.keep_tomorrow(self._drill)
        yield True

    def _read_standing(self, scale: ScaleBelief) -> None:
        """Where each topic stands today, and what is believed of the learner's memory."""
        from drill.services.outlook_standing import standing_now

        drill = self._drill
        topics, overall = standing_now(
            drill.bank.heads, self._weights(), drill.store.states(), scale, drill.store.today()
        )
        self.outlook = replace(
            self.outlook,
            topics=topics,
            overall=overall,
            memory_scale=scale.quantile(0.5),
            memory_low=scale.quantile(0.1),
            memory_high=scale.quantile(0.9),
            memory_tests=scale.tests,
        )

    def _planned(self, interview: int | None, left: float) -> Iterator[bool]:
        """Today's session: the one that was begun, or the one that would be in `left` minutes."""
        from drill.services.browse import Browser

        drill = self._drill
        own = self._interview == drill.profile.interview_date
        places = self._begun() if own and self._minutes == drill.profile.minutes else None
        empty = ""
        if places is None:
            used = planning.used(left, self._minutes)
            places, empty = planning.todays(drill, self._minutes if used else left, interview)
            if used and places:
                places, empty = [], planning.MINUTES_USED
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
        from drill.domain.memory.queue import Planned
        from drill.domain.memory.running import Running
        from drill.services.plan_words import why_plain

        drill = self._drill
        unfinished = drill.store.sessions.unfinished()
        if unfinished is None or unfinished.study_day != drill.store.today():
            return None
        running = Running.from_json((unfinished.plan or {})["running"])
        again = (Planned(r.item_id, "retry", r.seconds) for r in running.retries)
        places = [p for p in (*running.upcoming, *again) if p.item_id in drill.bank.heads]
        if not places:
            return None  # it is over, so the next one begins
        states = drill.store.states([p.item_id for p in places])
        day = drill.store.today()
        return [
            planning.Today(
                replace(p, why=p.why or why_plain(p, states.get(p.item_id), day)),
            )
            for p in places
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
            if row.topic not in found.at_date or not row.items:
                return row
            at = found.at_date[row.topic]
            # On the day itself it is what it is now, which needs no drawn futures.
            mean = row.now if now.days_left == 0 else at.mean
            return replace(
                row,
                at_date=mean,
                low=min(at.low, mean),
                high=max(at.high, mean),
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
