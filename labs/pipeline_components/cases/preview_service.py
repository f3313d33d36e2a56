"""An image service that keeps a preview of every step of a request, as it should be.

Cases of `diagnose` break a line of this text; the mend is the line as it stands here.
"""

from __future__ import annotations

from typing import Any

import torch

SIZE = 256


def generate(pipe: Any, prompt: str, seed: int, steps: int = 6) -> torch.Tensor:
    """Pixels (1, 3, H, W) in [0, 1]; previews go to whoever watches the request."""
    previews: list[torch.Tensor] = []

    def keep(pipe: Any, step: int, t: Any, values: dict[str, Any]) -> dict[str, Any]:
        rough = torch.nn.functional.interpolate(values["latents"][:, :3], size=(SIZE, SIZE))
        previews.append(rough)
        return values

    generator = torch.Generator().manual_seed(seed)
    made = pipe(
        prompt,
        num_inference_steps=steps,
        guidance_scale=5.0,
        generator=generator,
        callback_on_step_end=keep,
        output_type="pt",
    )
    pixels: torch.Tensor = made.images
    return pixels
