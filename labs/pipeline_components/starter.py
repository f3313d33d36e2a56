"""A pipeline by hand: five components, what each is called with, and what it hands on.

python labs/pipeline_components/starter.py
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline
from torch import Tensor

MODEL = Path(__file__).parents[1] / "models" / "shapes"
PROMPTS = ["a large yellow circle on a purple background", "a star"]


# @load
def load(folder: Path) -> dict[str, Any]:
    """What from_pretrained does: model_index.json names a library and a class for each part."""
    index = json.loads((folder / "model_index.json").read_text())
    parts = {}
    for name, entry in index.items():
        if isinstance(entry, list) and entry[0] is not None:  # ["diffusers", "AutoencoderKL"]
            kind = getattr(importlib.import_module(entry[0]), entry[1])
            parts[name] = kind.from_pretrained(folder / name)
    return parts


# @encode-prompt
def encode_prompt(tokenizer: Any, text_encoder: Any, texts: list[str]) -> Tensor:
    to = tokenizer.model_max_length  # 12 here, 77 for CLIP
    ids = tokenizer(texts, padding="max_length", max_length=to, truncation=True)
    out: Tensor = text_encoder(torch.tensor(ids.input_ids)).last_hidden_state
    return out  # [B, 12, 96]


# @prepare-latents
def prepare_latents(unet: Any, scheduler: Any, seeds: list[int]) -> Tensor:
    side = unet.config.sample_size  # the picture's side / 8
    shape = (1, unet.config.in_channels, side, side)
    noise = [torch.randn(shape, generator=torch.Generator().manual_seed(s)) for s in seeds]
    return torch.cat(noise) * scheduler.init_noise_sigma  # [B, 4, 8, 8]


# @denoise
def denoise(unet: Any, scheduler: Any, x: Tensor, states: Tensor, scale: float) -> Tensor:
    """states [2B, 12, 96]: those of the empty prompt first."""
    for t in scheduler.timesteps:
        x_in = scheduler.scale_model_input(torch.cat([x, x]), t)  # [2B, 4, 8, 8]
        eps_u, eps_c = unet(x_in, t, encoder_hidden_states=states).sample.chunk(2)
        eps = eps_u + scale * (eps_c - eps_u)
        x = scheduler.step(eps, t, x).prev_sample  # [B, 4, 8, 8]
    return x


# @decode
def decode(vae: Any, x: Tensor) -> Tensor:
    image = vae.decode(x / vae.config.scaling_factor).sample  # [B, 3, 64, 64] in [-1, 1]
    pixels: Tensor = (image / 2 + 0.5).clamp(0, 1)
    return pixels


# @call
@torch.inference_mode()
def call(parts: dict[str, Any], prompts: list[str], seeds: list[int], steps: int = 10) -> Tensor:
    """Text in, pixels out; no component knows of another."""
    unet, scheduler = parts["unet"], parts["scheduler"]
    scheduler.set_timesteps(steps)  # before the latents: init_noise_sigma may depend on it
    texts = [""] * len(prompts) + prompts
    states = encode_prompt(parts["tokenizer"], parts["text_encoder"], texts)
    x = prepare_latents(unet, scheduler, seeds)
    return decode(parts["vae"], denoise(unet, scheduler, x, states, scale=5.0))


# @swap
def swapped(scheduler: Any) -> EulerDiscreteScheduler:
    """Another sampler for the same trained model: betas and prediction_type must come along."""
    return EulerDiscreteScheduler.from_config(scheduler.config)


# @look
def spy(module: torch.nn.Module, shapes: list[str]) -> Any:
    """Note the shapes of all tensors that enter a module."""

    def seen(_: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = [v for v in [*args, *kwargs.values()] if isinstance(v, Tensor) and v.ndim]
        shapes.append(" ".join(str(list(v.shape)) for v in given))

    return module.register_forward_pre_hook(seen, with_kwargs=True)


def main() -> None:
    parts = load(MODEL)
    for name, part in parts.items():
        count = sum(p.numel() for p in part.parameters()) if hasattr(part, "parameters") else 0
        print(f"{name:13}{type(part).__name__:22}{count:>10,} parameters")

    entered: list[str] = []
    handles = [spy(parts[name], entered) for name in ("text_encoder", "unet")]
    ours = call(parts, PROMPTS, seeds=[0, 1])
    print(f"{len(entered)} calls of a network before the VAE; into the text encoder {entered[0]}")
    print(f"into the UNet {entered[1]}; out of the VAE {list(ours.shape)}")
    for handle in handles:
        handle.remove()

    pipe = StableDiffusionPipeline(
        **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )
    pipe.set_progress_bar_config(disable=True)
    made = [torch.Generator().manual_seed(s) for s in (0, 1)]
    theirs = pipe(
        PROMPTS, num_inference_steps=10, guidance_scale=5.0, generator=made, output_type="pt"
    ).images
    print(f"largest difference of a pixel from the pipeline's: {(ours - theirs).abs().max():.1e}")

    right, bare = swapped(parts["scheduler"]), EulerDiscreteScheduler()
    print(f"sigma at t=999: {right.sigmas[0]:.1f} from_config, {bare.sigmas[0]:.1f} bare")
    for name, scheduler in (("from_config", right), ("bare", bare)):
        pixels = call({**parts, "scheduler": scheduler}, PROMPTS[:1], seeds=[0])
        print(f"{name}: pixels differ from DDIM's by {(pixels - ours[:1]).abs().mean():.3f}")


if __name__ == "__main__":
    main()
