"""What models with different targets must show, checked on the numbers of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

EPS, SAMPLE, V = "epsilon", "sample", "v_prediction"
EXACT = 1e-4
"""Relative difference up to which two sides of an identity agree, in float32."""
BARS = 3.0
"""Standard errors of a paired difference that are no chance."""

Row = Mapping[str, Any]


def _worst(row: Row) -> str:
    errors: dict[str, float] = row["x0_mse"]
    return max(errors, key=errors.__getitem__)


def _best(row: Row) -> str:
    errors: dict[str, float] = row["x0_mse"]
    return min(errors, key=errors.__getitem__)


def v_over_best(metrics: Any) -> float:
    """The largest ratio of the v-model's RMSE of x_0 to that of the best model, over all t."""
    return max(row["x0_rmse"][V] / min(row["x0_rmse"].values()) for row in metrics["rows"])


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by."""
    first, last = metrics["rows"][0], metrics["rows"][-1]
    return {
        "worst_at_first": _worst(first),
        "worst_at_last": _worst(last),
        "best_at_last": _best(last),
        "eps_over_sample_at_last": last["x0_rmse"][EPS] / last["x0_rmse"][SAMPLE],
        "sample_over_eps_at_first": first["x0_rmse"][SAMPLE] / first["x0_rmse"][EPS],
        "v_over_best": v_over_best(metrics),
    }


def _told(row: Row) -> str:
    return ", ".join(f"{kind} {value:.3f}" for kind, value in row["x0_rmse"].items())


def losses_are_weighted_x0(result: Result) -> Finding:
    expected = f"eps-MSE / (SNR x0-MSE) and v-MSE / ((SNR+1) x0-MSE) are 1 within {EXACT:g}"
    off = [
        (abs(ratio - 1), row["t"], kind)
        for row in result.metrics["rows"]
        for kind in row["x0_mse"]
        for ratio in (
            row["eps_mse"][kind] / (row["snr"] * row["x0_mse"][kind]),
            row["v_mse"][kind] / ((row["snr"] + 1) * row["x0_mse"][kind]),
        )
    ]
    worst, t, kind = max(off)
    return finding(worst <= EXACT, f"{worst:.1e} off at most, {kind} at t={t}", expected)


def eps_worst_at_high_noise(result: Result) -> Finding:
    row = result.metrics["rows"][-1]
    expected = f"from t=900 up the epsilon model has the largest error, by {BARS:g} error bars"
    if row["t"] < 900:
        return not_applicable("it needs a t from 900 up", expected)
    bars = row["worse_by"][EPS]
    return finding(bars >= BARS, f"{_told(row)} at t={row['t']} ({bars:.1f} error bars)", expected)


def sample_worst_at_low_noise(result: Result) -> Finding:
    row = result.metrics["rows"][0]
    expected = f"up to t=50 the sample model has the largest error, by {BARS:g} error bars"
    if row["t"] > 50:
        return not_applicable("it needs a t up to 50", expected)
    bars = row["worse_by"][SAMPLE]
    return finding(bars >= BARS, f"{_told(row)} at t={row['t']} ({bars:.1f} error bars)", expected)


def v_is_never_bad(result: Result) -> Finding:
    expected = "at every t the v model's RMSE of x_0 is at most 1.25 times that of the best"
    ratio = v_over_best(result.metrics)
    return finding(ratio <= 1.25, f"{ratio:.2f} times at most", expected)


CLAIMS = (
    Claim(
        "losses-are-weighted-x0",
        "For every model and t the eps-MSE is SNR times the x0-MSE, and the v-MSE SNR + 1 times.",
        losses_are_weighted_x0,
    ),
    Claim(
        "eps-worst-at-high-noise",
        "Where the noise is high, the epsilon model knows x_0 worst.",
        eps_worst_at_high_noise,
    ),
    Claim(
        "sample-worst-at-low-noise",
        "Where the noise is low, the x_0 model knows x_0 worst.",
        sample_worst_at_low_noise,
    ),
    Claim(
        "v-is-never-bad",
        "The v model is at or near the best at every noise level.",
        v_is_never_bad,
    ),
)
