"""Shares with intervals that are honest for few answers: Beta and binomial tails, no numpy."""

from __future__ import annotations

import math
from functools import lru_cache

from drill.domain.statistics.model import Share

LEVEL = 0.95
"""Of every interval in the statistics."""
_TINY = 1e-300
_PRECISE = 1e-12


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b), for a, b > 0 and 0 <= x <= 1.

    Its continued fraction (DLMF 8.17.22) by Lentz's method, on the side where it converges fast.
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - beta_cdf(1.0 - x, b, a)
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for part in (even, odd):
            d = 1.0 + part * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + part / c
            c = c if abs(c) > _TINY else _TINY
            step = c * d
            value *= step
        if abs(step - 1.0) < _PRECISE:
            break
    return math.exp(log_front) * value / a


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with `beta_cdf(x, a, b) == p`: Newton's method that falls back to halving."""
    low, high = 0.0, 1.0
    x = a / (a + b)
    log_norm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    for _ in range(100):
        miss = beta_cdf(x, a, b) - p
        if miss > 0.0:
            high = x
        else:
            low = x
        slope = math.exp(log_norm + (a - 1.0) * math.log(x) + (b - 1.0) * math.log1p(-x))
        after = x - miss / slope if slope > 0.0 else -1.0
        if not low < after < high:
            after = (low + high) / 2.0
        if abs(after - x) < 1e-10:
            return after
        x = after
    return x


@lru_cache(maxsize=4096)
def jeffreys(right: int, answers: int) -> tuple[float, float]:
    """95 % equal-tailed Jeffreys interval of a share: quantiles of Beta(r + 1/2, n - r + 1/2).

    0 is its lower end where none was right, 1 its upper end where all were (Brown, Cai and
    DasGupta 2001, section 4.1.2); 0 and 1 without answers. Raises ValueError for an impossible
    count.
    """
    if not 0 <= right <= answers:
        raise ValueError(f"{right} of {answers} is no share")
    a, b = right + 0.5, answers - right + 0.5
    tail = (1.0 - LEVEL) / 2.0
    low = beta_quantile(tail, a, b) if right else 0.0
    high = beta_quantile(1.0 - tail, a, b) if right < answers else 1.0
    return low, high


def share(right: int, answers: int) -> Share:
    """A share with its interval."""
    low, high = jeffreys(right, answers)
    return Share(right, answers, right / answers if answers else None, low, high)


def at_least(count: int, trials: int, chance: float) -> float:
    """Probability of `count` or more successes in `trials` of `chance` each (binomial tail)."""
    if count <= 0:
        return 1.0
    if count > trials:
        return 0.0
    return beta_cdf(chance, count, trials - count + 1)
