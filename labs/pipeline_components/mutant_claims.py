"""What each bug of the arena must leave behind, checked on the numbers of a run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable
from drill.lab.loading import load_module

bugs = load_module(Path(__file__).with_name("bugs.py"))

SAME, SAME_LOOSELY = 1e-4, 1e-3
"""Largest difference of a pixel in [0, 1] between the plain loop and the pipeline, in float32: of a
deterministic sampler on a CPU; and of DDPM, whose sums let rounding grow, or elsewhere, where the
kernels depend on the size of the batch."""
CAUGHT = 0.02
"""A comparison with this tolerance, far above rounding, must find every bug."""
STAYS = 0.2
"""Loss of adherence that few pictures cannot tell from chance."""
GRAINY, OPPOSITE, STD_OFF = 1.6, -0.35, 0.1
STEPS, SCALES, ENOUGH = (8, 14), (4.0, 6.0), 8
"""Steps, guidance scales and pictures for which the signatures were measured."""


def healthy_is_the_pipeline(result: Result) -> Finding:
    most = {
        name: SAME if result.metrics["cpu"] and name != "ddpm" else SAME_LOOSELY
        for name in result.metrics["apart"]
    }
    allowed = ", ".join(f"{name} {value:g}" for name, value in most.items())
    expected = f"no pixel differs by more than: {allowed} (float32)"
    if not result.metrics["float32"]:
        return not_applicable("in half precision rounding is larger", expected)
    apart = result.metrics["apart"]
    measured = ", ".join(f"{name} {value:.1e}" for name, value in apart.items())
    return finding(all(apart[name] <= most[name] for name in apart), measured, expected)


def nothing_raises(result: Result) -> Finding:
    expected = "every bug runs to the end"
    errors = [f"{n}: {each['error']}" for n, each in result.metrics["bugs"].items()
              if each["error"]]  # fmt: skip
    return finding(not errors, "; ".join(errors) or "no error", expected)


def comparison_finds_all(result: Result) -> Finding:
    expected = f"with every bug some pixel differs by more than {CAUGHT:g} from the healthy loop"
    moved = {
        name: each["measures"]["largest difference"] if each["measures"] else 1.0
        for name, each in result.metrics["bugs"].items()
    }
    measured = ", ".join(f"{name} {value:.2f}" for name, value in moved.items())
    # A picture of NaN differs from any other.
    return finding(not any(each <= CAUGHT for each in moved.values()), measured, expected)


def signature(bug: Any, result: Result) -> Finding:
    expected = ", ".join(map(str, bug.signature))
    metrics = result.metrics
    told = metrics["bugs"].get(bug.name)
    if told is None:
        return not_applicable("this bug was not chosen", expected)
    if not metrics["bundled"]:
        return not_applicable("signatures were measured on the bundled model", expected)
    if not (
        STEPS[0] <= metrics["steps"] <= STEPS[1]
        and SCALES[0] <= metrics["guidance_scale"] <= SCALES[1]
        and metrics["pictures"] >= ENOUGH
    ):
        return not_applicable(
            f"it needs {STEPS[0]} to {STEPS[1]} steps, a scale from {SCALES[0]:g} to "
            f"{SCALES[1]:g} and {ENOUGH} pictures",
            expected,
        )
    values = told["measures"]
    if values is None:
        return finding(False, told["error"], expected)
    measured = ", ".join(f"{each.measure} {values[each.measure]:.2f}" for each in bug.signature)
    return finding(all(e.holds(values[e.measure]) for e in bug.signature), measured, expected)


CLAIMS = (
    Claim(
        "healthy-is-the-pipeline",
        "The plain loop without a bug gives the pipeline's pictures, with each sampler.",
        healthy_is_the_pipeline,
    ),
    Claim(
        "nothing-raises",
        "None of these one-line bugs raises an error.",
        nothing_raises,
    ),
    Claim(
        "comparison-finds-all",
        "A comparison with the pipeline's pictures from the same noise finds every bug, also those "
        "that no eye and no judge would.",
        comparison_finds_all,
    ),
    *(Claim(each.name, each.says, partial(signature, each)) for each in bugs.BUGS),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by; null for what was not measured."""
    ran = {name: each["measures"] for name, each in metrics["bugs"].items() if each["measures"]}

    def those(holds: Any) -> list[str]:
        return [name for name, each in ran.items() if holds(each)]

    judged = all(each["adherence"] is not None for each in ran.values())
    moved = {name: each["largest difference"] for name, each in ran.items()}
    return {
        "adherence_stays": those(lambda m: m["adherence kept"] >= -STAYS) if judged else None,
        "same_latents": those(lambda m: m["latent distance"] == 0),
        "opposite": those(lambda m: m["agreement"] <= OPPOSITE),
        "grainy": those(lambda m: m["roughness"] >= GRAINY),
        "std_off": those(lambda m: abs(m["latent std"] - 1) > STD_OFF),
        "raised": [name for name, each in metrics["bugs"].items() if each["error"]],
        "smallest": min(moved, key=lambda name: moved[name]) if moved else None,
    }
