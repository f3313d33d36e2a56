"""How each topic stands today: what would be recalled, what was never seen, how it went lately."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping

from drill.domain.memory.state import MemoryState, recall_after
from drill.domain.memory_scale import ScaleBelief
from drill.domain.questions import TOPICS, Head
from drill.domain.statistics.evidence import Given, Placed, placed
from drill.domain.statistics.interval import share
from drill.domain.statistics.model import Mastery, Share

LAST = 20
"""Answers of a topic that its accuracy is taken from."""
Z95 = 1.959964
"""Standard normal quantile of .975."""
SCALES = 9
"""Equally likely scales of the memory model that an expectation is taken over."""


class AccuracyFold:
    """The last answers of each topic that were first tries: given in a session or a placement, the
    first of their item on that study day. Items met for the first time are among them."""

    def __init__(self, topics: Mapping[str, str]) -> None:
        """`topics`: item to topic; an item that is not there counts for no topic."""
        self._topic_of = topics
        self._last: dict[str, deque[bool]] = {}

    def add(self, answer: Placed) -> None:
        """Count an answer, if it is one of these."""
        given = answer.given
        if not answer.first_of_day or given.mode not in ("session", "placement"):
            return
        topic = self._topic_of.get(given.item_id)
        if topic is None:
            return
        last = self._last.get(topic)
        if last is None:
            last = self._last[topic] = deque(maxlen=LAST)
        last.append(answer.right)

    def of(self, topic: str) -> Share:
        """Accuracy of the last answers in a topic."""
        last = self._last.get(topic, ())
        return share(sum(last), len(last))


class MasteryFold:
    """Expected recall of the askable items of each topic on one study day.

    Suspended items are left out. An item counts as seen when the memory model knows it: it was
    answered, or a placement took it as known. Unseen items are counted and nothing is claimed
    about them. An item that was answered on the day itself counts as on the day after: with its
    feedback just read, the model calls even a wrong answer certain. The interval is that of the
    share recalled, each item by itself with its predicted chance (normal approximation of the
    Poisson binomial), widened by what is not known of how long this learner's memories last.
    """

    def __init__(
        self, heads: Mapping[str, Head], day: int, scale: ScaleBelief | None = None
    ) -> None:
        """`scale`: what is believed of the model's stabilities; None: they are taken as true."""
        self._day = day
        self._heads = heads
        self._scales = (
            (1.0,)
            if scale is None
            else tuple(scale.quantile((k + 0.5) / SCALES) for k in range(SCALES))
        )
        self._items = dict.fromkeys(TOPICS, 0)
        for head in heads.values():
            self._items[head.topic] = self._items.get(head.topic, 0) + 1
        self._recalls: dict[str, list[tuple[float, ...]]] = {}
        """Recall of each seen item under each scale."""
        self._due: dict[str, int] = {}

    def add(self, state: MemoryState) -> None:
        """Count an item's memory."""
        head = self._heads.get(state.item_id)
        if head is None:
            return
        if state.suspended:
            self._items[head.topic] -= 1
        elif not state.new:
            self._recalls.setdefault(head.topic, []).append(self._recall(state))
        if state.is_due(self._day):
            self._due[head.topic] = self._due.get(head.topic, 0) + 1

    def _recall(self, state: MemoryState) -> tuple[float, ...]:
        if state.last_day is None:
            return (0.0,) * len(self._scales)
        elapsed = max(1, self._day - state.last_day)
        return tuple(recall_after(elapsed, c * state.stability, state.decay) for c in self._scales)

    def result(self, accuracy: AccuracyFold) -> tuple[Mastery, ...]:
        """Topics that have items, in the order of the handbook."""
        return tuple(
            self._topic(topic, items, accuracy.of(topic))
            for topic, items in self._items.items()
            if items > 0
        )

    def _topic(self, topic: str, items: int, accuracy: Share) -> Mastery:
        recalls = self._recalls.get(topic, [])
        recall, low, high = None, 0.0, 1.0
        if recalls:
            recall, spread = _share_recalled(recalls)
            low, high = max(0.0, recall - Z95 * spread), min(1.0, recall + Z95 * spread)
        return Mastery(
            topic=topic,
            title=TOPICS.get(topic, topic),
            items=items,
            seen=len(recalls),
            unseen=items - len(recalls),
            due=self._due.get(topic, 0),
            recall=recall,
            low=low,
            high=high,
            accuracy=accuracy,
        )


def _share_recalled(recalls: list[tuple[float, ...]]) -> tuple[float, float]:
    """Mean and standard deviation of the share recalled, over chance and over the scales."""
    count = len(recalls)
    means, chance = [], 0.0
    for under in zip(*recalls, strict=True):
        means.append(math.fsum(under) / count)
        chance += math.fsum(r * (1.0 - r) for r in under) / count**2
    mean = math.fsum(means) / len(means)
    between = math.fsum((each - mean) ** 2 for each in means)
    return mean, math.sqrt((chance + between) / len(means))


def mastery(
    answers: Iterable[Given],
    states: Iterable[MemoryState],
    heads: Mapping[str, Head],
    day: int,
    scale: ScaleBelief | None = None,
) -> tuple[Mastery, ...]:
    """Mastery by topic on a study day; `heads` are the askable items, `answers` oldest first."""
    accuracy = AccuracyFold({item: head.topic for item, head in heads.items()})
    for answer in placed(answers):
        accuracy.add(answer)
    fold = MasteryFold(heads, day, scale)
    for state in states:
        fold.add(state)
    return fold.result(accuracy)
