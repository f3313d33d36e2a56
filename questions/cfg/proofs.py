"""Proofs of the guidance items: a tiny pipeline with random weights, watched while it runs.

Counts, shapes and equalities do not depend on what a network has learned, so a
StableDiffusionPipeline of a few thousand parameters shows them as well as a full one.
"""

from __future__ import annotations

import inspect
import random
import string
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.callbacks import SDCFGCutoffCallback
from diffusers.guiders import ClassifierFreeGuidance
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

Namespace = dict[str, Any]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


@cache
def tiny_pipeline(text_width: int = 16, time_cond_proj_dim: int | None = None) -> Any:
    """Stable Diffusion in small: random weights, latents an eighth of the picture's side."""
    letters = [*string.ascii_lowercase, *(c + "</w>" for c in string.ascii_lowercase)]
    words = [*letters, "<|startoftext|>", "<|endoftext|>"]
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(words), hidden_size=text_width, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, bos_token_id=len(words) - 2, eos_token_id=len(words) - 1,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=text_width,
        attention_head_dim=2, time_cond_proj_dim=time_cond_proj_dim,
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


@contextmanager
def watched(denoiser: Any) -> Iterator[list[tuple[int, ...]]]:
    """The shapes of the samples that enter the denoiser, one for each call."""
    shapes: list[tuple[int, ...]] = []

    def note(_module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        sample = args[0] if args else kwargs.get("sample", kwargs.get("hidden_states"))
        assert sample is not None
        shapes.append(tuple(sample.shape))

    handle = denoiser.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield shapes
    finally:
        handle.remove()


def shapes_of_call(pipe: Any, prompt: Any = "a red star", **call: Any) -> list[tuple[int, ...]]:
    """What the denoiser sees during one call of the pipeline."""
    with watched(pipe.unet) as shapes:
        pipe(prompt, output_type="latent", **call)
    return shapes


def latents_of_call(**call: Any) -> torch.Tensor:
    """The final latents of three steps from fixed noise."""
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    asked = {"prompt": "a red star", "num_inference_steps": 3, "output_type": "latent", **call}
    images: torch.Tensor = tiny_pipeline()(latents=noise, **asked).images
    return images


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


# Counting


def calls_by_scheduler(scheduler: str, steps: int, scale: float) -> int:
    """Calls of the UNet in one call of the pipeline."""
    pipe = tiny_pipeline()
    config = {"skip_prk_steps": True} if scheduler == "PNDMScheduler" else {}
    usual = pipe.scheduler
    pipe.scheduler = getattr(diffusers, scheduler)(**SD_BETAS, steps_offset=1, **config)
    try:
        return len(shapes_of_call(pipe, num_inference_steps=steps, guidance_scale=scale))
    finally:
        pipe.scheduler = usual


def evaluations_with_cutoff(steps: int, ratio: float) -> int:
    """Samples through the UNet when the callback switches guidance off on the way."""
    cutoff = SDCFGCutoffCallback(cutoff_step_ratio=ratio, cutoff_step_index=None)
    shapes = shapes_of_call(
        tiny_pipeline(), num_inference_steps=steps, guidance_scale=7.5, callback_on_step_end=cutoff
    )
    return sum(shape[0] for shape in shapes)


def shape_into_unet() -> tuple[int, ...]:
    """Two prompts, three pictures each, at 512 x 512 with guidance."""
    (shape,) = shapes_of_call(
        tiny_pipeline(),
        prompt=["a red star", "a blue cross"],
        num_images_per_prompt=3,
        height=512,
        width=512,
        num_inference_steps=1,
        guidance_scale=7.5,
    )
    return shape


def one_sample_a_step() -> set[str]:
    """The calls in which one picture costs one sample a step."""
    calls: dict[str, tuple[int | None, dict[str, Any]]] = {
        "scale-1": (None, {"guidance_scale": 1.0, "negative_prompt": "a blue cross"}),
        "scale-0": (None, {"guidance_scale": 0.0}),
        "no-negative": (None, {"guidance_scale": 7.5, "negative_prompt": None}),
        "same-text": (None, {"guidance_scale": 7.5, "negative_prompt": "a red star"}),
        "distilled": (32, {"guidance_scale": 7.5}),
        "rescaled": (None, {"guidance_scale": 7.5, "guidance_rescale": 1.0}),
    }
    single = set()
    for name, (dim, call) in calls.items():
        shapes = shapes_of_call(tiny_pipeline(16, dim), num_inference_steps=2, **call)
        assert len(shapes) == 2
        if all(shape[0] == 1 for shape in shapes):
            single.add(name)
    # What the text of `same-text` says: paid twice for the picture of scale 1.
    twice = latents_of_call(guidance_scale=7.5, negative_prompt="a red star")
    assert torch.allclose(twice, latents_of_call(guidance_scale=1.0), atol=1e-4)
    return single


def second_call() -> str:
    """The float argument of FluxPipeline that makes a negative prompt cost a second call."""
    torch.manual_seed(0)
    transformer = diffusers.FluxTransformer2DModel(
        patch_size=1, in_channels=4, num_layers=1, num_single_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=32, pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8), guidance_embeds=True,
    )  # fmt: skip
    vae = AutoencoderKL(latent_channels=1, block_out_channels=(4,), norm_num_groups=2)
    pipe = diffusers.FluxPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(), vae=vae, transformer=transformer,
        text_encoder=None, tokenizer=None, text_encoder_2=None, tokenizer_2=None,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    texts = {"prompt_embeds": torch.randn(1, 4, 32), "pooled_prompt_embeds": torch.randn(1, 32)}
    texts |= {f"negative_{name}": torch.randn_like(each) for name, each in texts.items()}
    doubling = []
    for name, parameter in inspect.signature(pipe.__call__).parameters.items():
        if isinstance(parameter.default, float):
            with watched(transformer) as shapes:
                pipe(**texts, **{name: 4.0}, height=16, width=16, num_inference_steps=2,
                     output_type="latent")  # fmt: skip
            assert all(shape[0] == 1 for shape in shapes)
            doubling += [name] if len(shapes) == 4 else []
    assert len(doubling) == 1, doubling
    return str(doubling[0])


# What comes out


def half_scale() -> str:
    """Compare a call at scale .5 with what each option says it is."""
    negative = {"negative_prompt": "a blue cross"}
    got = latents_of_call(guidance_scale=0.5, **negative)
    unconditional = latents_of_call(guidance_scale=1.0, prompt="a blue cross")
    plain = latents_of_call(guidance_scale=1.0, **negative)
    assert not torch.allclose(plain, unconditional, atol=1e-3)
    # The formula at .5, which the modular guider does follow.
    pipe = tiny_pipeline()
    x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    texts = pipe.encode_prompt("a red star", "cpu", 1, True, "a blue cross")
    pipe.scheduler.set_timesteps(3)
    with torch.no_grad():
        for t in pipe.scheduler.timesteps:
            c, u = (pipe.unet(x, t, each).sample for each in texts)
            mixed = ClassifierFreeGuidance(guidance_scale=0.5).forward(c, u).pred
            x = pipe.scheduler.step(mixed, t, x).prev_sample
    return only(
        {
            "like-1": torch.equal(got, plain),
            "half-way": torch.allclose(got, x, atol=1e-4),
            "negative": torch.allclose(got, unconditional, atol=1e-4),
        }
    )


def conditional_from_guided() -> list[tuple[dict[str, float], float]]:
    """Guide with the library's guider, keep what a debugger would see, and ask for the rest."""
    draw = random.Random(3)
    pairs = []
    for _ in range(6):
        c, u, s = draw.uniform(-2, 2), draw.uniform(-2, 2), draw.uniform(1.5, 12)
        tensors = [torch.tensor([each], dtype=torch.float64) for each in (c, u)]
        g = ClassifierFreeGuidance(guidance_scale=s).forward(*tensors).pred.item()
        pairs.append(({"g": g, "u": u, "s": s}, c))
    return pairs


def spread_after_rescale(phi: float, ratio: float) -> float:
    """Spread of the rescaled over that of the conditional prediction."""
    conditional = torch.randn(1, 4, 64, 64, dtype=torch.float64)
    guided = torch.randn(1, 4, 64, 64, dtype=torch.float64)
    guided *= ratio * conditional.std() / guided.std()
    rescaled = rescale_noise_cfg(guided, conditional, guidance_rescale=phi)
    return float(rescaled.std() / conditional.std())


# The mutant


def toy_unet(x: torch.Tensor, t: int, text: torch.Tensor) -> torch.Tensor:
    """Any function of sample and text will do for a check of how predictions are combined."""
    return torch.sin(x + t) + text.mean(dim=(1, 2)).view(-1, 1, 1, 1)


def guide(namespace: Namespace, s: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the code makes of a sample; and both predictions, each made alone."""
    x, text, empty = torch.randn(2, 4, 8, 8), torch.randn(2, 5, 16), torch.randn(2, 5, 16)
    guided = namespace["guided_eps"](toy_unet, x, 300, text, empty, s)
    return guided, toy_unet(x, 300, text), toy_unet(x, 300, empty)


def conditional_at_1(namespace: Namespace) -> None:
    """At s = 1 guidance is the conditional prediction."""
    got, conditional, _ = guide(namespace, 1.0)
    gap = (got - conditional).abs().max().item()
    assert gap < 1e-5, f"at s = 1 it is not the conditional prediction\nlargest gap {gap:.3f}"


def scale_in_effect(mutant: Namespace, original: Namespace) -> str:
    """The scale at which the right formula gives what the mutant gives at 7.5."""
    for namespace, expected in ((original, 7.5), (mutant, None)):
        got, conditional, unconditional = guide(namespace, 7.5)
        scale = ((got - unconditional) / (conditional - unconditional)).mean().item()
        assert expected is None or abs(scale - expected) < 1e-3
    return only(
        {
            "stronger": abs(scale - 8.5) < 1e-3,
            "weaker": abs(scale - 6.5) < 1e-3,
            "away": abs(scale + 6.5) < 1e-3,
        }
    )
