"""What must come out of rescaled and windowed guidance, checked on the numbers of every run."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

SAME_PICTURE = 0.02
"""Largest difference of a pixel in [0, 1] between two float32 runs of one computation."""
ENOUGH = 32
"""Fewer pictures say little of values out of range, most of which are in a few broken ones."""
FEW_STEPS = 15
"""With many steps a scale of 20 does less damage to the bundled model's pictures."""


def rescales(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The settings guided throughout, by rising guidance_rescale."""
    return sorted(
        (each for each in found if each["kind"] == "rescale"), key=lambda each: each["rescale"]
    )


def windows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The settings guided in a window."""
    return [each for each in found if each["kind"] == "window"]


def spread_restored(result: Result) -> Finding:
    expected = "the std ratio falls with each larger rescale, and is 1 (within 0.002) at 1"
    found = rescales(result.metrics["settings"])
    if len(found) < 2 or found[-1]["rescale"] != 1:
        return not_applicable("it needs a rescale of 1 and a smaller one", expected)
    values = [each["spread"] for each in found]
    measured = ", ".join(f"{each['spread']:.3f} at {each['rescale']:g}" for each in found)
    falls = all(after < before for before, after in pairwise(values))
    return finding(falls and abs(values[-1] - 1) <= 0.002, measured, expected)


def fewer_out_of_range(result: Result) -> Finding:
    expected = "at the largest rescale a smaller share of values is out of range than at 0"
    found = rescales(result.metrics["settings"])
    if len(found) < 2 or found[-1]["rescale"] < 0.5 or found[0]["out_of_range"] < 0.005:
        return not_applicable(
            "it needs a rescale of 0.5 or more, and values out of range", expected
        )
    if result.metrics["pictures"] < ENOUGH:
        return not_applicable(f"it needs {ENOUGH} pictures", expected)
    measured = ", ".join(f"{each['out_of_range']:.2%} at {each['rescale']:g}" for each in found)
    return finding(found[-1]["out_of_range"] < found[0]["out_of_range"], measured, expected)


def rescale_costs_nothing(result: Result) -> Finding:
    expected = "two evaluations a step at every rescale"
    found = rescales(result.metrics["settings"])
    counts = sorted({each["evaluations"] for each in found})
    measured = f"{' or '.join(f'{each:g}' for each in counts)} evaluations"
    return finding(counts == [2 * result.metrics["steps"]], measured, expected)


def window_evaluations(result: Result) -> Finding:
    expected = "steps + guided steps, counted at the denoiser"
    found = windows(result.metrics["settings"])
    if not found:
        return not_applicable("there is no window", expected)
    steps = result.metrics["steps"]
    right = all(
        each["evaluations"] == steps + each["window"][1] - each["window"][0] for each in found
    )
    measured = "; ".join(f"{each['evaluations']:g} in {each['label']}" for each in found)
    return finding(right, measured, expected)


def early_and_late(found: list[dict[str, Any]], steps: int) -> list[dict[str, Any]]:
    """The first window in the first half of the run, and the first that runs to its end."""
    early = [e for e in windows(found) if e["window"][0] == 0 and e["window"][1] <= steps / 2]
    late = [e for e in windows(found) if e["window"][0] >= steps / 4 and e["window"][1] == steps]
    return [*early[:1], *late[:1]] if early and late else []


def early_keeps_more(result: Result) -> Finding:
    expected = "guided early more pictures are right than guided late"
    metrics = result.metrics
    pair = early_and_late(metrics["settings"], metrics["steps"])
    if not pair or pair[0]["adherence"] is None:
        return not_applicable("it needs a judge, an early and a late window", expected)
    early, late = pair
    # Above, and with a window shorter than a third, few pictures are right either way.
    usual = 15 <= metrics["scale"] <= 20 and early["window"][1] >= metrics["steps"] / 3
    if not usual or metrics["steps"] > FEW_STEPS or metrics["pictures"] < 16:
        reason = (
            f"it needs a scale of 15 to 20, a third of the steps guided, {FEW_STEPS} steps or "
            "fewer and 16 pictures"
        )
        return not_applicable(reason, expected)
    measured = (
        f"{early['adherence']:.2f} in {early['label']}, {late['adherence']:.2f} in {late['label']}"
    )
    return finding(early["adherence"] > late["adherence"], measured, expected)


def as_the_pipeline(result: Result) -> Finding:
    expected = (
        f"no pixel differs by more than {SAME_PICTURE:g} from guidance_rescale and "
        "SDCFGCutoffCallback of the pipeline (float32), and evaluations are equal"
    )
    metrics = result.metrics
    if not metrics["library"] or not (metrics["float32"] and metrics["bundled"]):
        return not_applicable("it needs the comparison, with the bundled model", expected)
    ours = {each["label"]: each["evaluations"] for each in metrics["settings"]}
    apart = max(each["difference"] for each in metrics["library"])
    equal = all(each["evaluations"] == ours[each["label"]] for each in metrics["library"])
    measured = f"{apart:.1e} over {len(metrics['library'])} settings; counts equal: {equal}"
    return finding(apart <= SAME_PICTURE and equal, measured, expected)


CLAIMS = (
    Claim(
        "spread-restored",
        "guidance_rescale pulls the std of the guided prediction back to that of the conditional "
        "one, wholly at 1.",
        spread_restored,
    ),
    Claim(
        "fewer-out-of-range",
        "With guidance_rescale fewer decoded values are out of range.",
        fewer_out_of_range,
    ),
    Claim(
        "rescale-costs-nothing",
        "guidance_rescale changes no count: two evaluations a step at every value.",
        rescale_costs_nothing,
    ),
    Claim(
        "window-evaluations",
        "A step outside the window evaluates the picture once, a step inside twice.",
        window_evaluations,
    ),
    Claim(
        "early-keeps-more",
        "At a scale that does damage, guidance early in the run leaves more pictures right than "
        "guidance in the rest of it.",
        early_keeps_more,
    ),
    Claim(
        "as-the-pipeline",
        "These are the pictures of the pipeline's own guidance_rescale and cut-off callback.",
        as_the_pipeline,
    ),
)


def outcomes(metrics: dict[str, Any]) -> dict[str, Any]:
    """What `predict` questions are judged by; null for what was not measured."""
    found = metrics["settings"]
    rescaled, placed = rescales(found), windows(found)
    least = min(each["out_of_range"] for each in rescaled)
    best = (
        max((e["adherence"] for e in placed), default=None)
        if found[0]["adherence"] is not None
        else None
    )
    full = rescaled[0]["evaluations"]
    return {
        "falls": [
            name
            for name, key in (
                ("std of guided over conditional", "spread"),
                ("share of values out of range", "out_of_range"),
                ("evaluations", "evaluations"),
            )
            if all(after[key] < before[key] for before, after in pairwise(rescaled))
        ],
        "std_at_1": next((each["spread"] for each in rescaled if each["rescale"] == 1), None),
        "least_out_of_range": next(
            each["rescale"] for each in rescaled if each["out_of_range"] == least
        ),
        "window_evaluations": placed[0]["evaluations"] if placed else None,
        "saved": None if not placed else 1 - placed[0]["evaluations"] / full,
        "best_window": None
        if best is None
        else next(e["label"].split()[-1] for e in placed if e["adherence"] == best),
    }


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    rescaled = rescales(metrics["settings"])
    first, last = rescaled[0], rescaled[-1]
    parts = [
        f"at scale {metrics['scale']:g} the std of the guided over the conditional prediction was "
        f"{first['spread']:.2f}, and {last['spread']:.2f} with a rescale of {last['rescale']:g}; "
        f"values out of range went from {first['out_of_range']:.1%} to {last['out_of_range']:.1%} "
        f"at {last['evaluations']:g} evaluations either way"
    ]
    parts += [
        f"guidance in {each['label']} took {each['evaluations']:g} evaluations, with "
        f"{each['out_of_range']:.1%} out of range"
        + ("" if each["adherence"] is None else f" and {each['adherence']:.0%} right")
        for each in windows(metrics["settings"])
    ]
    text = "; ".join(parts) + "."
    return text[0].upper() + text[1:]
