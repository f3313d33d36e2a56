"""One batch of pictures through a `StableDiffusionPipeline`'s own parts, with every choice open.

The pipeline's call hides what experiments vary: the window of guided steps, text states that change
on the way, a start in the middle. With its defaults this loop is the pipeline's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from drill.lab.models import ModelError
from drill.lab.sampling import DenoiserSpy

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline
    from torch import Tensor
else:
    Tensor = StableDiffusionPipeline = Any

States: TypeAlias = "Tensor | Callable[[int], Tensor]"
"""Text states (N, L, D), or a function that gives those of a step."""


@dataclass(frozen=True)
class Sampled:
    """What came out. Tensors on the CPU in float32."""

    latents: Tensor
    """(N, c, h, w), as the pipeline's loop leaves them."""
    before: tuple[Tensor, ...]
    """The latents that each step started from, where they were asked for; else empty."""
    spread: float
    """Std of what the scheduler got over that of the conditional prediction, by picture; mean
    over pictures and guided steps, 1 where none was guided."""
    calls: int
    evaluations: float
    """Rows of the denoiser's batches for each picture."""


def encode_texts(pipe: StableDiffusionPipeline, texts: Sequence[str]) -> Tensor:
    """States (N, L, D) of texts, each encoded once; "" is the empty prompt."""
    import torch

    unique = list(dict.fromkeys(texts))
    with torch.inference_mode():
        states, _ = pipe.encode_prompt(unique, pipe.unet.device, 1, False)
    found: Tensor = states[[unique.index(text) for text in texts]]
    return found


def guided_sample(
    pipe: StableDiffusionPipeline,
    text: States,
    empty: States | None,
    noise: Tensor,
    steps: int,
    scale: float,
    *,
    rescale: float = 0.0,
    window: range | None = None,
    start: int = 0,
    mask: tuple[Tensor, Tensor] | None = None,
    keep: bool = False,
    rows: int | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Sampled:
    """Sample N pictures by DDIM (deterministic) with the schedule that the pipeline has.

    `noise` is (N, c, h, w) of unit variance; with `start` above 0, the latents before that step.
    `empty` gives the states of the unconditional half: of the empty or of a negative prompt, (N or
    1, L, D). As in the pipeline the doubled batch holds them first, guidance is off at scales up
    to 1, and `rescale` is `guidance_rescale`. `window` holds the steps that are guided (None:
    all). `mask` marks with 1 the tokens that cross-attention may read, (N or 1, L) of `text` and of
    `empty`. `keep` returns the latents before each step. `rows` bounds
    the batch of one denoiser call.
    """
    import torch
    from diffusers import DDIMScheduler

    check_denoiser(pipe)
    device, dtype = pipe.unet.device, pipe.unet.dtype
    scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    scheduler.set_timesteps(steps, device=device)
    count = len(noise)
    part = max(1, (rows or 2 * count) // 2)
    finals, kept, spreads = [], [], []
    with torch.inference_mode(), DenoiserSpy(pipe.unet) as spy:
        for first in range(0, count, part):
            chosen = slice(first, first + part)
            latents = noise[chosen].to(device, dtype)
            before = []
            for index in range(start, len(scheduler.timesteps)):
                t = scheduler.timesteps[index]
                if keep:
                    before.append(latents.float().cpu())
                guided = scale > 1 and empty is not None and (window is None or index in window)
                halves = [empty, text] if guided else [text]
                states = [_rows(each, index, count)[chosen] for each in halves if each is not None]
                extra = {}
                if mask is not None:
                    marks = [mask[1], mask[0]] if guided else [mask[0]]
                    marks = [each.expand(count, -1)[chosen].to(device) for each in marks]
                    extra["encoder_attention_mask"] = torch.cat(marks)
                predicted = pipe.unet(
                    torch.cat([latents] * len(states)),
                    t,
                    encoder_hidden_states=torch.cat(states).to(device, dtype),
                    return_dict=False,
                    **extra,
                )[0]
                if guided:
                    predicted, ratio = _combine(predicted, scale, rescale)
                    spreads.append(ratio)
                latents = scheduler.step(predicted, t, latents, return_dict=False)[0]
                if on_step is not None and first == 0:
                    on_step(index + 1 - start, len(scheduler.timesteps) - start)
            finals.append(latents.float().cpu())
            kept.append(before)
    return Sampled(
        latents=torch.cat(finals),
        before=tuple(torch.cat(each) for each in zip(*kept, strict=True)),
        spread=float(torch.cat(spreads).mean()) if spreads else 1.0,
        calls=spy.calls,
        evaluations=spy.evaluations / count,
    )


def check_denoiser(pipe: StableDiffusionPipeline) -> None:
    """Raises ModelError for a denoiser that this guidance does not fit."""
    if pipe.unet.config.time_cond_proj_dim is not None:
        raise ModelError(
            "this denoiser takes the guidance scale as an input (guidance distillation); "
            "there is no unconditional prediction to guide away from"
        )
    if pipe.unet.config.in_channels != pipe.vae.config.latent_channels:
        raise ModelError("this denoiser takes more than the latents (inpainting or an edit model)")


def _rows(states: States, step: int, count: int) -> Tensor:
    found: Tensor = states(step) if callable(states) else states
    return found.expand(count, -1, -1)


def _combine(doubled: Tensor, scale: float, rescale: float) -> tuple[Tensor, Tensor]:
    """The guided prediction, and its std over the conditional one's by picture (N,)."""
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

    from_empty, from_text = doubled.chunk(2)
    mixed = from_empty + scale * (from_text - from_empty)
    if rescale > 0:
        mixed = rescale_noise_cfg(mixed, from_text, guidance_rescale=rescale)
    return mixed, (_std(mixed) / _std(from_text)).cpu()


def _std(values: Tensor) -> Tensor:
    return values.flatten(1).float().std(dim=1)
