"""vae-tiling: tiled against full decoding, slicing beside it, and the memory that each takes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module
from drill.lab.models import ModelError

claims = load_module(Path(__file__).with_name("tiling_claims.py"))

SIDES = (512, 1024, 2048)
"""Sides at which Stable Diffusion's decoder is counted."""
OVERLAPS = (0.0, 0.25, 0.5)


class VaeTiling(Experiment):
    name = "vae-tiling"
    params = (
        Param(
            "side", "int", 0,
            "side of the pictures in pixels, a multiple of 8; 0: four tiles (your own model: two)",
            0, 2048,
        ),
        Param("pictures", "int", 3, "pictures that are decoded both ways", 1, 16),
        Param(
            "count_memory", "bool", True,
            "also count the memory of Stable Diffusion's decoder, on tensors without data",
        ),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "tiles", "exact", "seams_gone_at_half", "slicing_calls", "cause", "sd_peak_ratio_1024",
        "lower_peak_for_one",
    )  # fmt: skip
    seconds = 180

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        import torch

        code = load_module(Path(__file__).with_name("drawn.py"))
        whole_code = load_module(Path(__file__).with_name("whole_map.py"))
        peak_code = load_module(Path(__file__).with_name("decoder_peaks.py"))
        context.progress(0, 1, "loading the model")
        pipe = context.pipeline()
        vae = copy.deepcopy(pipe.vae)  # switches and hooks stay out of the shared pipeline
        tile = vae.tile_latent_min_size
        side = _side(context, vae)
        drawn = code.balanced(context, context.params["pictures"], side)
        latents = code.moments(vae, drawn.pixels, 1).mode().to(vae.device, vae.dtype)
        whole = whole_code.WholeMap(vae)
        context.progress(0, 1, "decoding in full")
        full = _pixels(code, whole.full(latents))

        by_overlap, shown = {}, [drawn.pixels, full]
        for done, overlap in enumerate(OVERLAPS):
            context.progress(done, len(OVERLAPS), f"decoding tiles, overlap {overlap:g}")
            vae.tile_overlap_factor = overlap
            with _Calls(vae) as calls, torch.inference_mode():
                vae.enable_tiling()
                made = _pixels(code, vae.decode(latents).sample)
                vae.disable_tiling()
            shown.append(made)
            kept = vae.tile_sample_min_size - int(vae.tile_sample_min_size * overlap)
            seams = list(range(kept, side, kept))
            by_overlap[f"{overlap:g}"] = {
                "tiles": len(calls.shapes),
                "by_formula": len(range(0, side // 8, int(tile * (1 - overlap)))) ** 2,
                **_apart(made, full),
                "step_at_seams": whole_code.step_at_seams(made, seams),
                "step_there_in_full": whole_code.step_at_seams(full, seams),
            }
        vae.tile_overlap_factor = OVERLAPS[-1]
        context.progress(0, 1, "tiles with the whole map's norms and attention")
        repaired = _pixels(code, whole.tiled(latents))
        shown.append(repaired)
        vae.tile_overlap_factor = OVERLAPS[1]
        metrics: dict[str, Any] = {
            "side": side,
            "latent_side": side // 8,
            "tile": tile,
            "pictures": len(latents),
            "bundled": context.bundled,
            "full_psnr_to_picture": code.psnr(full, drawn.pixels),
            "by_overlap": by_overlap,
            "whole_map": _apart(repaired, full),
            "small": _small(code, vae, latents, tile),
            "slicing": _slicing(code, peak_code, vae, latents),
            "peak_bytes": _peaks(peak_code, vae, latents[:1]),
            "stable_diffusion_peaks": None,
            "allocated": _allocated(context, vae, latents[:1]),
        }
        if context.params["count_memory"]:
            context.progress(0, 1, "counting the memory of Stable Diffusion's decoder")
            metrics["stable_diffusion_peaks"] = peak_code.stable_diffusion_peaks(SIDES)
        self._show(context, metrics, shown)
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), transfers(context))

    @staticmethod
    def _show(context: Context, metrics: dict[str, Any], shown: list[Any]) -> None:
        rows = [pictures.to_bytes(each[:4]) for each in shown]
        context.image(
            "tiling", pictures.png(pictures.grid(rows, cell=192)),
            "rows: the picture, decoded in full, in tiles with overlap "
            + ", ".join(f"{overlap:g}" for overlap in OVERLAPS)
            + ", and in tiles with the whole map's norms and attention",
        )  # fmt: skip
        peaks = metrics["stable_diffusion_peaks"]
        if peaks:
            series = {
                name: [(float(side), value / 1e9) for side, value in each.items()]
                for name, each in peaks.items()
            }
            context.plot("peak of Stable Diffusion's decoder", series, "side", "GB, float16")


def _side(context: Context, vae: Any) -> int:
    asked = int(context.params["side"])
    side = asked or (4 if context.bundled else 2) * vae.tile_sample_min_size
    if 2 ** (len(vae.config.block_out_channels) - 1) != 8:
        raise ModelError("vae-tiling is for autoencoders with f = 8; this one has another factor")
    if side % 8:
        raise ModelError(f"side={side} is no multiple of 8; give one, such as {side - side % 8}")
    if side <= vae.tile_sample_min_size:
        raise ModelError(
            f"side={side} fits into one tile of {vae.tile_sample_min_size} pixels, so that nothing "
            "would be tiled; give a larger one, or 0"
        )
    return side


class _Calls:
    """The shapes that enter the decoder meanwhile."""

    def __init__(self, vae: Any) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self._vae = vae

    def __enter__(self) -> _Calls:
        def note(module: Any, args: Any) -> None:
            self.shapes.append(tuple(args[0].shape))

        self._handle = self._vae.decoder.register_forward_pre_hook(note)
        return self

    def __exit__(self, *error: object) -> None:
        self._handle.remove()


def _pixels(code: Any, values: Any) -> Any:
    return code.to_pixels(values.float().cpu())


def _apart(made: Any, full: Any) -> dict[str, float]:
    error = (made - full).abs()
    return {"mean": float(error.mean()), "largest": float(error.max())}


def _small(code: Any, vae: Any, latents: Any, tile: int) -> dict[str, Any]:
    """Latents that are no larger than a tile: tiling does not begin."""
    import torch

    small = latents[:1, :, :tile, :tile]
    with torch.inference_mode():
        plain = _pixels(code, vae.decode(small).sample)
        vae.enable_tiling()
        with _Calls(vae) as calls:
            tiled = _pixels(code, vae.decode(small).sample)
        vae.disable_tiling()
    return {"tiles": len(calls.shapes), "largest": _apart(tiled, plain)["largest"]}


def _slicing(code: Any, peak_code: Any, vae: Any, latents: Any) -> dict[str, Any]:
    """The batch decoded at once and picture by picture; peaks for the batch and for one."""
    import torch

    found: dict[str, Any] = {"batch": len(latents)}
    with torch.inference_mode():
        together = _pixels(code, vae.decode(latents).sample)
        vae.enable_slicing()
        with _Calls(vae) as calls:
            sliced = _pixels(code, vae.decode(latents).sample)
        vae.disable_slicing()
    found |= {"calls": len(calls.shapes), "largest": _apart(sliced, together)["largest"]}
    for name, part in (("batch", latents), ("one", latents[:1])):
        plain = peak_code.peak_of_decode(vae, part)
        vae.enable_slicing()
        found[f"peak_ratio_{name}"] = peak_code.peak_of_decode(vae, part) / plain
        vae.disable_slicing()
    return found


def _peaks(peak_code: Any, vae: Any, latents: Any) -> dict[str, int]:
    """Peak of live bytes of this autoencoder's decode of one picture, full and tiled."""
    found = {"full": peak_code.peak_of_decode(vae, latents)}
    vae.enable_tiling()
    found["tiled"] = peak_code.peak_of_decode(vae, latents)
    vae.disable_tiling()
    return found


def _allocated(context: Context, vae: Any, latents: Any) -> dict[str, Any] | None:
    """What CUDA's allocator held at most above what was there, and reserved; None elsewhere."""
    import torch

    if not context.device.startswith("cuda"):
        return None
    found: dict[str, Any] = {}
    for name, tiled in (("full", False), ("tiled", True)):
        vae.use_tiling = tiled
        for _ in range(2):  # the first call also loads kernels
            torch.cuda.empty_cache()
            torch.cuda.synchronize()
            before = torch.cuda.memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            with torch.inference_mode():
                vae.decode(latents)
            torch.cuda.synchronize()
            found[name] = {
                "allocated": torch.cuda.max_memory_allocated() - before,
                "reserved": torch.cuda.max_memory_reserved(),
            }
    vae.use_tiling = False
    return found


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    usual = metrics["by_overlap"]["0.25"]
    text = (
        f"{usual['tiles']} tiles (overlap .25) differ from the full decode by "
        f"{usual['mean']:.3f} of the range on average and up to {usual['largest']:.2f}, and tiles "
        f"with the whole map's norms and attention by {metrics['whole_map']['mean']:.3f}; slicing "
        f"differs by {metrics['slicing']['largest']:.0e}"
    )
    peaks = metrics["stable_diffusion_peaks"]
    if peaks:
        text += (
            f". Stable Diffusion's decoder at 1024 pixels, counted without data, holds "
            f"{peaks['full']['1024'] / 1e9:.2f} GB in full and {peaks['tiled']['1024'] / 1e9:.2f} "
            "in tiles"
        )
    return text + "."


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if context.model:
        return Transfers("yes", "It was measured on this very autoencoder, on enlarged drawings.")
    return Transfers(
        "unknown",
        "The counts, the peaks, the exactness of slicing and the cause hold for every "
        "AutoencoderKL. How far tiles are off is each one's own: this small one was trained on "
        "whole pictures of 8x8 latents and reads their colours off the whole map, so that its "
        "tiles fall apart. Run yours with --model.",
    )


EXPERIMENTS = (VaeTiling(),)
