"""Placement: a few quick items a topic, so that a learner does not start with what they know.

Each topic begins at the level the learner states. Right and sure climbs a level; wrong or a
guess goes down one; right without being sure stays and ends the topic. A topic gets at most
three items, all topics get their first one before any gets its second, and no item is begun
that would end after the minutes are over. An item is only ever evidence about items *below* its
level: those of its topic that are not quirks are taken as known, and each is retested once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from drill.domain.memory.rating import GUESS, SURE
from drill.domain.questions import LEVELS, TOPICS, Head, Level
from drill.domain.verdict import PASS_MARK

MOST_ITEMS = 3
"""Items a topic."""
LONGEST_SECONDS = 90.0
"""An item that takes longer is no quick one."""
QUICK_TYPES = frozenset(
    {"choice", "choices", "number", "shape", "short", "order", "line", "output"}
)
FEEDBACK_SECONDS = 5.0
"""The placement shows the verdict and no explanation."""
FIRST_RETEST = 3
"""Days until the first known item is retested."""
RETEST_SPREAD = 25
"""Days over which the retests of known items are spread where the interview is far off."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One answered item of the placement."""

    item_id: str
    topic: str
    level: Level
    score: float
    confidence: int | None
    seconds: float
    """Time it took, feedback included."""

    @property
    def sure(self) -> bool:
        """Right and sure."""
        return self.score >= PASS_MARK and self.confidence == SURE

    @property
    def failed(self) -> bool:
        """Wrong, or right by a guess."""
        return self.score < PASS_MARK or self.confidence == GUESS


def next_placement(
    heads: Mapping[str, Head],
    placed: Sequence[Placed],
    stated: Level,
    seed: int,
    minutes: float = 10.0,
) -> str | None:
    """Id of the item to ask next; None when the placement is over. Deterministic under `seed`."""
    left = minutes * 60.0 - sum(p.seconds for p in placed)
    used = {p.item_id for p in placed}
    for p in placed:
        used.update(heads[p.item_id].siblings if p.item_id in heads else ())
    by_topic: dict[str, list[Placed]] = {}
    for p in placed:
        by_topic.setdefault(p.topic, []).append(p)
    topics = _topics(heads)
    for topic in sorted(topics, key=lambda t: len(by_topic.get(t, ()))):
        level = _next_level(by_topic.get(topic, []), stated)
        while level is not None:
            quick = [
                h
                for h in heads.values()
                if h.topic == topic
                and h.level == level
                and h.id not in used
                and h.relevance != "quirk"
                and h.type in QUICK_TYPES
                and h.seconds <= LONGEST_SECONDS
                and h.seconds + FEEDBACK_SECONDS <= left
            ]
            if quick:
                return min(quick, key=lambda h: _rank(h, seed)).id
            if by_topic.get(topic):
                break
            level = _below(level)
    return None


def _topics(heads: Mapping[str, Head]) -> list[str]:
    present = {head.topic for head in heads.values()}
    return [t for t in TOPICS if t in present] + sorted(present.difference(TOPICS))


def _rank(head: Head, seed: int) -> tuple[int, str]:
    draw = hashlib.sha256(f"placement {seed} {head.id}".encode()).hexdigest()
    return (0 if head.relevance == "core" else 1, draw)


def _below(level: Level) -> Level | None:
    index = LEVELS.index(level)
    return LEVELS[index - 1] if index > 0 else None


def _next_level(placed: Sequence[Placed], stated: Level) -> Level | None:
    """Level at which the topic goes on; None when it is settled."""
    if not placed:
        return stated
    if len(placed) >= MOST_ITEMS:
        return None
    last = placed[-1]
    index = LEVELS.index(last.level)
    if last.sure:
        index += 1
    elif last.failed:
        index -= 1
    else:
        return None
    if not 0 <= index < len(LEVELS) or LEVELS[index] in {p.level for p in placed}:
        return None
    return LEVELS[index]


def cleared_levels(placed: Iterable[Placed]) -> dict[str, int]:
    """Topic to how many of the lowest levels are taken as known, 0 where none.

    Below the highest level answered right and sure, and never at or above one that failed.
    """
    best: dict[str, int] = {}
    worst: dict[str, int] = {}
    for p in placed:
        index = LEVELS.index(p.level)
        if p.sure:
            best[p.topic] = max(best.get(p.topic, 0), index)
        elif p.failed:
            worst[p.topic] = min(worst.get(p.topic, len(LEVELS)), index)
    return {t: min(index, worst.get(t, len(LEVELS))) for t, index in best.items()}


def known_items(
    heads: Mapping[str, Head],
    placed: Sequence[Placed],
    day: int,
    interview_day: int | None = None,
) -> dict[str, int]:
    """Items to take as known, and the study day of each one's retest: what `mark_known` takes.

    The retests are spread evenly over the days before the interview, items in a fixed random
    order, so that they never pile up on one day.
    """
    levels = cleared_levels(placed)
    asked = {p.item_id for p in placed}
    known = [
        h.id
        for h in heads.values()
        if h.id not in asked
        and h.relevance != "quirk"
        and LEVELS.index(h.level) < levels.get(h.topic, 0)
    ]
    known.sort(key=lambda i: hashlib.sha256(f"known {i}".encode()).hexdigest())
    first, last = FIRST_RETEST, FIRST_RETEST + RETEST_SPREAD
    if interview_day is not None:
        last = max(1, min(last, interview_day - day - 1))
        first = min(first, last)
    span = last - first + 1
    return {item: day + first + n * span // len(known) for n, item in enumerate(known)}
