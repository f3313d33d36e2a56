"""How long this learner takes: medians by answer type, shrunk towards what items declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

PRIOR_WEIGHT = 8.0
"""How many answers the declared times count for."""
FACTOR_BOUNDS = (0.3, 3.0)
DEFAULT_FEEDBACK = 15.0
"""Seconds spent on the feedback of an answer before any were measured."""
LONGEST_FEEDBACK = 180.0
"""A longer gap is a break, not reading."""


class PaceSample(Struct, frozen=True):
    """Time of one past answer."""

    type: str
    seconds: float
    expected: float
    """Seconds that the item declared."""
    at: float
    """Moment of the answer, seconds since the epoch."""
    session_id: str = ""


class HistorySummary(Struct, frozen=True):
    """What choosing the next questions needs of the history."""

    answered_today: frozenset[str] = frozenset()
    """Items answered on this study day in any mode."""
    new_today: int = 0
    """Items answered for the first time in a session today."""
    pace: Mapping[str, float] = {}
    """Answer type to the learner's time over the declared time."""
    overall_pace: float = 1.0
    feedback_seconds: float = DEFAULT_FEEDBACK

    def seconds(self, answer_type: str, declared: float) -> float:
        """Seconds that this learner is expected to take for an answer, feedback left out."""
        return declared * self.pace.get(answer_type, self.overall_pace)


def median(values: Sequence[float]) -> float:
    """Middle of at least one value; `statistics` would cost the start-up 5 ms for it."""
    ranked = sorted(values)
    half = len(ranked) // 2
    return ranked[half] if len(ranked) % 2 else (ranked[half - 1] + ranked[half]) / 2


def shrunk(values: Sequence[float], prior: float, weight: float = PRIOR_WEIGHT) -> float:
    """Median of `values`, pulled to `prior` as if that had been seen `weight` times."""
    if not values:
        return prior
    return (len(values) * median(values) + weight * prior) / (len(values) + weight)


def summarise(
    answered_today: Iterable[str], new_today: int, samples: Sequence[PaceSample]
) -> HistorySummary:
    """Learn the pace from past answers, oldest first."""
    ratios: dict[str, list[float]] = {}
    gaps: list[float] = []
    before: PaceSample | None = None
    for sample in samples:
        if sample.expected > 0 and sample.seconds > 0:
            ratios.setdefault(sample.type, []).append(sample.seconds / sample.expected)
        if before is not None and sample.session_id and sample.session_id == before.session_id:
            gap = sample.at - before.at - sample.seconds
            if 0.0 <= gap <= LONGEST_FEEDBACK:
                gaps.append(gap)
        before = sample
    low, high = FACTOR_BOUNDS
    overall = min(high, max(low, shrunk([r for rs in ratios.values() for r in rs], 1.0)))
    pace = {t: min(high, max(low, shrunk(rs, overall))) for t, rs in ratios.items()}
    return HistorySummary(
        answered_today=frozenset(answered_today),
        new_today=new_today,
        pace=pace,
        overall_pace=overall,
        feedback_seconds=shrunk(gaps, DEFAULT_FEEDBACK),
    )
