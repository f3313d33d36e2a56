"""The scorecard: four axes from 1 to 4 as intervals, a band where the interval allows one, and the
same answers against the bars of all levels.

The lower end of an interval is what the grader found, the upper one what is left after the
learner's own ticks. The bands are drill's own and calibrated to no employer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from drill.domain.interview.credit import Atom, weight_at
from drill.domain.interview.rounds import AXES, rank
from drill.domain.questions import BARS, Axis, Bar

Band: TypeAlias = Literal["strong hire", "lean hire", "lean no hire", "strong no hire"]
BANDS: tuple[Band, ...] = ("strong hire", "lean hire", "lean no hire", "strong no hire")
OVERALL: dict[Band, float] = {"strong hire": 3.25, "lean hire": 2.5, "lean no hire": 1.5}
"""Score over all axes, by what was asked, from which on a band is reached: three quarters, a half
and a sixth of what the level expects."""
FLOORS: dict[Band, float] = {"strong hire": 2.6, "lean hire": 1.6}
"""What no axis may be under in a band."""
LEAST_WEIGHT = 1.5
"""Points that an axis must have been asked for; with less it counts as not seen."""
LEAST_AXES = 2
"""Axes that must have been seen before a band is named."""
MOST_EVIDENCE = 3
"""Quotes shown for an axis."""


class Evidence(Struct, frozen=True):
    """A statement with the learner's own words for it."""

    item_id: str
    statement: str
    quote: str
    how: str
    answer: bool = False
    """The whole answer to a question without a rubric; `statement` is the question."""


class AxisScore(Struct, frozen=True):
    """One axis at one bar."""

    axis: Axis
    low: float
    """1 to 4, by automatic credit."""
    high: float
    """1 to 4, after the learner's own ticks."""
    weight: float
    """Points that were asked for; under `LEAST_WEIGHT` the axis was not seen."""

    @property
    def seen(self) -> bool:
        """Whether enough was asked to score it."""
        return self.weight >= LEAST_WEIGHT


class BarScore(Struct, frozen=True):
    """The answers against the bar of one level."""

    level: Bar
    axes: tuple[AxisScore, ...]
    low: Band | None
    """None where too little was asked."""
    high: Band | None
    missing: tuple[Atom, ...]
    """Points that this bar expects and that have no automatic credit."""

    @property
    def band(self) -> Band | None:
        """The band, where both ends of the interval give the same one."""
        return self.low if self.low == self.high else None


class Scorecard(Struct, frozen=True):
    """What an interview showed."""

    level: Bar
    bars: tuple[BarScore, ...]
    """For mid, senior and staff."""
    evidence: dict[Axis, tuple[Evidence, ...]]
    beliefs: tuple[Evidence, ...]
    """Misconceptions that were held, in the learner's words."""

    @property
    def own(self) -> BarScore:
        """The bar that the interview was held at."""
        return next(bar for bar in self.bars if bar.level == self.level)

    @property
    def next_missing(self) -> tuple[Atom, ...]:
        """What the next level's bar expects beyond this one's and did not hear."""
        at = BARS.index(self.level)
        if at + 1 == len(BARS):
            return ()
        return tuple(a for a in self.bars[at + 1].missing if a.bar == BARS[at + 1])


def scorecard(atoms: Sequence[Atom], level: Bar) -> Scorecard:
    """The scorecard of an interview from all of its atoms."""
    evidence: dict[Axis, tuple[Evidence, ...]] = {
        axis: tuple(
            _evidence(a)
            for a in sorted(atoms, key=lambda a: (not a.id, -a.low))
            if a.axis == axis and a.quote and a.low > 0 and not a.belief
        )[:MOST_EVIDENCE]
        for axis in AXES
    }
    bars = tuple(bar_score(atoms, bar) for bar in BARS)
    if bars[BARS.index(level)].low is None:
        # Too little for the level it was held at is too little for the others.
        bars = tuple(replace(bar, low=None, high=None) for bar in bars)
    return Scorecard(
        level,
        bars,
        evidence,
        tuple(_evidence(a) for a in atoms if a.belief),
    )


def _evidence(atom: Atom) -> Evidence:
    return Evidence(atom.item_id, atom.statement, atom.quote, atom.how, not atom.id)


def bar_score(atoms: Sequence[Atom], level: Bar) -> BarScore:
    """The same answers against one level's bar."""
    axes = tuple(_axis(atoms, axis, level) for axis in AXES)
    missing = tuple(
        a
        for a in atoms
        if a.id and not a.belief and a.low == 0 and a.bar and rank(a.bar) <= rank(level)
    )
    return BarScore(
        level,
        axes,
        band_of([(a.low, a.weight) for a in axes if a.seen]),
        band_of([(a.high, a.weight) for a in axes if a.seen]),
        missing,
    )


def _axis(atoms: Sequence[Atom], axis: Axis, level: Bar) -> AxisScore:
    expected = low = high = 0.0
    for atom in atoms:
        if atom.axis == axis:
            earns, counts = weight_at(atom, level)
            expected += counts
            low += earns * atom.low
            high += earns * atom.high
    if expected <= 0:
        return AxisScore(axis, 1.0, 1.0, 0.0)
    ends = sorted(1 + 3 * min(1.0, part / expected) for part in (low, high))
    return AxisScore(axis, round(ends[0], 2), round(ends[1], 2), round(expected, 2))


def band_of(scores: Sequence[tuple[float, float]]) -> Band | None:
    """The band of the axes that were seen, each with its weight: by their weighted mean, and by
    the lowest of them. An axis that was asked about once does not outweigh one asked about ten
    times.

    None where fewer than `LEAST_AXES` were seen.
    """
    if len(scores) < LEAST_AXES:
        return None
    total = sum(score * weight for score, weight in scores) / sum(weight for _, weight in scores)
    lowest = min(score for score, _ in scores)
    for band in BANDS[:-1]:
        if total >= OVERALL[band] and lowest >= FLOORS.get(band, 1.0):
            return band
    return BANDS[-1]
