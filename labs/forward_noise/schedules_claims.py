"""What the comparison of noise tables must show, checked on the numbers of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

SD, LINEAR, COSINE = "scaled_linear", "linear", "squaredcos_cap_v2"
ROUNDING = 1e-4
"""Relative difference that float32 arithmetic may make."""
READS = 0.5
"""Share of the brightness' variance from which it counts as readable."""
BLIND = 0.1
"""Share up to which x_T counts as telling nothing."""


def row_of(metrics: Any, schedule: str, rescaled: bool = False) -> Mapping[str, Any] | None:
    """The row of one table, or None where the run has none."""
    for row in metrics["rows"]:
        if row["schedule"] == schedule and row["rescaled"] == rescaled:
            return row
    return None


def plain(metrics: Any) -> list[Mapping[str, Any]]:
    """The tables of the named schedules that were not rescaled."""
    return [
        row
        for row in metrics["rows"]
        if not row["rescaled"] and row["schedule"] in (SD, LINEAR, COSINE)
    ]


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by."""
    rows = plain(metrics)
    sd = row_of(metrics, SD)
    large = str(max(metrics["sides"]))
    return {
        "left_most_at_last": max(rows, key=lambda row: row["signal_at_last"])["schedule"],
        "snr_highest_in_middle": max(rows, key=lambda row: row["snr_in_middle"])["schedule"],
        "snr_below_one_from": sd["below_one_from"] if sd else None,
        "signal_at_last": sd["signal_at_last"] if sd else None,
        "readable_at_last": [
            row["schedule"]
            for row in metrics["rows"]
            if not row["rescaled"] and row["readable"][large] >= READS
        ],
    }


def snr_falls(result: Result) -> Finding:
    expected = "in every table each ab_t is smaller than the one before"
    rising = [row["label"] for row in result.metrics["rows"] if not row["falls"]]
    measured = f"not in {', '.join(rising)}" if rising else f"{len(result.metrics['rows'])} tables"
    return finding(not rising, measured, expected)


def one_number_three_names(result: Result) -> Finding:
    expected = f"relative differences up to {ROUNDING:g} (float32)"
    rows = result.metrics["rows"]
    snr = max(row["snr_apart"] for row in rows)
    sigma = max((row["sigma_apart"] for row in rows if row["sigma_apart"] is not None), default=0.0)
    measured = f"SNR {snr:.1e}, sigma {sigma:.1e}"
    return finding(max(snr, sigma) <= ROUNDING, measured, expected)


def _thousand(metrics: Any) -> bool:
    return bool(metrics["train_steps"] == 1000)


def sd_leaks(result: Result) -> Finding:
    expected = "scaled_linear leaves .0683 of the signal, ten times as much as linear (.0064)"
    sd, linear = (row_of(result.metrics, name) for name in (SD, LINEAR))
    if sd is None or linear is None or not _thousand(result.metrics):
        return not_applicable("it needs linear and scaled_linear with 1000 steps", expected)
    left = sd["signal_at_last"], linear["signal_at_last"]
    holds = abs(left[0] - 0.0683) < 5e-4 and abs(left[1] - 0.00635) < 5e-5
    return finding(holds, f"{left[0]:.4f} and {left[1]:.5f}", expected)


def rescaled_ends_at_zero(result: Result) -> Finding:
    expected = "rescaled tables end at exactly 0 and begin where they began, to 1e-6"
    pairs = [
        (row_of(result.metrics, row["schedule"], rescaled=True), row)
        for row in plain(result.metrics)
    ]
    both = [(after, before) for after, before in pairs if after is not None]
    if not both:
        return not_applicable("it needs a table and its rescaled one", expected)
    ends = max(after["signal_at_last"] for after, _ in both)
    moved = max(abs(after["signal_at_first"] - before["signal_at_first"]) for after, before in both)
    measured = f"end {ends:g}, start moved by {moved:.1e}"
    return finding(ends == 0 and moved <= 1e-6, measured, expected)


def rescaling_moves_the_middle(result: Result) -> Finding:
    expected = "scaled_linear loses 10 to 25 % of its SNR in the middle, cosine less than 1 %"
    pairs = {
        name: (row_of(result.metrics, name), row_of(result.metrics, name, rescaled=True))
        for name in (SD, COSINE)
    }
    lost = {}
    for name, (before, after) in pairs.items():
        if before is None or after is None or not _thousand(result.metrics):
            return not_applicable("it needs scaled_linear and cosine with 1000 steps", expected)
        lost[name] = 1 - after["snr_in_middle"] / before["snr_in_middle"]
    holds = 0.10 <= lost[SD] <= 0.25 and abs(lost[COSINE]) < 0.01
    measured = f"scaled_linear {lost[SD]:.1%}, cosine {lost[COSINE]:.2%}"
    return finding(holds, measured, expected)


def brightness_leaks(result: Result) -> Finding:
    side = max(result.metrics["sides"])
    expected = (
        f"at side {side} scaled_linear shows {READS:.0%} of the brightness' variance or more, "
        f"all rescaled tables at most {BLIND:.0%}"
    )
    sd = row_of(result.metrics, SD)
    rescaled = [row for row in result.metrics["rows"] if row["signal_at_last"] == 0]
    if side < 64 or sd is None or not rescaled or not _thousand(result.metrics):
        return not_applicable("it needs side 64, scaled_linear and 1000 steps", expected)
    seen = sd["readable"][str(side)]
    blind = max(row["readable"][str(side)] for row in rescaled)
    measured = f"scaled_linear {seen:.1%}, rescaled {blind:.1%}"
    return finding(seen >= READS and blind <= BLIND, measured, expected)


CLAIMS = (
    Claim("snr-falls", "The SNR falls from every timestep to the next.", snr_falls),
    Claim(
        "one-number-three-names",
        "compute_snr is ab/(1-ab), and the sigmas of EulerDiscreteScheduler are 1/sqrt(SNR).",
        one_number_three_names,
    ),
    Claim(
        "sd-leaks",
        "Stable Diffusion's table leaves more of the signal at its end than DDPM's.",
        sd_leaks,
    ),
    Claim(
        "rescaled-ends-at-zero",
        "Rescaling ends every table at exactly 0 and keeps its first value.",
        rescaled_ends_at_zero,
    ),
    Claim(
        "rescaling-moves-the-middle",
        "Rescaling changes the whole of a leaky table, not its end alone.",
        rescaling_moves_the_middle,
    ),
    Claim(
        "brightness-leaks",
        "In latents of 64 by 64 the brightness of a drawing can be read off x_T of a leaky table.",
        brightness_leaks,
    ),
)
