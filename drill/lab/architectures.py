"""Architectures of well-known text-to-image models, as far as their sizes go.

Written from the published ones. `drill.lab.random_models` builds pipelines of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TOKENS = 77
"""Tokens of CLIP."""

Component = tuple[str, dict[str, Any]]
"""A class of diffusers or transformers, and its config."""


@dataclass(frozen=True)
class Architecture:
    """One published model, as far as its sizes go."""

    title: str
    pipeline: str
    """Pipeline class of diffusers."""
    modules: Mapping[str, Component]
    """Components with weights, in the pipeline's argument names."""
    scheduler: Component
    tokenizers: Mapping[str, str]
    """Argument name to `clip` or `t5`."""
    size: int
    """Side of the pictures that it was made for, in pixels."""
    dtype: str
    """Name of the dtype in which it is run on an accelerator."""
    extra: Mapping[str, Any]
    """Further arguments of the pipeline class."""


def _clip(width: int, layers: int, heads: int, act: str, projected: bool) -> Component:
    config = {
        "vocab_size": 49408,
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "max_position_embeddings": TOKENS,
        "projection_dim": width,
        "hidden_act": act,
        "bos_token_id": 52,
        "eos_token_id": 53,
        "pad_token_id": 53,
    }
    return ("CLIPTextModelWithProjection" if projected else "CLIPTextModel", config)


def _vae(size: int, channels: int, scale: float, shift: float | None, quant: bool) -> Component:
    return "AutoencoderKL", {
        "block_out_channels": (128, 256, 512, 512),
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "layers_per_block": 2,
        "latent_channels": channels,
        "sample_size": size,
        "scaling_factor": scale,
        "shift_factor": shift,
        "use_quant_conv": quant,
        "use_post_quant_conv": quant,
        "force_upcast": True,
    }


_T5_XXL: Component = (
    "T5EncoderModel",
    {
        "vocab_size": 32128,
        "d_model": 4096,
        "d_kv": 64,
        "d_ff": 10240,
        "num_layers": 24,
        "num_heads": 64,
        "feed_forward_proj": "gated-gelu",
        "is_encoder_decoder": False,
        "use_cache": False,
        "tie_word_embeddings": False,
    },
)
_SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}

ARCHITECTURES: Mapping[str, Architecture] = {
    "sd15-random": Architecture(
        title="Stable Diffusion 1.5",
        pipeline="StableDiffusionPipeline",
        modules={
            "text_encoder": _clip(768, 12, 12, "quick_gelu", projected=False),
            "unet": (
                "UNet2DConditionModel",
                {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8},
            ),
            "vae": _vae(512, 4, 0.18215, None, quant=True),
        },
        scheduler=("DDIMScheduler", {**_SD_BETAS, "steps_offset": 1, "clip_sample": False}),
        tokenizers={"tokenizer": "clip"},
        size=512,
        dtype="float16",
        extra={
            "safety_checker": None,
            "feature_extractor": None,
            "requires_safety_checker": False,
        },
    ),
    "sdxl-random": Architecture(
        title="Stable Diffusion XL",
        pipeline="StableDiffusionXLPipeline",
        modules={
            "text_encoder": _clip(768, 12, 12, "quick_gelu", projected=False),
            "text_encoder_2": _clip(1280, 32, 20, "gelu", projected=True),
            "unet": (
                "UNet2DConditionModel",
                {
                    "sample_size": 128,
                    "block_out_channels": (320, 640, 1280),
                    "down_block_types": (
                        "DownBlock2D",
                        "CrossAttnDownBlock2D",
                        "CrossAttnDownBlock2D",
                    ),
                    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
                    "transformer_layers_per_block": (1, 2, 10),
                    "attention_head_dim": (5, 10, 20),
                    "cross_attention_dim": 2048,
                    "use_linear_projection": True,
                    "addition_embed_type": "text_time",
                    "addition_time_embed_dim": 256,
                    "projection_class_embeddings_input_dim": 2816,
                },
            ),
            "vae": _vae(1024, 4, 0.13025, None, quant=True),
        },
        scheduler=("EulerDiscreteScheduler", {**_SD_BETAS, "steps_offset": 1}),
        tokenizers={"tokenizer": "clip", "tokenizer_2": "clip"},
        size=1024,
        dtype="float16",
        extra={"add_watermarker": False},
    ),
    "sd3-random": Architecture(
        title="Stable Diffusion 3 medium",
        pipeline="StableDiffusion3Pipeline",
        modules={
            "text_encoder": _clip(768, 12, 12, "quick_gelu", projected=True),
            "text_encoder_2": _clip(1280, 32, 20, "gelu", projected=True),
            "text_encoder_3": _T5_XXL,
            "transformer": (
                "SD3Transformer2DModel",
                {
                    "sample_size": 128,
                    "patch_size": 2,
                    "in_channels": 16,
                    "out_channels": 16,
                    "num_layers": 24,
                    "num_attention_heads": 24,
                    "attention_head_dim": 64,
                    "joint_attention_dim": 4096,
                    "caption_projection_dim": 1536,
                    "pooled_projection_dim": 2048,
                    "pos_embed_max_size": 192,
                },
            ),
            "vae": _vae(1024, 16, 1.5305, 0.0609, quant=False),
        },
        scheduler=("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}),
        tokenizers={"tokenizer": "clip", "tokenizer_2": "clip", "tokenizer_3": "t5"},
        size=1024,
        dtype="bfloat16",
        extra={},
    ),
    "flux-random": Architecture(
        title="FLUX.1-dev",
        pipeline="FluxPipeline",
        modules={
            "text_encoder": _clip(768, 12, 12, "quick_gelu", projected=False),
            "text_encoder_2": _T5_XXL,
            "transformer": (
                "FluxTransformer2DModel",
                {
                    "patch_size": 1,
                    "in_channels": 64,
                    "num_layers": 19,
                    "num_single_layers": 38,
                    "attention_head_dim": 128,
                    "num_attention_heads": 24,
                    "joint_attention_dim": 4096,
                    "pooled_projection_dim": 768,
                    "guidance_embeds": True,
                    "axes_dims_rope": (16, 56, 56),
                },
            ),
            "vae": _vae(1024, 16, 0.3611, 0.1159, quant=False),
        },
        scheduler=(
            "FlowMatchEulerDiscreteScheduler",
            {"shift": 3.0, "use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15},
        ),
        tokenizers={"tokenizer": "clip", "tokenizer_2": "t5"},
        size=1024,
        dtype="bfloat16",
        extra={},
    ),
}

_SHRUNKEN_CLIP = {
    "vocab_size": 54,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "projection_dim": 16,
}
_SHRUNKEN: Mapping[str, dict[str, Any]] = {
    "CLIPTextModel": _SHRUNKEN_CLIP,
    "CLIPTextModelWithProjection": _SHRUNKEN_CLIP,
    "T5EncoderModel": {
        "vocab_size": 30, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4,
    },
    "AutoencoderKL": {
        "block_out_channels": (8, 8, 8, 8), "norm_num_groups": 4, "layers_per_block": 1,
        "sample_size": 64,
    },
    "SD3Transformer2DModel": {
        "sample_size": 8, "num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 16,
        "joint_attention_dim": 32, "caption_projection_dim": 32, "pooled_projection_dim": 32,
        "pos_embed_max_size": 24,
    },
    "FluxTransformer2DModel": {
        "num_layers": 1, "num_single_layers": 1, "num_attention_heads": 2, "attention_head_dim": 16,
        "joint_attention_dim": 32, "pooled_projection_dim": 16, "axes_dims_rope": (4, 6, 6),
    },
}  # fmt: skip
"""What replaces the sizes of a config, by class, so that a pipeline runs in a test."""


def shrink(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a class with so small sizes that a pipeline of it runs in a test."""
    if kind != "UNet2DConditionModel":
        return {**config, **_SHRUNKEN[kind]}
    levels = len(config.get("block_out_channels", (0,) * 4))
    changed = {
        **config,
        "sample_size": 8,
        "block_out_channels": (8, 16, 16, 16)[:levels],
        "norm_num_groups": 4,
        "layers_per_block": 1,
        "attention_head_dim": 2,
    }
    changed["cross_attention_dim"] = 16 if levels == 4 else 32  # SDXL joins two text encoders
    if "transformer_layers_per_block" in config:
        changed["transformer_layers_per_block"] = 1
        changed["addition_time_embed_dim"] = 8
        changed["projection_class_embeddings_input_dim"] = 6 * 8 + 16
    return changed
