"""One run of a pipeline's denoiser under any scheduler, watched from step to step.

`StableDiffusionPipeline` picks the initial scale, scales the model's input and hides the latents in
between. Here the caller gives the scheduler and the first latents, may leave the scaling out, and
sees what enters the denoiser.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from drill.lab.prediction import check_denoiser, combine, encode_texts, predict
from drill.lab.sampling import DenoiserSpy, picture_seeds

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline
    from torch import Tensor
else:
    Tensor = StableDiffusionPipeline = Any

OnStep: TypeAlias = "Callable[[int, int, Tensor], None]"
"""Called after each step with the steps done, their number and the latents (N, c, h, w)."""


@dataclass(frozen=True)
class Texts:
    """Prompts as the denoiser takes them, and how much they guide."""

    conditional: Tensor
    """(N, L, D), one row a picture."""
    unconditional: Tensor
    """(1, L, D), the empty prompt."""
    guidance_scale: float

    @property
    def guided(self) -> bool:
        """As in the pipeline: above 1 only."""
        return self.guidance_scale > 1

    def first(self, count: int) -> Texts:
        """The first `count` pictures."""
        return Texts(self.conditional[:count], self.unconditional, self.guidance_scale)


@dataclass(frozen=True)
class Run:
    """What came out of a run over N pictures. Tensors are float32 on the CPU."""

    latents: Tensor
    """(N, c, h, w), as the scheduler leaves them."""
    calls: int
    """Calls of the denoiser, counted."""
    evaluations: float
    """Rows of the denoiser's batches for each picture, counted: twice the calls with guidance."""
    input_std: tuple[float, ...]
    """Standard deviation of what the denoiser was shown, call by call."""
    latent_std: tuple[float, ...]
    """Standard deviation of the latents before each call, in the scheduler's own coordinates."""


def prepare_texts(
    pipe: StableDiffusionPipeline, prompts: Sequence[str], guidance_scale: float
) -> Texts:
    """Each prompt's states, on the pipeline's device. Raises ModelError for a denoiser that cannot
    be run with latents and text alone."""
    check_denoiser(pipe)
    states = encode_texts(pipe, [*prompts, ""])
    return Texts(states[:-1], states[-1:], guidance_scale)


def denoise(
    pipe: StableDiffusionPipeline,
    scheduler: Any,
    texts: Texts,
    latents: Tensor,
    *,
    timesteps: Tensor | None = None,
    scale_input: bool = True,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Run:
    """The pipeline's loop: from `latents` (N, c, h, w) through all of `scheduler.timesteps`.

    `scheduler.set_timesteps` has been called; `latents` are in the scheduler's coordinates, at the
    level of the first timestep. `timesteps` are those to visit where they are not all. With
    `scale_input` false, `scale_model_input` is never called. A scheduler that draws noise gets a
    generator for each picture, seeded with `seed` and the picture's number.
    """
    import torch

    device, dtype = pipe.unet.device, pipe.unet.dtype
    visited = scheduler.timesteps if timesteps is None else timesteps
    count = len(latents)
    empty = texts.unconditional.expand(count, -1, -1) if texts.guided else None
    extra: dict[str, Any] = {}
    if "generator" in inspect.signature(scheduler.step).parameters:
        generators = [torch.Generator().manual_seed(each) for each in picture_seeds(seed, count)]
        extra["generator"] = generators
    shown, held = [], []
    x = latents.to(device, dtype)
    # TF32 convolutions would round to three digits, and runs that agree would part by that.
    exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
    with torch.inference_mode(), exact, DenoiserSpy(pipe.unet) as spy:
        for done, t in enumerate(visited, start=1):
            held.append(float(x.float().std()))
            sample = scheduler.scale_model_input(x, t) if scale_input else x
            shown.append(float(sample.float().std()))
            halves = predict(pipe.unet, sample, t, (empty, texts.conditional))
            predicted = combine(halves, texts.guidance_scale)
            x = scheduler.step(predicted, t, x, **extra, return_dict=False)[0]
            if on_step is not None:
                on_step(done, len(visited), x)
    return Run(
        latents=x.float().cpu(),
        calls=spy.calls,
        evaluations=spy.evaluations / count,
        input_std=tuple(shown),
        latent_std=tuple(held),
    )
