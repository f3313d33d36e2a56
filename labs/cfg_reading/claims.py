"""What must come out of a guidance sweep, checked on the numbers of every run.

A claim about scales that a run does not have is not applicable: it neither holds nor fails.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

GROWTHS = (
    "adherence",
    "share of values out of range",
    "std of guided over conditional",
    "number of denoiser calls",
)
"""What the outcome `grows` chooses from."""
VARIETIES = ("colours", "backgrounds", "positions", "mean pixel distance")
"""What the outcome `narrows` chooses from: variety over seeds of the open prompt."""
NARROWED = 0.8
"""Share of its first value under which a variety has narrowed."""
ENOUGH_SEEDS = 16
"""Fewer pictures say little of an entropy over eight colours or nine places."""
FEW_STEPS = 10
"""Up to so many DDIM steps a scale of 20 ruins many pictures of the bundled model, at 50 few; its
README has the shares."""
SAME_PICTURE = 1e-3
"""Largest difference of a pixel in [0, 1] between two runs of one computation in float32."""


def effective(scales: list[float]) -> list[int]:
    """Indices of the scales that differ in effect: of those up to 1 only the largest."""
    off = [index for index, scale in enumerate(scales) if scale <= 1]
    return [*off[-1:], *(index for index, scale in enumerate(scales) if scale > 1)]


def value_at(metrics: Any, values: list[float] | None, scale: float) -> float | None:
    """The value measured at a scale; at or under 1 any such scale counts."""
    if values is None:
        return None
    for index in effective(metrics["scales"]):
        found = metrics["scales"][index]
        if found == scale or (found <= 1 and scale <= 1):
            return values[index]
    return None


def grows_throughout(metrics: Any, values: list[float] | None) -> bool:
    """Whether values rise from each effective scale to the next."""
    if values is None:
        return False
    shown = [values[index] for index in effective(metrics["scales"])]
    return len(shown) > 1 and all(after > before for before, after in pairwise(shown))


def adherence(metrics: Any) -> list[float] | None:
    """Share of pictures with all four attributes right, by scale; None without a judge."""
    shares: dict[str, list[float]] | None = metrics["adherence"]
    return shares["all"] if shares else None


def series_of(metrics: Any, name: str) -> list[float] | None:
    """The values of one of GROWTHS, by scale."""
    values: dict[str, list[float] | None] = {
        GROWTHS[0]: adherence(metrics),
        GROWTHS[1]: metrics["out_of_range"],
        GROWTHS[2]: metrics["std_ratio"],
        GROWTHS[3]: metrics["denoiser_calls"],
    }
    return values[name]


def kept(metrics: Any) -> dict[str, float]:
    """What is left of each variety: its value at the largest scale over that at the smallest."""
    values = dict(metrics["effective"] or {})
    values["mean pixel distance"] = metrics["mean_pixel_distance"]
    places = effective(metrics["scales"])
    first, last = places[0], places[-1]
    return {
        name: each[last] / each[first]
        for name, each in values.items()
        if each[first] and each[last]
    }


_MANY_STEPS = f"with more than {FEW_STEPS} steps large scales do less harm"


def _row(scales: list[float], values: list[float], form: str = "{:.2f}") -> str:
    return ", ".join(f"{form.format(v)} at {s:g}" for s, v in zip(scales, values, strict=True))


def off_at_or_under_1(result: Result) -> Finding:
    expected = (
        f"pictures of the pipeline itself differ by at most {SAME_PICTURE:g} from each other "
        "(and in float32 from the conditional ones), one evaluation a call"
    )
    checked = [each for each in result.metrics["pipeline"] if each["scale"] <= 1]
    if len(checked) < 2:
        return not_applicable("it needs two scales at or under 1, such as 0 and 1", expected)
    apart = max(each["difference_from_last_off"] for each in checked)
    if result.metrics["float32"]:
        apart = max(apart, *(each["difference_from_sweep"] for each in checked))
    rows = {each["evaluations"] / each["calls"] for each in checked}
    scales = " and ".join(f"{each['scale']:g}" for each in checked)
    measured = f"{apart:.1e} between {scales}; {max(rows):g} evaluations a call"
    return finding(apart <= SAME_PICTURE and rows == {1.0}, measured, expected)


def sweep_is_the_pipeline(result: Result) -> Finding:
    expected = f"no pixel differs by more than {SAME_PICTURE:g} (float32)"
    checked = result.metrics["pipeline"]
    if not checked:
        return not_applicable("the comparison with the pipeline was switched off", expected)
    if not result.metrics["bundled"]:
        return not_applicable("rounding is known for the bundled model only", expected)
    apart = max(each["difference_from_sweep"] for each in checked)
    scales = ", ".join(f"{each['scale']:g}" for each in checked)
    return finding(apart <= SAME_PICTURE, f"{apart:.1e} at scales {scales}", expected)


def adherence_rises(result: Result) -> Finding:
    expected = "at 5 at least 0.05 more pictures have all four attributes right than at 1"
    low = value_at(result.metrics, adherence(result.metrics), 1)
    high = value_at(result.metrics, adherence(result.metrics), 5)
    if low is None or high is None:
        return not_applicable("it needs scales 1 and 5 and a judge", expected)
    return finding(high - low >= 0.05, f"{low:.2f} at 1, {high:.2f} at 5", expected)


def adherence_peaks_between(result: Result) -> Finding:
    expected = "the smallest scale is 0.05 or more below the best, the largest 0.10 or more"
    metrics = result.metrics
    values = adherence(metrics)
    if values is None:
        return not_applicable("there is no judge for this model", expected)
    places = effective(metrics["scales"])
    scales = [metrics["scales"][index] for index in places]
    if len(scales) < 3 or scales[0] > 1 or scales[-1] < 15:
        return not_applicable("it needs a scale up to 1, one from 15 up and one between", expected)
    if metrics["steps"] > FEW_STEPS:
        return not_applicable(_MANY_STEPS, expected)
    shown = [values[index] for index in places]
    best = max(shown)
    holds = shown[0] <= best - 0.05 and shown[-1] <= best - 0.10
    return finding(holds, _row(scales, shown), expected)


def falls_at_20(result: Result) -> Finding:
    expected = "at 20 at least 0.20 fewer pictures are right than at the best scale"
    values = adherence(result.metrics)
    last = value_at(result.metrics, values, 20)
    if values is None or last is None or len(effective(result.metrics["scales"])) < 2:
        return not_applicable("it needs scale 20, another one and a judge", expected)
    if result.metrics["steps"] > FEW_STEPS:
        return not_applicable(_MANY_STEPS, expected)
    measured = f"{max(values):.2f} at the best, {last:.2f} at 20"
    return finding(max(values) - last >= 0.20, measured, expected)


def spread_grows(result: Result) -> Finding:
    expected = (
        "from scale to scale neither falls (beyond 0.001), and from the smallest to the largest "
        "the share out of range at least doubles and the std ratio gains at least 0.05"
    )
    metrics = result.metrics
    places = effective(metrics["scales"])
    scales = [metrics["scales"][index] for index in places]
    if len(scales) < 2 or scales[0] > 1 or scales[-1] < 15:
        return not_applicable("it needs a scale up to 1 and one from 15 up", expected)
    share = [metrics["out_of_range"][index] for index in places]
    ratio = [metrics["std_ratio"][index] for index in places]
    steady = all(b >= a - 0.001 for values in (share, ratio) for a, b in pairwise(values))
    holds = steady and share[-1] >= 2 * share[0] and ratio[-1] - ratio[0] >= 0.05
    measured = f"out of range {_row(scales, share, '{:.3f}')}; std ratio {_row(scales, ratio)}"
    return finding(holds, measured, expected)


def variety_narrows(result: Result) -> Finding:
    expected = (
        f"at the largest scale the effective number of colours is under {NARROWED:g} of that at "
        "the smallest, and that of backgrounds is lower too"
    )
    metrics = result.metrics
    places = effective(metrics["scales"])
    reason = _too_little_for_variety(metrics)
    if reason:
        return not_applicable(reason, expected)
    left = kept(metrics)
    measured = "; ".join(
        f"{name} {metrics['effective'][name][places[0]]:.1f} to "
        f"{metrics['effective'][name][places[-1]]:.1f}"
        for name in ("positions", "colours", "backgrounds")
    )
    # Places are left out: where a large scale breaks pictures, shapes turn up everywhere.
    holds = left["colours"] < NARROWED and left["backgrounds"] < 1
    return finding(holds, measured, expected)


def _too_little_for_variety(metrics: Any) -> str:
    """Why a run says nothing of variety between small and large scales; empty when it does."""
    scales = metrics["scales"]
    if metrics["effective"] is None:
        return "there is no judge for this model"
    if scales[0] > 1 or scales[-1] < 15:
        return "it needs a scale up to 1 and one from 15 up"
    if metrics["pictures"] < ENOUGH_SEEDS:
        return f"it needs at least {ENOUGH_SEEDS} seeds"
    return ""


def same_calls(result: Result) -> Finding:
    expected = "calls of the denoiser are equal at all scales above 1, twice the evaluations of 1"
    counted = [each for each in result.metrics["pipeline"] if each["scale"] > 1]
    if len({each["scale"] for each in counted}) < 2:
        return not_applicable("it needs two scales above 1, counted in the pipeline", expected)
    calls = {each["calls"] for each in counted}
    doubled = all(each["evaluations"] == 2 * each["calls"] for each in counted)
    measured = "; ".join(
        f"{each['calls']} calls, {each['evaluations']:g} evaluations at {each['scale']:g}"
        for each in counted
    )
    return finding(len(calls) == 1 and doubled, measured, expected)


CLAIMS = (
    Claim(
        "off-at-or-under-1",
        "At or under scale 1 the pipeline guides not at all: 0 and 1 give the same pictures, "
        "and neither is unconditional.",
        off_at_or_under_1,
    ),
    Claim(
        "adherence-rises",
        "Guidance makes more pictures show what the prompt asks for: 5 beats 1.",
        adherence_rises,
    ),
    Claim(
        "adherence-peaks-between",
        "With few steps the best scale lies between the ends: too little guidance and too much "
        "both cost adherence.",
        adherence_peaks_between,
    ),
    Claim(
        "falls-at-20",
        "At scale 20 and few steps adherence is well below its best.",
        falls_at_20,
    ),
    Claim(
        "spread-grows",
        "The spread of the guided prediction over that of the conditional one, and the share of "
        "decoded values out of range, grow with the scale.",
        spread_grows,
    ),
    Claim(
        "variety-narrows",
        "Over seeds of an open prompt, large scales leave fewer different pictures: fewer colours "
        "and backgrounds.",
        variety_narrows,
    ),
    Claim(
        "same-calls",
        "Above 1 the number of denoiser calls does not depend on the scale; each evaluates the "
        "picture twice.",
        same_calls,
    ),
    Claim(
        "batch-equals-pipeline",
        "One batch with a scale for each picture gives the pictures of the pipeline, called once "
        "a scale.",
        sweep_is_the_pipeline,
    ),
)


def _plain(scale: float) -> float | int:
    """5 instead of 5.0, as a person writes it."""
    return int(scale) if scale == int(scale) else scale


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by; null for what was not measured."""
    scales, values = metrics["scales"], adherence(metrics)
    checked = metrics["pipeline"]
    off = [e["evaluations"] for e in checked if e["scale"] <= 1]
    on = [e["evaluations"] for e in checked if e["scale"] > 1]
    places = effective(scales)
    share = [metrics["out_of_range"][index] for index in places]
    shown = [] if values is None else [values[index] for index in places]
    best = [_plain(scales[k]) for k, each in zip(places, shown, strict=False) if each == max(shown)]
    return {
        # Of several that are equally good each is right.
        "best_scale": None if not best else best[0] if len(best) == 1 else best,
        "grows": [name for name in GROWTHS if grows_throughout(metrics, series_of(metrics, name))],
        "narrows": [name for name, left in kept(metrics).items() if left < NARROWED],
        "off_scales": [_plain(e["scale"]) for e in checked if e["evaluations"] == e["calls"]],
        "evaluations_ratio": on[0] / off[0] if on and off else None,
        "out_of_range_ratio": share[-1] / share[0] if share[0] > 0 else None,
    }
