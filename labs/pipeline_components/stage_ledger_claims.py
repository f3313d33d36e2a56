"""What must come out when a call of a pipeline is taken apart, checked on the numbers of a run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

ONCE = ("text encoder", "VAE decode", "post-process")
SAME_PICTURE = 1e-3
"""Largest difference of a pixel in [0, 1] between a watched and a plain call."""


def _stages(result: Result, kind: str) -> Any:
    return result.metrics["calls"][kind]["stages"]


def _counts(stages: Any) -> dict[str, int]:
    return {name: each["calls"] for name, each in stages.items()}


def calls_by_steps(result: Result) -> Finding:
    metrics = result.metrics
    halves = 2 if metrics["guidance_scale"] > 1 else 1
    expected = (
        f"denoiser: as many as timesteps; scheduler: 1 and 2 for each; text encoder {halves}, VAE "
        "decode and post-process 1, at both numbers of steps"
    )
    holds, told = True, []
    for kind in ("few", "many"):
        counts, visited = _counts(_stages(result, kind)), metrics["timesteps"][kind]
        holds &= counts["denoiser"] == visited and counts["scheduler"] == 2 * visited + 1
        holds &= counts["text encoder"] == halves
        holds &= counts["VAE decode"] == counts["post-process"] == 1
        told.append(", ".join(f"{name} {count}" for name, count in counts.items()))
    holds &= (
        _counts(_stages(result, "few"))["tokenizer"]
        == (_counts(_stages(result, "many"))["tokenizer"])
    )
    return finding(holds, "; ".join(told), expected)


def batch_adds_rows(result: Result) -> Finding:
    small, large = result.metrics["batches"]
    halves = 2 if result.metrics["guidance_scale"] > 1 else 1
    expected = (
        f"the same counts for {small} and {large} pictures, and {halves} rows a picture in each "
        "call of the denoiser"
    )
    one, more = _stages(result, "few"), _stages(result, "batch")
    rows = one["denoiser"]["rows"], more["denoiser"]["rows"]
    measured = f"counts {'equal' if _counts(one) == _counts(more) else 'differ'}; rows {rows}"
    holds = _counts(one) == _counts(more) and rows == ([halves * small], [halves * large])
    return finding(holds, measured, expected)


def time_follows_steps(result: Result) -> Finding:
    few, many = result.metrics["timesteps"]["few"], result.metrics["timesteps"]["many"]
    grown = many / few
    expected = (
        f"the denoiser's time grows {0.5 * grown:.1f} to {1.6 * grown:.1f} times, that of text "
        f"encoder, decoder and post-processing together less than {0.6 * grown:.1f} times"
    )
    ratios = result.metrics["ratios"]["steps"]
    measured = f"denoiser {ratios['denoiser']:.2f}, once a call {ratios['once a call']:.2f}"
    if grown < 3:
        return not_applicable("the two numbers of steps are too near to each other", expected)
    holds = 0.5 * grown <= ratios["denoiser"] <= 1.6 * grown and ratios["once a call"] < 0.6 * grown
    return finding(holds, measured, expected)


def denoiser_takes_most(result: Result) -> Finding:
    expected = "more than half of the call at the larger number of steps, of 10 or more"
    if result.metrics["timesteps"]["many"] < 10:
        return not_applicable("it needs ten steps", expected)
    share = _stages(result, "many")["denoiser"]["share"]
    return finding(share > 0.5, f"{share:.0%}", expected)


def steps_are_alike(result: Result) -> Finding:
    expected = "the same bytes from every step, and times of both halves of a run within a factor 2"
    handed = _stages(result, "many")["denoiser"]["bytes"]
    halves = result.metrics["halves"]
    measured = f"bytes {handed}; second half over first {halves:.2f}"
    return finding(len(handed) == 1 and 0.5 <= halves <= 2.0, measured, expected)


def batch_costs_less(result: Result) -> Finding:
    small, large = result.metrics["batches"]
    grown = large / small
    expected = f"the denoiser takes less than {grown:g} times as long for {grown:g} times as many"
    if not result.metrics["bundled"] or grown < 2:
        return not_applicable("it needs the bundled model and twice as many pictures", expected)
    ratio = result.metrics["ratios"]["batch"]["denoiser"]
    return finding(ratio < grown, f"{ratio:.2f} times", expected)


def some_hold_nothing(result: Result) -> Finding:
    expected = "tokenizer and scheduler have no parameter; text encoder, denoiser and VAE have"
    held = {name: each["parameters"] for name, each in result.metrics["components"].items()}
    holds = held["tokenizer"] == held["scheduler"] == 0
    holds = holds and all(held[name] > 0 for name in ("text_encoder", "unet", "vae"))
    measured = ", ".join(f"{name} {count:,}" for name, count in held.items())
    return finding(holds, measured, expected)


def vae_half_idle(result: Result) -> Finding:
    expected = "all of the denoiser's and text encoder's bytes (99 % or more), part of the VAE's"
    share = {
        name: result.metrics["used_bytes"][name] / result.metrics["components"][name]["bytes"]
        for name in ("text_encoder", "unet", "vae")
    }
    measured = ", ".join(f"{name} {each:.0%}" for name, each in share.items())
    holds = min(share["text_encoder"], share["unet"]) >= 0.99 and 0.1 < share["vae"] < 0.9
    return finding(holds, measured, expected)


def books_close(result: Result) -> Finding:
    expected = "stages sum to at most the call, and leave at most 35 % of it to everything else"
    kinds = result.metrics["calls"]
    rest = {name: each["rest_share"] for name, each in kinds.items()}
    holds = all(each["least_rest"] >= 0 for each in kinds.values()) and max(rest.values()) <= 0.35
    measured = "rest " + ", ".join(f"{name} {each:.1%}" for name, each in rest.items())
    return finding(holds, measured, expected)


def same_picture(result: Result) -> Finding:
    expected = f"no pixel differs by more than {SAME_PICTURE:g} from that of a plain call"
    if not result.metrics["bundled"]:
        return not_applicable("rounding is known for the bundled model only", expected)
    apart = result.metrics["apart"]
    return finding(apart <= SAME_PICTURE, f"{apart:.1e}", expected)


CLAIMS = (
    Claim(
        "calls-by-steps",
        "Steps multiply the calls of the denoiser and the scheduler alone; texts are encoded, and "
        "latents decoded, once a call.",
        calls_by_steps,
    ),
    Claim(
        "batch-adds-rows",
        "More pictures in a request add rows to the calls, and no call.",
        batch_adds_rows,
    ),
    Claim(
        "time-follows-steps",
        "The denoiser's time grows with the steps, that of the other networks does not.",
        time_follows_steps,
    ),
    Claim(
        "denoiser-takes-most",
        "With ten steps or more most of the call is the denoiser's.",
        denoiser_takes_most,
    ),
    Claim(
        "steps-are-alike",
        "Every step hands on the same bytes and takes about the same time: nothing grows along "
        "the loop.",
        steps_are_alike,
    ),
    Claim(
        "batch-costs-less",
        "A batch takes less time than its pictures one by one.",
        batch_costs_less,
    ),
    Claim(
        "some-hold-nothing",
        "Tokenizer and scheduler are components without a single parameter.",
        some_hold_nothing,
    ),
    Claim(
        "vae-half-idle",
        "A text-to-image call uses all weights of text encoder and denoiser, and of the VAE only "
        "the decoder.",
        vae_half_idle,
    ),
    Claim(
        "books-close",
        "Components account for most of the call; guidance, noise and Python are the rest.",
        books_close,
    ),
    Claim(
        "same-picture",
        "Watching changes nothing: the picture is that of a plain call.",
        same_picture,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by."""
    few, many = (metrics["calls"][kind]["stages"] for kind in ("few", "many"))
    held = metrics["components"]
    return {
        "grow_with_steps": [
            name for name in many if many[name]["calls"] > few[name]["calls"]
        ],
        "denoiser_calls": many["denoiser"]["calls"],
        "denoiser_rows": max(many["denoiser"]["rows"]),
        "text_encoder_calls": many["text encoder"]["calls"],
        "tokenizer_calls": many["tokenizer"]["calls"],
        "no_weights": [name for name, each in held.items() if each["parameters"] == 0],
        "most_time": max(many, key=lambda name: many[name]["share"]),
        "most_bytes": max(held, key=lambda name: held[name]["bytes"]),
        "vae_share_used": metrics["used_bytes"]["vae"] / held["vae"]["bytes"],
        "decode_in_steps": many["VAE decode"]["seconds"] / many["denoiser"]["per_call"],
    }  # fmt: skip
