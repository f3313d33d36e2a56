"""What must come out of a LoRA at several scales and ranks, checked on the numbers of every run."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

SAME_PREDICTION = 1e-4
"""Largest relative difference (norms) of two float32 predictions that are one computation."""
SAME_PICTURE = 0.02
"""Largest difference of a pixel in [0, 1] after a whole run: sampling amplifies rounding."""
SAME_WEIGHT = 1e-4
"""Weights this near, in shares of the largest change that fusing makes, are the same."""
MOST = 0.8
"""A rank suffices with this share of the pictures that the full rank makes hollow."""


def at(rows: list[dict[str, Any]], name: str, value: float) -> dict[str, Any] | None:
    return next((each for each in rows if each[name] == value), None)


def zero_is_the_base(result: Result) -> Finding:
    expected = "no value of the prediction differs from the base model's"
    apart = result.metrics["zero_difference"]
    return finding(apart == 0, f"{apart:g}", expected)


def style_comes_with_the_scale(result: Result) -> Finding:
    expected = "no picture is hollow at 0, 0.6 or more at 1; fewer than half as many at 0.5"
    rows = result.metrics["scales"]
    off, half, full = (at(rows, "scale", value) for value in (0, 0.5, 1))
    if off is None or half is None or full is None or full["hollow"] is None:
        return not_applicable("it needs the bundled LoRA and the scales 0, 0.5 and 1", expected)
    measured = ", ".join(f"{each['hollow']:.2f} at {each['scale']:g}" for each in (off, half, full))
    holds = off["hollow"] == 0 and full["hollow"] >= 0.6 and half["hollow"] < full["hollow"] / 2
    return finding(holds, measured, expected)


def too_much_costs_adherence(result: Result) -> Finding:
    expected = "at 2 or more at least 0.2 fewer pictures are right than at 0"
    rows = result.metrics["scales"]
    last, off = max(rows, key=lambda each: float(each["scale"])), at(rows, "scale", 0)
    if off is None or off["right"] is None or last["scale"] < 2:
        return not_applicable("it needs the bundled LoRA, scale 0 and one from 2 up", expected)
    measured = f"{off['right']:.2f} at 0, {last['right']:.2f} at {last['scale']:g}"
    return finding(off["right"] - last["right"] >= 0.2, measured, expected)


def leaves_others_alone(result: Result) -> Finding:
    expected = "at scale 1 no more than 0.2 of the other shapes are hollow, 0.7 or more are right"
    full = at(result.metrics["scales"], "scale", 1)
    if full is None or full["others_right"] is None:
        return not_applicable("it needs the bundled LoRA and scale 1", expected)
    measured = f"{full['others_hollow']:.2f} hollow, {full['others_right']:.2f} right"
    return finding(full["others_hollow"] <= 0.2 and full["others_right"] >= 0.7, measured, expected)


def little_beside_the_base(result: Result) -> Finding:
    expected = "parameters of the LoRA are rank x (in + out) a layer and under 6 % of the base's"
    facts = result.metrics["facts"]
    if not result.metrics["bundled"]:
        return not_applicable("it speaks of the bundled LoRA", expected)
    measured = f"{facts['parameters']:,} of {facts['base_parameters']:,} ({facts['share']:.1%})"
    holds = facts["parameters"] == facts["parameters_by_formula"] and facts["share"] < 0.06
    return finding(holds, measured, expected)


def fused_is_beside(result: Result) -> Finding:
    expected = (
        f"the prediction differs by at most {SAME_PREDICTION:g} (norms), pictures by at most "
        f"{SAME_PICTURE:g} (float32)"
    )
    metrics = result.metrics
    if not (metrics["float32"] and metrics["bundled"]):
        return not_applicable("it needs float32 and the bundled model", expected)
    prediction, picture = metrics["fused_difference"], metrics["fused_picture_difference"]
    return finding(
        prediction <= SAME_PREDICTION and picture <= SAME_PICTURE,
        f"{prediction:.0e}, {picture:.0e}",
        expected,
    )


def fused_costs_nothing(result: Result) -> Finding:
    expected = "two more matrix products for each adapted layer beside the weights, none when fused"
    metrics = result.metrics
    counted = metrics["products"]
    extra = counted["beside"] - counted["fused"]
    measured = (
        f"{counted['beside']} products beside, {counted['fused']} fused, "
        f"{metrics['facts']['layers']} adapted layers"
    )
    return finding(extra == 2 * metrics["facts"]["layers"], measured, expected)


def beside_takes_time(result: Result) -> Finding:
    expected = "a call takes 1.05 times as long or longer beside than fused, mean of the batches"
    metrics = result.metrics
    if not metrics["bundled"]:
        return not_applicable("how much longer depends on model and device", expected)
    if metrics["pairs"] < 9:
        return not_applicable("it needs 9 timed rounds", expected)
    found = metrics["times"]
    over = sum(each["beside_over_fused"] for each in found) / len(found)
    measured = "; ".join(
        f"{each['beside_over_fused']:.2f} times with {each['rows']} rows, fused over the base "
        f"{each['fused_over_base']:.2f}"
        for each in found
    )
    return finding(over >= 1.05, measured, expected)


def fusing_twice_is_once(result: Result) -> Finding:
    expected = "the second call changes no weight and warns"
    found = result.metrics["misuse"]
    measured = f"changed {found['second_fuse']:g}; warned: {found['second_fuse_warns']}"
    return finding(found["second_fuse"] == 0 and found["second_fuse_warns"], measured, expected)


def half_precision_keeps_a_trace(result: Result) -> Finding:
    expected = (
        "after unfusing, float32 weights are off by less than 1e-6, bfloat16 ones by 1,000 times "
        "as much or more, and float16 ones between"
    )
    kinds = [result.metrics["drift"][name]["once"] for name in ("float32", "float16", "bfloat16")]
    measured = ", ".join(f"{value:.1e}" for value in kinds) + " in float32, float16, bfloat16"
    single, half, brain = kinds
    return finding(single < 1e-6 and brain >= 1000 * single and single < half < brain,
                   measured, expected)  # fmt: skip


def trace_does_not_grow(result: Result) -> Finding:
    expected = "after all rounds weights are off by no more than twice what one round left"
    drift = result.metrics["drift"]
    worst = max(each["after_all"] / each["once"] for each in drift.values() if each["once"])
    return finding(worst <= 2, f"{worst:.2f} times at most", expected)


def set_while_fused_corrupts(result: Result) -> Finding:
    expected = (
        "set to 0 while fused nothing changes; unfusing then leaves the whole update in the base"
    )
    found = result.metrics["misuse"]
    measured = (
        f"changed {found['set_while_fused']:g}; left {found['left_by_unfuse']:.2f} of the update, "
        f"off from it by {found['left_is_the_delta']:.0e}"
    )
    holds = (
        found["set_while_fused"] == 0
        and abs(found["left_by_unfuse"] - 1) <= SAME_WEIGHT
        and found["left_is_the_delta"] <= SAME_WEIGHT
    )
    return finding(holds, measured, expected)


def shows_in_the_next_pictures(result: Result) -> Finding:
    expected = "the base, adapters unloaded, still makes as many hollow pictures as at weight 1"
    full = at(result.metrics["scales"], "scale", 1)
    left = result.metrics["after_mix_up"]["hollow"]
    if full is None or left is None:
        return not_applicable("it needs the bundled LoRA and scale 1", expected)
    measured = f"{left:.2f}, {full['hollow']:.2f} with the LoRA at 1"
    return finding(abs(left - full["hollow"]) <= 0.1 and left > 0, measured, expected)


def lora_scale_stays(result: Result) -> Finding:
    expected = "fuse_lora(lora_scale=0.5) and unfuse, twice, leave scalings of 0.5 and 0.25"
    found = result.metrics["misuse"]
    scalings = found["scaling_after_lora_scale"]
    measured = (
        f"{scalings[0]:g} and {scalings[1]:g}; weights restored to "
        f"{found['restored_after_lora_scale']:.0e}"
    )
    holds = scalings == [0.5, 0.25] and found["restored_after_lora_scale"] <= SAME_WEIGHT
    if not result.metrics["float32"]:
        holds = scalings == [0.5, 0.25]
    return finding(holds, measured, expected)


def unloading_keeps_fused_weights(result: Result) -> Finding:
    expected = "unloading a fused adapter leaves its whole update in the base"
    left = result.metrics["misuse"]["left_by_unload"]
    return finding(abs(left - 1) <= SAME_WEIGHT, f"{left:.2f} of the update", expected)


def energy_in_few_directions(result: Result) -> Finding:
    expected = "the energy kept rises with the rank to 1; rank 1 keeps more than its even share"
    metrics = result.metrics
    rows, full = metrics["ranks"], metrics["facts"]["rank"]
    if len(rows) < 2 or rows[-1]["rank"] < full:
        return not_applicable("it needs the full rank and a smaller one", expected)
    measured = ", ".join(f"{each['energy']:.2f} at {each['rank']}" for each in rows)
    rises = all(after["energy"] > before["energy"] for before, after in pairwise(rows))
    uneven = rows[0]["energy"] > 1.2 * rows[0]["rank"] / full
    return finding(rises and uneven and abs(rows[-1]["energy"] - 1) < 1e-4, measured, expected)


def half_the_rank_suffices(result: Result) -> Finding:
    expected = (
        f"the full rank makes 0.2 more pictures hollow than rank 1, and half of it makes {MOST:g} "
        "times as many or more"
    )
    metrics = result.metrics
    rows, full = metrics["ranks"], metrics["facts"]["rank"]
    one, half, whole = (at(rows, "rank", rank) for rank in (1, full // 2, full))
    if one is None or half is None or whole is None or whole["hollow"] is None:
        return not_applicable("it needs the bundled LoRA at rank 1, half and full rank", expected)
    measured = ", ".join(f"{each['hollow']:.2f} at {each['rank']}" for each in rows)
    holds = whole["hollow"] - one["hollow"] >= 0.2 and half["hollow"] >= MOST * whole["hollow"]
    return finding(holds, measured, expected)


CLAIMS = (
    Claim(
        "zero-is-the-base",
        "At weight 0 the model is the base, to the last bit.",
        zero_is_the_base,
    ),
    Claim(
        "style-comes-with-the-scale",
        "The style grows with the weight, and not in proportion: half of it shows little.",
        style_comes_with_the_scale,
    ),
    Claim(
        "too-much-costs-adherence",
        "Well beyond the weight of the training, pictures fall apart.",
        too_much_costs_adherence,
    ),
    Claim(
        "leaves-others-alone",
        "An update is no filter: shapes that it was not trained to change stay as they are.",
        leaves_others_alone,
    ),
    Claim(
        "little-beside-the-base",
        "The update is a few per cent of the base in parameters.",
        little_beside_the_base,
    ),
    Claim(
        "energy-in-few-directions",
        "Most of the trained update lies in a few directions of each layer.",
        energy_in_few_directions,
    ),
    Claim(
        "half-the-rank-suffices",
        "Cut to half its rank the update still makes the style; cut to rank 1 it loses a part.",
        half_the_rank_suffices,
    ),
    Claim(
        "fused-is-beside",
        "Fused into the weights it is the same model, up to rounding.",
        fused_is_beside,
    ),
    Claim(
        "fused-costs-nothing",
        "Beside the weights it costs two more products in every adapted layer; fused, none.",
        fused_costs_nothing,
    ),
    Claim(
        "beside-takes-time",
        "Those small products take time, far more than their share of the parameters.",
        beside_takes_time,
    ),
    Claim(
        "fusing-twice-is-once",
        "Fusing a fused adapter again does nothing but warn.",
        fusing_twice_is_once,
    ),
    Claim(
        "half-precision-keeps-a-trace",
        "Unfusing brings float32 weights back but for the last bit; in half precision it does not.",
        half_precision_keeps_a_trace,
    ),
    Claim(
        "trace-does-not-grow",
        "The trace comes with the first round; more rounds hardly add to it.",
        trace_does_not_grow,
    ),
    Claim(
        "set-while-fused-corrupts",
        "set_adapters between fuse and unfuse changes nothing at once and spoils the base later.",
        set_while_fused_corrupts,
    ),
    Claim(
        "shows-in-the-next-pictures",
        "What is left in the base shows in pictures of those who never asked for the LoRA.",
        shows_in_the_next_pictures,
    ),
    Claim(
        "lora-scale-stays",
        "fuse_lora(lora_scale=s) multiplies the adapter's scaling for good, at each call again.",
        lora_scale_stays,
    ),
    Claim(
        "unloading-keeps-fused-weights",
        "Unloading a fused adapter does not take it out of the weights.",
        unloading_keeps_fused_weights,
    ),
)


def outcomes(metrics: dict[str, Any]) -> dict[str, Any]:
    """What `predict` questions are judged by; null for what was not measured."""
    scales, ranks = metrics["scales"], metrics["ranks"]
    styled = scales[0]["both"] is not None
    best = max(each["both"] for each in scales) if styled else None
    half, full = at(scales, "scale", 0.5), at(scales, "scale", 1)
    enough = [
        each["rank"]
        for each in ranks
        if styled and ranks[-1]["hollow"] and each["hollow"] >= MOST * ranks[-1]["hollow"]
    ]
    misuse, drift = metrics["misuse"], metrics["drift"]
    exact = {
        "weight 0 against the base": metrics["zero_difference"] == 0,
        "fused twice against once": misuse["second_fuse"] == 0,
        "fused and unfused, float32": drift["float32"]["changed"] == 0,
        "fused and unfused, bfloat16": drift["bfloat16"]["changed"] == 0,
    }
    left = misuse["left_by_unfuse"]
    return {
        "best_scale": [each["scale"] for each in scales if each["both"] == best]
        if styled
        else None,
        "half_over_full": half["hollow"] / full["hollow"]
        if half and full and full["hollow"]
        else None,
        "least_rank": min(enough, default=None),
        "exact": [name for name, holds in exact.items() if holds],
        "left_by_mix_up": "the whole update"
        if abs(left - 1) <= SAME_WEIGHT
        else ("nothing" if left <= SAME_WEIGHT else "a part of it"),
        "products_ratio": metrics["products"]["beside"] / metrics["products"]["fused"],
        "parameter_share": metrics["facts"]["share"],
    }


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    facts, misuse, drift = metrics["facts"], metrics["misuse"], metrics["drift"]
    parts = [
        f"the LoRA of rank {facts['rank']} has {facts['share']:.1%} of the base's parameters in "
        f"{facts['layers']} layers and moves the prediction by {metrics['moved']:.0%}"
    ]
    if metrics["scales"][0]["hollow"] is not None:
        parts += [
            "hollow and right were "
            + ", ".join(
                f"{each['hollow']:.0%} and {each['right']:.0%} at {each['scale']:g}"
                for each in metrics["scales"]
            ),
            "cut to a lower rank, hollow were "
            + ", ".join(f"{each['hollow']:.0%} at {each['rank']}" for each in metrics["ranks"]),
        ]
    first = metrics["times"][0]
    parts += [
        f"fused it differed by {metrics['fused_difference']:.0e}, with "
        f"{metrics['products']['fused']} matrix products for {metrics['products']['beside']}; "
        f"a call took {first['beside_over_fused']:.2f} times as long beside as fused",
        f"unfusing left {drift['float32']['once']:.0e} in float32 and "
        f"{drift['bfloat16']['once']:.0e} in bfloat16",
        f"set to 0 between the two it left {misuse['left_by_unfuse']:.0%} of the update",
    ]
    text = "; ".join(parts) + "."
    return text[0].upper() + text[1:]
