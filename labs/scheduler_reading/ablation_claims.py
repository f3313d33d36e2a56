"""What must come out when Euler's two scalings are left out, checked on the numbers of a run."""

from __future__ import annotations

import math
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

HARMED = 0.15
"""Loss of adherence that is more than chance with 20 pictures or more."""
ENOUGH = 16
OUTCOMES = ("an error", "noise", "too smooth", "the same picture")
"""What `comes_out` chooses from, for a run without scale_model_input."""


def _arms(result: Result) -> Any:
    return result.metrics["arms"]


def only_warnings(result: Result) -> Finding:
    expected = "a warning at every step without scale_model_input, none with it"
    steps = result.metrics["steps"]
    counts = {name: each["warnings"] for name, each in _arms(result).items()}
    holds = (
        counts["right"] == counts["no init_noise_sigma"] == 0
        and counts["no scale_model_input"] == counts["neither"] == steps
    )
    measured = ", ".join(f"{name} {count}" for name, count in counts.items())
    return finding(holds, f"warnings: {measured}", expected)


def shown_wrong_scale(result: Result) -> Finding:
    sigma = result.metrics["first_sigma"]
    loud, quiet = math.sqrt(sigma**2 + 1), 1 / math.sqrt(sigma**2 + 1)
    expected = (
        f"about 1 at first when right, {loud:.1f} without scale_model_input and {quiet:.2f} "
        "without init_noise_sigma, each within 10 %"
    )
    first = {name: each["input_std"][0] for name, each in _arms(result).items()}
    measured = ", ".join(f"{name} {value:.2f}" for name, value in first.items())
    holds = (
        abs(first["right"] - 1) <= 0.1
        and abs(first["no scale_model_input"] / loud - 1) <= 0.1
        and abs(first["no init_noise_sigma"] / quiet - 1) <= 0.1
    )
    return finding(holds, measured, expected)


def too_smooth(result: Result) -> Finding:
    expected = "the final latents have at most .92 of the spread of the right ones"
    arms = _arms(result)
    ratio = arms["no scale_model_input"]["final_std"] / arms["right"]["final_std"]
    measured = (
        f"{arms['no scale_model_input']['final_std']:.3f} in place of "
        f"{arms['right']['final_std']:.3f}"
    )
    if not result.metrics["bundled"]:
        return not_applicable("what a network makes of it is its own", expected)
    return finding(ratio <= 0.92, measured, expected)


def adherence_falls(result: Result) -> Finding:
    expected = f"at least {HARMED:g} fewer pictures are right without scale_model_input"
    arms, metrics = _arms(result), result.metrics
    right, wrong = arms["right"]["adherence"], arms["no scale_model_input"]["adherence"]
    if right is None or metrics["pictures"] < ENOUGH:
        return not_applicable(f"it needs the judge and {ENOUGH} pictures", expected)
    if metrics["guidance_scale"] > 1:
        return not_applicable("guidance makes up for much of the damage", expected)
    return finding(right - wrong >= HARMED, f"{wrong:.2f} in place of {right:.2f}", expected)


def another_picture(result: Result) -> Finding:
    expected = "each omission moves the latents by at least a quarter of their length"
    moved = {name: each["distance"] for name, each in _arms(result).items() if name != "right"}
    measured = ", ".join(f"{name} {value:.2f}" for name, value in moved.items())
    return finding(min(moved.values()) >= 0.25, measured, expected)


def ddim_does_not_care(result: Result) -> Finding:
    expected = "DDIM gives the very same latents with both left out"
    moved = result.metrics["ddim_changed_by"]
    return finding(moved == 0, f"moved by {moved:g}", expected)


CLAIMS = (
    Claim(
        "only-warnings",
        "Forgetting scale_model_input raises nothing: Euler only writes a warning at each step, "
        "and forgetting init_noise_sigma is not noticed at all.",
        only_warnings,
    ),
    Claim(
        "shown-wrong-scale",
        "The denoiser expects inputs of spread 1 and is shown others: about sigma without "
        "scale_model_input, about 1/sigma without init_noise_sigma.",
        shown_wrong_scale,
    ),
    Claim(
        "too-smooth",
        "What comes out is no noise: it is too smooth, with too little spread.",
        too_smooth,
    ),
    Claim(
        "adherence-falls",
        "Fewer pictures show what was asked for.",
        adherence_falls,
    ),
    Claim(
        "another-picture",
        "Either omission gives another picture for the same seed.",
        another_picture,
    ),
    Claim(
        "ddim-does-not-care",
        "A test with DDIM sees nothing of it, as both are the identity there.",
        ddim_does_not_care,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by; null for what was not measured."""
    arms = metrics["arms"]
    right, wrong = arms["right"], arms["no scale_model_input"]
    ratio = wrong["final_std"] / right["final_std"]
    comes_out = OUTCOMES[2] if ratio < 0.95 else OUTCOMES[1] if ratio > 1.05 else OUTCOMES[3]
    harms = None
    if right["adherence"] is not None:
        harms = [
            name
            for name, each in arms.items()
            if name != "right" and right["adherence"] - each["adherence"] >= HARMED
        ]
    return {
        "comes_out": comes_out,
        "harms": harms,
        "std_ratio": ratio,
        "first_input_std": wrong["input_std"][0],
        "warnings": wrong["warnings"],
        "ddim_changes": "no" if metrics["ddim_changed_by"] == 0 else "yes",
    }
