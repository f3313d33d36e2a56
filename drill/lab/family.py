"""The bundled models beside the base, for experiments: denoisers, adapters, standard pipelines.

Every function takes the run's `Context` and reads `context.models`. What was trained (a UNet, a
transformer, an adapter) is loaded anew at each call and is the caller's own; text model, tokenizer
and VAE are those of the base pipeline, which later runs use too: leave them as they are. An adapter
never goes into `context.pipeline()`. All raise ModelError for a model that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab.denoisers import Denoiser, OnStep, Target, Text
from drill.lab.models import ModelError, load_pipeline

if TYPE_CHECKING:
    from diffusers import (
        PixArtAlphaPipeline,
        StableDiffusion3Pipeline,
        StableDiffusionControlNetPipeline,
        StableDiffusionPipeline,
    )
    from torch import Tensor

    from drill.lab.context import Context
else:
    Tensor = Any

__all__ = [
    "DENOISERS",
    "LORA_NAME",
    "Denoiser",
    "Drawn",
    "OnStep",
    "Text",
    "control_maps",
    "controlnet_pipeline",
    "dit_pipeline",
    "drawing_latents",
    "encode_text",
    "flow_pipeline",
    "ip_adapter_pipeline",
    "load_denoiser",
    "lora_pipeline",
    "pixart_arguments",
    "sd3_arguments",
    "unet_pipeline",
]

TARGETS = ("epsilon", "sample", "v", "v-zero-snr")
UNETS = ("shapes", *(f"targets/{target}" for target in TARGETS))
DENOISERS = ("shapes", "dit", "flow", *UNETS[1:])
LORA_NAME = "style"
LORA_FILE = "pytorch_lora_weights.safetensors"
IP_FILE = "ip_adapter.safetensors"


def encode_text(context: Context, prompts: Sequence[str]) -> Text:
    """What the base's text model says of the prompts; ``""`` is the unconditional one."""
    import torch

    base = _base(context)
    ids = base.tokenizer(
        list(prompts),
        padding="max_length",
        max_length=base.tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    ).input_ids
    with torch.no_grad():
        output = base.text_encoder(ids.to(context.device))
    return Text(output.last_hidden_state, output.pooler_output)


def load_denoiser(context: Context, name: str = "shapes") -> Denoiser:
    """One of DENOISERS, with the scheduler that it was trained for."""
    import diffusers

    if name == "dit":
        kind: Any = diffusers.PixArtTransformer2DModel
        scheduler: Any = diffusers.DDIMScheduler
        part = "transformer"
    elif name == "flow":
        kind, part = diffusers.SD3Transformer2DModel, "transformer"
        scheduler = diffusers.FlowMatchEulerDiscreteScheduler
    elif name in UNETS:
        kind, part = diffusers.UNet2DConditionModel, "unet"
        scheduler = diffusers.DDIMScheduler
    else:
        raise ModelError(f"no bundled denoiser {name!r}; there are {', '.join(DENOISERS)}")
    model = _load(kind, context, f"{name}/{part}")
    loaded = scheduler.from_pretrained(_folder(context, f"{name}/scheduler"), local_files_only=True)
    target: Target = "flow" if name == "flow" else loaded.config.prediction_type
    return Denoiser(name, model, loaded, target)


@dataclass(frozen=True)
class Drawn:
    """N drawings by rule that no model was trained on."""

    pixels: Tensor
    """(N, 3, 64, 64) in [0, 1]."""
    latents: Tensor
    """(N, 4, 8, 8), the VAE's means times its scaling factor: unit spread over all drawings."""
    attributes: tuple[dict[str, str], ...]
    captions: tuple[str, ...]
    """With all four attributes named."""


def drawing_latents(context: Context, count: int, seed: int = 1000) -> Drawn:
    """``count`` fresh drawings and their latents on the run's device; seeds under 10 are those of
    the training and of the evaluation."""
    import torch

    module = context.module("labs/models/drawings.py")
    made = module.make_drawings(count, seed)
    pixels = torch.from_numpy(made.pixels).permute(0, 3, 1, 2).float().div(255).to(context.device)
    attributes = tuple(
        {name: values[row[i]] for i, (name, values) in enumerate(module.ATTRIBUTES.items())}
        for row in made.attributes
    )
    vae = _base(context).vae
    with torch.no_grad():
        parts = [vae.encode(part * 2 - 1).latent_dist.mean for part in pixels.split(64)]
    latents = torch.cat(parts) * vae.config.scaling_factor
    captions = tuple(module.caption(**each) for each in attributes)
    return Drawn(pixels, latents, attributes, captions)


def control_maps(
    context: Context, shapes: Sequence[str], sizes: Sequence[str], seed: int = 1000
) -> Tensor:
    """Silhouettes (N, 3, 64, 64) in {0, 1}, white on black, of shapes drawn at random places."""
    import numpy as np
    import torch

    module = context.module("labs/models/drawings.py")
    measures = context.module("labs/models/family_measures.py")
    rng = np.random.default_rng(seed)
    drawn = np.stack(
        [
            module.draw(shape, "white", size, "black", rng)
            for shape, size in zip(shapes, sizes, strict=True)
        ]
    )
    pixels = torch.from_numpy(drawn).permute(0, 3, 1, 2).float().div(255)
    maps: Tensor = measures.silhouettes(pixels).expand(-1, 3, -1, -1).contiguous()
    return maps.to(context.device)


def unet_pipeline(context: Context, name: str = "shapes") -> StableDiffusionPipeline:
    """The base pipeline around a UNet and a scheduler of its own: the base's or a target's."""
    from diffusers import StableDiffusionPipeline

    if name not in UNETS:
        raise ModelError(f"{name!r} is no bundled UNet; there are {', '.join(UNETS)}")
    loaded = load_denoiser(context, name)
    base = _base(context)
    return _quiet(
        StableDiffusionPipeline(
            vae=base.vae,
            text_encoder=base.text_encoder,
            tokenizer=base.tokenizer,
            unet=loaded.model,
            scheduler=loaded.scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    )


def dit_pipeline(context: Context) -> PixArtAlphaPipeline:
    """The DiT in its own pipeline, which holds no text model: call it with `pixart_arguments`."""
    from diffusers import PixArtAlphaPipeline

    loaded = load_denoiser(context, "dit")
    return _quiet(
        PixArtAlphaPipeline(
            tokenizer=None,
            text_encoder=None,
            vae=_base(context).vae,
            transformer=loaded.model,
            scheduler=loaded.scheduler,
        )
    )


def pixart_arguments(text: Text, empty: Text) -> dict[str, Any]:
    """What `dit_pipeline`'s call takes in place of prompts; ``empty`` is one row."""
    import torch

    none = empty.repeated(len(text))
    mask = torch.ones(text.states.shape[:2], device=text.states.device)
    return {
        "negative_prompt": None,
        "prompt_embeds": text.states,
        "prompt_attention_mask": mask,
        "negative_prompt_embeds": none.states,
        "negative_prompt_attention_mask": mask,
        "use_resolution_binning": False,
    }


def flow_pipeline(context: Context) -> StableDiffusion3Pipeline:
    """The flow model in Stable Diffusion 3's pipeline, which holds no text models: call it with
    `sd3_arguments`. Its VAE is a copy with a shift of 0, which that pipeline adds."""
    from diffusers import AutoencoderKL, StableDiffusion3Pipeline

    loaded = load_denoiser(context, "flow")
    return _quiet(
        StableDiffusion3Pipeline(
            transformer=loaded.model,
            scheduler=loaded.scheduler,
            vae=_load(AutoencoderKL, context, "shapes/vae", shift_factor=0.0),
            text_encoder=None,
            tokenizer=None,
            text_encoder_2=None,
            tokenizer_2=None,
            text_encoder_3=None,
            tokenizer_3=None,
        )
    )


def sd3_arguments(text: Text, empty: Text) -> dict[str, Any]:
    """What `flow_pipeline`'s call takes in place of prompts; ``empty`` is one row."""
    none = empty.repeated(len(text))
    return {
        "prompt_embeds": text.states,
        "pooled_prompt_embeds": text.pooled,
        "negative_prompt_embeds": none.states,
        "negative_pooled_prompt_embeds": none.pooled,
    }


def lora_pipeline(context: Context, scale: float = 1.0) -> StableDiffusionPipeline:
    """The base with the LoRA of hollow circles and squares loaded as LORA_NAME at ``scale``."""
    pipe = unet_pipeline(context)
    folder = str(_folder(context, "lora"))
    with _unwarned():
        pipe.load_lora_weights(
            folder, weight_name=LORA_FILE, adapter_name=LORA_NAME, local_files_only=True
        )
    pipe.set_adapters([LORA_NAME], [scale])
    return pipe


def controlnet_pipeline(context: Context) -> StableDiffusionControlNetPipeline:
    """The base with the ControlNet of silhouettes; ``image`` takes `control_maps`."""
    from diffusers import ControlNetModel, StableDiffusionControlNetPipeline

    pipe = unet_pipeline(context)
    return _quiet(
        StableDiffusionControlNetPipeline(
            vae=pipe.vae,
            text_encoder=pipe.text_encoder,
            tokenizer=pipe.tokenizer,
            unet=pipe.unet,
            controlnet=_load(ControlNetModel, context, "controlnet"),
            scheduler=pipe.scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    )


def ip_adapter_pipeline(context: Context, scale: float = 1.0) -> StableDiffusionPipeline:
    """The base with the IP-Adapter and its image encoder, at ``scale``; ``ip_adapter_image`` takes
    64x64 pictures."""
    pipe = unet_pipeline(context)
    folder = str(_folder(context, "ip_adapter"))
    with _unwarned():
        pipe.load_ip_adapter(folder, subfolder="", weight_name=IP_FILE, local_files_only=True)
    pipe.set_ip_adapter_scale(scale)
    return pipe


def _base(context: Context) -> StableDiffusionPipeline:
    """The bundled base pipeline, shared by all runs, also where the run has a model of its own."""
    return load_pipeline(str(_folder(context, "shapes")), context.device, True)


def _folder(context: Context, name: str) -> Path:
    folder: Path = context.models / name
    if not folder.is_dir():
        raise ModelError(
            f"the bundled model {folder} is missing; "
            "`python labs/models/train.py --stage family --work DIR` makes it"
        )
    return folder


def _load(kind: Any, context: Context, name: str, **config: Any) -> Any:
    """A part of a model from its folder, in float32 and eval mode on the run's device."""
    import torch

    folder = _folder(context, name)
    try:
        part = kind.from_pretrained(folder, local_files_only=True, dtype=torch.float32, **config)
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot load the model {folder}: {error}") from error
    return part.to(context.device).eval().requires_grad_(False)


@contextmanager
def _unwarned() -> Iterator[None]:
    """Keep diffusers from remarking that the adapters have no part for the text model, and that
    float32 is cast to float32."""
    from diffusers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _quiet(pipe: Any) -> Any:
    pipe.set_progress_bar_config(disable=True)
    return pipe
