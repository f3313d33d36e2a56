"""What a guidance sweep measures on its pictures. Tensors in, plain numbers out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

SIZES = ("small", "large")


def fixed_prompts(attributes: Mapping[str, Sequence[str]], count: int) -> list[str]:
    """`count` captions with all four attributes, spread evenly over their values.

    The shape's colour always differs from the background's.
    """
    shapes, colours = attributes["shape"], attributes["colour"]
    prompts = []
    for k in range(count):
        colour = (3 * k + k // 8) % len(colours)
        background = (colour + 1 + (5 * k + k // 7) % (len(colours) - 1)) % len(colours)
        size = attributes["size"][(k + k // 6) % 2]
        words = f"{size} {colours[colour]} {shapes[k % len(shapes)]}"
        ground = attributes["background"][background]
        article = "an" if ground[0] in "aeiou" else "a"
        prompts.append(f"a {words} on {article} {ground} background")
    return prompts


def wanted(prompt: str, attributes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The attributes that a caption names, such as `{"shape": "star", "colour": "red"}`."""
    front, _, back = prompt.lower().partition(" on ")
    found = {}
    for name in ("shape", "colour", "size"):
        for word in front.replace(",", " ").split():
            if word in attributes[name]:
                found[name] = word
    for word in back.split():
        if word in attributes["background"]:
            found["background"] = word
    return found


def out_of_range(decoded: Tensor) -> float:
    """Share of decoded values (N, 3, H, W) outside [-1, 1], which clipping will cut off."""
    return float((decoded.abs() > 1).float().mean())


def saturation(pixels: Tensor) -> float:
    """Mean HSV saturation of pixels (N, 3, H, W) in [0, 1]; 0 where a pixel is black."""
    high, low = pixels.amax(dim=1), pixels.amin(dim=1)
    return float(((high - low) / high.clamp(min=1e-6)).mean())


def pixel_distance(pixels: Tensor) -> float | None:
    """Root mean square difference of two pictures (N, 3, H, W), mean over all pairs.

    It counts a shade as it counts another place, so it misleads as a measure of variety where
    guidance burns the pictures; `variety` says what differs.
    """
    if len(pixels) < 2:
        return None
    flat = pixels.flatten(1)
    return float(torch.pdist(flat).mean() / math.sqrt(flat.shape[1]))


def cells(centres: Tensor, side: int = 3) -> Tensor:
    """Cell (N,) of a `side` by `side` grid for centres (N, 2) in [0, 1]; none: `side` squared."""
    place = (centres.nan_to_num(0).clamp(0, 0.999) * side).long()
    cell = place[:, 1] * side + place[:, 0]
    return torch.where(centres.isnan().any(dim=1), side * side, cell)


def judged(judge_code: Any, judge: Any, pixels: Tensor, asked: list[dict[str, str]]) -> Any:
    """Share of right pictures by attribute (only of those asked for), and of all together."""
    right = judge.agrees(pixels, asked)
    shares: dict[str, float | None] = {}
    for name in judge.attributes:
        rows = [index for index, each in enumerate(asked) if name in each]
        shares[name] = float(right[name][rows].float().mean()) if rows else None
    shares["all"] = float(right["all"].float().mean())
    return shares


def variety(judge_code: Any, judge: Any, pixels: Tensor) -> dict[str, float]:
    """Effective numbers (exp of the entropy) of what the judge sees over pictures of one prompt."""
    seen = judge.predict(pixels)
    return {
        "colours": judge_code.effective_number(seen["colour"]),
        "backgrounds": judge_code.effective_number(seen["background"]),
        "positions": judge_code.effective_number(cells(judge_code.shape_centres(pixels))),
    }


def interval(share: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a share measured on `count` pictures."""
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = (
        z
        / (1 + z * z / count)
        * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    )
    return max(0.0, middle - half), min(1.0, middle + half)
