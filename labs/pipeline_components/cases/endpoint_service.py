"""A service with two endpoints over one set of weights, as it should be.

Cases of `diagnose` break a line of this text; the mend is the line as it stands here.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import StableDiffusionImg2ImgPipeline


def load(pipe: Any) -> dict[str, Any]:
    """Endpoints by name."""
    edits = StableDiffusionImg2ImgPipeline.from_pipe(pipe, dtype=pipe.dtype)
    edits.set_progress_bar_config(disable=True)
    return {"generate": pipe, "edit": edits}


def generate(endpoints: dict[str, Any], prompt: str, seed: int, steps: int = 6) -> torch.Tensor:
    """Pixels (1, 3, H, W) in [0, 1]."""
    made = endpoints["generate"](
        prompt,
        num_inference_steps=steps,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(seed),
        output_type="pt",
    )
    pixels: torch.Tensor = made.images
    return pixels
