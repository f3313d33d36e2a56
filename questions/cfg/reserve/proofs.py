"""Proofs of the guidance questions that interviews keep: three branches, mixed batches, and what
guided sampling of a Gaussian really ends at."""

from __future__ import annotations

import string
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

Namespace = dict[str, Any]


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, so that proofs do not depend on their order."""
    return torch.Generator().manual_seed(seed)


# Editing by instruction


def editing_pipeline() -> Any:
    """InstructPix2Pix in small: random weights, latents an eighth of the picture's side."""
    letters = [*string.ascii_lowercase, *(c + "</w>" for c in string.ascii_lowercase)]
    words = [*letters, "<|startoftext|>", "<|endoftext|>"]
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, bos_token_id=len(words) - 2, eos_token_id=len(words) - 1,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=8, in_channels=8, block_out_channels=(8, 16), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), norm_num_groups=4,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16,
        attention_head_dim=2,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 4, 4), norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    pipe = StableDiffusionInstructPix2PixPipeline(
        vae=vae, text_encoder=CLIPTextModel(text), unet=unet,
        tokenizer=CLIPTokenizer({w: n for n, w in enumerate(words)}, [], model_max_length=77),
        scheduler=EulerDiscreteScheduler(), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def edited_by_instruction() -> tuple[int, ...]:
    """The shape of `sample` that the UNet is given for one edited picture of 512 x 512."""
    pipe = editing_pipeline()
    seen: list[tuple[int, ...]] = []
    pipe.unet.register_forward_pre_hook(lambda _, args: seen.append(tuple(args[0].shape)))
    picture = torch.rand(1, 3, 512, 512, generator=seeded()) * 2 - 1
    pipe(
        "make it red", image=picture, num_inference_steps=1, guidance_scale=7.5,
        image_guidance_scale=1.5, output_type="latent",
    )  # fmt: skip
    return seen[0]


# Three branches


class Branches:
    """A denoiser that answers with a fixed prediction for each of its three rows."""

    def __init__(self, count: int = 2) -> None:
        self.both, self.image, self.none = torch.randn(3, count, 4, 2, 2, generator=seeded())

    def __call__(self, x: Tensor, t: Any, states: Tensor) -> Tensor:
        return torch.cat([self.both, self.image, self.none])


def edit(ns: Namespace, s_t: float, s_i: float) -> tuple[Branches, Tensor]:
    """What the shown function makes of the three predictions at two scales."""
    branches = Branches()
    x, image = torch.zeros(2, 2, 4, 2, 2)
    states = torch.zeros(2, 3, 5)
    guided: Tensor = ns["guided_edit"](branches, x, 10, image, states, states, s_t, s_i)
    return branches, guided


def conditional_at_1_and_1(ns: Namespace) -> None:
    """At both scales 1 nothing is left of guidance: the fully conditional prediction comes back."""
    branches, got = edit(ns, 1.0, 1.0)
    far = (got - branches.both).abs().max().item()
    assert far < 1e-5, f"at s_t = s_i = 1 off by {far:.3g} from the fully conditional prediction"


def image_scale_in_effect(mutant: Namespace) -> str:
    """How far the mutant goes along (image - none) and (both - image) at 7.5 and 1.5."""
    branches, got = edit(mutant, 7.5, 1.5)
    along_text = (branches.both - branches.image).flatten()
    along_image = (branches.image - branches.none).flatten()
    basis = torch.stack([along_text, along_image], dim=1)
    text, image = torch.linalg.lstsq(basis, (got - branches.none).reshape(-1, 1)).solution
    near = {
        "image-9": (7.5, 9.0), "text-6": (6.0, 1.5), "image-lost": (7.5, -6.0), "text-9": (9.0, 1.5)
    }  # fmt: skip
    found = (float(text), float(image))
    return only({name: np.allclose(found, scales, atol=1e-3) for name, scales in near.items()})


# Code: a batch of requests with scales of their own


class Counted:
    """A denoiser that depends on x and on the text, row by row, and counts what it evaluates."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, x: Tensor, t: Any, states: Tensor) -> Tensor:
        assert len(x) == len(states), f"{len(x)} latents and {len(states)} texts in one call"
        assert len(x), "a call with an empty batch"
        self.calls.append(len(x))
        mean = states.mean(dim=(1, 2)).reshape(-1, 1, 1, 1)
        return torch.tanh(x * (1 + mean)) + 3 * mean * x.flip(-1) + mean


def wanted(
    x: Tensor, text: Tensor, empty: Tensor, scales: Tensor, rescale: float, on: bool
) -> Tensor:
    """The same, one request at a time, with the library's rescale."""
    rows = []
    for k in range(len(x)):
        one = slice(k, k + 1)
        cond = Counted()(x[one], 0, text[one])
        scale = float(scales[k])
        if not on or scale <= 1:
            rows.append(cond)
            continue
        uncond = Counted()(x[one], 0, empty[one])
        guided = uncond + scale * (cond - uncond)
        if rescale > 0:
            guided = rescale_noise_cfg(guided, cond, guidance_rescale=rescale)
        rows.append(guided)
    return torch.cat(rows)


def guides_each_request(ns: Namespace) -> None:
    """Every request as if alone, no evaluation too many, one call, and inputs left as they were."""
    function: Callable[..., Tensor] = ns["guided_batch"]
    x = torch.randn(4, 4, 8, 8, generator=seeded(1))
    text, empty = torch.randn(2, 4, 7, 5, generator=seeded(2))
    for scales in ([7.5, 1.0, 3.0, 0.5], [2.0, 5.0, 9.0, 4.0], [1.0, 1.0, 0.0, 0.5]):
        scale = torch.tensor(scales)
        for sigma, on in ((3.0, True), (12.0, False), (0.1, False), (5.0, True), (0.5, True)):
            for rescale in (0.0, 0.7):
                net, before = Counted(), x.clone()
                got = function(net, x, 10, text, empty, scale, sigma, (0.5, 5.0), rescale)
                where = f"scales {scales}, sigma {sigma}, rescale {rescale}"
                want = wanted(x, text, empty, scale, rescale, on)
                assert got.shape == want.shape, f"{where}: shape {tuple(got.shape)}"
                far = (got - want).abs().flatten(1).max(dim=1).values
                assert far.max() < 1e-4, (
                    f"{where}: rows off by {[round(f, 4) for f in far.tolist()]}"
                )
                rows = 4 + (int((scale > 1).sum()) if on else 0)
                assert sum(net.calls) == rows, f"{where}: {sum(net.calls)} evaluations, not {rows}"
                assert len(net.calls) == 1, f"{where}: {len(net.calls)} calls"
                assert torch.equal(x, before), f"{where}: x was changed in place"


# Guided sampling of a Gaussian


def guided_gaussian(scale: float, levels: int = 4000) -> tuple[float, float]:
    """Mean and std at the end of the guided ODE with exact scores.

    p(x) = N(0, 1) and p(x|c) = N(1, 1/4); dx/dsigma = eps is affine in x here, so x = a z + b is
    followed exactly but for Heun's error.
    """

    def slope(a: float, b: float, sigma: float) -> tuple[float, float]:
        free, bound = sigma / (1 + sigma**2), sigma / (0.25 + sigma**2)
        k = free + scale * (bound - free)
        return k * a, k * b - scale * bound

    a, b = 300.0, 0.0
    sigmas = np.geomspace(300.0, 1e-4, levels).tolist()
    for sigma, lower in pairwise(sigmas):
        da, db = slope(a, b, sigma)
        ea, eb = slope(a + (lower - sigma) * da, b + (lower - sigma) * db, lower)
        a += (lower - sigma) * (da + ea) / 2
        b += (lower - sigma) * (db + eb) / 2
    return b, abs(a)


def tilted_gaussian(scale: float) -> tuple[float, float]:
    """Mean and std of p(x) (p(x|c)/p(x))^scale for the same two."""
    precision = 4 * scale - (scale - 1)
    return 4 * scale / precision, float(precision**-0.5)


def not_tempered() -> None:
    """At scale 1 the ends agree; at 3 guided samples are far narrower than the tilted density."""
    for one, other in zip(guided_gaussian(1.0), tilted_gaussian(1.0), strict=True):
        assert abs(one - other) < 0.01
    (mean, std), (tilted_mean, tilted_std) = guided_gaussian(3.0), tilted_gaussian(3.0)
    assert abs(std - 0.125) < 0.001 and abs(tilted_std - 0.316) < 0.001, (std, tilted_std)
    assert abs(mean - 1.5) < 0.01 and abs(tilted_mean - 1.2) < 0.01, (mean, tilted_mean)
