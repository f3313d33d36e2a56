"""Proofs of the scheduler questions that interviews keep: steps told from traces, second-order
solvers on Gaussian data, and the arithmetic of steps against training."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import diffusers
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
)
from torch import Tensor

Namespace = dict[str, Any]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
MEAN, STD = 0.2, 0.5


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def table() -> Tensor:
    """Stable Diffusion's alphas_cumprod, [1000], in double precision."""
    ab: Tensor = DDIMScheduler(**SD_BETAS).alphas_cumprod
    return ab.double()


def clean(x: Tensor, sigma: Tensor) -> Tensor:
    """E[x_0 | x_0 + sigma eps = x] for x_0 ~ N(MEAN, STD^2)."""
    return (STD**2 * x + sigma**2 * MEAN) / (STD**2 + sigma**2)


def solution(x: Tensor, sigma: Tensor, end: Tensor) -> Tensor:
    """Where the ODE carries x from one noise level to another, exactly."""
    ratio = (STD**2 + end**2) / (STD**2 + sigma**2)
    return MEAN + (x - MEAN) * ratio.sqrt()


def noise(count: int = 2000) -> Tensor:
    """Unit noise, [count], in double precision."""
    return torch.randn(count, generator=torch.Generator().manual_seed(0)).double()


# Steps from a trace


def steps_from_trace(scheduler: str, calls: int) -> int:
    """The num_inference_steps for which a scheduler lists so many timesteps."""
    config = {"skip_prk_steps": True} if scheduler == "PNDMScheduler" else {}
    made = getattr(diffusers, scheduler)(**SD_BETAS, **config)
    found = []
    for steps in range(2, 101):
        made.set_timesteps(steps)
        if len(made.timesteps) == calls:
            found.append(steps)
    assert len(found) == 1, f"{found} steps give {calls} calls"
    return found[0]


# DPM-Solver++ 2M


def sigmas_even_in_log(steps: int) -> Tensor:
    """Levels at equal distances in log sigma, from 14.6 to .03."""
    return torch.linspace(math.log(14.6), math.log(0.03), steps + 1).double().exp()


def sigmas_trailing(steps: int) -> Tensor:
    """Levels of even timesteps from 999 to 0, as Stable Diffusion's table has them."""
    ab = table()[torch.linspace(999, 0, steps + 1).round().long()]
    return ((1 - ab) / ab).sqrt()


def error_of(ns: Namespace, sigmas: Tensor) -> float:
    """How far the shown sampler's samples stick out at its last level, in units of their noise.

    Positive: too far from the mean. The data are known exactly, so the end of the ODE is as well.
    """
    z = noise()
    x = z * (STD**2 + sigmas[0] ** 2).sqrt() + MEAN
    found: Tensor = ns["dpm_2m"](clean, x, sigmas)
    return float(((found - solution(x, sigmas[0], sigmas[-1])) * z).mean())


def second_order(ns: Namespace) -> None:
    """Twice the steps leave about a quarter of the error, on even and on uneven levels."""
    for levels, coarse_steps in ((sigmas_even_in_log, 40), (sigmas_trailing, 200)):
        coarse, fine = (abs(error_of(ns, levels(n))) for n in (coarse_steps, 2 * coarse_steps))
        said = f"error {coarse:.2e} at {coarse_steps} steps, {fine:.2e} at {2 * coarse_steps}"
        assert fine < 0.32 * coarse, said


def without_history(x: Tensor, sigmas: Tensor) -> Tensor:
    """The first-order step of the same solver, which is DDIM's."""
    for sigma, lower in pairwise(sigmas):
        x0 = clean(x, sigma)
        x = x0 + lower / sigma * (x - x0)
    return x


def history_weighed_twice(original: Namespace, mutant: Namespace) -> str:
    """The mutant's error beside that of the original and of a solver without history."""
    plain = {"dpm_2m": lambda _, x, sigmas: without_history(x, sigmas)}
    few, many = sigmas_even_in_log(80), sigmas_even_in_log(160)
    right, wrong, none = (error_of(ns, few) for ns in (original, mutant, plain))
    falls = wrong / error_of(mutant, many)
    return only(
        {
            "other-side": wrong * none < 0 and 0.8 < abs(wrong / none) < 1.25 and falls < 2.5,
            "as-without": abs(wrong - none) < 0.1 * abs(none),
            "grows": abs(falls) < 1,
            "constant": falls > 3.2 and abs(wrong) > 2 * abs(right),
        }
    )


# Code: Heun


class Counted:
    """An exact denoiser that notes the levels it is asked at."""

    def __init__(self) -> None:
        self.levels: list[float] = []

    def __call__(self, x: Tensor, sigma: Any) -> Tensor:
        level = torch.as_tensor(sigma, dtype=torch.float64)
        assert level > 0, "the denoiser was asked at sigma = 0"
        self.levels.append(float(level))
        return clean(x, level)


def as_the_library(sigmas: Tensor, x: Tensor) -> Tensor:
    """HeunDiscreteScheduler over the same levels, with the same denoiser."""
    scheduler = HeunDiscreteScheduler(**SD_BETAS)
    scheduler.set_timesteps(len(sigmas) - 1)
    inner = sigmas[1:-1].repeat_interleave(2)
    scheduler.sigmas = torch.cat([sigmas[:1], inner, sigmas[-1:]])
    for t in scheduler.timesteps:
        index = scheduler.step_index or 0
        level = scheduler.sigmas[index]
        eps = (x - clean(x, level)) / level
        x = scheduler.step(eps, t, x).prev_sample
    return x


def heun_of_edm(ns: Namespace) -> None:
    """Calls, levels, the last step, order of the error, and the library's own sampler."""
    sampler: Callable[..., Tensor] = ns["heun"]
    for steps in (1, 2, 7, 20):
        ab = table()[torch.linspace(999, 0, steps).round().long()]
        sigmas = torch.cat([((1 - ab) / ab).sqrt(), torch.zeros(1).double()])
        x = noise() * (STD**2 + sigmas[0] ** 2).sqrt() + MEAN
        before, net = x.clone(), Counted()
        got = sampler(net, x, sigmas)
        assert torch.equal(x, before), "x was changed in place"
        assert got.shape == x.shape, f"shape {tuple(got.shape)}"
        assert torch.isfinite(got).all(), f"{steps} steps: not finite"
        calls = 2 * steps - 1
        assert len(net.levels) == calls, f"{steps} steps: {len(net.levels)} calls, not {calls}"
        want = clean(x, sigmas[0]) if steps == 1 else as_the_library(sigmas, x)
        far = (got - want).abs().max().item()
        assert far < 1e-4, f"{steps} steps: off by up to {far:.3g}"
    ends = []
    for steps in (40, 80):
        sigmas = sigmas_even_in_log(steps)
        x = noise() * (STD**2 + sigmas[0] ** 2).sqrt() + MEAN
        net = Counted()
        got = sampler(net, x, sigmas)
        said = f"levels that stop above 0: {len(net.levels)} calls in {steps} steps"
        assert len(net.levels) == 2 * steps, said
        ends.append((got - solution(x, sigmas[0], sigmas[-1])).abs().max().item())
    assert ends[1] < 0.35 * ends[0], f"error {ends[0]:.2e} at 40 steps, {ends[1]:.2e} at 80"


# Steps against training


def samples_of(steps: int, guided: int) -> int:
    """Evaluations of one picture: a call at each timestep of 2M, doubled in the guided ones."""
    scheduler = DPMSolverMultistepScheduler(**SD_BETAS)
    scheduler.set_timesteps(steps)
    return sum(2 if place < guided else 1 for place in range(len(scheduler.timesteps)))


def times_cheaper() -> float:
    """GPU time of a picture by the teacher over that by the student."""
    teacher, student = samples_of(30, 30), samples_of(4, 0)
    return (teacher * 20 + 100) / (student * 20 + 100)


def break_even_millions() -> float:
    """Pictures, in millions, after which the training's GPU time is saved."""
    training = 64 * 6 * 24 * 3600
    return training / 1.12 / 1e6


def days_against_the_cheap_way() -> float:
    """Days until the student has paid, against 18 steps that are guided half of the way."""
    saved = (samples_of(18, 9) - samples_of(4, 0)) * 0.020
    a_day = 0.55 * 1.2e6 * saved / 3600
    return 64 * 6 * 24 / a_day


# What the explanations state


def ancestral_keeps_changing() -> None:
    """Euler settles with its steps from one start; Euler ancestral, one seed, does not."""

    def run(cls: Any, steps: int) -> Tensor:
        scheduler = cls(**SD_BETAS, timestep_spacing="trailing")
        scheduler.set_timesteps(steps)
        x = noise(500) * (STD**2 + scheduler.sigmas[0].double() ** 2).sqrt() + MEAN
        generator = torch.Generator().manual_seed(1)
        for index, t in enumerate(scheduler.timesteps):
            level = scheduler.sigmas[index].double()
            scheduler.scale_model_input(x, t)
            eps = (x - clean(x, level)) / level
            x = scheduler.step(eps, t, x, generator=generator).prev_sample
        return x

    settled = (run(EulerDiscreteScheduler, 200) - run(EulerDiscreteScheduler, 100)).std()
    drawn = (
        run(EulerAncestralDiscreteScheduler, 200) - run(EulerAncestralDiscreteScheduler, 100)
    ).std()
    assert settled < 0.02 and drawn > 0.3, (settled, drawn)


def error_levels_off() -> None:
    """DDIM's distance to the exact end shrinks with the steps, by less and less."""
    ends = []
    for steps in (20, 50, 100):
        scheduler = DDIMScheduler(**SD_BETAS, clip_sample=False, timestep_spacing="trailing")
        scheduler.set_timesteps(steps)
        x = start = noise()
        for t in scheduler.timesteps:
            ab = table()[t]
            sigma = ((1 - ab) / ab).sqrt()
            eps = (x / ab.sqrt() - clean(x / ab.sqrt(), sigma)) / sigma
            x = scheduler.step(eps, t, x).prev_sample
        ab = table()[999]
        first = ((1 - ab) / ab).sqrt()
        exact = solution(start / ab.sqrt(), first, torch.zeros(1).double())
        ends.append((x - exact).std().item())
    assert ends[0] > 1.8 * ends[1] > 3 * ends[2], ends
    assert ends[0] - ends[1] > 2 * (ends[1] - ends[2]), ends
