"""batch-knee: throughput and latency against batch size, and where more batch stops to pay."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from drill.lab import (
    Claim,
    Context,
    Experiment,
    Finding,
    Param,
    Result,
    Transfers,
    finding,
    not_applicable,
)
from drill.lab.denoiser_inputs import (
    TOKENS,
    denoiser_inputs,
    denoiser_of,
    guided_rows,
    latents_of,
    vae_factor,
)
from drill.lab.random_models import titled
from drill.lab.timing import interleaved

ENOUGH = 0.9
"""Share of the best throughput that a batch at the knee reaches."""


def images_a_second(metrics: Any) -> list[float]:
    """Throughput by batch size: pictures over the time of all steps and the decode."""
    return [b / t for b, t in zip(metrics["batches"], metrics["image_seconds"], strict=True)]


def knee(metrics: Any) -> int:
    """The smallest batch with at least 0.9 of the best throughput measured."""
    rates = images_a_second(metrics)
    best = max(rates)
    for batch, rate in zip(metrics["batches"], rates, strict=True):
        if rate >= ENOUGH * best:
            return int(batch)
    raise AssertionError("the best itself reaches it")


def gain(metrics: Any) -> float:
    """Best throughput over that of the smallest batch."""
    rates = images_a_second(metrics)
    return max(rates) / rates[0]


def latency_growth(metrics: Any) -> float:
    """Time of the largest batch over that of the smallest."""
    return float(metrics["image_seconds"][-1] / metrics["image_seconds"][0])


def last_doubling(metrics: Any) -> float | None:
    """Time of the largest batch over that of half of it; None where that was not measured."""
    batches, times = metrics["batches"], metrics["image_seconds"]
    half = batches[-1] / 2
    return times[-1] / times[batches.index(half)] if half in batches else None


def _spread(metrics: Any) -> float:
    return float(metrics["batches"][-1] / metrics["batches"][0])


def not_free(result: Result) -> Finding:
    metrics = result.metrics
    expected = "the largest batch takes at least a quarter as much longer as it is larger"
    if _spread(metrics) < 8:
        return not_applicable("it needs batches that differ by a factor of 8", expected)
    growth, spread = latency_growth(metrics), _spread(metrics)
    measured = f"{growth:.1f} times the time for {spread:g} times the pictures"
    return finding(growth >= spread / 4, measured, expected)


def small_batches_waste(result: Result) -> Finding:
    metrics = result.metrics
    expected = "the best throughput is at least 1.15 times that of the smallest batch"
    if metrics["large_on_cpu"]:
        return not_applicable("a large model fills a CPU with one picture", expected)
    if metrics["batches"][0] != 1 or _spread(metrics) < 4:
        return not_applicable("it needs a batch of 1 and one of 4 or more", expected)
    return finding(gain(metrics) >= 1.15, f"{gain(metrics):.2f} times", expected)


def linear_in_the_end(result: Result) -> Finding:
    expected = "1.5 to 2.6 times the time for the last doubling of the batch"
    doubling = last_doubling(result.metrics)
    if doubling is None or result.metrics["batches"][-1] < 16:
        return not_applicable("it needs a batch of 16 or more and half of it", expected)
    return finding(1.5 <= doubling <= 2.6, f"{doubling:.2f} times", expected)


def knee_before_the_end(result: Result) -> Finding:
    metrics = result.metrics
    expected = "half the largest batch reaches at least 0.75 of the best throughput"
    half = metrics["batches"][-1] / 2
    if _spread(metrics) < 8 or half not in metrics["batches"]:
        reason = "it needs batches that differ by a factor of 8, and half the largest"
        return not_applicable(reason, expected)
    rates = images_a_second(metrics)
    share = rates[metrics["batches"].index(half)] / max(rates)
    measured = f"{share:.2f}; the first with {ENOUGH:g} is {knee(metrics)}"
    return finding(share >= 0.75, measured, expected)


CLAIMS = (
    Claim(
        "small-batches-waste",
        "A batch of one leaves something unused: batching raises throughput at first.",
        small_batches_waste,
    ),
    Claim(
        "knee-before-the-end",
        "The gain ends at a knee: half of a large batch has nearly its throughput.",
        knee_before_the_end,
    ),
    Claim(
        "linear-in-the-end",
        "Beyond the knee twice the batch takes twice the time.",
        linear_in_the_end,
    ),
    Claim(
        "not-free",
        "Batching is not free: everybody in a large batch waits for all of it.",
        not_free,
    ),
)


class BatchKnee(Experiment):
    name = "batch-knee"
    params = (
        Param(
            "batches", "ints", (1, 2, 4, 8, 16, 32), "pictures in a batch",
            low=1, high=256, least=2, most=10,
        ),
        Param("steps", "int", 20, "steps of an image, for the sum of its time", 1, 200),
        Param("rounds", "int", 5, "rounds of interleaved timings", low=1, high=50),
        Param("size", "int", 0, "side of the picture in pixels; 0: the model's own", 0, 2048),
    )  # fmt: skip
    claims = CLAIMS
    outcomes = ("batching", "at_the_end", "knee", "gain", "latency_growth", "last_doubling")
    seconds = 180

    def warm(self, context: Context) -> None:
        from drill.lab.random_models import is_random

        if not is_random(context.model):
            context.pipeline()

    def run(self, context: Context) -> Result:
        import torch

        from drill.lab.random_models import architecture, is_random, labelled, pipeline_of

        given = context.params
        context.progress(0, 1, "loading the model")
        pipe = pipeline_of(context)
        denoiser, vae = denoiser_of(pipe.components), pipe.vae
        own = (
            architecture(context.model).size
            if is_random(context.model)
            else pipe.unet.config.sample_size * vae_factor(vae)
        )
        size = given["size"] or own
        steps: dict[str, Callable[[], Any]] = {}
        decodes: dict[str, Callable[[], Any]] = {}
        tokens = _tokens(pipe)
        fitting: list[int] = []
        with torch.inference_mode():
            for batch in sorted(set(given["batches"])):
                context.progress(len(fitting), len(given["batches"]), f"trying a batch of {batch}")
                rows = batch * guided_rows(denoiser)
                inputs = denoiser_inputs(
                    denoiser, vae_factor(vae), size, rows, context.device, denoiser.dtype,
                    tokens=tokens,
                )  # fmt: skip
                latents = latents_of(vae, size, batch, context.device, vae.dtype)
                step, decode = _step(denoiser, inputs), _decode(vae, latents)
                if not fits(step, decode):
                    context.log(f"a batch of {batch} does not fit into memory")
                    break
                steps[str(batch)], decodes[str(batch)] = step, decode
                fitting.append(batch)
            if len(fitting) < 2:
                raise MemoryError("fewer than two of these batches fit into memory")
            both = {f"step {b}": run for b, run in steps.items()}
            both.update({f"decode {b}": run for b, run in decodes.items()})
            times = interleaved(
                both,
                context.device,
                given["rounds"],
                warm_ups=0,  # trying whether a batch fits was one
                on_call=lambda done, total: context.progress(done, total, "timing batches"),
            )
        step_seconds = [median(times[f"step {b}"]) for b in fitting]
        decode_seconds = [median(times[f"decode {b}"]) for b in fitting]
        metrics: dict[str, Any] = {
            "batches": fitting,
            "step_seconds": step_seconds,
            "decode_seconds": decode_seconds,
            "image_seconds": [
                given["steps"] * s + d for s, d in zip(step_seconds, decode_seconds, strict=True)
            ],
            "steps": given["steps"],
            "size": size,
            "large_on_cpu": context.device == "cpu" and not context.bundled,
            "random": is_random(context.model),
        }
        show(context, metrics)
        return labelled(
            context, Result(metrics, outcomes(metrics), sentence(metrics), transfers(metrics))
        )


def _tokens(pipe: Any) -> int:
    tokenizer = pipe.components.get("tokenizer")
    return int(tokenizer.model_max_length) if tokenizer is not None else TOKENS


def _step(denoiser: Any, inputs: dict[str, Any]) -> Callable[[], Any]:
    return lambda: denoiser(**inputs, return_dict=False)[0]


def _decode(vae: Any, latents: Any) -> Callable[[], Any]:
    return lambda: vae.decode(latents, return_dict=False)[0]


def fits(*runs: Callable[[], Any]) -> bool:
    """Whether each of `runs` runs without running out of memory."""
    from drill.worker.failures import out_of_memory

    try:
        for run in runs:
            run()
    except (MemoryError, RuntimeError) as error:
        if out_of_memory(error):
            return False
        raise
    return True


def show(context: Context, metrics: dict[str, Any]) -> None:
    """Throughput and latency, both relative to the smallest batch."""
    rates, times = images_a_second(metrics), metrics["image_seconds"]
    batches = metrics["batches"]
    context.plot(
        titled(context, "knee"),
        {
            "throughput": [(b, r / rates[0]) for b, r in zip(batches, rates, strict=True)],
            "latency": [(b, t / times[0]) for b, t in zip(batches, times, strict=True)],
        },
        "pictures in a batch",
        f"times that of a batch of {batches[0]}",
    )
    for batch, rate in zip(batches, rates, strict=True):
        context.metric("throughput over the smallest batch", rate / rates[0], batch)


def outcomes(metrics: Any) -> dict[str, Any]:
    """For `predict` questions; ratios only."""
    doubling = last_doubling(metrics)
    if latency_growth(metrics) < 1.3:
        batching = "is free"
    else:
        batching = "pays at first" if gain(metrics) >= 1.15 else "gains nothing"
    return {
        "batching": batching,
        "at_the_end": None if doubling is None else "twice" if doubling >= 1.5 else "hardly longer",
        "knee": knee(metrics),
        "gain": round(gain(metrics), 2),
        "latency_growth": round(latency_growth(metrics), 2),
        "last_doubling": None if doubling is None else round(doubling, 2),
    }


def sentence(metrics: Any) -> str:
    """What was measured, relative to the smallest batch."""
    batches = metrics["batches"]
    share = metrics["decode_seconds"][0] / metrics["image_seconds"][0]
    return (
        f"At {metrics['size']} pixels a batch of {batches[-1]} took {latency_growth(metrics):.1f} "
        f"times as long as one of {batches[0]}, and the best throughput was {gain(metrics):.2f} "
        f"times that of {batches[0]}; a batch of {knee(metrics)} reaches nine tenths of it. "
        f"Of an image of {metrics['steps']} steps, alone, decoding is {share:.0%}."
    )


def transfers(metrics: Any) -> Transfers:
    if metrics["random"] and not metrics["large_on_cpu"]:
        return Transfers("yes", "Time follows from shapes; trained weights take as long.")
    return Transfers(
        "unknown",
        "The shape holds everywhere: a fixed price that batching shares, then a time in proportion "
        "to the batch. Where the knee lies depends on model, resolution and device: a large model "
        "may fill a GPU with one picture, this small one does not fill a CPU. Measure yours.",
    )


EXPERIMENTS = (BatchKnee(),)
