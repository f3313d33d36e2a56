"""Proofs of the backbone questions that interviews keep: FLOPs and parameters on the meta device,
embeddings against the library's."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from diffusers import DiTTransformer2DModel, PixArtTransformer2DModel, UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.embeddings import FluxPosEmbed, PatchEmbed, get_timestep_embedding
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

Namespace = dict[str, Any]


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def shares(counter: Any) -> dict[str, float]:
    """FLOPs by operation over all, the operation under its short name."""
    by_operation = counter.get_flop_counts()["Global"]
    total = sum(by_operation.values())
    return {str(name).split(".")[-1]: count / total for name, count in by_operation.items()}


# Where the work is


@torch.no_grad()
def sd15_shares(side: int) -> tuple[dict[str, float], float]:
    """Shares of one evaluation of Stable Diffusion 1.5's UNet, and of cross-attention's layers."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
        with FlopCounterMode(display=False, depth=None) as counter:
            unet(torch.zeros(1, 4, side // 8, side // 8), 500, torch.zeros(1, 77, 768))
    counts = counter.get_flop_counts()
    cross = sum(sum(v.values()) for name, v in counts.items() if name.endswith("attn2"))
    return shares(counter), cross / counter.get_total_flops()


def most_of_the_flops() -> str:
    """What makes more than half of the FLOPs at 512; the figures of the explanation at 1024."""
    found, cross = sd15_shares(512)
    large, _ = sd15_shares(1024)
    assert abs(large["bmm"] - 0.42) < 0.01 and abs(large["convolution"] - 0.38) < 0.01
    return only(
        {
            "convolutions": found["convolution"] > 0.5,
            "products": found["bmm"] > 0.5,
            "linear": found["addmm"] + found["mm"] > 0.5,
            "text": cross > 0.5,
        }
    )


# The timestep's embedding


def library_embedding(t: Tensor) -> Tensor:
    """As Stable Diffusion's UNet embeds timesteps, [B, 320]."""
    unet_config = {"flip_sin_to_cos": True, "downscale_freq_shift": 0}
    made: Tensor = get_timestep_embedding(t, 320, **unet_config)
    return made


def as_get_timestep_embedding(ns: Namespace) -> None:
    """Equal to the library's at every timestep."""
    t = torch.arange(1000)
    gap = (ns["timestep_embedding"](t) - library_embedding(t)).abs().amax(dim=1)
    worst = int(gap.argmax())
    assert gap.max() < 1e-3, f"off by up to {gap.max():.3f}, at t = {worst}"


def how_far_off(mutant: Namespace) -> str:
    """The distance to the right embedding at several timesteps."""
    t = torch.tensor([0, 3, 30, 300, 999])
    right, wrong = library_embedding(t), mutant["timestep_embedding"](t)
    off = (wrong - right).norm(dim=1)
    cos, sin = right.chunk(2, dim=1)
    changed = ((wrong - right).abs() > 1e-3).any(dim=0).sum()
    return only(
        {
            "grows": bool(off[0] == 0 and (off.diff() > 0).all()),
            "constant": bool(off[0] > 0 and off.std() < 0.05 * off.mean()),
            "swapped": torch.allclose(wrong, torch.cat([sin, cos], dim=1), atol=1e-3),
            "last": bool(0 < changed <= 2),
        }
    )


# What the explanations state


@torch.no_grad()
def twice_the_side() -> None:
    """Which sizes are taken, the table's end, and how noise and picture average."""
    unet = UNet2DConditionModel(
        sample_size=16, block_out_channels=(8, 16), norm_num_groups=4, layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=8,
        attention_head_dim=2,
    )  # fmt: skip
    for side in (16, 32):
        assert unet(torch.zeros(1, 4, side, side), 1, torch.zeros(1, 3, 8)).sample.shape[-1] == side
    table = PatchEmbed(128, 128, 2, 16, embed_dim=8, pos_embed_max_size=192)
    assert table(torch.zeros(1, 16, 256, 256)).shape[1] == 128 * 128
    assert 192 * 2 * 8 == 3072
    try:
        table(torch.zeros(1, 16, 386, 256))
    except ValueError as error:
        assert "pos_embed_max_size" in str(error)
    else:
        raise AssertionError("the table takes more than 192 patches")
    rotary = FluxPosEmbed(10000, (4, 6, 6))
    ids = torch.tensor([[0.0, 500.0, 500.0]])
    assert all(each.isfinite().all() for each in rotary(ids))
    noise = torch.randn(1, 1, 256, 256, generator=torch.Generator().manual_seed(0))
    averaged = torch.nn.functional.avg_pool2d(noise, 2)
    assert abs(averaged.std() / noise.std() - 0.5) < 0.02


@cache
def dit() -> Any:
    """DiT-XL/2 for 256 x 256, without weights."""
    with torch.device("meta"):
        return DiTTransformer2DModel(
            num_attention_heads=16, attention_head_dim=72, in_channels=4, out_channels=8,
            num_layers=28, sample_size=32, patch_size=2, norm_type="ada_norm_zero",
            num_embeds_ada_norm=1000, activation_fn="gelu-approximate", attention_bias=True,
        )  # fmt: skip


@torch.no_grad()
def a_third_in_the_modulation() -> None:
    """Parameters and FLOPs of the modulation, what it depends on, and PixArt's shared one."""
    count = {name: each.numel() for name, each in dit().named_parameters()}
    made = sum(n for name, n in count.items() if "norm1.linear" in name)
    embedders = sum(n for name, n in count.items() if "norm1.emb" in name)
    paper = sum(count.values()) - embedders * 27 // 28  # diffusers keeps one embedder a block
    assert abs(made / paper - 1 / 3) < 0.01, f"{made / paper:.3f} of the parameters"
    assert abs(made * 2 / 1e9 - 0.45) < 0.01
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        step = torch.zeros(1, dtype=torch.long)
        dit()(torch.zeros(1, 4, 32, 32), timestep=step, class_labels=step)
    assert abs(2 * made / counter.get_total_flops() - 0.002) < 0.0003
    with torch.device("meta"):
        pixart = PixArtTransformer2DModel(num_layers=28)
    shared = {name: each.numel() for name, each in pixart.named_parameters()}
    rest = sum(n for name, n in shared.items() if "adaln_single" in name or "shift_table" in name)
    assert rest < made / 15, f"{rest} against {made}"
    torch.manual_seed(0)
    block = BasicTransformerBlock(
        16, 2, 8, norm_type="ada_norm_zero", num_embeds_ada_norm=1000, attention_bias=True
    )
    t, label = torch.tensor([500]), torch.tensor([3])
    seen = [
        block.norm1(x, t, label, hidden_dtype=torch.float32)[1:]
        for x in (torch.randn(1, 5, 16), torch.randn(1, 9, 16))
    ]
    for first, second in zip(*seen, strict=True):
        assert torch.equal(first, second) and first.shape == (1, 16)


# Kernel or tokens


@cache
def work(tokens: int) -> tuple[float, float]:
    """TFLOP of 32 blocks of width 2048 over so many tokens: linear layers, products."""
    with torch.device("meta"), torch.no_grad():
        block = BasicTransformerBlock(2048, 16, 128, activation_fn="gelu")
        with FlopCounterMode(display=False) as counter:
            block(torch.zeros(1, tokens, 2048))
    counted = counter.get_flop_counts()["Global"]
    products = sum(n for name, n in counted.items() if "bmm" in str(name) or "attent" in str(name))
    everything = sum(counted.values())
    return 32 * (everything - products) / 1e12, 32 * products / 1e12


def tokens_of(side: int) -> int:
    """Patches of 2 x 2 latents of a square picture."""
    layer = PatchEmbed(side // 8, side // 8, 2, 4, embed_dim=2, pos_embed_type=None)
    found: int = layer(torch.zeros(1, 4, side // 8, side // 8)).shape[1]
    return found


def evaluation_at_1024() -> float:
    """TFLOP of an evaluation at 1024 x 1024."""
    return sum(work(tokens_of(1024)))


def growth_to_2048() -> float:
    """An evaluation at 2048 x 2048 over one at 1024 x 1024."""
    return sum(work(tokens_of(2048))) / sum(work(tokens_of(1024)))


def seconds_with_the_kernel() -> float:
    """Seconds of 28 guided steps at 200 TFLOP/s if the products take half their time."""
    linear, products = work(tokens_of(2048))
    assert abs(28 * 2 * sum(work(tokens_of(1024))) / 200 - 4.9) < 0.05
    return 28 * 2 * (linear + products / 2) / 200
