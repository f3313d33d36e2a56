"""Proofs of the adapter items: adapters on small models with random weights.

What an adapter adds, where its gradient goes and how often it is called follow from the code, so
networks of a few thousand parameters show them.
"""

from __future__ import annotations

import random
import string
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    StableDiffusionControlNetPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import Attention
from peft import LoraConfig, inject_adapter_in_model
from PIL import Image
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

Namespace = dict[str, Any]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def tiny_unet() -> Any:
    """A UNet with two levels and one cross-attention a block."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16,
        attention_head_dim=2,
    )  # fmt: skip


@cache
def tiny_pipeline() -> Any:
    """Stable Diffusion with a ControlNet in small, random weights."""
    letters = [*string.ascii_lowercase, *(c + "</w>" for c in string.ascii_lowercase)]
    words = [*letters, "<|startoftext|>", "<|endoftext|>"]
    unet = tiny_unet()
    text = CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, bos_token_id=len(words) - 2, eos_token_id=len(words) - 1,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 4, 4), norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    pipe = StableDiffusionControlNetPipeline(
        vae=vae, text_encoder=CLIPTextModel(text), unet=unet,
        tokenizer=CLIPTokenizer({w: n for n, w in enumerate(words)}, [], model_max_length=77),
        controlnet=ControlNetModel.from_unet(unet),
        scheduler=DDIMScheduler(**SD_BETAS, steps_offset=1, clip_sample=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


# LoRA


def lora_parameters(width: int, rank: int) -> int:
    """Trainable parameters after PEFT adapted all four projections of a cross-attention."""
    attn = Attention(query_dim=width, cross_attention_dim=768, heads=8, dim_head=width // 8)
    targets = ["to_q", "to_k", "to_v", "to_out.0"]
    inject_adapter_in_model(LoraConfig(r=rank, target_modules=targets), attn)
    return sum(p.numel() for p in attn.parameters() if p.requires_grad)


class OneWeight(nn.Module):
    """A layer of a single weight, in double precision."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.proj = nn.Linear(1, 1, bias=False, dtype=torch.float64)
        nn.init.constant_(self.proj.weight, weight)


def unfuse_after_set() -> list[tuple[dict[str, float], float]]:
    """Merge at one scale, set another, unmerge: what PEFT leaves in the base weight."""
    draw = random.Random(2)
    pairs = []
    for _ in range(5):
        at = {"w": draw.uniform(-1, 1), "d": draw.uniform(-2, 2)}
        at |= {"m1": draw.uniform(0.2, 1.5), "m2": draw.uniform(0.2, 1.5)}
        rank, alpha = draw.choice([1, 2, 4]), draw.randint(1, 8)
        at["s"] = alpha / rank
        model = OneWeight(at["w"])
        config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=["proj"])
        inject_adapter_in_model(config, model)
        layer: Any = model.proj.double()
        nn.init.constant_(layer.lora_A["default"].weight, 1.0)
        nn.init.constant_(layer.lora_B["default"].weight, at["d"] / rank)
        layer.set_scale("default", at["m1"])
        layer.merge()
        fused = layer(torch.ones(1, 1, dtype=torch.float64))
        layer.set_scale("default", at["m2"])
        # While merged, the new scale has no effect on the output.
        assert torch.equal(layer(torch.ones(1, 1, dtype=torch.float64)), fused)
        layer.unmerge()
        pairs.append((at, layer.base_layer.weight.item()))
    assert the_unet_does_the_same()
    return pairs


def the_unet_does_the_same() -> bool:
    """The same through the calls of diffusers: a weight of the base is changed at the end."""
    unet = tiny_unet()
    config = LoraConfig(r=1, lora_alpha=3, target_modules=["to_k"], init_lora_weights=False)
    unet.add_adapter(config, adapter_name="x")
    before = {n: p.clone() for n, p in unet.named_parameters() if "base_layer" in n}
    unet.set_adapters(["x"], [0.5])
    unet.fuse_lora(adapter_names=["x"])
    unet.set_adapters(["x"], [2.0])
    unet.unfuse_lora()
    after = dict(unet.named_parameters())
    return any(not torch.allclose(after[n], p, atol=1e-4) for n, p in before.items())


# ControlNet


def controlnet_calls(steps: int, end: float) -> int:
    """Forward calls of both networks in one call of the pipeline."""
    pipe = tiny_pipeline()
    calls: list[str] = []
    handles = [
        model.register_forward_pre_hook(lambda *_: calls.append("call"))
        for model in (pipe.unet, pipe.controlnet)
    ]
    pipe(
        "a red star", image=Image.new("RGB", (64, 64)), num_inference_steps=steps,
        guidance_scale=7.5, control_guidance_end=end, height=64, width=64, output_type="latent",
    )  # fmt: skip
    for handle in handles:
        handle.remove()
    return len(calls)


def moved_after_two_steps() -> set[str]:
    """Two steps of plain SGD on a fresh ControlNet behind a frozen UNet."""
    unet = tiny_unet().requires_grad_(False)
    control = ControlNetModel.from_unet(unet)
    control.requires_grad_(True)
    parts = {
        "zero-convs": control.controlnet_down_blocks,
        "encoder-copy": control.down_blocks,
        "embedding-out": control.controlnet_cond_embedding.conv_out,
        "embedding-in": control.controlnet_cond_embedding.conv_in,
        "base-unet": unet.up_blocks,
    }
    before = {name: [p.clone() for p in part.parameters()] for name, part in parts.items()}
    optimiser = torch.optim.SGD(control.parameters(), lr=0.5)
    x_t, eps, text = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8), torch.randn(2, 5, 16)
    condition = torch.rand(2, 3, 64, 64)
    plain = unet(x_t, 500, text).sample
    for step in range(2):
        down, mid = control(x_t, 500, text, condition, return_dict=False)
        prediction = unet(
            x_t, 500, text,
            down_block_additional_residuals=down, mid_block_additional_residual=mid,
        ).sample  # fmt: skip
        # At the start the adapter does not change the base model's prediction.
        assert torch.equal(prediction, plain) == (step == 0)
        optimiser.zero_grad()
        F.mse_loss(prediction, eps).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return {
        name
        for name, part in parts.items()
        if any(not torch.equal(p, q) for p, q in zip(part.parameters(), before[name], strict=True))
    }


# IP-Adapter


def _streams() -> dict[str, Any]:
    """Random queries, text and image tokens with their projections."""
    generator = torch.Generator().manual_seed(0)
    q, text, image = (torch.randn(2, n, 8, generator=generator) for n in (6, 7, 4))
    projections = torch.randn(4, 8, 8, generator=generator)
    return {
        "q": q,
        "text": text,
        "image": image,
        "to_kv": lambda s: (s @ projections[0], s @ projections[1]),
        "ip_to_kv": lambda s: (s @ projections[2], s @ projections[3]),
    }


def linear_in_scale(ns: Namespace) -> None:
    """The image branch is proportional to the scale, and equals attention over the image tokens."""
    streams = _streams()
    attend = ns["decoupled_attention"]
    text_only = F.scaled_dot_product_attention(streams["q"], *streams["to_kv"](streams["text"]))
    image = F.scaled_dot_product_attention(streams["q"], *streams["ip_to_kv"](streams["image"]))
    for scale in (0.0, 0.3, 0.5, 1.0, 1.4):
        far = (attend(**streams, scale=scale) - text_only - scale * image).abs().max()
        assert far < 1e-5, f"scale {scale}: the image branch is off by up to {far:.3f}"


def scaled_keys(original: Namespace, mutant: Namespace) -> str:
    """Read the mixture over the image tokens off the output, with the identity as values."""
    streams = _streams()
    keys = streams["ip_to_kv"](streams["image"])[0]
    scale = 0.5
    image_values = torch.eye(4, 8).expand(2, 4, 8)
    text_values = torch.randn(2, 7, 8, generator=torch.Generator().manual_seed(3))
    streams["ip_to_kv"] = lambda s: (keys, image_values)
    text_keys = streams["to_kv"](streams["text"])[0]
    streams["to_kv"] = lambda s: (text_keys, text_values)
    text_only = F.scaled_dot_product_attention(streams["q"], text_keys, text_values)
    right, wrong = (
        (ns["decoupled_attention"](**streams, scale=scale) - text_only)[..., :4]
        for ns in (original, mutant)
    )
    weights, mutated = right / scale, wrong / scale
    assert torch.allclose(weights.sum(-1), torch.ones(2, 6), atol=1e-5)

    def entropy(p: torch.Tensor) -> torch.Tensor:
        return -(p * p.clamp(min=1e-12).log()).sum(-1)

    text_kept = torch.allclose(mutated.sum(-1), torch.ones(2, 6), atol=1e-5)
    claims = {
        "flattened": text_kept and bool((entropy(mutated) > entropy(weights)).all()),
        "sharpened": bool((entropy(mutated) < entropy(weights)).all()),
        "too-weak": torch.allclose(mutated, scale * weights, atol=1e-4),
        "text-fades": not text_kept,
    }
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]
