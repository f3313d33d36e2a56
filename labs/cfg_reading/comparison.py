"""The pipeline itself at some scales of a sweep: what it counts, and how far its pictures are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from drill.lab import Context
from drill.lab.sampling import DenoiserSpy

PICTURES = 8
"""Pictures in one call. Smaller batches take other matrix kernels, whose rounding differs, and a
scale of 20 can amplify that: called with one picture and with eight, the pipeline was seen to
differ from itself by up to .02, and not at all from the sweep with eight."""


def compare(
    context: Context,
    pipe: Any,
    scales: list[float],
    prompts: Sequence[str],
    noise: Tensor,
    swept: Tensor,
) -> list[dict[str, Any]]:
    """Call the pipeline at all scales up to 1, and at the smallest and largest above.

    `noise` is (N, c, h, w), one for each prompt, and `swept` (S, N or more, 3, H, W) the sweep's
    pixels. For each scale: calls, and evaluations of a picture, as counted; the largest difference
    of a pixel in [0, 1] from the sweep's and (up to 1) from those of the largest scale up to 1.
    """
    off = [scale for scale in scales if scale <= 1]
    on = [scale for scale in scales if scale > 1]
    chosen = [*off, *dict.fromkeys([*on[:1], *on[-1:]])]
    count = PICTURES if context.bundled else 1
    picked = [k % len(prompts) for k in range(count)]
    found, images = [], {}
    for done, scale in enumerate(chosen):
        context.progress(done, len(chosen), "comparing with the pipeline itself")
        with DenoiserSpy(pipe.unet) as spy:
            made = pipe(
                [prompts[k] for k in picked],
                num_inference_steps=context.params["steps"],
                guidance_scale=scale,
                latents=noise[picked].to(pipe.unet.device, pipe.unet.dtype),
                output_type="pt",
            )
        images[scale] = made.images.float().cpu()
        apart = (images[scale] - swept[scales.index(scale), picked]).abs().max()
        found.append(
            {
                "scale": scale,
                "calls": spy.calls,
                "evaluations": spy.evaluations / count,
                "difference_from_sweep": float(apart),
            }
        )
    for entry in found:
        if entry["scale"] <= 1:
            apart = (images[entry["scale"]] - images[off[-1]]).abs().max()
            entry["difference_from_last_off"] = float(apart)
    return found
