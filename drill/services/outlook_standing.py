"""Where each topic stands today, with what is believed of this learner's memory."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, sqrt
from typing import TYPE_CHECKING

from drill.domain.memory.state import MemoryState, recall_after
from drill.domain.memory_scale import ITEM_SPREAD, ScaleBelief
from drill.domain.questions import TOPICS
from drill.services.outlook_document import TopicOutlook
from drill.services.plan_words import topic_words

if TYPE_CHECKING:
    from drill.domain.questions import Head

COMMON_POINTS = 8
"""Evenly spaced quantiles of the common scale that stand for all of it."""
ITEM_POINTS = ((-sqrt(3.0), 1 / 6), (0.0, 2 / 3), (sqrt(3.0), 1 / 6))
"""Deviations of one item's own scale and their chances: Gauss and Hermite's three points."""


def elapsed_days(last_day: int, day: int) -> int:
    """Days since the last answer, at least 1: at 0 the curve says 1, also after a wrong answer."""
    return max(1, day - last_day)


class Expected:
    """The recall that is expected of an item, over all that its memory's scale may be."""

    def __init__(self, scale: ScaleBelief) -> None:
        common = [scale.quantile((k + 0.5) / COMMON_POINTS) for k in range(COMMON_POINTS)]
        self._scales = [
            (c * exp(ITEM_SPREAD * at), chance / COMMON_POINTS)
            for c in common
            for at, chance in ITEM_POINTS
        ]

    def now(self, state: MemoryState, day: int) -> float:
        """Recall on study day `day`, 0 to 1; 0 for an item that practice never asked."""
        if state.new or state.stability <= 0 or state.last_day is None:
            return 0.0
        elapsed = elapsed_days(state.last_day, day)
        return sum(
            chance * recall_after(elapsed, scale * state.stability, state.decay)
            for scale, chance in self._scales
        )


def standing_now(
    heads: Mapping[str, Head],
    weights: Mapping[str, float],
    states: Mapping[str, MemoryState],
    scale: ScaleBelief,
    day: int,
) -> tuple[tuple[TopicOutlook, ...], TopicOutlook]:
    """Each topic, and all of them, of the items in `weights` (item to its importance)."""
    expected = Expected(scale)
    sums: dict[str, list[float]] = {topic: [0.0, 0.0, 0, 0] for topic in TOPICS}
    for item, weight in weights.items():
        row = sums.setdefault(heads[item].topic, [0.0, 0.0, 0, 0])
        row[0] += weight
        row[2] += 1
        state = states.get(item)
        if state is not None and not state.new:
            row[1] += weight * expected.now(state, day)
            row[3] += 1
    topics = tuple(
        TopicOutlook(t, topic_words(t), w, int(n), int(seen), r / w if w else 0.0)
        for t, (w, r, n, seen) in sums.items()
        if n
    )
    total = sum(t.weight for t in topics)
    return topics, TopicOutlook(
        "",
        "All topics",
        total,
        sum(t.items for t in topics),
        sum(t.seen for t in topics),
        sum(t.weight * t.now for t in topics) / total if total else 0.0,
    )
