"""How each topic stands today: what would be recalled, what was never seen, how it went lately."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping

from drill.domain.memory.state import MemoryState, retrievability
from drill.domain.questions import TOPICS, Head
from drill.domain.statistics.evidence import Given, Placed, placed
from drill.domain.statistics.interval import share
from drill.domain.statistics.model import Mastery, Share

LAST = 20
"""Answers of a topic that its accuracy is taken from."""
Z95 = 1.959964
"""Standard normal quantile of .975."""


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
    about them. The interval is that of the share recalled, each item by itself with its predicted
    chance (normal approximation of the Poisson binomial): it does not know how wrong the model is.
    """

    def __init__(self, heads: Mapping[str, Head], day: int) -> None:
        self._day = day
        self._heads = heads
        self._items = dict.fromkeys(TOPICS, 0)
        for head in heads.values():
            self._items[head.topic] = self._items.get(head.topic, 0) + 1
        self._recalls: dict[str, list[float]] = {}
        self._due: dict[str, int] = {}

    def add(self, state: MemoryState) -> None:
        """Count an item's memory."""
        head = self._heads.get(state.item_id)
        if head is None:
            return
        if state.suspended:
            self._items[head.topic] -= 1
        elif not state.new:
            self._recalls.setdefault(head.topic, []).append(retrievability(state, self._day))
        if state.is_due(self._day):
            self._due[head.topic] = self._due.get(head.topic, 0) + 1

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
            recall = math.fsum(recalls) / len(recalls)
            spread = math.sqrt(math.fsum(r * (1.0 - r) for r in recalls)) / len(recalls)
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


def mastery(
    answers: Iterable[Given],
    states: Iterable[MemoryState],
    heads: Mapping[str, Head],
    day: int,
) -> tuple[Mastery, ...]:
    """Mastery by topic on a study day; `heads` are the askable items, `answers` oldest first."""
    accuracy = AccuracyFold({item: head.topic for item, head in heads.items()})
    for answer in placed(answers):
        accuracy.add(answer)
    fold = MasteryFold(heads, day)
    for state in states:
        fold.add(state)
    return fold.result(accuracy)
