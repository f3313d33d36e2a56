"""An image service that calls a pipeline for each request, as it should be.

Cases of `diagnose` break a line of this text; the mend is the line as it stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from diffusers import DDIMScheduler


def load(pipe: Any) -> Any:
    """Take a pipeline into service."""
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    return pipe


def variations(pipe: Any, prompt: str, seed: int, count: int = 4) -> torch.Tensor:
    """Pixels (count, 3, H, W) of one prompt, a seed for each picture."""
    seeds = [seed + k for k in range(count)]
    return generate(pipe, [prompt] * count, seeds)


def generate(
    pipe: Any,
    prompts: Sequence[str],
    seeds: Sequence[int],
    negative_prompt: str | None = None,
    steps: int = 8,
) -> torch.Tensor:
    """Pixels (N, 3, H, W) in [0, 1], one picture for each prompt and its seed."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    made = pipe(
        list(prompts),
        negative_prompt=None if negative_prompt is None else [negative_prompt] * len(prompts),
        num_inference_steps=steps,
        guidance_scale=5.0,
        generator=generators,
        output_type="pt",
    )
    pixels: torch.Tensor = made.images
    return pixels
