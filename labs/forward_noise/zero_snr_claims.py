"""What leaky and mended tables must show on small latents, checked on the numbers of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

EPS, LEAKY, MENDED, LEADING = (
    "leaky epsilon",
    "leaky v",
    "zero-SNR v",
    "zero-SNR v (leading)",
)
"""Labels of the conditions."""
BARS = 3.0
"""Standard errors that are no chance."""
LESS = 0.5
"""Share of the leaky model's response up to which the mended one's is clearly smaller. It is not 0:
a network is smooth over t, and at lower t the mean of x_t does tell the brightness."""
ALIKE = 2.0
"""Responses of which none is larger by more than this factor are of one kind."""
SAME_RANGE = 0.1
"""Up to so large a share of the drawings' range two ranges count as the same."""

Row = Mapping[str, Any]


def row_of(metrics: Any, label: str) -> Row:
    """The row of a condition."""
    found: Row = next(row for row in metrics["rows"] if row["label"] == label)
    return found


def widest(metrics: Any) -> str:
    """Which of the two v models spans more brightness, or `neither` within SAME_RANGE."""
    leaky, mended = (row_of(metrics, label)["share_of_range"] for label in (LEAKY, MENDED))
    if abs(leaky - mended) <= SAME_RANGE:
        return "neither"
    return LEAKY if leaky > mended else MENDED


def follows(metrics: Any, row: Row) -> bool:
    """Whether the first x_0 follows the mean of the starting noise: by BARS error bars, and by a
    twentieth of the way from black to white."""
    mean, bar = row["first_moved"]
    return bool(mean >= max(BARS * bar, 0.05 * metrics["reference"]["range"]))


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by."""
    return {
        "widest_range": widest(metrics),
        "first_follows": [
            label for label in (EPS, LEAKY, MENDED) if follows(metrics, row_of(metrics, label))
        ],
        "eps_at_zero_snr": "not finite" if metrics["eps_not_finite"] == 1 else "finite",
        "range_leaky": row_of(metrics, LEAKY)["share_of_range"],
        "range_zero_snr": row_of(metrics, MENDED)["share_of_range"],
    }


def tables_end_as_named(result: Result) -> Finding:
    expected = "sqrt(ab_T) is .0683 for the leaky models and exactly 0 for the others"
    left = {row["label"]: row["signal_at_last"] for row in result.metrics["rows"]}
    leaky = all(abs(left[label] - 0.0683) < 1e-3 for label in (EPS, LEAKY))
    holds = leaky and left[MENDED] == 0 and left[LEADING] == 0
    measured = ", ".join(f"{label} {value:.4f}" for label, value in left.items())
    return finding(holds, measured, expected)


def eps_fails(result: Result) -> Finding:
    expected = "every value of the epsilon model's latents on the mended table is inf or nan"
    share = result.metrics["eps_not_finite"]
    return finding(share == 1, f"{share:.0%} of the values", expected)


def leaky_reads_its_start(result: Result) -> Finding:
    expected = (
        f"the leaky v model's first x_0 follows the shift by {BARS:g} error bars and .05 of the "
        f"way from black to white or more, the mended one's by {LESS:g} of that or less"
    )
    leaky, mended = (row_of(result.metrics, label) for label in (LEAKY, MENDED))
    (mean, bar), other = leaky["first_moved"], mended["first_moved"][0]
    measured = f"{mean:+.3f} ({mean / max(bar, 1e-12):.1f} error bars) and {other:+.3f}"
    holds = follows(result.metrics, leaky) and other <= LESS * mean
    return finding(holds, measured, expected)


def noise_goes_along(result: Result) -> Finding:
    expected = (
        f"after a whole run without prompt both v models' pictures follow by {BARS:g} error bars, "
        f"neither {ALIKE:g} times as far as the other"
    )
    found = {label: row_of(result.metrics, label)["run_moved"] for label in (LEAKY, MENDED)}
    measured = "; ".join(
        f"{label} {mean:+.3f} ({mean / max(bar, 1e-12):.1f} error bars)"
        for label, (mean, bar) in found.items()
    )
    means = [mean for mean, _ in found.values()]
    holds = all(mean >= BARS * bar for mean, bar in found.values())
    return finding(holds and max(means) <= ALIKE * min(means), measured, expected)


def range_is_kept(result: Result) -> Finding:
    expected = (
        f"both v models span the drawings' brightness from black to white to within {SAME_RANGE:g}"
    )
    if result.metrics["guidance_scale"] != 1:
        return not_applicable("guidance stretches contrasts; it needs a scale of 1", expected)
    shares = {label: row_of(result.metrics, label)["share_of_range"] for label in (LEAKY, MENDED)}
    measured = "; ".join(f"{label} {share:.3f}" for label, share in shares.items())
    return finding(all(abs(s - 1) <= SAME_RANGE for s in shares.values()), measured, expected)


CLAIMS = (
    Claim(
        "tables-end-as-named",
        "The leaky models were trained on a table that keeps .068 of the signal, the others on one "
        "that keeps nothing.",
        tables_end_as_named,
    ),
    Claim(
        "eps-fails-at-zero-snr",
        "A model that predicts eps cannot start where no signal is left: nothing finite comes out.",
        eps_fails,
    ),
    Claim(
        "leaky-reads-its-start",
        "The leaky model takes the mean of its starting noise for a hint of brightness, more than "
        "the one that was trained on the mended table.",
        leaky_reads_its_start,
    ),
    Claim(
        "noise-goes-along",
        "Over a whole run the two follow it alike: DDIM takes the noise along, and later steps "
        "read what the first did not.",
        noise_goes_along,
    ),
    Claim(
        "range-is-kept",
        "In latents as small as these, with a prompt that names the ground, the leak costs no "
        "brightness range.",
        range_is_kept,
    ),
)
