"""ControlNet and IP-Adapter in a few lines: zero convolutions, residuals, a second attention."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

MODELS = Path(__file__).resolve().parents[1] / "models"


# @zero-convolution
def zero_conv(channels: int) -> nn.Conv2d:
    """A 1x1 convolution that starts as zero, weight and bias."""
    conv = nn.Conv2d(channels, channels, kernel_size=1)
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)
    return conv


# @control-net
class ControlNet(nn.Module):
    """A trainable copy of the UNet's encoder and middle, with a zero convolution behind each."""

    def __init__(self, unet: Any, hint_encoder: nn.Module) -> None:
        super().__init__()
        parts = (unet.conv_in, unet.time_embedding, unet.down_blocks, unet.mid_block)
        self.conv_in, self.time, self.down_blocks, self.mid_block = copy.deepcopy(parts)
        self.time_proj, self.hint_encoder = unet.time_proj, hint_encoder
        widths = unet.config.block_out_channels
        made = [widths[0]]  # conv_in, then what each block hands to the decoder
        for width, block in zip(widths, self.down_blocks, strict=True):
            made += [width] * (len(block.resnets) + len(block.downsamplers or ()))
        self.zero_convs = nn.ModuleList([zero_conv(width) for width in made])
        self.zero_mid = zero_conv(widths[-1])

    def forward(
        self, x: Tensor, t: Tensor, text: Tensor, hint: Tensor, scale: float = 1.0
    ) -> tuple[list[Tensor], Tensor]:
        """Residuals for the skips and the middle; x [B, 4, h, w], hint [B, 3, 8h, 8w]."""
        temb = self.time(self.time_proj(t))
        x = self.conv_in(x) + self.hint_encoder(hint)  # [B, C, h, w]: the one place it enters
        skips = [x]
        for block in self.down_blocks:
            x, made = block(x, temb, text)
            skips += made
        x = self.mid_block(x, temb, text)
        pairs = zip(self.zero_convs, skips, strict=True)
        down = [scale * conv(skip) for conv, skip in pairs]
        return down, scale * self.zero_mid(x)


# @controlled-unet
def controlled_unet(
    unet: Any, x: Tensor, t: Tensor, text: Tensor, down: list[Tensor], middle: Tensor
) -> Tensor:
    """The frozen UNet, with a residual added to each skip and to the middle."""
    temb = unet.time_embedding(unet.time_proj(t))
    x = unet.conv_in(x)
    skips = [x]
    for block in unet.down_blocks:  # the encoder itself never sees the hint
        x, made = block(x, temb, text)
        skips += made
    x = unet.mid_block(x, temb, text) + middle
    pairs = zip(skips, down, strict=True)
    skips = [skip + residual for skip, residual in pairs]
    for block in unet.up_blocks:
        n = len(block.resnets)
        taken, skips = skips[-n:], skips[:-n]
        x = block(x, tuple(taken), temb, text)
    return unet.conv_out(unet.conv_act(unet.conv_norm_out(x)))


# @decoupled-attention
def heads(x: Tensor, count: int) -> Tensor:
    """[B, N, inner] as [B, heads, N, inner / heads]."""
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


def decoupled_attention(
    x: Tensor, text: Tensor, image: Tensor, attn: Any, ip: Any, scale: float
) -> Tensor:
    """IP-Adapter: x [B, N, C] reads text [B, L, D] and image tokens [B, 4, D], apart."""
    q, k, v = attn.to_q(x), attn.to_k(text), attn.to_v(text)
    ip_k, ip_v = ip.to_k(image), ip.to_v(image)  # the weights that the adapter brings
    q, k, v, ip_k, ip_v = (heads(y, attn.heads) for y in (q, k, v, ip_k, ip_v))
    from_text = scaled_dot_product_attention(q, k, v)
    from_image = scaled_dot_product_attention(q, ip_k, ip_v)  # a softmax of its own
    read = from_text + scale * from_image
    return attn.to_out[0](read.transpose(1, 2).flatten(2))


# @first-updates
def watch_gradients(unet: Any, control: ControlNet, steps: int = 3) -> None:
    """Largest gradient of each part in the first optimiser steps of a fresh ControlNet."""
    (x, noise), t = torch.randn(2, 4, 4, 8, 8), torch.full((4,), 500)
    text, hint = torch.randn(4, 12, 96), torch.rand(4, 3, 64, 64)
    optimiser = torch.optim.SGD(control.requires_grad_(True).parameters(), lr=0.1)
    parts = (control.zero_convs, control.down_blocks, control.hint_encoder.conv_in)
    for step in range(1, steps + 1):
        predicted = controlled_unet(unet, x, t, text, *control(x, t, text, hint))
        optimiser.zero_grad()
        (predicted - noise).square().mean().backward()
        found = [max(float(p.grad.abs().max()) for p in part.parameters()) for part in parts]
        zero, copied, hinted = (f"{each:.0e}" for each in found)
        print(f"step {step}: zero convs {zero}, copied blocks {copied}, hint's first {hinted}")
        optimiser.step()


# @runs
def compare() -> None:
    """A fresh ControlNet, the trained one by our code and by the library's, and the gradients."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel.from_pretrained(MODELS / "shapes/unet", local_files_only=True)
    trained: Any = ControlNetModel.from_pretrained(MODELS / "controlnet", local_files_only=True)
    unet, trained = unet.float().requires_grad_(False), trained.float()
    hints = trained.config.conditioning_embedding_out_channels
    new: Any = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=hints)
    fresh = ControlNet(unet, new.controlnet_cond_embedding)
    ours = ControlNet(trained, trained.controlnet_cond_embedding)
    ours.zero_convs.load_state_dict(trained.controlnet_down_blocks.state_dict())
    ours.zero_mid.load_state_dict(trained.controlnet_mid_block.state_dict())
    x, t, text = torch.randn(2, 4, 8, 8), torch.tensor([700, 700]), torch.randn(2, 12, 96)
    hint = torch.zeros(2, 3, 64, 64)
    hint[..., 16:48, 16:48] = 1
    with torch.no_grad():
        usual = unet(x, t, text).sample
        down, middle = ours(x, t, text, hint)
        print("residuals:", *(tuple(r.shape[1:]) for r in [*down, middle]))
        moved = [controlled_unet(unet, x, t, text, *net(x, t, text, hint, scale)) - usual
                 for net, scale in ((fresh, 1.0), (ours, 0.0), (ours, 1.0))]  # fmt: skip
        new_one, zero, one = (f"{float(each.abs().max()):.2g}" for each in moved)
        print(f"the prediction moves by {new_one} fresh, trained by {zero} at scale 0, {one} at 1")
        theirs, _ = trained(x, t, text, hint, return_dict=False)
        gap = max(float((a - b).abs().max()) for a, b in zip(down, theirs, strict=True))
        print(f"ours against the library's residuals: {gap:.0e}")
    watch_gradients(unet, fresh)


if __name__ == "__main__":
    compare()
