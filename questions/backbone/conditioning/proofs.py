"""Proofs of the questions of lab conditioning about backbones, on a small UNet with random
weights."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

Namespace = dict[str, Any]
RAISES = {"as_the_library_runs": (RuntimeError,)}


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def small_unet() -> Any:
    """Two levels with cross-attention, as the bundled model has them."""
    torch.manual_seed(0)
    unet: Any = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D",) * 2,
        up_block_types=("CrossAttnUpBlock2D",) * 2, cross_attention_dim=12, attention_head_dim=2,
    )  # fmt: skip
    return unet.eval()


def inputs() -> tuple[Tensor, Tensor]:
    """Latents (2, 4, 8, 8) and text states (2, 6, 12)."""
    rng = torch.Generator().manual_seed(1)
    return torch.randn(2, 4, 8, 8, generator=rng), torch.randn(2, 6, 12, generator=rng)


@torch.no_grad()
def as_the_library_runs(ns: Namespace) -> None:
    """The rewritten pass gives what the model's own gives."""
    unet, (x, text) = small_unet(), inputs()
    for t in (3, 700):
        gap = (ns["unet_forward"](unet, x, t, text) - unet(x, t, text).sample).abs().max().item()
        assert gap < 1e-5, f"at t={t} the output is not that of the library\ngap {gap:.3f}"


@torch.no_grad()
def first_call(mutant: Namespace) -> str:
    """How far the pass comes, and what it stops at."""
    unet, (x, text) = small_unet(), inputs()
    entered: list[int] = []
    for index, block in enumerate(unet.up_blocks):
        block.register_forward_pre_hook(lambda *_, k=index: entered.append(k))
    try:
        mutant["unet_forward"](unet, x, 3, text)
    except RuntimeError as error:
        stopped = str(error)
    else:
        stopped = ""
    sizes = "8" in stopped and "4" in stopped
    return only(
        {
            "raises": bool(stopped) and entered == [0] and sizes,
            "added": not stopped,
            "last-raises": bool(stopped) and entered == [0, 1],
        }
    )
