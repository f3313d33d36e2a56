"""The chance that a question never asked before is answered right, learned by topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

BEFORE = 0.45
"""Chance before anything is known of the learner."""
BEFORE_WEIGHT = 20.0
"""First answers that `BEFORE` counts for."""
TOPIC_WEIGHT = 8.0
"""First answers that the learner's overall share counts for in a topic."""


class FirstAnswers(Struct, frozen=True):
    """Shares by topic, with how many answers each is worth."""

    overall: float = BEFORE
    topics: Mapping[str, tuple[float, float]] = {}
    """Topic to (chance, answers that it is worth)."""

    def chance(self, topic: str) -> float:
        """Chance that a new item of the topic is answered right."""
        return self.topics[topic][0] if topic in self.topics else self.overall

    def worth(self, topic: str) -> float:
        """How many answers that chance is worth: it is spread as Beta(worth p, worth (1 - p))."""
        return self.topics[topic][1] if topic in self.topics else TOPIC_WEIGHT


def learned(answers: Iterable[tuple[str, bool]]) -> FirstAnswers:
    """From (topic, right) of first answers: the topic's share, pulled to the learner's overall
    share, which is pulled to `BEFORE`."""
    counts: dict[str, list[int]] = {}
    for topic, right in answers:
        count = counts.setdefault(topic, [0, 0])
        count[0] += right
        count[1] += 1
    right_all = sum(right for right, _ in counts.values())
    total = sum(n for _, n in counts.values())
    overall = (right_all + BEFORE_WEIGHT * BEFORE) / (total + BEFORE_WEIGHT)
    return FirstAnswers(
        overall,
        {
            topic: ((right + TOPIC_WEIGHT * overall) / (n + TOPIC_WEIGHT), n + TOPIC_WEIGHT)
            for topic, (right, n) in counts.items()
        },
    )
