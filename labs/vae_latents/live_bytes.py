"""Bytes of live tensors while code runs, counted where tensors are made."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

STABLE_DIFFUSION = "sd15-random"
"""The architecture of `drill.lab.random_models` whose autoencoder is counted at its true size."""


class LiveBytes(TorchDispatchMode):
    """Follows every storage that an operator returns, from its making to its end.

    What was there before is not counted, nor is the workspace inside an operator, which a device's
    allocator would show. Use as a context manager, without gradients.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.peak = 0
        self._known: dict[int, Any] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(made):
            if isinstance(leaf, torch.Tensor):
                self._note(leaf.untyped_storage())
        return made

    def _note(self, storage: Any) -> None:
        key = storage._cdata
        if key in self._known:
            return
        size = storage.nbytes()
        self._known[key] = weakref.finalize(storage, self._ended, key, size)
        self.now += size
        self.peak = max(self.peak, self.now)

    def _ended(self, key: int, size: int) -> None:
        self.now -= size
        self._known.pop(key, None)


def peak_of_decode(vae: Any, latents: torch.Tensor) -> int:
    """Peak of live bytes while `vae` decodes; weights and latents are not counted."""
    with torch.no_grad(), LiveBytes() as live:
        made = vae.decode(latents).sample
    del made
    return live.peak


def stable_diffusion_peaks(sides: tuple[int, ...]) -> dict[str, dict[str, int]]:
    """Peak of live bytes of Stable Diffusion's decoder in float16 by side in pixels.

    The tensors are fake (shapes without data), so that it needs neither time nor memory; blending
    is left out, which works on strips. `{"full": {...}, "tiled": {...}}`, in bytes.
    """
    from diffusers import AutoencoderKL
    from torch._subclasses.fake_tensor import FakeTensorMode

    from drill.lab.random_models import ARCHITECTURES

    _, config = ARCHITECTURES[STABLE_DIFFUSION].modules["vae"]
    usual = torch.get_default_dtype()
    peaks: dict[str, dict[str, int]] = {"full": {}, "tiled": {}}
    with FakeTensorMode():
        torch.set_default_dtype(torch.float16)
        try:
            vae = AutoencoderKL(**config).eval()
        finally:
            torch.set_default_dtype(usual)
        vae.blend_v = vae.blend_h = lambda before, tile, extent: tile
        for side in sides:
            latents = torch.zeros(1, 4, side // 8, side // 8, dtype=torch.float16)
            for name, tiled in (("full", False), ("tiled", True)):
                vae.use_tiling = tiled
                peaks[name][str(side)] = peak_of_decode(vae, latents)
    return peaks
