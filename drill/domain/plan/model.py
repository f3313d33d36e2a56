"""FSRS-6 in plain floats: what one answer does to a stability and a difficulty.

`drill.domain.memory.fsrs_memory` is what schedules; it goes through the objects of the `fsrs`
package, some 10 microseconds an answer and 50 to 100 ms to import. A plan weighs thousands of
items and their possible answers, so the same equations stand here as plain arithmetic. A
property test holds them equal to `fsrs_memory.review` to 1e-9. Equations: FSRS-6 as in `fsrs`
6.3 (`Scheduler._next_stability`, `_short_term_stability`, `_next_difficulty`).
"""

from __future__ import annotations

from functools import lru_cache
from math import exp

from drill.domain.memory.state import AGAIN, EASY, GOOD, HARD, Grade

DEFAULT_WEIGHTS = (
    0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666, 0.796,
    1.4835, 0.0614, 0.2629, 1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542,
)  # fmt: skip
"""w0 to w20 of the `fsrs` package (`fsrs.scheduler.DEFAULT_PARAMETERS`; a test compares)."""
STABILITY_MIN = 0.001
STABILITY_MAX = 36_500.0
DIFFICULTY_MIN, DIFFICULTY_MAX = 1.0, 10.0


class Model:
    """The memory model of one set of 21 weights. Times are whole days, stability is in days."""

    __slots__ = (
        "_damp", "_easy", "_first", "_growth", "_hard", "_least_drop",
        "_reversion", "_same_day", "_target", "decay", "factor", "weights",
    )  # fmt: skip

    def __init__(self, weights: tuple[float, ...]) -> None:
        """`weights`: w0 to w20; empty for the defaults. ValueError for another count."""
        w = weights or DEFAULT_WEIGHTS
        if len(w) != 21:
            raise ValueError(f"FSRS-6 has 21 weights, got {len(w)}")
        self.weights = w
        self.decay = w[20]
        self.factor = 0.9 ** (-1.0 / w[20]) - 1.0
        first = [w[4] - exp(w[5] * g) + 1.0 for g in range(4)]
        self._first = {
            g: (max(w[g - 1], STABILITY_MIN), _clamped(first[g - 1]))
            for g in (AGAIN, HARD, GOOD, EASY)
        }
        self._target = w[7] * first[3]
        self._reversion = 1.0 - w[7]
        self._damp = w[6] / 9.0
        self._growth = exp(w[8])
        self._hard, self._easy = w[15], w[16]
        self._least_drop = exp(-w[17] * w[18])
        self._same_day = {g: exp(w[17] * (g - 3 + w[18])) for g in (AGAIN, HARD, GOOD, EASY)}

    def recall(self, elapsed: float, stability: float) -> float:
        """Chance of recall `elapsed` days after an answer that left `stability`: 0 to 1."""
        return float((1.0 + self.factor * elapsed / stability) ** -self.decay)

    def first(self, grade: Grade) -> tuple[float, float]:
        """Stability and difficulty after the first answer ever."""
        return self._first[grade]

    def after(
        self, stability: float, difficulty: float, elapsed: int, grade: Grade
    ) -> tuple[float, float]:
        """Stability and difficulty after an answer `elapsed` days after the last one.

        `stability` 0: the first answer. 0 days: the same study day, for which FSRS-6 has an
        equation of its own.
        """
        if stability <= 0:
            return self._first[grade]
        w = self.weights
        if elapsed < 1:
            change = self._same_day[grade] * stability ** -w[19]
            if grade != AGAIN:
                change = max(change, 1.0)
            new = stability * change
        else:
            recall = (1.0 + self.factor * elapsed / stability) ** -self.decay
            if grade == AGAIN:
                new = min(
                    w[11]
                    * difficulty ** -w[12]
                    * ((stability + 1.0) ** w[13] - 1.0)
                    * exp((1.0 - recall) * w[14]),
                    stability * self._least_drop,
                )
            else:
                grown = (
                    self._growth
                    * (11.0 - difficulty)
                    * stability ** -w[9]
                    * (exp((1.0 - recall) * w[10]) - 1.0)
                )
                if grade == HARD:
                    grown *= self._hard
                elif grade == EASY:
                    grown *= self._easy
                new = stability * (1.0 + grown)
        moved = difficulty - (10.0 - difficulty) * self._damp * (grade - 3)
        return (
            min(max(new, STABILITY_MIN), STABILITY_MAX),
            _clamped(self._target + self._reversion * moved),
        )

    def right(self, stability: float, difficulty: float, elapsed: int) -> tuple[float, float]:
        """After a right answer, taken as Good."""
        return self.after(stability, difficulty, elapsed, GOOD)

    def wrong(self, stability: float, difficulty: float, elapsed: int) -> tuple[float, float]:
        """After a wrong answer and the retry of the same session, taken as Good.

        A session brings a wrong item back until it is right; the retry counts for no more than
        Good (`fsrs_memory.review(retry=True)`).
        """
        failed, harder = self.after(stability, difficulty, elapsed, AGAIN)
        return self.after(failed, harder, 0, GOOD)


def _clamped(difficulty: float) -> float:
    return min(max(difficulty, DIFFICULTY_MIN), DIFFICULTY_MAX)


@lru_cache(maxsize=8)
def model_of(weights: tuple[float, ...]) -> Model:
    """The model of `weights` (empty: the defaults), built once."""
    return Model(weights)
