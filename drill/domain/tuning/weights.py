"""Weights between the defaults and a fit, and what weights mean in days."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from drill.domain.memory.state import AGAIN, EASY, GOOD, HARD, Grade, MemoryState, ParameterSet
from drill.domain.tuning.histories import Training
from drill.domain.tuning.scoring import Memory

HALF_TESTS = 800
"""Recall tests at which a fitted weight counts half."""
HALF_FIRST = 50
"""The same for a first stability: counted are first tests after that first grade. From the
information that one test at a recall of .9 has on ln S, 0.052, and a spread of ln S between
learners of 0.6 to 0.7, it would be 40 to 53."""
SCALES = frozenset({0, 1, 2, 3, 11, 20})
"""Weights that multiply, so that half way is their geometric mean: the first stabilities, the
scale of stability after forgetting, the decay. The growth of stability, weight 8, is a logarithm
already."""


def shrunk(
    fitted: Sequence[float], defaults: Sequence[float], training: Sequence[Training]
) -> tuple[float, ...]:
    """The fit drawn towards the defaults: with n tests it counts n / (n + half).

    A fit to a few hundred tests follows their accidents, most of all the first stability of a
    grade that was rarely given. All weights stay between the default and the fit, so within the
    bounds of FSRS-6. For simulated learners who are what the defaults say this cuts the loss of
    prediction that a fit to 400 tests costs by 70 %; for learners who differ it keeps or raises
    the gain.
    """
    firsts = [0, 0, 0, 0]
    for test in training:
        if sum(gap > 0 for _, gap in test.reviews) == 1:
            firsts[test.reviews[0][0] - 1] += 1
    count = len(training)
    shares = [n / (n + HALF_FIRST) for n in firsts]
    shares += [count / (count + HALF_TESTS)] * (len(defaults) - len(shares))
    return tuple(
        math.exp((1.0 - share) * math.log(d) + share * math.log(f))
        if i in SCALES
        else (1.0 - share) * d + share * f
        for i, (f, d, share) in enumerate(zip(fitted, defaults, shares, strict=True))
    )


class Change(Struct, frozen=True):
    """What one sequence of answers leads to, under the defaults and under personal weights."""

    after: str
    default: float
    """Days until predicted recall has fallen to the desired retention."""
    personal: float


def days_until(recall: float, state: MemoryState) -> float:
    """Days until predicted recall has fallen to `recall`; the inverse of `recall_after`."""
    factor = 0.9 ** (-1.0 / state.decay) - 1.0
    return float(state.stability * (recall ** (-1.0 / state.decay) - 1.0) / factor)


_FIRST: tuple[tuple[str, Grade], ...] = (
    ("first Again", AGAIN),
    ("first Hard", HARD),
    ("first Good", GOOD),
    ("first Easy", EASY),
)


def changes(default: ParameterSet, personal: ParameterSet) -> tuple[Change, ...]:
    """What differs: after each first answer, and after a second one to a first Good when due."""
    sets = (default, personal)
    memories = tuple(Memory(s) for s in sets)

    def days(states: Sequence[MemoryState]) -> list[float]:
        return [
            min(float(p.maximum_interval), days_until(p.desired_retention, s))
            for p, s in zip(sets, states, strict=True)
        ]

    found: list[Change] = []
    for name, grade in _FIRST:
        found.append(Change(name, *days([m.after(MemoryState(""), 0, grade) for m in memories])))
    good = [m.after(MemoryState(""), 0, GOOD) for m in memories]
    gaps = [max(1, round(d)) for d in days(good)]
    for name, grade in (("Good, then Good when due", GOOD), ("Good, then Again when due", AGAIN)):
        second = [m.after(s, g, grade) for m, s, g in zip(memories, good, gaps, strict=True)]
        found.append(Change(name, *days(second)))
    return tuple(found)
