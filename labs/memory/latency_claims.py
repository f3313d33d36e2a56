"""What must come out of offload-latency, checked on the numbers of every run."""

from __future__ import annotations

from statistics import median
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

WAITING = ("model", "sequential", "group-leaf", "group-block")
"""Modes that wait for each copy before they compute."""
PER_FORWARD = ("sequential", "group-leaf", "group-block")
LARGE = 500e6
"""Bytes of a denoiser from which on copies, not launches, decide how long a step takes."""
GB = 1e9


def step_seconds(entry: Any, steps: list[int]) -> float:
    """Seconds of a step: the median over rounds of the difference of two images."""
    few, many = entry["seconds"]
    between = steps[1] - steps[0]
    return median((b - a) / between for a, b in zip(few, many, strict=True))


def image_seconds(entry: Any) -> float:
    """Median seconds of an image with the larger number of steps."""
    return float(median(entry["seconds"][1]))


def floor_seconds(metrics: Any, mode: str) -> float:
    """Seconds that the copies of an image take at least: bytes over the link's bandwidth."""
    link = metrics["bandwidth"]["pinned" if mode == "group-stream" else "pageable"]
    return float(metrics["modes"][mode]["to_card"] / link)


def over_resident(metrics: Any, mode: str) -> float:
    """Seconds of an image beyond those of the resident pipeline, medians over rounds."""
    ours = metrics["modes"][mode]["seconds"][1]
    theirs = metrics["modes"]["resident"]["seconds"][1]
    return median(a - b for a, b in zip(ours, theirs, strict=True))


def step_ratio(metrics: Any, mode: str, base: str = "resident") -> float:
    """A step's time in a mode over that in another."""
    modes, steps = metrics["modes"], metrics["steps"]
    return step_seconds(modes[mode], steps) / step_seconds(modes[base], steps)


def above_the_floor(result: Result) -> Finding:
    expected = (
        "the time beyond that of the resident pipeline is at least 0.7 times the floor (bytes "
        "copied over measured bandwidth) wherever a copy is waited for"
    )
    metrics = result.metrics
    shares = {
        mode: over_resident(metrics, mode) / floor_seconds(metrics, mode)
        for mode in WAITING
        if mode in metrics["modes"]
    }
    if not shares or "resident" not in metrics["modes"]:
        return not_applicable("the resident pipeline or all others were left out", expected)
    measured = ", ".join(f"{mode} {share:.2f}" for mode, share in shares.items())
    return finding(all(share >= 0.7 for share in shares.values()), measured, expected)


def model_keeps_the_step(result: Result) -> Finding:
    expected = "a step takes 0.8 to 1.2 times as long as with everything resident"
    metrics = result.metrics
    if not {"resident", "model"} <= metrics["modes"].keys():
        return not_applicable("these modes were left out", expected)
    ratio = step_ratio(metrics, "model")
    return finding(0.8 <= ratio <= 1.2, f"{ratio:.2f} times", expected)


def per_forward_slows_steps(result: Result) -> Finding:
    expected = (
        "a step takes longer than a resident one by at least 0.7 times the time in which the "
        "denoiser's weights cross the link"
    )
    metrics = result.metrics
    modes = [mode for mode in PER_FORWARD if mode in metrics["modes"]]
    if "resident" not in metrics["modes"] or not modes:
        return not_applicable("these modes were left out", expected)
    crossing = metrics["denoiser_bytes"] / metrics["bandwidth"]["pageable"]
    base = step_seconds(metrics["modes"]["resident"], metrics["steps"])
    shares = {
        mode: (step_seconds(metrics["modes"][mode], metrics["steps"]) - base) / crossing
        for mode in modes
    }
    measured = ", ".join(f"{mode} {share:.2f}" for mode, share in shares.items())
    return finding(all(share >= 0.7 for share in shares.values()), measured, expected)


def stream_hides_copies(result: Result) -> Finding:
    expected = "a step with a stream takes less time than the same groups without one"
    metrics = result.metrics
    if not {"group-leaf", "group-stream"} <= metrics["modes"].keys():
        return not_applicable("these modes were left out", expected)
    if metrics["denoiser_bytes"] < LARGE:
        return not_applicable(
            "a denoiser under 0.5 GB is bound by launches, not copies (try --model sdxl-random)",
            expected,
        )
    ratio = step_ratio(metrics, "group-stream", "group-leaf")
    return finding(ratio < 1, f"{ratio:.2f} times", expected)


def peaks_ordered(result: Result) -> Finding:
    expected = "allocated at most: leaves <= blocks <= models <= everything"
    modes = result.metrics["modes"]
    order = [
        [mode for mode in group if mode in modes]
        for group in (("sequential", "group-leaf"), ("group-block",), ("model",), ("resident",))
    ]
    if not all(order):
        return not_applicable("modes were left out", expected)
    peaks = [max(modes[mode]["allocated"] for mode in group) for group in order]
    measured = ", ".join(f"{m} {modes[m]['allocated'] / GB:.3f} GB" for g in order for m in g)
    return finding(peaks == sorted(peaks), measured, expected)


def reserved_is_more(result: Result) -> Finding:
    expected = "in every mode the allocator had reserved at least what tensors held"
    modes = result.metrics["modes"]
    shares = {mode: each["reserved"] / each["allocated"] for mode, each in modes.items()}
    measured = ", ".join(f"{mode} {share:.2f} times" for mode, share in shares.items())
    return finding(all(share >= 1 for share in shares.values()), measured, expected)


CLAIMS = (
    Claim(
        "above-the-floor",
        "Offloading that waits for its copies costs at least what the link needs for them.",
        above_the_floor,
    ),
    Claim(
        "model-keeps-the-step",
        "Model offload leaves the time of a step alone: its price is paid once an image.",
        model_keeps_the_step,
    ),
    Claim(
        "per-forward-slows-steps",
        "Sequential and group offload without a stream put the copy of the weights into each step.",
        per_forward_slows_steps,
    ),
    Claim(
        "stream-hides-copies",
        "With a stream the next group is copied while this one computes, so a step gets shorter.",
        stream_hides_copies,
    ),
    Claim(
        "peaks-ordered",
        "What is allocated at most shrinks from everything to models, to blocks, to leaves.",
        peaks_ordered,
    ),
    Claim(
        "reserved-is-more",
        "What the allocator has reserved is more than what tensors hold.",
        reserved_is_more,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """For `predict` questions; null for what was left out."""
    modes = metrics["modes"]
    compared = [mode for mode in modes if mode != "resident"] if "resident" in modes else []
    return {
        "slowest": max(modes, key=lambda mode: image_seconds(modes[mode])),
        "step_unchanged": [mode for mode in compared if step_ratio(metrics, mode) <= 1.2],
        "sequential_over_resident": round(step_ratio(metrics, "sequential"), 2)
        if "sequential" in compared
        else None,
    }


def sentence(metrics: Any) -> str:
    """What was measured, as ratios to the resident pipeline and to the floor."""
    link = metrics["bandwidth"]
    parts = []
    for mode, entry in metrics["modes"].items():
        text = f"{mode}: {entry['allocated'] / GB:.2f} GB allocated at most"
        if mode != "resident" and "resident" in metrics["modes"]:
            whole = image_seconds(entry) / image_seconds(metrics["modes"]["resident"])
            text += f", {whole:.2f} times the time of an image"
            text += f" and {step_ratio(metrics, mode):.2f} times that of a step"
            extra = over_resident(metrics, mode) / floor_seconds(metrics, mode)
            text += f", {extra:.2f} times the floor for {entry['to_card'] / GB:.2f} GB"
        parts.append(text)
    return (
        f"Over a link of {link['pageable'] / GB:.1f} GB/s from pageable and "
        f"{link['pinned'] / GB:.1f} GB/s from pinned memory: {'; '.join(parts)}."
    )
