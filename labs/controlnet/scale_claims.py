"""What must come out of a fresh and a trained ControlNet, checked on the numbers of every run."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

MODERATE = 2.0
"""Scales up to this one are those people use."""
EXTREME = 8.0
EXPECTED_STEPS = {
    "zero convolutions": 1,
    "copied blocks": 2,
    "last layer of the hint encoder": 2,
    "first layer of the hint encoder": 3,
}
PROMPT, MAP, NEITHER = "the prompt's shape", "the map's shape", "neither"


def fresh_changes_nothing(result: Result) -> Finding:
    expected = "residuals of a fresh ControlNet are 0 at scale 1, those of a trained one are not"
    fresh, trained = (result.metrics["fresh"][name] for name in ("fresh", "trained"))
    measured = (
        f"fresh: residuals up to {fresh['largest_residual']:g}, prediction moved by "
        f"{fresh['moved']:g}; trained: {trained['largest_residual']:.2g}, {trained['moved']:.2g}"
    )
    nothing = fresh["largest_residual"] == fresh["moved"] == 0
    return finding(nothing and trained["moved"] > 0, measured, expected)


def zero_convs_learn_first(result: Result) -> Finding:
    expected = "first gradients: " + ", ".join(f"{k} at {v}" for k, v in EXPECTED_STEPS.items())
    found = result.metrics["first_step"]
    measured = ", ".join(f"{name} at {step}" for name, step in found.items())
    return finding(found == EXPECTED_STEPS, measured, expected)


def residual_for_each_skip(result: Result) -> Finding:
    expected = "one residual of the same shape for each skip, and one for the middle"
    fresh = result.metrics["fresh"]
    measured = f"{len(fresh['down'])} for {len(fresh['skips'])} skips, middle {fresh['middle']}"
    same = fresh["down"] == fresh["skips"] and fresh["middle"] == fresh["bottom"]
    return finding(same, measured, expected)


def scale_zero_is_the_base(result: Result) -> Finding:
    expected = "at conditioning scale 0 the latents are those of the plain pipeline, to the bit"
    apart = result.metrics["at_zero"]
    return finding(apart == 0, f"they differ by {apart:g} at most", expected)


def _range(result: Result) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = result.metrics["by_scale"]
    return [each for each in rows if each["scale"] <= MODERATE]


def scale_fits_the_map(result: Result) -> Finding:
    expected = "IoU with the map never falls by more than 0.05 up to 2, and gains 0.3 in all"
    rows = _range(result)
    if len(rows) < 2 or rows[0]["scale"] > 0 or rows[-1]["scale"] < 1:
        return not_applicable("it needs scale 0 and one from 1 to 2", expected)
    found = [each["fitting"]["iou"] for each in rows]
    falls = max(a - b for a, b in pairwise(found))
    measured = ", ".join(f"{e['fitting']['iou']:.2f} at {e['scale']:g}" for e in rows)
    return finding(falls <= 0.05 and found[-1] - found[0] >= 0.3, measured, expected)


def colours_stay(result: Result) -> Finding:
    expected = "at scales up to 2 colours are as the prompt says in 0.9 of the pictures or more"
    rows = _range(result)
    if not rows:
        return not_applicable("no scale up to 2", expected)
    found = [each[name]["colours"] for each in rows for name in ("fitting", "conflict")]
    return finding(min(found) >= 0.9, f"{min(found):.2f} at least", expected)


def map_takes_the_shape(result: Result) -> Finding:
    expected = (
        "with a map of another shape, the share showing the prompt's shape falls by 0.4 or more "
        "from scale 0 to 2, and the share showing the map's rises"
    )
    rows = [each for each in result.metrics["by_scale"] if each["scale"] in (0.0, MODERATE)]
    if len(rows) < 2:
        return not_applicable("it needs scales 0 and 2", expected)
    prompt, shape = (
        [each["conflict"][name] for each in rows] for name in ("shape_of_prompt", "shape_of_map")
    )
    measured = (
        f"prompt's {prompt[0]:.2f} to {prompt[1]:.2f}, map's {shape[0]:.2f} to {shape[1]:.2f}"
    )
    return finding(prompt[0] - prompt[1] >= 0.4 and shape[1] > shape[0], measured, expected)


def too_much_spoils_colours(result: Result) -> Finding:
    expected = "at scales of 8 or more, with maps of another shape, colours are right less often"
    rows = result.metrics["by_scale"]
    large = [each for each in rows if each["scale"] >= EXTREME]
    usual = _range(result)
    if not large or not usual:
        return not_applicable("it needs a scale of 8 or more and one up to 2", expected)
    high, low = large[-1], usual[-1]
    measured = (
        f"{low['conflict']['colours']:.2f} at {low['scale']:g}, "
        f"{high['conflict']['colours']:.2f} at {high['scale']:g}"
    )
    return finding(high["conflict"]["colours"] < low["conflict"]["colours"], measured, expected)


CLAIMS = (
    Claim(
        "fresh-changes-nothing",
        "A ControlNet made from the UNet changes nothing before it is trained.",
        fresh_changes_nothing,
    ),
    Claim(
        "zero-convs-learn-first",
        "Zero convolutions get a gradient at once, the copied blocks one step later.",
        zero_convs_learn_first,
    ),
    Claim(
        "residual-for-each-skip",
        "It returns one residual for each skip of the UNet, and one for the middle.",
        residual_for_each_skip,
    ),
    Claim(
        "scale-zero-is-the-base",
        "At conditioning scale 0 the latents are those of the base.",
        scale_zero_is_the_base,
    ),
    Claim("scale-fits-the-map", "The shape fits its map better as the scale grows.",
          scale_fits_the_map),
    Claim("colours-stay", "The map decides the place; colours stay with the prompt.",
          colours_stay),
    Claim("map-takes-the-shape", "Where map and prompt disagree on the shape, the scale decides.",
          map_takes_the_shape),
    Claim("too-much-spoils-colours", "A scale far above 1 costs what the prompt says of colours.",
          too_much_spoils_colours),
)  # fmt: skip


def winner(entry: dict[str, Any]) -> str:
    """Which of the two shapes more pictures show."""
    shape, prompt = entry["conflict"]["shape_of_map"], entry["conflict"]["shape_of_prompt"]
    return MAP if shape > prompt else PROMPT if prompt > shape else NEITHER


def outcomes(metrics: Any) -> dict[str, Any]:
    """What `predict` questions are judged by; null for what was not measured."""
    rows, fresh = metrics["by_scale"], metrics["fresh"]
    counts = metrics["parameters"]
    return {
        "fresh": "nothing" if fresh["fresh"]["moved"] == 0 else "something",
        "first_step": metrics["first_step"]["copied blocks"],
        "residuals": len(fresh["down"]) + 1,
        "wins": winner(rows[-1]),
        "iou_at_most": max(each["fitting"]["iou"] for each in rows),
        "parameter_share": counts["controlnet"] / counts["unet"],
    }


def sentence(metrics: Any) -> str:
    """What happened, in the measured numbers."""
    rows, fresh = metrics["by_scale"], metrics["fresh"]["fresh"]
    counts = metrics["parameters"]
    parts = [
        f"a fresh ControlNet moves the prediction by {fresh['moved']:g}, a trained one at scale 0 "
        f"the latents by {metrics['at_zero']:g}",
        f"it has {counts['controlnet'] / counts['unet']:.0%} of the UNet's parameters",
        "IoU with the map is "
        + ", ".join(f"{e['fitting']['iou']:.2f} at {e['scale']:g}" for e in rows),
        "with a map of another shape the prompt's shape shows in "
        + ", ".join(f"{e['conflict']['shape_of_prompt']:.0%} at {e['scale']:g}" for e in rows)
        + " and the map's in "
        + ", ".join(f"{e['conflict']['shape_of_map']:.0%}" for e in rows),
    ]
    return "; ".join(parts) + "."
