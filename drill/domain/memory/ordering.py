"""The order of a session: topics interleaved, confusable ones side by side."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from drill.domain.questions import Head

LONGEST_RUN = 2
"""Items of one topic in a row, where the others allow it: a block of one topic tells the answer
by its context and leaves weaker memories."""
WINDOW = 8
"""How many of the most urgent items compete for the next place."""


class HasItem(Protocol):
    """Anything that names an item."""

    @property
    def item_id(self) -> str: ...


T = TypeVar("T", bound=HasItem)


def interleaved(plan: Sequence[T], heads: Mapping[str, Head], seed: int) -> list[T]:
    """`plan` reordered: urgency is kept roughly, topics alternate, confusable items meet.

    Never three of one topic in a row unless the plan holds too few others.
    """
    rest = list(plan)
    topics = [heads[p.item_id].topic for p in rest]
    done: list[T] = []
    run = 0
    last = ""
    while rest:
        best = min(
            _candidates(topics),
            key=lambda i: (
                _breaks(topics, i, last, run),
                _cost(rest, topics, i, done, heads, last),
                _draw(seed, rest[i].item_id),
            ),
        )
        topic = topics.pop(best)
        done.append(rest.pop(best))
        run = run + 1 if topic == last else 1
        last = topic
    return done


def _candidates(topics: Sequence[str]) -> list[int]:
    """The most urgent places, and the first of every topic, by index."""
    first: dict[str, int] = {}
    for index, topic in enumerate(topics):
        first.setdefault(topic, index)
    return sorted({*range(min(WINDOW, len(topics))), *first.values()})


def _breaks(topics: Sequence[str], index: int, last: str, run: int) -> int:
    """Places that would break the rule for sure after taking `index` next."""
    topic = topics[index]
    now = run + 1 if topic == last else 1
    broken = 1 if now > LONGEST_RUN else 0
    left = Counter(topics)
    left[topic] -= 1
    total = len(topics) - 1
    for name, count in left.items():
        others = total - count
        room = LONGEST_RUN * (others + 1)
        if name == topic:
            room -= min(now, LONGEST_RUN)
        broken += max(0, count - room)
    return broken


def _cost(
    rest: Sequence[T],
    topics: Sequence[str],
    index: int,
    done: Sequence[T],
    heads: Mapping[str, Head],
    last: str,
) -> float:
    cost = float(index) if index < WINDOW else index * 4.0
    if topics[index] == last:
        cost += WINDOW / 2
    if done and confusable(heads[done[-1].item_id], heads[rest[index].item_id]):
        cost -= WINDOW / 2
    return cost


def confusable(a: Head, b: Head) -> bool:
    """Whether either names the other or the other's topic as easily mixed up with it."""
    if a.topic == b.topic:
        return b.id in a.confusable or a.id in b.confusable
    named_a, named_b = set(a.confusable), set(b.confusable)
    return bool(named_a & {b.id, b.topic} or named_b & {a.id, a.topic})


def _draw(seed: int, item: str) -> str:
    return hashlib.sha256(f"order {seed} {item}".encode()).hexdigest()
