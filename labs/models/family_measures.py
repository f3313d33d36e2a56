"""Measures by rule on pixels: what stands out, how well it fits a map, whether it is hollow.

Self-contained (torch alone), so that an experiment can load this file by path.
"""

from __future__ import annotations

import torch
from torch.nn import functional

# A picture in which nothing differs from the background by more than this shows nothing.
FAINTEST = 0.15


def silhouettes(pixels: torch.Tensor) -> torch.Tensor:
    """What stands out from the background: {0, 1} of shape (N, 1, H, W), of pixels (N, 3, H, W) in
    [0, 1].

    The background is the median of the border. What differs from it by more than half of the
    picture's largest difference, in the channel that differs most, is the shape.
    """
    border = torch.cat(
        [pixels[:, :, 0], pixels[:, :, -1], pixels[:, :, :, 0], pixels[:, :, :, -1]], dim=2
    )
    background = border.median(dim=2).values[:, :, None, None]
    difference = (pixels - background).abs().amax(dim=1, keepdim=True)
    largest = difference.amax(dim=(2, 3), keepdim=True)
    found = (difference > largest / 2) & (largest > FAINTEST)
    return found.to(pixels.dtype)


def iou(pixels: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """Intersection over union (N,) of what the pictures show and what the maps ask for.

    ``maps`` is (N, C, H, W), the shape above one half; both empty counts as 1.
    """
    shown, wanted = silhouettes(pixels)[:, 0] > 0.5, maps[:, 0] > 0.5
    union = (shown | wanted).sum(dim=(1, 2))
    both = (shown & wanted).sum(dim=(1, 2))
    return torch.where(union > 0, both / union.clamp(min=1), torch.ones(()))


def filled(masks: torch.Tensor) -> torch.Tensor:
    """Masks (N, 1, H, W) of {0, 1} with their holes filled: what no path of 4-neighbours through
    zeros joins to the border is filled."""
    free = masks < 0.5
    outside = torch.zeros_like(free)
    outside[..., 0, :] = outside[..., -1, :] = outside[..., :, 0] = outside[..., :, -1] = True
    outside &= free
    kernel = torch.tensor([[0.0, 1, 0], [1, 1, 1], [0, 1, 0]]).to(masks)[None, None]
    while True:
        grown = (functional.conv2d(outside.to(masks.dtype), kernel, padding=1) > 0) & free
        if torch.equal(grown, outside):
            return (~outside).to(masks.dtype)
        outside = grown


def hollowness(pixels: torch.Tensor) -> torch.Tensor:
    """Share (N,) of a shape, holes filled, that is hole: 0 for a solid shape or for none."""
    shapes = silhouettes(pixels)
    whole = filled(shapes).sum(dim=(1, 2, 3))
    return (whole - shapes.sum(dim=(1, 2, 3))) / whole.clamp(min=1)


def brightness(pixels: torch.Tensor) -> torch.Tensor:
    """Mean (N,) of a picture's values; may be given values before clipping."""
    return pixels.mean(dim=(1, 2, 3))
