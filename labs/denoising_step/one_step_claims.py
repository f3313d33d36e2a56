"""What one evaluation must show beside many steps, checked on the numbers of a run."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

EXACT = 1e-4
"""RMSE of latents up to which an estimate in float32 counts as exact, at sigma up to 15."""
BLURRED = 0.8
"""Share of the original's gradient energy under which an estimate has visibly lost edges."""
BARS = 3.0
"""Standard errors of a paired difference that are no chance."""
ONE, MANY = "one evaluation", "many steps"

Row = Mapping[str, Any]


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by."""
    rows = metrics["rows"]
    last = rows[-1]
    blurred = [row["t"] for row in rows if row["one_sharpness"] < BLURRED]
    return {
        "oracle_exact_at": [row["t"] for row in rows if row["oracle_rmse"] <= EXACT],
        "closer_at_last": ONE if last["one_rmse"] < last["many_rmse"] else MANY,
        "sharper_at_last": ONE if last["one_sharpness"] > last["many_sharpness"] else MANY,
        "blurred_from": blurred[0] if blurred else None,
        "sharpness_at_last": last["one_sharpness"],
        "prompt_helps_most_at": max(rows, key=lambda row: row["prompt_gain"][0])["t"],
    }


def _from(metrics: Any, t: int) -> list[Row]:
    return [row for row in metrics["rows"] if row["t"] >= t]


def _told(rows: list[Row], key: str, form: str = ".2f") -> str:
    return ", ".join(f"{row[key]:{form}} at t={row['t']}" for row in rows)


def oracle_is_exact(result: Result) -> Finding:
    expected = f"RMSE up to {EXACT:g} at every t"
    rows = result.metrics["rows"]
    worst = max(rows, key=lambda row: row["oracle_rmse"])
    measured = f"{worst['oracle_rmse']:.1e} at most, at t={worst['t']}"
    return finding(worst["oracle_rmse"] <= EXACT, measured, expected)


def error_grows(result: Result) -> Finding:
    expected = "the RMSE of the model's estimate is higher at every t than at the one before"
    rows = result.metrics["rows"]
    grows = all(b["one_rmse"] > a["one_rmse"] for a, b in pairwise(rows))
    return finding(grows, _told(rows, "one_rmse"), expected)


def estimate_blurs(result: Result) -> Finding:
    expected = f"gradient energy above .95 at the lowest t, under {BLURRED:g} from t=900 up"
    rows = result.metrics["rows"]
    if rows[0]["t"] > 100 or not _from(result.metrics, 900):
        return not_applicable("it needs a t up to 100 and one from 900 up", expected)
    high = max(row["one_sharpness"] for row in _from(result.metrics, 900))
    holds = rows[0]["one_sharpness"] > 0.95 and high < BLURRED
    return finding(holds, _told(rows, "one_sharpness"), expected)


def mean_is_closer(result: Result) -> Finding:
    expected = f"a lower squared error at every t from 900 up, at one by {BARS:g} error bars"
    rows = _from(result.metrics, 900)
    if not rows:
        return not_applicable("it needs a t from 900 up", expected)
    bars = [row["mean_gain"][0] / max(row["mean_gain"][1], 1e-12) for row in rows]
    measured = "; ".join(
        f"RMSE {row['one_rmse']:.2f} against {row['many_rmse']:.2f} at t={row['t']} "
        f"({bar:.1f} error bars)"
        for row, bar in zip(rows, bars, strict=True)
    )
    return finding(min(bars) > 0 and max(bars) >= BARS, measured, expected)


def steps_are_sharper(result: Result) -> Finding:
    expected = "from t=900 up many steps keep .8 or more of the gradient energy, .2 more than one"
    rows = _from(result.metrics, 900)
    if not rows or min(row["many_steps"] for row in rows) < 10:
        return not_applicable("it needs a t from 900 up and ten steps from there", expected)
    measured = "; ".join(
        f"{row['many_sharpness']:.2f} against {row['one_sharpness']:.2f} at t={row['t']}"
        for row in rows
    )
    holds = all(
        row["many_sharpness"] >= 0.8 and row["many_sharpness"] - row["one_sharpness"] >= 0.2
        for row in rows
    )
    return finding(holds, measured, expected)


def prompt_counts_at_high_noise(result: Result) -> Finding:
    expected = (
        f"from t=500 up the prompt lowers the squared error by {BARS:g} error bars; without it the "
        "RMSE is larger by .3 of itself or more at the highest t, by .2 or less at the lowest"
    )
    rows = result.metrics["rows"]
    if rows[0]["t"] > 100 or rows[-1]["t"] < 900:
        return not_applicable("it needs a t up to 100 and one from 900 up", expected)
    if not result.metrics["bundled"]:
        return not_applicable("it is known for the bundled model's captions only", expected)
    bars = [
        row["prompt_gain"][0] / max(row["prompt_gain"][1], 1e-12)
        for row in _from(result.metrics, 500)
    ]
    more = [row["unprompted_rmse"] / row["one_rmse"] - 1 for row in (rows[0], rows[-1])]
    measured = (
        f"{min(bars):.1f} error bars at least; larger by {more[0]:.0%} at t={rows[0]['t']}, "
        f"{more[1]:.0%} at t={rows[-1]['t']}"
    )
    return finding(min(bars) >= BARS and more[0] <= 0.2 and more[1] >= 0.3, measured, expected)


def ends_at_the_mean(result: Result) -> Finding:
    expected = "at t=999 without prompt the error is that of the mean of all pictures, within 15 %"
    last = result.metrics["rows"][-1]
    if last["t"] < 999 or not result.metrics["bundled"]:
        return not_applicable("it needs t=999 and the bundled model's drawings", expected)
    ratio = last["unprompted_rmse"] / result.metrics["mean_rmse"]
    measured = f"{last['unprompted_rmse']:.3f} against {result.metrics['mean_rmse']:.3f}"
    return finding(abs(ratio - 1) <= 0.15, measured, expected)


CLAIMS = (
    Claim(
        "oracle-is-exact",
        "With the true output in place of the network's, one evaluation gives x_0 at every t.",
        oracle_is_exact,
    ),
    Claim("error-grows", "The error of the network's x_0 grows with t.", error_grows),
    Claim(
        "estimate-blurs",
        "At low t the estimate is as sharp as the picture, at high t it has lost its edges.",
        estimate_blurs,
    ),
    Claim(
        "mean-is-closer",
        "At high t the blurred estimate is closer to the original than the picture that many "
        "steps end in.",
        mean_is_closer,
    ),
    Claim(
        "steps-are-sharper",
        "Many steps from the same x_t end in a sharp picture.",
        steps_are_sharper,
    ),
    Claim(
        "prompt-counts-at-high-noise",
        "The prompt improves the estimate where the noise is high and hardly where it is low.",
        prompt_counts_at_high_noise,
    ),
    Claim(
        "ends-at-the-mean",
        "At the last timestep, without a prompt, the estimate is no better than the mean of all "
        "pictures.",
        ends_at_the_mean,
    ),
)
