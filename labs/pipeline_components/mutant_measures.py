"""What the arena measures on latents and pictures. Tensors in, plain numbers out."""

from __future__ import annotations

import torch
from torch import Tensor


def roughness(pixels: Tensor) -> float:
    """Mean absolute difference of neighbouring pixels (N, 3, H, W), down and across, summed."""
    across = (pixels[..., 1:] - pixels[..., :-1]).abs().mean()
    down = (pixels[..., 1:, :] - pixels[..., :-1, :]).abs().mean()
    return float(across + down)


def contrast(pixels: Tensor) -> float:
    """Standard deviation of all values of a picture, mean over pictures (N, 3, H, W)."""
    return float(pixels.flatten(1).std(dim=1).mean())


def agreement(pixels: Tensor, healthy: Tensor) -> float:
    """Pearson's correlation of all values with those of the healthy pictures: 1 for the same, about
    0 for unrelated ones, below 0 for pictures with opposite colours."""
    pair = torch.stack([pixels.flatten(), healthy.flatten()]).double()
    return float(torch.corrcoef(pair)[0, 1])


def distance(latents: Tensor, healthy: Tensor) -> float:
    """Length of the difference over that of the healthy latents (N, c, h, w)."""
    return float((latents - healthy).norm() / healthy.norm())


def out_of_range(decoded: Tensor) -> float:
    """Share of decoded values outside [-1, 1]."""
    return float((decoded.abs() > 1).float().mean())
