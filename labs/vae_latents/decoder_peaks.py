"""What decoding holds at most: with the autoencoder at hand, and with Stable Diffusion's."""

from __future__ import annotations

from typing import Any

import torch

from drill.lab.live_bytes import tensor_peak

STABLE_DIFFUSION = "sd15-random"
"""The architecture of `drill.lab.random_models` whose autoencoder is counted at its true size."""


def peak_of_decode(vae: Any, latents: torch.Tensor) -> int:
    """Peak of live bytes while `vae` decodes; weights and latents are not counted."""
    with torch.no_grad():
        return tensor_peak(lambda: vae.decode(latents).sample, latents.device)


def stable_diffusion_peaks(sides: tuple[int, ...]) -> dict[str, dict[str, int]]:
    """Peak of live bytes of Stable Diffusion's decoder in float16 by side in pixels.

    Counted on the meta device (shapes without data), so that it needs neither time nor memory;
    blending is left out, which works on strips. `{"full": {...}, "tiled": {...}}`, in bytes.
    """
    from drill.lab.random_models import empty_modules

    vae = empty_modules(STABLE_DIFFUSION)["vae"].half().eval()
    vae.blend_v = vae.blend_h = lambda before, tile, extent: tile
    peaks: dict[str, dict[str, int]] = {"full": {}, "tiled": {}}
    for side in sides:
        latents = torch.zeros(1, 4, side // 8, side // 8, dtype=torch.float16, device="meta")
        for name, tiled in (("full", False), ("tiled", True)):
            vae.use_tiling = tiled
            peaks[name][str(side)] = peak_of_decode(vae, latents)
    return peaks
