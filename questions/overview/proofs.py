"""Proofs of the overview items: what is called when, what it costs, and why denoising samples.

Calls are observed on a tiny pipeline with random weights, arithmetic is counted on full-size models
that hold no memory (the meta device), and statements about samples are checked on distributions
whose best possible denoiser is known in closed form.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from functools import cache
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

Namespace = dict[str, Any]
Denoiser = Callable[[torch.Tensor, Any], torch.Tensor]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


@cache
def tiny_pipeline() -> Any:
    """Stable Diffusion in small: random weights, latents an eighth of the picture's side."""
    letters = [*string.ascii_lowercase, *(c + "</w>" for c in string.ascii_lowercase)]
    words = [*letters, "<|startoftext|>", "<|endoftext|>"]
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, bos_token_id=len(words) - 2, eos_token_id=len(words) - 1,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16,
        attention_head_dim=2,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 4, 4), norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    pipe = StableDiffusionPipeline(
        vae=vae, text_encoder=CLIPTextModel(text), unet=unet,
        tokenizer=CLIPTokenizer({w: n for n, w in enumerate(words)}, [], model_max_length=77),
        scheduler=DDIMScheduler(**SD_BETAS, steps_offset=1, clip_sample=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


# A call of the pipeline


def order_of_a_call() -> list[str]:
    """The stages of one call, each when it first happens."""
    pipe = tiny_pipeline()
    stages: list[str] = []
    places = {
        "encode": (pipe.text_encoder, "forward"),
        "timesteps": (pipe.scheduler, "set_timesteps"),
        "noise": (pipe, "prepare_latents"),
        "predict": (pipe.unet, "forward"),
        "step": (pipe.scheduler, "step"),
        "decode": (pipe.vae, "decode"),
        "pixels": (pipe.image_processor, "postprocess"),
    }

    def noted(stage: str, call: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            stages.append(stage)
            return call(*args, **kwargs)

        return run

    usual = {stage: getattr(*place) for stage, place in places.items()}
    try:
        for stage, (owner, name) in places.items():
            setattr(owner, name, noted(stage, usual[stage]))
        pipe("a star", num_inference_steps=3)
    finally:
        for stage, (owner, name) in places.items():
            setattr(owner, name, usual[stage])
    assert stages.count("predict") == stages.count("step") == 3
    assert stages.count("decode") == 1
    return list(dict.fromkeys(stages))


def field_of_the_estimate() -> str:
    """The field of DDIM's output that holds x_0 when the network is right."""
    scheduler = DDIMScheduler(**SD_BETAS, clip_sample=False)
    scheduler.set_timesteps(20)
    x0, eps = torch.randn(2, 1, 4, 8, 8)
    t = scheduler.timesteps[5]
    out = scheduler.step(eps, t, scheduler.add_noise(x0, eps, t))
    fields = [name for name, each in out.items() if torch.allclose(each, x0, atol=1e-3)]
    assert len(fields) == 1, fields
    return str(fields[0])


# Arithmetic


@cache
def unet_flops(side: int) -> int:
    """FLOPs (2 a multiply-add) of one sample through Stable Diffusion 1.5's UNet."""
    with torch.device("meta"), torch.no_grad():
        unet = UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8, sample_size=64)
        with FlopCounterMode(display=False) as counter:
            unet(torch.zeros(1, 4, side // 8, side // 8), torch.zeros(1), torch.zeros(1, 77, 768))
    return int(counter.get_total_flops())


@cache
def decode_flops(side: int) -> int:
    """FLOPs of decoding one picture with Stable Diffusion 1.5's VAE."""
    with torch.device("meta"), torch.no_grad():
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        )
        with FlopCounterMode(display=False) as counter:
            vae.decode(torch.zeros(1, 4, side // 8, side // 8))
    return int(counter.get_total_flops())


def decode_share(steps: int, guidance: str) -> float:
    """Per cent of a call's FLOPs that the decode takes, at 512 x 512."""
    samples = steps * (2 if guidance == "7.5" else 1)
    return 100 * decode_flops(512) / (samples * unet_flops(512) + decode_flops(512))


def factor_of_the_side() -> str:
    """How much more arithmetic a UNet sample takes at twice the side."""
    factor = unet_flops(1024) / unet_flops(512)
    return only(
        {
            "two": abs(factor - 2) < 0.2,
            "four": abs(factor - 4) < 0.4,
            "six": abs(factor - 5.8) < 0.1,
            "sixteen": abs(factor - 16) < 1.6,
        }
    )


# Distributions with a known denoiser


def score_from_eps(ab: float, eps: float) -> float:
    """d/dx log q(x_t | x_0) at the x_t that this eps leads to, by automatic differentiation."""
    scheduler = DDIMScheduler(num_train_timesteps=1)
    scheduler.alphas_cumprod = torch.tensor([ab], dtype=torch.float64)
    one, t = torch.ones(1, 1, dtype=torch.float64), torch.tensor([0])
    x = scheduler.add_noise(0.3 * one, eps * one, t).requires_grad_()
    around = scheduler.add_noise(0.3 * one, 0 * one, t).detach()
    spread = scheduler.add_noise(0 * one, one, t).item()
    log_density = torch.distributions.Normal(around, spread).log_prob(x)
    return float(torch.autograd.grad(log_density.sum(), x)[0])


def gaussian_denoiser(mean: float = 1.0, std: float = 0.5) -> Denoiser:
    """The optimal eps-prediction for data N(mean, std^2), trained with Stable Diffusion's betas."""
    table = DDIMScheduler(**SD_BETAS).alphas_cumprod.double()

    def eps(x: torch.Tensor, t: Any) -> torch.Tensor:
        ab = table[int(t)]
        gain = ab.sqrt() * std**2 / (ab * std**2 + 1 - ab)
        x0 = mean + gain * (x - ab.sqrt() * mean)
        return (x - ab.sqrt() * x0) / (1 - ab).sqrt()

    return eps


def two_point_mean(x: torch.Tensor, ab: torch.Tensor) -> torch.Tensor:
    """E[x_0 | x_t] where x_0 is -1 or +1 with equal chance."""
    return torch.tanh(ab.sqrt() * x / (1 - ab))


def drawn(scheduler: Any, steps: int, denoiser: Denoiser, **step: Any) -> torch.Tensor:
    """Samples of a correct loop."""
    scheduler.set_timesteps(steps)
    x = torch.randn(20_000, dtype=torch.float64) * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        x_in = scheduler.scale_model_input(x, t)
        x = scheduler.step(denoiser(x_in, t), t, x, **step).prev_sample
    return x


def free_changes() -> set[str]:
    """The changes after which samples still have the data's mean 1 and spread .5."""
    usual = {**SD_BETAS, "steps_offset": 1}
    plain = {**usual, "clip_sample": False}
    runs: dict[str, tuple[Any, int, dict[str, Any]]] = {
        "as-trained": (DDIMScheduler(**plain), 50, {}),
        "sampler": (diffusers.DPMSolverMultistepScheduler(**usual), 50, {}),
        "steps": (DDIMScheduler(**plain), 40, {}),
        "eta": (DDIMScheduler(**plain), 50, {"eta": 1.0}),
        "target": (DDIMScheduler(**{**plain, "prediction_type": "v_prediction"}), 50, {}),
        "betas": (DDIMScheduler(steps_offset=1, clip_sample=False), 50, {}),
    }
    kept = set()
    for name, (scheduler, steps, extra) in runs.items():
        x = drawn(scheduler, steps, gaussian_denoiser(), **extra)
        if abs(x.mean() - 1) < 0.1 and abs(x.std() - 0.5) < 0.1:
            kept.add(name)
    assert "as-trained" in kept
    return kept - {"as-trained"}


def samples_of(namespace: Namespace, steps: int) -> torch.Tensor:
    """What the code draws with the best possible denoiser of N(1, .5^2)."""
    table = DDIMScheduler(**SD_BETAS).alphas_cumprod.double()
    noise = torch.randn(20_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x: torch.Tensor = namespace["sample"](gaussian_denoiser(), table, noise, steps)
    return x


def draws_the_data(namespace: Namespace) -> None:
    """Samples of the code have the mean and the spread of the data."""
    x = samples_of(namespace, 50)
    state = f"mean {x.mean():.2f} and std {x.std():.2f}, not 1 and 0.5"
    assert abs(x.mean() - 1) < 0.1, f"samples have the wrong mean\n{state}"
    assert abs(x.std() - 0.5) < 0.1, f"samples have the wrong spread\n{state}"


def effect_on_spread(original: Namespace, mutant: Namespace) -> str:
    """Spread of what the mutant draws with more and more steps, where the data have .5."""
    draws_the_data(original)
    few, many = (float(samples_of(mutant, steps).std()) for steps in (20, 50))
    return only(
        {
            "wider": few > 0.6 and many > few + 0.1,
            "narrower": many < 0.4,
            "coarse": abs(few - 0.5) > 0.1 and abs(many - 0.5) < 0.1,
        }
    )


def averages_become_sharp() -> None:
    """For the rubric: the mean is blurred at much noise, sharp at little, and samples are +-1."""
    table = DDIMScheduler(**SD_BETAS).alphas_cumprod.double()
    x0 = torch.randint(0, 2, (20_000,)).double() * 2 - 1
    noise = torch.randn(20_000, dtype=torch.float64)
    size = {}
    for t in (50, 950):
        x_t = table[t].sqrt() * x0 + (1 - table[t]).sqrt() * noise
        size[t] = float(two_point_mean(x_t, table[t]).abs().mean())
    assert size[50] > 0.99
    assert size[950] < 0.25

    def eps(x: torch.Tensor, t: Any) -> torch.Tensor:
        ab = table[int(t)]
        return (x - ab.sqrt() * two_point_mean(x, ab)) / (1 - ab).sqrt()

    x = drawn(DDIMScheduler(**SD_BETAS, steps_offset=1, clip_sample=False), 50, eps)
    assert float((x.abs() - 1).abs().mean()) < 0.05
    assert 0.45 < float((x > 0).double().mean()) < 0.55
