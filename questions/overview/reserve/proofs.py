"""Proofs of the overview questions that interviews keep: what a trace says about a request, and the
arithmetic of a product's bill."""

from __future__ import annotations

import string
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


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
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), attention_head_dim=2,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16,
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


def spans(**call: Any) -> dict[str, list[int]]:
    """Batch sizes of every call of the text encoder, the UNet and the decoder, in one request."""
    pipe = tiny_pipeline()
    seen: dict[str, list[int]] = {"text": [], "unet": [], "decode": []}
    for name, module in (
        ("text", pipe.text_encoder), ("unet", pipe.unet), ("decode", pipe.vae.decoder)
    ):  # fmt: skip

        def note(
            _m: Any, args: tuple[Any, ...], kwargs: dict[str, Any], seen_by: str = name
        ) -> None:
            sample = args[0] if args else kwargs["sample"]
            seen[seen_by].append(len(sample))

        module.register_forward_pre_hook(note, with_kwargs=True)
    pipe(height=64, width=64, **call)
    return seen


def request_behind_the_trace() -> str:
    """Which of the requests leaves the trace of the question."""
    trace = {"text": [1, 1], "unet": [8] * 25, "decode": [4]}
    one = "a red star"
    requests: dict[str, dict[str, Any]] = {
        "four-guided": {
            "prompt": one, "num_images_per_prompt": 4, "num_inference_steps": 25,
            "guidance_scale": 7.5,
        },
        "eight-unguided": {
            "prompt": one, "num_images_per_prompt": 8, "num_inference_steps": 25,
            "guidance_scale": 1.0,
        },
        "four-fifty": {
            "prompt": one, "num_images_per_prompt": 4, "num_inference_steps": 50,
            "guidance_scale": 1.0,
        },
        "four-prompts": {
            "prompt": [one, "a cat", "a dog", "a hat"], "num_inference_steps": 25,
            "guidance_scale": 7.5,
        },
    }  # fmt: skip
    return only({name: spans(**request) == trace for name, request in requests.items()})


# A bill


def evaluations(steps: int, pictures: int, guided: bool) -> int:
    """UNet samples of one request with DPM-Solver++ 2M."""
    scheduler = DPMSolverMultistepScheduler(**SD_BETAS)
    scheduler.set_timesteps(steps)
    return len(scheduler.timesteps) * pictures * (2 if guided else 1)


def gpu_seconds() -> float:
    """Seconds of one request from its evaluations, TFLOP and sustained TFLOP/s."""
    return (evaluations(25, 4, True) * 0.8 + 4 * 2.5) / 120


def gpus_at_peak() -> float:
    """Work that arrives in a second over what one GPU may take on."""
    return 8 * 1.5 / 0.6
