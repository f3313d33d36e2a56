"""Schedulers by the names that the experiments use, and a common place to start and to end.

Schedulers hold their latents in one of two coordinates: x = sqrt(ab) x0 + sqrt(1-ab) eps (DDIM,
DDPM, PNDM, DPM-Solver++, UniPC, LCM), or that over sqrt(ab), x0 + sigma eps (Euler, Euler
ancestral, Heun). At sigma = 0 the two are the same, so results can be compared as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from drill.lab.trajectory import OnStep, Run, Texts, denoise

T = 1000
"""Timesteps of the training."""


@dataclass(frozen=True)
class Solver:
    """A scheduler class of diffusers with what makes it run to sigma = 0 without clipping."""

    kind: str
    config: Mapping[str, Any] = field(default_factory=dict)
    stochastic: bool = False
    """Whether its step draws noise with these settings."""
    twice: bool = False
    """Whether a step evaluates the denoiser twice (but for the last)."""


SOLVERS: Mapping[str, Solver] = {
    "ddim": Solver("DDIMScheduler", {"set_alpha_to_one": True, "clip_sample": False}),
    "euler": Solver("EulerDiscreteScheduler"),
    "heun": Solver("HeunDiscreteScheduler", {"clip_sample": False}, twice=True),
    "pndm": Solver("PNDMScheduler", {"set_alpha_to_one": True, "skip_prk_steps": True}),
    "dpm++2m": Solver("DPMSolverMultistepScheduler"),
    "unipc": Solver("UniPCMultistepScheduler"),
    "euler-a": Solver("EulerAncestralDiscreteScheduler", stochastic=True),
    "ddpm": Solver("DDPMScheduler", {"clip_sample": False}, stochastic=True),
    "lcm": Solver("LCMScheduler", {"clip_sample": False}, stochastic=True),
}


def make(pipe: Any, name: str, steps: int, **config: Any) -> Any:
    """The scheduler `name` of SOLVERS for the pipeline's model, with its timesteps set.

    Betas and prediction type are the pipeline's, spacing is trailing; `config` overrides both and
    SOLVERS. Heun gets half of the steps, rounded up, so that it evaluates about as often.
    """
    import diffusers

    solver = SOLVERS[name]
    if solver.kind == "LCMScheduler":
        config = {"original_inference_steps": max(50, steps), **config}
    scheduler = getattr(diffusers, solver.kind).from_config(
        pipe.scheduler.config, **{"timestep_spacing": "trailing", **solver.config, **config}
    )
    scheduler.set_timesteps(steps_of(name, steps), device=pipe.unet.device)
    return scheduler


def steps_of(name: str, steps: int) -> int:
    """Steps that a solver makes where the others make `steps`."""
    return (steps + 1) // 2 if SOLVERS[name].twice else steps


def scaled(scheduler: Any) -> bool:
    """Whether the latents are x0 + sigma eps, so that the denoiser's input must be scaled."""
    return float(scheduler.init_noise_sigma) != 1.0


def start(scheduler: Any, noise: Tensor) -> Tensor:
    """Noise (N, c, h, w) of unit variance in the coordinates of the scheduler's first timestep.

    A pipeline multiplies by `init_noise_sigma`, which for linspace and trailing spacing is sigma
    and not sqrt(sigma^2 + 1): the same to .2 %, but not the same point.
    """
    if not scaled(scheduler):
        return noise
    return noise * (float(scheduler.sigmas[0]) ** 2 + 1) ** 0.5


def run(
    pipe: Any,
    name: str,
    steps: int,
    texts: Texts,
    noise: Tensor,
    *,
    seed: int = 0,
    on_step: OnStep | None = None,
    **config: Any,
) -> Run:
    """From `noise` to sigma = 0 by the solver `name`."""
    scheduler = make(pipe, name, steps, **config)
    return denoise(
        pipe, scheduler, texts, start(scheduler, noise), seed=seed, on_step=on_step
    )  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """The ODE's solution from a given noise, as a fine solver finds it."""

    latents: Tensor
    """(N, c, h, w) at sigma = 0."""
    on_the_way: Mapping[int, Tensor]
    """Latents by timestep, in DDIM's coordinates, at the timesteps that were asked for."""
    evaluations: float


def reference(
    pipe: Any,
    texts: Texts,
    noise: Tensor,
    fine: int,
    stops: tuple[int, ...] = (),
    on_step: OnStep | None = None,
) -> Reference:
    """Solve the ODE by DPM-Solver++ 2M in `fine` even steps that meet every timestep of `stops`.

    The last stretch goes through every timestep of the training. Trailing spacing alone ends in a
    jump to 0 from 1000/N - 1, which costs more than all that lies before it.
    """
    from diffusers import DPMSolverMultistepScheduler

    stride = T // fine
    visited = {T - 1 - stride * k for k in range(fine)} | {*range(stride)} | {*stops}
    scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    scheduler.set_timesteps(timesteps=sorted(visited, reverse=True), device=pipe.unet.device)
    order = scheduler.timesteps.tolist()
    kept: dict[int, Tensor] = {}

    def keep(done: int, total: int, latents: Tensor) -> None:
        if done < total and order[done] in stops:
            kept[order[done]] = latents.float().cpu()
        if on_step is not None:
            on_step(done, total, latents)

    made = denoise(pipe, scheduler, texts, noise, on_step=keep)
    return Reference(made.latents, kept, made.evaluations)


def last_timestep(steps: int) -> int:
    """Where trailing spacing makes its last jump from: the last timestep of `steps`."""
    import numpy as np

    return int(np.round(np.arange(T, 0, -T / steps))[-1]) - 1


def jump(pipe: Any, texts: Texts, latents: Tensor, timestep: int) -> Tensor:
    """The predicted clean latents: from `latents` at a timestep to sigma = 0 in one step."""
    import torch

    scheduler = make(pipe, "ddim", 1)
    timesteps = torch.tensor([timestep], device=pipe.unet.device)
    return denoise(pipe, scheduler, texts, latents, timesteps=timesteps).latents


def distance(latents: Tensor, other: Tensor) -> float:
    """||a - b|| / ||b|| over the latents (N, c, h, w) of a picture, mean over pictures."""
    apart = (latents - other).flatten(1).norm(dim=1)
    return float((apart / other.flatten(1).norm(dim=1)).mean())
