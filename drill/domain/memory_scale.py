"""How wrong the memory model may be for one learner: a scale on its stabilities, and its spread.

A scale of 2 means that memories last twice as long as the model computes: the learner recalls
with the chance R(t, 2 S). Before any evidence the common scale is taken as lognormal around 1;
each recall test of the learner then moves it by Bayes' rule, on a grid, so that few answers
change little and many decide.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from math import exp, log, log1p

from msgspec import Struct

from drill.domain.memory.state import DEFAULT_DECAY

SPREAD = 0.5
"""Standard deviation of the log of the common scale before evidence: an assumption. One learner
in three is off by more than a factor of 1.65, which spans what tuned FSRS weights of different
people make of the first intervals."""
ITEM_SPREAD = 0.5
"""The same for single items around the common scale: some facts stick and some never do."""
STEPS = 61
REACH = 3.0
"""The grid spans this many standard deviations to either side."""
SURE = 0.999
"""No prediction counts as surer than this: a slip of the finger is no news about memory."""


class ScaleBelief(Struct, frozen=True):
    """What is believed of the common scale: a probability for each log of it on a grid."""

    logs: tuple[float, ...]
    chances: tuple[float, ...]
    """Sum to 1."""
    tests: int = 0
    """Recall tests that it was learned from."""

    def quantile(self, p: float) -> float:
        """The scale that lies above a share `p` of the belief, 0 < p < 1."""
        sums = []
        total = 0.0
        for chance in self.chances:
            sums.append(total + chance / 2)  # a grid point stands for its middle
            total += chance
        at = bisect_left(sums, p)
        if at == 0:
            return exp(self.logs[0])
        if at == len(sums):
            return exp(self.logs[-1])
        share = (p - sums[at - 1]) / max(sums[at] - sums[at - 1], 1e-12)
        return exp(self.logs[at - 1] + share * (self.logs[at] - self.logs[at - 1]))


def believed(tests: Iterable[tuple[float, bool]], decay: float = DEFAULT_DECAY) -> ScaleBelief:
    """The common scale after recall tests: (recall that the model predicted, whether it came).

    Under a scale c a prediction R becomes (1 + (R^(-1/d) - 1) / c)^-d, the same forgetting curve
    with stability c S; its likelihood is that of a coin. `decay` is d, w20 of the parameters.
    """
    logs = tuple(SPREAD * REACH * (2 * n / (STEPS - 1) - 1) for n in range(STEPS))
    scores = [-0.5 * (at / SPREAD) ** 2 for at in logs]
    counts: dict[tuple[float, bool], int] = {}
    for predicted, right in tests:
        key = (round(min(max(predicted, 0.01), SURE), 2), right)
        counts[key] = counts.get(key, 0) + 1
    for (predicted, right), count in counts.items():
        aged = min(predicted, SURE) ** (-1.0 / decay) - 1.0
        for n, at in enumerate(logs):
            miss = -decay * log1p(aged * exp(-at))  # log of the recall under this scale
            recall = min(exp(miss), SURE)
            scores[n] += count * log(recall if right else 1.0 - recall)
    top = max(scores)
    raw = [exp(score - top) for score in scores]
    total = sum(raw)
    return ScaleBelief(logs, tuple(value / total for value in raw), sum(counts.values()))
