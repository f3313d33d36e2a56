"""Proofs of the autoencoder items: small autoencoders with the layout of the real ones.

What is counted, ordered or compared here follows from the layout and the code, not from what the
weights have learned, so that four channels show it as well as five hundred.
"""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionImg2ImgPipeline
from diffusers.models.attention_processor import Attention
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

Namespace = dict[str, Any]


def small_vae(**config: Any) -> Any:
    """AutoencoderKL with the blocks of Stable Diffusion's and four channels in each."""
    torch.manual_seed(0)
    layout: dict[str, Any] = {
        "block_out_channels": (4, 4, 4, 4),
        "norm_num_groups": 2,
        "layers_per_block": 2,
        "sample_size": 512,
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
    }
    return AutoencoderKL(**{**layout, **config}).eval().requires_grad_(False)


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


# The way in


def img2img_way_in() -> list[str]:
    """Watch one call of the pipeline's own preparation and write down what happens when."""
    vae = small_vae(scaling_factor=0.25)
    scheduler = DDIMScheduler(clip_sample=False)
    scheduler.set_timesteps(10)
    pipe = StableDiffusionImg2ImgPipeline(
        vae=vae, text_encoder=None, tokenizer=None, unet=None, scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    seen: list[str] = []
    kept: dict[str, torch.Tensor] = {}

    def encode(images: torch.Tensor) -> torch.Tensor:
        if images.min() < -0.99 and images.max() > 0.99:
            seen.append("normalise")
        seen.append("encode")
        moments: torch.Tensor = real_encode(images)
        return moments

    def split(self: Any, parameters: torch.Tensor, deterministic: bool = False) -> None:
        real_split(self, parameters, deterministic)
        assert self.mean.shape[1] * 2 == parameters.shape[1]
        seen.append("split")

    def draw(self: Any, generator: Any = None) -> torch.Tensor:
        assert generator is not None, "the draw ignores the user's generator"
        kept["raw"] = real_draw(self, generator)
        seen.append("draw")
        return kept["raw"]

    def add_noise(latents: torch.Tensor, *rest: Any) -> torch.Tensor:
        for name, factor in (("scale", 0.25), ("divide", 4.0)):
            if torch.allclose(latents, kept["raw"] * factor):
                seen.append(name)
        seen.append("noise")
        noisy: torch.Tensor = real_noise(latents, *rest)
        return noisy

    real_encode, real_noise = vae._encode, scheduler.add_noise
    real_split, real_draw = (
        DiagonalGaussianDistribution.__init__,
        DiagonalGaussianDistribution.sample,
    )
    with (
        mock.patch.object(vae, "_encode", encode),
        mock.patch.object(DiagonalGaussianDistribution, "__init__", split),
        mock.patch.object(DiagonalGaussianDistribution, "sample", draw),
        mock.patch.object(scheduler, "add_noise", add_noise),
    ):
        photograph = torch.linspace(0, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
        pipe.prepare_latents(
            pipe.image_processor.preprocess(photograph), scheduler.timesteps[4:5], 1, 1,
            torch.float32, torch.device("cpu"), torch.Generator().manual_seed(0),
        )  # fmt: skip
    return seen


def kl_of_a_latent() -> list[tuple[dict[str, float], float]]:
    """The divergence that the library's own posterior reports for one value."""
    draw = random.Random(0)
    pairs = []
    for _ in range(6):
        at = {"m": draw.uniform(-2, 2), "lv": draw.uniform(-6, 1)}
        moments = torch.tensor([at["m"], at["lv"]], dtype=torch.float64).reshape(1, 2, 1, 1)
        pairs.append((at, DiagonalGaussianDistribution(moments).kl().item()))
    return pairs


# Tiles


def decoder_calls(images: int, side: int) -> int:
    """Calls of the decoder in one decode; a bare upsampler of the same factor stands in for it."""
    vae = small_vae()
    vae.decoder = torch.nn.Upsample(scale_factor=8)
    vae.enable_slicing()
    vae.enable_tiling()
    vae.blend_v = vae.blend_h = lambda _before, tile, _extent: tile  # slow, and after the calls
    calls: list[int] = []
    vae.decoder.register_forward_pre_hook(lambda _module, args: calls.append(len(args[0])))
    latents = torch.zeros(images, 4, side // 8, side // 8)
    assert vae.decode(latents).sample.shape == (images, 4, side, side)
    return len(calls)


def centre_of_the_tile() -> str:
    """Compare the centre of the first tile with the full decode, layer kind by layer kind."""
    latents = torch.randn(1, 4, 96, 96)  # the first tile is the same as at 128, in half the time

    def far(vae: Any) -> tuple[float, float]:
        """Largest difference in the middle of the tile and over the whole picture."""
        vae.disable_tiling()
        full = vae.decode(latents).sample
        vae.enable_tiling()
        difference = (vae.decode(latents).sample - full).abs()
        return difference[..., 248:264, 248:264].max().item(), difference.max().item()

    usual = small_vae()
    centre, _ = far(usual)
    repeated = torch.equal(usual.decode(latents).sample, usual.decode(latents).sample)
    usual.tile_overlap_factor = 0.5
    wider, _ = far(usual)
    local = small_vae()
    for module in list(local.decoder.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.GroupNorm):
                setattr(module, name, torch.nn.Identity())
        attentions = getattr(module, "attentions", None)
        if attentions is not None:
            assert all(isinstance(a, Attention) for a in attentions)
            module.attentions = torch.nn.ModuleList([None] * len(attentions))
    local_centre, local_anywhere = far(local)
    assert centre > 1e-3 and wider > 1e-3
    assert local_anywhere > 1e-3  # margins still differ
    return only(
        {
            "statistics": local_centre < 1e-6,
            "field": local_centre > 1e-6,
            "ramp": centre < 1e-6,
            "draw": not repeated,
        }
    )


# The conversions


def there_and_back(ns: Namespace) -> None:
    """What the encoder returned comes back to the decoder."""
    z = torch.randn(2, 16, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 + 0.3
    for scale, shift in ((0.5, 0.25), (1.5, -0.1), (0.18215, 0.0)):
        config = SimpleNamespace(scaling_factor=scale, shift_factor=shift)
        back = ns["to_decoder"](ns["to_model"](z, config), config)
        far = (back - z).abs().max().item()
        assert far < 1e-5, f"scale {scale}, shift {shift}: off by up to {far:.3f}"


def what_the_decoder_gets(original: Namespace, mutant: Namespace) -> str:
    """The mutant's latents beside the correct ones."""
    config = SimpleNamespace(scaling_factor=0.5, shift_factor=0.25)
    x = torch.randn(2, 16, 4, 4, dtype=torch.float64)
    right, wrong = (ns["to_decoder"](x, config) for ns in (original, mutant))
    error = wrong - right
    constant = bool(torch.allclose(error, error.mean().expand_as(error)))
    return only(
        {
            "offset": constant and abs(error.mean().item() + 2 * config.shift_factor) < 1e-9,
            "once": constant and abs(error.mean().item() + config.shift_factor) < 1e-9,
            "spread": abs((wrong.std() / right.std()).item() - 1) > 1e-9,
            "growing": not constant,
        }
    )
