"""What must come out where Euler is compared with DDIM, checked on the numbers of every run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

KEEP = ("both-end-at-ab0", "both-leading", "ddpm-and-euler-a")
"""Changes after which the two must still be one."""
BREAK = (
    "init-noise-sigma", "ddim-ends-at-ab0", "class-defaults", "both-linspace", "uneven-steps",
    "karras-in-euler", "clip-sample",
)  # fmt: skip
CHANGES = (
    "init-noise-sigma", "ddim-ends-at-ab0", "both-end-at-ab0", "class-defaults", "both-leading",
    "both-linspace", "uneven-steps", "karras-in-euler", "clip-sample", "ddpm-and-euler-a",
)  # fmt: skip
SAME = 5e-5
"""Relative distance up to which two results are one: float32 rounding along the way."""
APART = 3e-4
"""Relative distance from which they are two."""


def _row(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1e}" for name, value in values.items())


def identical(result: Result) -> Finding:
    expected = f"at the end and at every step no more than {SAME:g} apart"
    metrics = result.metrics
    if not metrics["float32"]:
        return not_applicable(
            "the denoiser runs in half precision, whose rounding adds up", expected
        )
    if 1000 % metrics["steps"]:
        return not_applicable("DDIM's stride fits its list only if steps divide 1000", expected)
    measured = f"{metrics['apart']:.1e} at the end, {metrics['largest_on_the_way']:.1e} on the way"
    most = max(metrics["apart"], metrics["largest_on_the_way"])
    return finding(most <= SAME, measured, expected)


def kept(result: Result) -> Finding:
    expected = f"no more than {SAME:g} apart"
    metrics = result.metrics
    values = {name: v for name, v in metrics["changed"].items() if name in KEEP}
    if not values or 1000 % metrics["steps"] or not metrics["float32"]:
        return not_applicable(
            "it needs one of these changes, steps that divide 1000, and float32", expected
        )
    return finding(max(values.values()) <= SAME, _row(values), expected)


def broken(result: Result) -> Finding:
    expected = f"at least {APART:g} apart"
    metrics = result.metrics
    values = {name: v for name, v in metrics["changed"].items() if name in BREAK}
    if metrics["clip_reached"] <= 1:
        values.pop("clip-sample", None)
    if not 1000 % metrics["uneven"]:
        values.pop("uneven-steps", None)
    if not values:
        return not_applicable("it needs one of these changes", expected)
    return finding(min(values.values()) >= APART, _row(values), expected)


def start_costs_little(result: Result) -> Finding:
    expected = "it drives the two less far apart than any other change that breaks the identity"
    changed = result.metrics["changed"]
    others = {
        name: value
        for name, value in changed.items()
        if name in BREAK and name != "init-noise-sigma" and value >= APART
    }
    if "init-noise-sigma" not in changed or not others:
        return not_applicable("it needs init-noise-sigma and another change", expected)
    value = changed["init-noise-sigma"]
    measured = f"{value:.1e}; the least of the others {min(others.values()):.1e}"
    return finding(value < min(others.values()), measured, expected)


CLAIMS = (
    Claim(
        "identical",
        "On the same timesteps Euler's x times sqrt(ab) is DDIM's x, at every step.",
        identical,
    ),
    Claim(
        "kept",
        "The two stay one if both end at ab_0, if both space leading, and in their stochastic "
        "forms, DDPM and Euler ancestral with the same draws.",
        kept,
    ),
    Claim(
        "broken",
        "They part by other ends, other timesteps, a stride that does not fit the list, Karras "
        "sigmas or clipping.",
        broken,
    ),
    Claim(
        "start-costs-little",
        "Starting from sigma in place of sqrt(sigma^2 + 1), as pipelines do with linspace and "
        "trailing, is the least of these differences.",
        start_costs_little,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by."""
    changed = metrics["changed"]
    return {
        "identical": "yes" if metrics["apart"] <= SAME else "no",
        "keeps": [name for name, value in changed.items() if value <= SAME],
        "breaks": [name for name, value in changed.items() if value > SAME],
        "largest": max(changed, key=lambda each: changed[each]) if changed else None,
    }
