"""Proofs of the pipeline questions that interviews keep: small pipelines that are called, saved and
derived from each other, and what the library infers from names of weights."""

from __future__ import annotations

import tempfile
import warnings
from typing import Any

import diffusers
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
    UNet2DModel,
)
from diffusers.loaders import single_file_utils
from torch import Tensor

Namespace = dict[str, Any]


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def small_vae(**config: Any) -> Any:
    """An autoencoder with factor 8."""
    return AutoencoderKL(
        block_out_channels=(4, 4, 4, 4), norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        **{"latent_channels": 4, **config},
    ).eval()  # fmt: skip


def small_flux(**parts: Any) -> Any:
    """FLUX.1 in small, to be called with embeddings."""
    torch.manual_seed(0)
    transformer = FluxTransformer2DModel(
        patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16,
        num_attention_heads=2, axes_dims_rope=(4, 4, 8), joint_attention_dim=8,
        pooled_projection_dim=8, guidance_embeds=True,
    ).eval()  # fmt: skip
    pipe = FluxPipeline(
        transformer=transformer, vae=small_vae(shift_factor=0.1),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        text_encoder=None, tokenizer=None, text_encoder_2=None, tokenizer_2=None, **parts,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def small_sd() -> Any:
    """Stable Diffusion in small, without a text encoder."""
    unet = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8,), layers_per_block=1, norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D",), up_block_types=("CrossAttnUpBlock2D",),
        cross_attention_dim=8, attention_head_dim=2,
    )  # fmt: skip
    return StableDiffusionPipeline(
        vae=small_vae(), text_encoder=None, tokenizer=None, unet=unet, scheduler=DDIMScheduler(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip


# Sizes


def odd_sides() -> tuple[int, int]:
    """Height and width of what FluxPipeline returns for 760 x 1000."""
    made = small_flux()(
        prompt_embeds=torch.zeros(1, 4, 8), pooled_prompt_embeds=torch.zeros(1, 8),
        height=760, width=1000, num_inference_steps=1, output_type="pt",
    ).images  # fmt: skip
    return int(made.shape[-2]), int(made.shape[-1])


# Saving and loading


def sketcher(ns: Namespace, folder: str) -> tuple[Any, Any]:
    """The class's pipeline with 12 steps, and what is loaded of it after saving."""
    torch.manual_seed(0)
    unet = UNet2DModel(
        sample_size=8, in_channels=1, out_channels=1, block_out_channels=(4,), norm_num_groups=2,
        down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",), layers_per_block=1,
        attention_head_dim=2,
    )  # fmt: skip
    made = ns["Sketcher"](unet.eval(), DDIMScheduler(), default_steps=12)
    made.save_pretrained(folder)
    loaded = ns["Sketcher"].from_pretrained(folder)
    return made, loaded


def steps_of(pipe: Any) -> int:
    """How many evaluations a call without `steps` makes."""
    calls: list[int] = []
    handle = pipe.unet.register_forward_pre_hook(lambda *_: calls.append(1))
    pipe(torch.zeros(1, 1, 8, 8))
    handle.remove()
    return len(calls)


def survives_a_round_trip(ns: Namespace) -> None:
    """The pipeline from disk takes the steps of the one that was saved."""
    with tempfile.TemporaryDirectory() as folder:
        made, loaded = sketcher(ns, folder)
        for name, pipe in (("built", made), ("loaded", loaded)):
            try:
                steps = steps_of(pipe)
            except AttributeError as error:
                raise AssertionError(f"{name}: {error}") from error
            assert steps == 12, f"{name}: {steps} steps, not 12"


def after_loading(mutant: Namespace) -> str:
    """What a call without `steps` does on the pipeline that was loaded."""
    with tempfile.TemporaryDirectory() as folder:
        _, loaded = sketcher(mutant, folder)
        try:
            steps = steps_of(loaded)
        except AttributeError as error:
            assert "default_steps" in str(error)
            steps = 0
    saved = len(DDIMScheduler().timesteps)
    return only(
        {
            "not-saved": steps == 0,
            "fifty": steps == 50,
            "twelve": steps == 12,
            "scheduler": steps == saved,
        }
    )


# What the explanations state


def what_a_file_tells() -> None:
    """An SDXL file is known by a key; its scheduler is guessed, and eps is the guess."""
    name = single_file_utils.CHECKPOINT_KEY_NAMES["xl_base"]
    weights: dict[str, Tensor] = {name: torch.zeros(1)}
    assert single_file_utils.infer_diffusers_model_type(weights) == "xl_base"
    config = single_file_utils.fetch_diffusers_config(weights)
    assert "stable-diffusion-xl-base" in config["pretrained_model_name_or_path"]
    guessed = single_file_utils._legacy_load_scheduler(
        EulerDiscreteScheduler, dict(weights), "scheduler"
    )
    assert guessed.config.prediction_type == "epsilon"
    torch.manual_seed(0)
    x0, eps = torch.randn(2, 1, 4, 8, 8)
    for target in ("epsilon", "v_prediction"):
        scheduler = DDIMScheduler(prediction_type=target, clip_sample=False)
        scheduler.set_timesteps(2)
        t = scheduler.timesteps[0]
        noisy = scheduler.add_noise(x0, eps, t[None])
        v = scheduler.get_velocity(x0, eps, t[None])
        found = scheduler.step(v, t, noisy).pred_original_sample
        assert torch.allclose(found, x0, atol=1e-3) == (target == "v_prediction")


def warnings_and_parts() -> None:
    """Deprecations are FutureWarnings, and the extension points that are named exist."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        diffusers.utils.deprecate("something", "99.0.0", "Use another.", standard_warn=False)
    assert [each.category for each in seen] == [FutureWarning]
    taken = StableDiffusionPipeline.__call__.__wrapped__.__annotations__
    assert {"callback_on_step_end", "prompt_embeds", "latents"} <= set(taken)
    assert diffusers.guiders.ClassifierFreeGuidance(guidance_scale=5.0)


def what_a_new_family_breaks() -> None:
    """What Flux lacks that a loop for SDXL uses, and what from_pipe does to a dtype."""
    flux = small_flux()
    assert not hasattr(flux, "unet") and hasattr(flux, "transformer")
    assert not hasattr(flux.scheduler, "scale_model_input")
    packed = flux._pack_latents(torch.zeros(1, 4, 8, 8), 1, 4, 8, 8)
    assert packed.shape == (1, 16, 16)
    rows: list[int] = []
    given: list[bool] = []

    def note(_module: Any, _args: Any, kwargs: dict[str, Any]) -> None:
        rows.append(len(kwargs["hidden_states"]))
        given.append(kwargs["guidance"] is not None)

    flux.transformer.register_forward_pre_hook(note, with_kwargs=True)
    flux(
        prompt_embeds=torch.zeros(1, 4, 8), pooled_prompt_embeds=torch.zeros(1, 8), height=64,
        width=64, num_inference_steps=1, guidance_scale=3.5, output_type="latent",
    )  # fmt: skip
    assert rows == [1] and given == [True]
    pipe = small_sd().to(torch.bfloat16)
    StableDiffusionImg2ImgPipeline.from_pipe(pipe)
    assert pipe.unet.dtype == torch.float32
