"""One batch of pictures through a `StableDiffusionPipeline`'s own parts, with every choice open.

The pipeline's call hides what experiments vary: the window of guided steps, text states that change
on the way, a start in the middle. With its defaults this loop is the pipeline's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from drill.lab.prediction import Halves, check_denoiser, combine, encode_texts, predict, spread
from drill.lab.sampling import DenoiserSpy

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline
    from torch import Tensor
else:
    Tensor = StableDiffusionPipeline = Any

__all__ = ["Sampled", "States", "check_denoiser", "encode_texts", "guided_sample"]

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
                states = (
                    _rows(empty, index, count)[chosen].to(device, dtype) if guided else None,
                    _rows(text, index, count)[chosen].to(device, dtype),
                )
                found = predict(pipe.unet, latents, t, states, _masks(mask, chosen, count, device))
                predicted = combine(found, scale)
                if guided:
                    predicted = _rescaled(predicted, found[1], rescale)
                    spreads.append((spread(predicted) / spread(found[1])).cpu())
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


def _rows(states: States | None, step: int, count: int) -> Tensor:
    found: Any = states(step) if callable(states) else states
    return found.expand(count, -1, -1)


def _masks(
    mask: tuple[Tensor, Tensor] | None, chosen: slice, count: int, device: Any
) -> Halves | None:
    """The masks of the chosen pictures, the unconditional half's first."""
    if mask is None:
        return None
    text, empty = (each.expand(count, -1)[chosen].to(device) for each in mask)
    return empty, text


def _rescaled(guided: Tensor, conditional: Tensor, rescale: float) -> Tensor:
    """The guided prediction after `guidance_rescale`."""
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

    if rescale <= 0:
        return guided
    return rescale_noise_cfg(guided, conditional, guidance_rescale=rescale)
