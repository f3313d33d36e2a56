"""offload-bytes: what each way of offloading copies, and what it keeps on the accelerator."""

from __future__ import annotations

import gc
from pathlib import Path
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
from drill.lab.loading import load_module

MODES = ("resident", "model", "sequential", "group-leaf", "group-block")
MB = 1e6
CLOSE = 0.02
"""Relative difference of two byte counts that is put down to latents and embeddings."""


def grown(metrics: Any, mode: str) -> float:
    """Bytes to the accelerator at the larger number of steps over those at the smaller."""
    few, many = metrics["modes"][mode]
    return many["to_card"] / few["to_card"]


def per_call(metrics: Any, mode: str) -> float:
    """Further bytes for each further denoiser call, over the denoiser's weights."""
    few, many = metrics["modes"][mode]
    more = many["to_card"] - few["to_card"]
    return more / (many["calls"] - few["calls"]) / metrics["weights"][metrics["denoiser"]]


def _measured(metrics: Any, modes: list[str], value: Any, form: str = "{:.2f}") -> str:
    return ", ".join(f"{mode} {form.format(value(metrics, mode))}" for mode in modes)


def _known(metrics: Any, *modes: str) -> list[str]:
    return [mode for mode in modes if mode in metrics["modes"]]


def model_per_image(result: Result) -> Finding:
    expected = (
        "as many bytes for the larger number of steps as for the smaller, within 2 %, and 1.0 to "
        "1.3 times all weights (a component that is called again after another comes in again)"
    )
    metrics = result.metrics
    if "model" not in metrics["modes"]:
        return not_applicable("the mode was left out", expected)
    many = metrics["modes"]["model"][1]
    share = many["to_card"] / sum(metrics["weights"].values())
    measured = f"{grown(metrics, 'model'):.3f} times the bytes; {share:.2f} times all weights"
    holds = abs(grown(metrics, "model") - 1) <= CLOSE and 1 <= share <= 1.3
    return finding(holds, measured, expected)


def per_forward_grows(result: Result) -> Finding:
    expected = "each further call of the denoiser copies 0.98 to 1.05 times the denoiser's weights"
    metrics = result.metrics
    modes = _known(metrics, "sequential", "group-leaf", "group-block")
    if not modes:
        return not_applicable("these modes were left out", expected)
    shares = [per_call(metrics, mode) for mode in modes]
    return finding(
        all(0.98 <= share <= 1.05 for share in shares),
        _measured(metrics, modes, per_call),
        expected,
    )


def returned(metrics: Any, mode: str) -> float:
    """Bytes back to the CPU over bytes to the accelerator, at the larger number of steps."""
    many = metrics["modes"][mode][1]
    return many["to_cpu"] / many["to_card"]


def who_copies_back(result: Result) -> Finding:
    expected = "sequential under 0.05; model and group offload without a stream 0.9 or more"
    metrics = result.metrics
    back = _known(metrics, "model", "group-leaf", "group-block")
    if "sequential" not in metrics["modes"] or not back:
        return not_applicable("these modes were left out", expected)
    holds = returned(metrics, "sequential") < 0.05
    holds = holds and all(returned(metrics, mode) >= 0.9 for mode in back)
    return finding(holds, _measured(metrics, ["sequential", *back], returned), expected)


def peak(metrics: Any, mode: str) -> float:
    """Peak bytes of live tensors on the accelerator, at the larger number of steps."""
    return float(metrics["modes"][mode][1]["peak"])


def peaks_ordered(result: Result) -> Finding:
    expected = "leaves <= blocks <= models <= everything, and everything at least 1.25 times models"
    metrics = result.metrics
    order = [
        _known(metrics, "sequential", "group-leaf"),
        _known(metrics, "group-block"),
        _known(metrics, "model"),
        _known(metrics, "resident"),
    ]
    if not all(order):
        return not_applicable("modes were left out", expected)
    peaks = [max(peak(metrics, mode) for mode in group) for group in order]
    holds = peaks == sorted(peaks) and peaks[3] >= 1.25 * peaks[2]
    modes = [mode for group in order for mode in group]
    measured = ", ".join(f"{mode} {peak(metrics, mode) / MB:.1f} MB" for mode in modes)
    return finding(holds, measured, expected)


def same_pictures(result: Result) -> Finding:
    expected = "no value of a picture in [0, 1] differs between modes by more than 1e-3"
    apart = result.metrics["apart"]
    if apart is None:
        return not_applicable("nothing was computed: the weights have no numbers here", expected)
    return finding(apart <= 1e-3, f"{apart:.1e} at most", expected)


CLAIMS = (
    Claim(
        "model-per-image",
        "Model offload copies for an image, not for a step: its bytes do not grow with the steps.",
        model_per_image,
    ),
    Claim(
        "per-forward-grows",
        "Sequential and group offload copy the denoiser's weights again for every call.",
        per_forward_grows,
    ),
    Claim(
        "who-copies-back",
        "Sequential offload drops what it copied; model offload, and group offload without a "
        "stream, copy it back as well.",
        who_copies_back,
    ),
    Claim(
        "peaks-ordered",
        "What stays on the accelerator shrinks from everything to models, to blocks, to leaves.",
        peaks_ordered,
    ),
    Claim(
        "same-pictures",
        "Where the weights wait does not change the picture.",
        same_pictures,
    ),
)


class OffloadBytes(Experiment):
    name = "offload-bytes"
    params = (
        Param("modes", "texts", MODES, "ways to offload", most=5),
        Param("steps", "ints", (1, 3), "two numbers of steps", low=1, high=50, least=2, most=2),
        Param("size", "int", 0, "side of the picture in pixels; 0: the model's own", 0, 2048),
    )
    claims = CLAIMS
    outcomes = ("grow_with_steps", "copy_back", "model_over_weights", "sequential_over_model")
    seconds = 120

    def run(self, context: Context) -> Result:
        offload = load_module(Path(__file__).with_name("offload_modes.py"))
        from drill.lab.models import ModelError
        from drill.lab.params import ParamError
        from drill.lab.random_models import is_random, labelled, titled

        unknown = [mode for mode in context.params["modes"] if mode not in MODES]
        if unknown:
            raise ParamError(f"modes: no mode {unknown[0]!r}; there are {'; '.join(MODES)}")
        if context.device != "cpu" and not context.device.startswith("cuda"):
            raise ModelError(f"bytes are counted on CUDA and on the CPU, not on {context.device}")
        modes = [mode for mode in MODES if mode in context.params["modes"]]
        steps = sorted(set(context.params["steps"]))
        if len(steps) < 2:
            raise ParamError("steps: two different numbers are needed")
        context.progress(0, len(modes) * 2, "loading the model")
        fresh = offload.pipelines(context)
        runs: dict[str, list[dict[str, Any]]] = {}
        pictures: list[Any] = []
        weights: dict[str, int] = {}
        done = 0
        for mode in modes:
            runs[mode] = []
            for count in steps:
                context.progress(done, len(modes) * 2, f"{mode}, {count} steps")
                entry, picture, weights = one_image(offload, context, fresh, mode, count)
                runs[mode].append(entry)
                if count == steps[-1]:
                    pictures.append(picture)
                done += 1
                if context.device != "cpu":
                    gc.collect()
        context.progress(done, done, "counting")
        denoiser = "unet" if "unet" in weights else "transformer"
        metrics = {
            "modes": runs,
            "steps": steps,
            "weights": weights,
            "denoiser": denoiser,
            "apart": apart(pictures),
            "simulated": context.device == "cpu",
            "random": is_random(context.model),
        }
        context.plot(
            titled(context, "copied"),
            {m: [(e["steps"], e["to_card"] / MB) for e in each] for m, each in runs.items()},
            "steps",
            "MB copied to the accelerator",
        )
        context.plot(
            titled(context, "peak"),
            {m: [(e["steps"], e["peak"] / MB) for e in each] for m, each in runs.items()},
            "steps",
            "MB on the accelerator at most",
        )
        return labelled(context, Result(metrics, outcomes(metrics), sentence(metrics), transfers()))


def one_image(
    offload: Any, context: Context, fresh: Any, mode: str, steps: int
) -> tuple[dict[str, Any], Any, dict[str, int]]:
    """One image in a mode: what was counted, the picture (None without numbers), the weights."""
    import torch

    size = context.params["size"]
    sized = {"height": size, "width": size} if size else {}
    with offload.metered(context.device) as meter, torch.no_grad():
        pipe = fresh()
        weights = offload.weights_of(pipe)
        before = meter.copied
        offload.switch_on(pipe, mode, meter.device)
        meter.reset_peak()
        with offload.counted_calls(pipe) as calls:
            picture = pipe(
                "a small red star on a blue background",
                num_inference_steps=steps,
                generator=torch.Generator().manual_seed(context.seed),
                output_type="pt",
                **sized,
            ).images
        after, highest = meter.copied, meter.peak
        raw = getattr(picture, "raw", picture)
        numbers = None if raw.is_meta else raw.float().cpu()
        entry = {
            "steps": steps,
            "calls": len(calls),
            "to_card": after[0] - before[0],
            "to_cpu": after[1] - before[1],
            "peak": highest,
        }
        context.metric(f"{mode} MB to the accelerator", entry["to_card"] / MB, steps)
        del pipe, picture
    return entry, numbers, weights


def apart(pictures: list[Any]) -> float | None:
    """Largest difference of a value between the first picture and the others."""
    if any(each is None for each in pictures) or len(pictures) < 2:
        return None
    return max(float((each - pictures[0]).abs().max()) for each in pictures[1:])


def outcomes(metrics: Any) -> dict[str, Any]:
    """For `predict` questions; null for what was left out."""
    modes = metrics["modes"]
    known = all(mode in modes for mode in ("model", "sequential"))
    several = metrics["modes"].keys()
    return {
        "grow_with_steps": [mode for mode in several if grown(metrics, mode) > 1 + CLOSE],
        "copy_back": [mode for mode in several if returned(metrics, mode) > 0.5],
        "model_over_weights": round(
            modes["model"][1]["to_card"] / sum(metrics["weights"].values()), 3
        )
        if "model" in modes
        else None,
        "sequential_over_model": round(
            modes["sequential"][1]["to_card"] / modes["model"][1]["to_card"], 3
        )
        if known
        else None,
    }


def sentence(metrics: Any) -> str:
    """What was counted."""
    few, many = metrics["steps"]
    total = sum(metrics["weights"].values()) / MB
    parts = [
        f"{mode} copied {metrics['modes'][mode][0]['to_card'] / MB:.1f} MB for {few} steps and "
        f"{metrics['modes'][mode][1]['to_card'] / MB:.1f} MB for {many}, with "
        f"{peak(metrics, mode) / MB:.1f} MB on the accelerator at most"
        for mode in metrics["modes"]
    ]
    where = "a simulated accelerator that keeps books" if metrics["simulated"] else "CUDA"
    return f"Of {total:.1f} MB of weights, counted on {where}: {'; '.join(parts)}."


def transfers() -> Transfers:
    return Transfers(
        "yes",
        "The hooks that ran are those of diffusers and accelerate, and they look at devices only, "
        "so the counts hold on any accelerator. Peaks leave out the scratch memory of its kernels "
        "where they were counted on the simulated one. Times are another matter: offload-latency.",
    )


EXPERIMENTS = (OffloadBytes(),)
