"""Tiles that are decoded with what the layers of unlimited reach saw on the whole map."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


class WholeMap:
    """Records a full decode; then decodes tiles with its statistics.

    GroupNorm takes mean and variance from the recorded map, and the attention of the mid block adds
    what it added there, cut to the tile. What is left of the difference between tiled and full
    decoding is what convolutions miss at the borders of a tile, and the blending.
    """

    def __init__(self, vae: Any) -> None:
        from diffusers.models.attention_processor import Attention

        self.vae = vae
        modules = dict(vae.decoder.named_modules())
        self._attentions = {n: m for n, m in modules.items() if isinstance(m, Attention)}
        self._norms = {
            name: module
            for name, module in modules.items()
            if isinstance(module, torch.nn.GroupNorm)
            and not any(name.startswith(f"{outer}.") for outer in self._attentions)
        }
        self._statistics: dict[str, tuple[Tensor, Tensor]] = {}
        self._added: dict[str, Tensor] = {}

    def full(self, latents: Tensor) -> Tensor:
        """The full decode (N, 3, H, W) of raw latents, recorded."""
        handles = [
            *(
                m.register_forward_pre_hook(self._keep_statistics(n))
                for n, m in self._norms.items()
            ),
            *(m.register_forward_hook(self._keep_added(n)) for n, m in self._attentions.items()),
        ]
        try:
            with torch.inference_mode():
                found: Tensor = self.vae.decode(latents).sample
            return found
        finally:
            for handle in handles:
                handle.remove()

    def tiled(self, latents: Tensor) -> Tensor:
        """The tiled decode (N, 3, H, W), each tile with the layers of the whole map."""
        with torch.inference_mode(), self._replayed(latents):
            found: Tensor = self.vae.tiled_decode(latents).sample
        return found

    def _keep_statistics(self, name: str) -> Any:
        def keep(module: Any, args: tuple[Tensor, ...]) -> None:
            grouped = args[0].reshape(len(args[0]), module.num_groups, -1)
            self._statistics[name] = (grouped.mean(dim=2), grouped.var(dim=2, unbiased=False))

        return keep

    def _keep_added(self, name: str) -> Any:
        def keep(module: Any, args: tuple[Tensor, ...], made: Tensor) -> None:
            self._added[name] = made - args[0]

        return keep

    @contextmanager
    def _replayed(self, latents: Tensor) -> Iterator[None]:
        tile = self.vae.tile_latent_min_size
        stride = int(tile * (1 - self.vae.tile_overlap_factor))
        starts = [
            (top, left)
            for top in range(0, latents.shape[2], stride)
            for left in range(0, latents.shape[3], stride)
        ]
        place = {"next": 0}

        def count(module: Any, args: Any) -> None:
            place["next"] += 1

        def normed(name: str, module: Any) -> Any:
            def forward(x: Tensor) -> Tensor:
                mean, variance = self._statistics[name]
                repeat = x.shape[1] // module.num_groups
                shape = (len(x), -1, 1, 1)
                mean = mean.repeat_interleave(repeat, dim=1).view(shape)
                variance = variance.repeat_interleave(repeat, dim=1).view(shape)
                scaled = (x - mean) * torch.rsqrt(variance + module.eps)
                return scaled * module.weight.view(1, -1, 1, 1) + module.bias.view(1, -1, 1, 1)

            return forward

        def attended(name: str) -> Any:
            def forward(x: Tensor, *rest: Any, **more: Any) -> Tensor:
                top, left = starts[place["next"] - 1]
                height, width = x.shape[2:]
                return x + self._added[name][:, :, top : top + height, left : left + width]

            return forward

        handle = self.vae.decoder.register_forward_pre_hook(count)
        for name, module in self._norms.items():
            module.forward = normed(name, module)
        for name, module in self._attentions.items():
            module.forward = attended(name)
        try:
            yield
        finally:
            handle.remove()
            for module in (*self._norms.values(), *self._attentions.values()):
                del module.forward


def step_at_seams(pixels: Tensor, seams: list[int]) -> float:
    """Mean step in value between two columns or rows that meet at a seam, over that elsewhere.

    `pixels` is (N, 3, S, S); 1 means that nothing is to be seen of the seams.
    """
    across = (pixels[..., 1:] - pixels[..., :-1]).abs().mean(dim=(0, 1, 2))
    down = (pixels[..., 1:, :] - pixels[..., :-1, :]).abs().mean(dim=(0, 1, 3))
    steps = (across + down) / 2
    at = torch.zeros(len(steps), dtype=torch.bool)
    at[[seam - 1 for seam in seams]] = True
    return float(steps[at].mean() / steps[~at].mean())
