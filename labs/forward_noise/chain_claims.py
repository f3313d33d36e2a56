"""What the comparison of chain and closed form must show, checked on the numbers of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

BARS = 5.0
"""Deviations up to so many standard errors are chance: one in two million for a normal error."""
KS = 2.23
"""Two samples of n each of one distribution are further apart than KS sqrt(2/n) once in ten
thousand times (Kolmogorov's limit, 2 exp(-2 KS^2))."""
SEEN = 10.0
"""A formula that is off by so many error bars at some timestep is refuted."""

Row = Mapping[str, float]
MEAN_FORMULAS: dict[str, Callable[[Row, float], float]] = {
    "x0": lambda row, x0: x0,
    "(1 - beta_t) x0": lambda row, x0: (1 - row["beta"]) * x0,
    "ab_t x0": lambda row, x0: row["ab"] * x0,
    "sqrt(ab_t) x0": lambda row, x0: row["ab"] ** 0.5 * x0,
}
"""What the outcome `mean_formula` chooses from."""
VARIANCE_FORMULAS: dict[str, Callable[[Row], float]] = {
    "beta_t": lambda row: row["beta"],
    "sum of the betas up to t": lambda row: row["beta_sum"],
    "(1 - ab_t)^2": lambda row: (1 - row["ab"]) ** 2,
    "1 - ab_t": lambda row: 1 - row["ab"],
}
"""What the outcome `variance_formula` chooses from."""


def fitting_means(metrics: Any) -> list[str]:
    """The formulas for the mean that every measured timestep of the chain bears out."""
    return [
        name
        for name, formula in MEAN_FORMULAS.items()
        if all(
            abs(row["chain_mean"] - formula(row, metrics["x0"])) <= BARS * row["mean_error_bar"]
            for row in metrics["rows"]
        )
    ]


def fitting_variances(metrics: Any) -> list[str]:
    """The formulas for the variance that every measured timestep of the chain bears out."""
    return [
        name
        for name, formula in VARIANCE_FORMULAS.items()
        if all(
            abs(row["chain_variance"] - formula(row)) <= BARS * row["variance_error_bar"]
            for row in metrics["rows"]
        )
    ]


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by."""
    last = metrics["rows"][-1]
    return {
        "mean_formula": fitting_means(metrics),
        "variance_formula": fitting_variances(metrics),
        "mean_at_last": last["chain_mean"],
        "variance_at_last": last["chain_variance"],
        "draws_ratio": metrics["chain_draws"] / metrics["closed_draws"],
        "path_correlation": metrics["paths"][0]["chain"] if metrics["paths"] else None,
    }


def _worst(rows: Any, value: Callable[[Row], float]) -> tuple[float, int]:
    return max((value(row), int(row["t"])) for row in rows)


def mean_is_sqrt_ab(result: Result) -> Finding:
    expected = f"both means within {BARS:g} error bars of sqrt(ab_t) x0 at every t"
    worst, t = _worst(
        result.metrics["rows"],
        lambda row: max(
            abs(row[f"{kind}_mean"] - row["mean_expected"]) / row["mean_error_bar"]
            for kind in ("chain", "closed")
        ),
    )
    return finding(worst <= BARS, f"{worst:.1f} error bars at most, at t={t}", expected)


def variance_is_one_minus_ab(result: Result) -> Finding:
    expected = f"both variances within {BARS:g} error bars of 1 - ab_t at every t"
    worst, t = _worst(
        result.metrics["rows"],
        lambda row: max(
            abs(row[f"{kind}_variance"] - (1 - row["ab"])) / row["variance_error_bar"]
            for kind in ("chain", "closed")
        ),
    )
    return finding(worst <= BARS, f"{worst:.1f} error bars at most, at t={t}", expected)


def not_beta_nor_sum(result: Result) -> Finding:
    expected = f"beta_t and the sum of the betas are off by {SEEN:g} error bars or more at some t"
    rows = result.metrics["rows"]
    if rows[-1]["t"] < 50:
        return not_applicable("it needs a timestep from 50 up, where the three part", expected)
    names = ("beta_t", "sum of the betas up to t")
    off = {
        name: _worst(
            rows,
            lambda row, f=VARIANCE_FORMULAS[name]: (  # type: ignore[misc]
                abs(row["chain_variance"] - f(row)) / row["variance_error_bar"]
            ),
        )
        for name in names
    }
    measured = "; ".join(f"{name}: {far:.0f} error bars at t={t}" for name, (far, t) in off.items())
    return finding(all(far >= SEEN for far, _ in off.values()), measured, expected)


def same_distribution(result: Result) -> Finding:
    limit = KS * (2 / result.metrics["samples"]) ** 0.5
    expected = f"distribution functions apart by at most {limit:.4f} (p = 1e-4) at every t"
    worst, t = _worst(result.metrics["rows"], lambda row: row["ks"])
    return finding(worst <= limit, f"{worst:.4f} at most, at t={t}", expected)


def paths_differ(result: Result) -> Finding:
    bar = BARS / result.metrics["samples"] ** 0.5
    expected = (
        f"along the chain as computed, fresh draws 0, both within {bar:.3f}; and not all paths at 0"
    )
    paths = result.metrics["paths"]
    if not paths:
        return not_applicable("it needs two timesteps", expected)
    far = max(max(abs(each["chain"] - each["expected"]), abs(each["fresh"])) for each in paths)
    first = paths[0]
    measured = (
        f"{far:.4f} off at most; x_{first['from']} and x_{first['to']}: "
        f"chain {first['chain']:.3f}, fresh draws {first['fresh']:.3f}"
    )
    apart = any(each["chain"] - each["fresh"] > 2 * bar for each in paths)
    return finding(far <= bar and apart, measured, expected)


CLAIMS = (
    Claim(
        "mean-is-sqrt-ab",
        "The mean of x_t is sqrt(ab_t) x0, by the chain and by the one draw.",
        mean_is_sqrt_ab,
    ),
    Claim(
        "variance-is-one-minus-ab",
        "The variance of the noise in x_t is 1 - ab_t, by the chain and by the one draw.",
        variance_is_one_minus_ab,
    ),
    Claim(
        "not-beta-nor-its-sum",
        "Neither beta_t nor the sum of the betas is the variance of the noise in x_t.",
        not_beta_nor_sum,
    ),
    Claim(
        "same-distribution",
        "At every timestep chain and single draw have the same distribution.",
        same_distribution,
    ),
    Claim(
        "paths-differ",
        "Only the marginals agree: successive x_t of the chain hang together, fresh draws do not.",
        paths_differ,
    ),
)
