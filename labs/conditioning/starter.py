"""How conditions enter a denoiser: each route in a few lines, compared with the library's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from diffusers.models.attention_processor import Attention, JointAttnProcessor2_0
from diffusers.models.normalization import AdaLayerNormZero
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

SHAPES = Path(__file__).resolve().parents[1] / "models" / "shapes"


# @cross-attention
def heads(x: Tensor, count: int) -> Tensor:
    """[B, N, inner] as [B, heads, N, inner / heads]."""
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


def cross_attention(x: Tensor, text: Tensor, attn: Any) -> Tensor:
    """What each place of x [B, N, C] reads from text [B, L, D]; [B, N, C]."""
    q = heads(attn.to_q(x), attn.heads)  # [B, h, N, d]
    k, v = (heads(to(text), attn.heads) for to in (attn.to_k, attn.to_v))  # [B, h, L, d]
    read = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v  # the softmax runs over L tokens
    return attn.to_out[0](read.transpose(1, 2).flatten(2))


# @joint-attention
def joint_attention(x: Tensor, text: Tensor, attn: Any) -> tuple[Tensor, Tensor]:
    """One attention over x [B, N, C] and text [B, L, C], each with weights; both come back."""
    q = torch.cat([attn.to_q(x), attn.add_q_proj(text)], dim=1)  # [B, N + L, C], as in SD3
    k = torch.cat([attn.to_k(x), attn.add_k_proj(text)], dim=1)
    v = torch.cat([attn.to_v(x), attn.add_v_proj(text)], dim=1)
    q, k, v = (heads(y, attn.heads) for y in (q, k, v))
    both = scaled_dot_product_attention(q, k, v)
    both = both.transpose(1, 2).flatten(2)
    from_x, from_text = both.tensor_split([x.shape[1]], dim=1)
    return attn.to_out[0](from_x), attn.to_add_out(from_text)


# @adaln-zero
def adaln_zero(x: Tensor, c: Tensor, norm: Any) -> tuple[Tensor, Tensor]:
    """x [B, N, C] modulated by the vector c [B, C] (timestep, class); and the gate [B, C]."""
    shift, scale, gate = norm.linear(norm.silu(c)).chunk(6, dim=1)[:3]
    return norm.norm(x) * (1 + scale[:, None]) + shift[:, None], gate


# @unet-forward
def unet_forward(unet: Any, x: Tensor, t: int, text: Tensor) -> Tensor:
    """The forward pass of UNet2DConditionModel for x [B, 4, H, W] and text [B, L, D]."""
    temb = unet.time_embedding(unet.time_proj(torch.full((len(x),), t)))  # [B, 4 * C]
    x = unet.conv_in(x)
    skips = [x]
    for block in unet.down_blocks:
        x, made = block(x, temb, text)
        skips += made
    x = unet.mid_block(x, temb, text)
    for block in unet.up_blocks:
        n = len(block.resnets)  # one skip for each, the last made first
        taken, skips = skips[-n:], skips[:-n]
        x = block(x, tuple(taken), temb, text)
    return unet.conv_out(unet.conv_act(unet.conv_norm_out(x)))


# @runs
def compare() -> None:
    """Ours against the library: the largest difference of each route."""
    torch.manual_seed(0)
    x, text, c = torch.randn(2, 64, 32), torch.randn(2, 12, 48), torch.randn(2, 32)
    attn = Attention(32, cross_attention_dim=48, heads=4, dim_head=8)
    gap = (cross_attention(x, text, attn) - attn(x, text)).abs().max()
    print(f"cross-attention   x {tuple(x.shape)}, text {tuple(text.shape)}: {gap:.0e}")
    joint = Attention(32, added_kv_proj_dim=32, heads=4, dim_head=8, context_pre_only=False,
                      bias=True, processor=JointAttnProcessor2_0())  # fmt: skip
    words = torch.randn(2, 12, 32)
    pairs = zip(joint_attention(x, words, joint), joint(x, words), strict=True)
    print(f"joint attention   {64 + 12} tokens, both updated: "
          + ", ".join(f"{(a - b).abs().max():.0e}" for a, b in pairs))  # fmt: skip
    norm = AdaLayerNormZero(32)
    gap = (adaln_zero(x, c, norm)[0] - norm(x, emb=c)[0]).abs().max()
    print(f"adaLN-Zero        {norm.linear.out_features // 32} vectors from c: {gap:.0e}")


@torch.no_grad()
def ablate() -> None:
    """The bundled UNet: ours against the library, then one condition after another taken away."""
    pipe = StableDiffusionPipeline.from_pretrained(SHAPES, local_files_only=True)
    unet, t = pipe.unet.float(), 700
    x = torch.randn(16, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    red, green = "a small red star on a blue background", "a small green star on a blue background"
    (a, b), _ = pipe.encode_prompt([red, green], "cpu", 1, False)  # [12, 96] each
    text = a.float().expand(16, -1, -1)
    usual = unet(x, t, text).sample
    print(f"UNet forward      {(unet_forward(unet, x, t, text) - usual).abs().max():.0e}")
    word, after, padding = text.clone(), text.clone(), text.clone()
    word[:, 3], after[:, 4:], padding[:, 10:] = b[3], b[4:], 0
    for name, states in (
        ("state of `red` from `green`", word), ("all states behind it", after),
        ("padding states zero", padding), ("all states zero", text * 0),
    ):  # fmt: skip
        change = (unet(x, t, states).sample - usual).norm() / usual.norm()
        print(f"  {name:29s} moves the prediction by {change:6.2%}")
    moved = (unet(x, 100, text).sample - usual).norm() / usual.norm()
    print(f"  {'t = 100 instead of 700':29s} moves the prediction by {moved:6.2%}")


if __name__ == "__main__":
    compare()
    ablate()
