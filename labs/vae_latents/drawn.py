"""Drawings as tensors, and the measures of what an autoencoder leaves of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from drill.lab import Context

DRAWINGS = "labs/models/drawings.py"


@dataclass(frozen=True)
class Drawn:
    """N drawings."""

    pixels: Tensor
    """(N, 3, H, W) in [0, 1]."""
    attributes: list[dict[str, str]]


def balanced(context: Context, count: int, side: int = 64) -> Drawn:
    """`count` drawings, all sizes and shapes in turn, colours at random; `side` pixels square."""
    import torch

    code = context.module(DRAWINGS)
    rng = np.random.default_rng(context.seed)
    kinds = [(size, shape) for size in code.SIZES for shape in code.SHAPES]
    colours = code.COLOURS
    pixels, attributes = [], []
    for k in range(count):
        size, shape = kinds[k % len(kinds)]
        colour, ground = rng.choice(len(colours), 2, replace=False)
        asked = {
            "shape": shape,
            "colour": colours[colour],
            "size": size,
            "background": colours[ground],
        }
        drawn = code.draw(
            asked["shape"], asked["colour"], asked["size"], asked["background"], rng
        )  # fmt: skip
        pixels.append(enlarged(drawn, side))
        attributes.append(asked)
    stacked = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255
    return Drawn(stacked, attributes)


def enlarged(picture: Any, side: int) -> Any:
    """A uint8 picture (H, W, 3) at another size."""
    if picture.shape[0] == side:
        return picture
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS))


def own_side(context: Context, pipe: Any) -> int:
    """Side in pixels of the pictures that the pipeline makes."""
    return 64 if context.bundled else int(pipe.unet.config.sample_size * pipe.vae_scale_factor)


def moments(vae: Any, pixels: Tensor, batch: int = 8) -> Any:
    """The encoder's posterior for pixels (N, 3, H, W) in [0, 1]; float32, on the CPU."""
    import torch
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    pieces = []
    with torch.inference_mode():
        for start in range(0, len(pixels), batch):
            part = pixels[start : start + batch].to(vae.device, vae.dtype) * 2 - 1
            pieces.append(vae.encode(part).latent_dist.parameters.float().cpu())
    return DiagonalGaussianDistribution(torch.cat(pieces))


def decoded(vae: Any, latents: Tensor, batch: int = 8) -> Tensor:
    """What the decoder makes of raw latents (N, c, h, w): (N, 3, H, W), before any clipping."""
    import torch

    with torch.inference_mode():
        return torch.cat(
            [
                vae.decode(part.to(vae.device, vae.dtype)).sample.float().cpu()
                for part in latents.split(batch)
            ]
        )


def to_pixels(values: Tensor) -> Tensor:
    """Decoded values, where pictures span [-1, 1], to pixels in [0, 1], clipped."""
    return (values / 2 + 0.5).clamp(0, 1)


def psnr(pixels: Tensor, other: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of pixels in [0, 1], from the mean squared error of all."""
    error = float((pixels - other).square().mean())
    return math.inf if error == 0 else -10 * math.log10(error)


def near_edges(pixels: Tensor, reach: int = 2) -> Tensor:
    """Mask (N, H, W) of the pixels within `reach` of a step in colour of pixels (N, 3, H, W)."""
    import torch

    high = torch.nn.functional.max_pool2d(pixels, 2 * reach + 1, 1, reach)
    low = -torch.nn.functional.max_pool2d(-pixels, 2 * reach + 1, 1, reach)
    return (high - low).amax(dim=1) > 0.1
