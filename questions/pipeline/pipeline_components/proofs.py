"""Proofs of the questions of lab pipeline_components: its starter's functions against diffusers and
the bundled model."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    FluxPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)
from torch import Tensor

from drill.lab.loading import load_module

Namespace = dict[str, Any]
LAB = Path(__file__).resolve().parents[3] / "labs" / "pipeline_components"
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


# A scheduler from its bare constructor


def trained_with() -> DDIMScheduler:
    """The scheduler of Stable Diffusion 1.5's training."""
    return DDIMScheduler(**SD_BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1)


def levels_of_the_training(ns: Namespace) -> None:
    """Each timestep stands for the noise level that it had in training."""
    table = trained_with().alphas_cumprod
    made = ns["swapped"](trained_with()).alphas_cumprod
    gap = (made - table).abs().max().item()
    assert gap < 1e-6, f"alphas_cumprod differ from the training's by up to {gap:.3f}"


def bare_constructor(mutant: Namespace, original: Namespace) -> str:
    """First levels, start noise and parameters of both."""
    wrong, right = mutant["swapped"](trained_with()), original["swapped"](trained_with())
    for scheduler in (wrong, right):
        scheduler.set_timesteps(10)
    full = [ns["swapped"](trained_with()).sigmas[0].item() for ns in (mutant, original)]
    assert abs(full[0] - 157.4) < 0.1 and abs(full[1] - 14.6) < 0.1, full
    starts = [float(each.init_noise_sigma) for each in (wrong, right)]
    levels_differ = not torch.allclose(wrong.alphas_cumprod, right.alphas_cumprod, atol=1e-3)
    return only(
        {
            "other-levels": levels_differ,
            "spacing-only": not levels_differ
            and wrong.timesteps.tolist() != right.timesteps.tolist(),
            "untrained": isinstance(right, torch.nn.Module),
            "start-only": starts[0] <= 1.0,
        }
    )


# Padding to the longest text of a call


@cache
def starter() -> Any:
    """The lab's starter."""
    return load_module(LAB / "starter.py")


@cache
def parts() -> dict[str, Any]:
    """The bundled components."""
    found: dict[str, Any] = starter().load(starter().MODEL)
    return found


@torch.inference_mode()
def states(ns: Namespace, texts: list[str]) -> Tensor:
    """States of texts, by the function under test."""
    found: Tensor = ns["encode_prompt"](parts()["tokenizer"], parts()["text_encoder"], texts)
    return found


LONG = "a large yellow circle on a purple background"


def states_do_not_depend_on_neighbours(ns: Namespace) -> None:
    """A text's states are the same alone and beside a longer text."""
    alone, beside = states(ns, ["a star"])[0], states(ns, ["a star", LONG])[0]
    assert alone.shape == beside.shape, f"{list(alone.shape)} alone, {list(beside.shape)} beside"
    assert torch.allclose(alone, beside, atol=1e-4)


@torch.inference_mode()
def pictures(ns: Namespace, prompts: list[str], seeds: list[int]) -> Tensor:
    """The shown `call`, with the rest of the starter."""
    for name in ("prepare_latents", "denoise", "decode"):
        ns[name] = getattr(starter(), name)
    made: Tensor = ns["call"](parts(), prompts, seeds, 5)
    return made


def padded_to_the_longest(mutant: Namespace, original: Namespace) -> str:
    """Own tokens' states, and the picture of one prompt and seed in two calls."""
    short, full = states(mutant, ["", "a star"]), states(original, ["", "a star"])
    own = short.shape[1]
    assert own == 4 and full.shape[1] == 12
    assert (short - full[:, :own]).abs().max() < 5e-6

    def apart(ns: Namespace) -> float:
        alone = pictures(ns, ["a star"], [1])
        beside = pictures(ns, ["a star", LONG], [1, 0])
        return float((alone[0] - beside[0]).abs().mean())

    wrong, right = apart(mutant), apart(original)
    assert right < 1e-4 and abs(wrong - WRITTEN) < 0.01, (wrong, right)
    long = [states(ns, [LONG])[0] for ns in (mutant, original)]
    same_words = torch.allclose(long[0], long[1][: len(long[0])], atol=1e-4)
    return only(
        {
            "neighbours": wrong > 0.05,
            "nothing": wrong < 1e-3,
            "ragged": states(mutant, ["a star", LONG]).shape[0] != 2,
            "long-only": not same_words,
        }
    )


WRITTEN = 0.117
"""What the explanation says."""


# The shift after the decoder


def decoded(ns: Namespace, values: Tensor) -> Tensor:
    """What becomes of values that a decoder gives."""
    vae = SimpleNamespace(
        config=SimpleNamespace(scaling_factor=1.0), decode=lambda x: SimpleNamespace(sample=x)
    )
    pixels: Tensor = ns["decode"](vae, values)
    return pixels


def grey_stays_grey(ns: Namespace) -> None:
    """-1 is black, 0 middle grey, 1 white."""
    made = decoded(ns, torch.tensor([-1.0, 0.0, 1.0])).tolist()
    assert made == [0.0, 0.5, 1.0], f"-1, 0 and 1 became {made}"


def shift_left_out(mutant: Namespace, original: Namespace) -> str:
    """Pixels of both for a ramp from black to white."""
    ramp = torch.linspace(-1, 1, 201)
    wrong, right = decoded(mutant, ramp), decoded(original, ramp)
    dark, bright = right < 0.5, right > 0.5
    twice = torch.allclose(wrong[bright].diff(), 2 * right[bright].diff(), atol=1e-6)
    return only(
        {
            "crushed": bool((wrong[dark] == 0).all()) and twice,
            "washed-out": float(wrong.min()) >= 0.5,
            "noise": bool((wrong.diff() < 0).any()),
            "same": torch.allclose(wrong, right),
        }
    )


# Bytes from the loop to the decoder


def bytes_between_services(model: str) -> float:
    """KiB of the latents that the installed pipelines prepare, in 16 bit."""
    side = int(model.split()[-1])
    family = {"Stable": StableDiffusionPipeline, "SDXL": StableDiffusionXLPipeline}
    pipe = SimpleNamespace(vae_scale_factor=8, scheduler=DDIMScheduler())
    if model.startswith("FLUX"):
        pipe._pack_latents = FluxPipeline._pack_latents
        pipe._prepare_latent_image_ids = FluxPipeline._prepare_latent_image_ids
        packed, _ = FluxPipeline.prepare_latents(
            pipe, 1, 16, side, side, torch.bfloat16, "cpu", torch.Generator()
        )
        latents = FluxPipeline._unpack_latents(packed, side, side, 8)
    else:
        latents = family[model.split()[0]].prepare_latents(
            pipe, 1, 4, side, side, torch.float16, "cpu", torch.Generator()
        )
    return float(latents.nbytes / 1024)
