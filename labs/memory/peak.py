"""peak-memory-by-resolution: which part of a pipeline owns the peak, and how it grows."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from drill.lab import Context, Experiment, Param, Result, Transfers
from drill.lab.denoiser_inputs import (
    TOKENS,
    denoiser_inputs,
    denoiser_of,
    guided_rows,
    latents_of,
    vae_factor,
)
from drill.lab.loading import load_module

claims = load_module(Path(__file__).with_name("peak_claims.py"))
PARTS = claims.PARTS
SCORES_LIMIT = 4e9
"""Bytes of scores beyond which explicit attention is not tried."""


class PeakMemoryByResolution(Experiment):
    name = "peak-memory-by-resolution"
    params = (
        Param("sizes", "ints", (), "sides in pixels; none: from the model's own", 64, 4096, 0, 6),
        Param("pictures", "int", 1, "pictures at once", low=1, high=16),
        Param("explicit", "bool", True, "also with attention that stores its scores"),
    )
    claims = claims.CLAIMS
    outcomes = ("owner", "explicit_owner", "tiling_shrinks", "decode_growth", "explicit_growth")
    seconds = 240

    def warm(self, context: Context) -> None:
        from drill.lab.random_models import is_random

        if not is_random(context.model):
            context.pipeline()

    def run(self, context: Context) -> Result:
        from drill.lab.random_models import is_random, labelled, titled

        context.progress(0, 1, "loading the model")
        models = Models.of(context)
        sizes = sorted(set(context.params["sizes"])) or models.own_sizes
        peaks: dict[str, list[int | None]] = {part: [] for part in PARTS}
        counted: dict[str, list[int | None]] = {part: [] for part in PARTS}
        done, total = 0, len(sizes) * len(PARTS)
        with torch.inference_mode():
            for size in sizes:
                for part in PARTS:
                    context.progress(done, total, f"{part} at {size} pixels")
                    found = models.peak(context, part, size)
                    peaks[part].append(found[0])
                    counted[part].append(found[1])
                    if found[0] is not None:
                        context.metric(f"MB in {part}", found[0] / 1e6, size)
                    done += 1
            beside = models.peak(context, "denoise", sizes[-1], tiling=True)
        context.progress(done, done, "measuring")
        metrics: dict[str, Any] = {
            "sizes": sizes,
            "peaks": peaks,
            "counted": counted,
            "denoise_with_tiling": beside[0],
            "tile": models.tile,
            "weights": models.weights,
            "pictures": context.params["pictures"],
            "method": models.method,
            "random": is_random(context.model),
        }
        context.plot(
            titled(context, "peak"),
            {
                part: [(s, v / 1e6) for s, v in zip(sizes, values, strict=True) if v is not None]
                for part, values in peaks.items()
                if any(v is not None for v in values)
            },
            "side of the picture in pixels",
            "MB beyond the weights, at most",
        )
        result = Result(
            metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers(metrics)
        )
        return labelled(context, result)


class Models:
    """The parts of a pipeline, with or without numbers in their weights, and their weighing."""

    def __init__(
        self, components: dict[str, Any], device: str, dtype: Any, sizes: list[int]
    ) -> None:
        self.components, self.device, self.dtype = components, device, dtype
        self.denoiser = denoiser_of(components)
        self.vae = components["vae"]
        self.factor = vae_factor(self.vae)
        self.is_unet = type(self.denoiser).__name__ == "UNet2DConditionModel"
        self.own_sizes = sizes
        self.weights = {
            name: sum(p.numel() * p.element_size() for p in part.parameters())
            for name, part in components.items()
            if isinstance(part, torch.nn.Module)
        }
        self.tile = int(self.vae.tile_sample_min_size)
        self.method = {
            "cpu": "allocations of torch on the CPU, recorded by its profiler",
            "meta": "tensors counted on the meta device; nothing was run",
        }.get(device.partition(":")[0], "the allocator of the accelerator")

    @classmethod
    def of(cls, context: Context) -> Models:
        """Real weights, or for a random model on a CPU shapes only."""
        from drill.lab.random_models import architecture, empty_modules, is_random, pipeline_of

        if is_random(context.model) and context.device == "cpu":
            plan = architecture(context.model)
            dtype = getattr(torch, plan.dtype)
            components = {n: _on_meta(m, dtype) for n, m in empty_modules(context.model).items()}
            own = plan.size
            return cls(components, "meta", dtype, [own // 2, own, 2 * own])
        pipe = pipeline_of(context)
        components = dict(pipe.components)
        # Attention and tiling are switched below: on copies, as the pipeline is shared.
        for name in ("unet", "transformer", "vae"):
            if components.get(name) is not None:
                components[name] = copy.deepcopy(components[name])
        denoiser = denoiser_of(components)
        if is_random(context.model):
            own = architecture(context.model).size
        else:
            own = int(denoiser.config.sample_size * vae_factor(components["vae"]))
        large_on_cpu = context.device == "cpu" and own > 128
        sizes = [own // 2, own] if large_on_cpu else [own, 2 * own, 4 * own]
        sizes = [own // 2, own, 2 * own] if is_random(context.model) else sizes
        return cls(components, context.device, denoiser.dtype, sizes)

    def peak(
        self, context: Context, part: str, size: int, tiling: bool = False
    ) -> tuple[int | None, int | None]:
        """Peak bytes of a part beyond the weights, as allocated and as counted over tensors."""
        run = self._run(part, size, context.params["pictures"], context.params["explicit"])
        if run is None:
            return None, None
        from drill.lab.live_bytes import tensor_peak

        allocator = load_module(Path(__file__).with_name("allocator.py"))
        tiled = tiling or part == "decode, tiled"
        usual = self.denoiser.attn_processors if part == claims.EXPLICIT else None
        if tiled:
            self.vae.enable_tiling()
        if usual is not None:
            from diffusers.models.attention_processor import AttnProcessor

            self.denoiser.set_attn_processor(AttnProcessor())
        try:
            counted = tensor_peak(run, self.device)
            context.check()
            if self.device == "meta":
                return counted, counted
            return allocator.peak_bytes(run, self.device), counted
        finally:
            if tiled:
                self.vae.disable_tiling()
            if usual is not None:
                self.denoiser.set_attn_processor(dict(usual))

    def _run(self, part: str, size: int, pictures: int, explicit: bool) -> Callable[[], Any] | None:
        if part == "encode":
            return self._encode(pictures)
        if part in ("decode", "decode, tiled"):
            latents = latents_of(self.vae, size, pictures, self.device, self.dtype)
            return lambda: self.vae.decode(latents, return_dict=False)[0]
        rows = pictures * guided_rows(self.denoiser)
        if part == claims.EXPLICIT:
            tokens = (size // self.factor) ** 2
            width = self.dtype.itemsize
            heads = 8  # of the models that are asked about, at the level of most tokens
            real = self.device != "meta"
            if not (explicit and self.is_unet):
                return None
            if real and 3 * rows * heads * tokens**2 * width > SCORES_LIMIT:
                return None
        inputs = denoiser_inputs(
            self.denoiser,
            self.factor,
            size,
            rows,
            self.device,
            self.dtype,
            tokens=self._tokens(),
        )
        return lambda: self.denoiser(**inputs, return_dict=False)[0]

    def _tokens(self) -> int:
        tokenizer = self.components.get("tokenizer")
        return int(tokenizer.model_max_length) if tokenizer is not None else TOKENS

    def _encode(self, pictures: int) -> Callable[[], Any] | None:
        encoder = self.components.get("text_encoder")
        if encoder is None or self.device == "meta":
            return None
        ids = torch.zeros(pictures, self._tokens(), dtype=torch.long, device=self.device)
        return lambda: encoder(ids)[0]


def _on_meta(module: Any, dtype: Any) -> Any:
    """All tensors of a module as shapes in a dtype."""
    return torch.nn.Module._apply(
        module, lambda t: t.to("meta", dtype) if t.is_floating_point() else t.to("meta")
    )


def transfers(metrics: dict[str, Any]) -> Transfers:
    if metrics["method"].startswith("the allocator of"):
        return Transfers("yes", "It was measured on the accelerator itself, for these shapes.")
    return Transfers(
        "yes",
        "In who owns the peak and how it grows: both follow from the shapes of feature maps and "
        "scores. An accelerator's kernels take scratch memory of their own, and its allocator "
        "reserves more than it gives out, so leave room above these numbers.",
    )


EXPERIMENTS = (PeakMemoryByResolution(),)
