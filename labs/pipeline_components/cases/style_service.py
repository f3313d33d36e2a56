"""An image service that offers a style, a LoRA, to requests that ask for it, as it should be.

Cases of `diagnose` break a line of this text; the mend is the line as it stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

STYLE = "style"


def generate(
    pipe: Any, prompts: Sequence[str], seeds: Sequence[int], style: float = 0.0, steps: int = 8
) -> torch.Tensor:
    """Pixels (N, 3, H, W) in [0, 1]; `style` is the strength of the style, 0 for none."""
    if style:
        pipe.enable_lora()
        pipe.set_adapters([STYLE], [style])
    else:
        pipe.disable_lora()
    made = pipe(
        list(prompts),
        num_inference_steps=steps,
        guidance_scale=5.0,
        generator=[torch.Generator().manual_seed(seed) for seed in seeds],
        output_type="pt",
    )
    pixels: torch.Tensor = made.images
    return pixels


def preset(pipe: Any, prompts: Sequence[str], seeds: Sequence[int], style: float) -> torch.Tensor:
    """The same for a style that many requests want: merged for their time, then taken out."""
    pipe.enable_lora()
    pipe.set_adapters([STYLE], [style])
    pipe.fuse_lora()
    pixels = generate(pipe, prompts, seeds, style)
    pipe.unfuse_lora()
    pipe.disable_lora()
    return pixels
