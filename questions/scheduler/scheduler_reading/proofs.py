"""Proofs of the questions of lab scheduler_reading: its starter's samplers on Gaussian data, for
which the best network and the end of the ODE are known exactly."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
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


def levels(steps: int, last: int | None = None) -> Tensor:
    """sigma at trailing timesteps and 0; or at even ones from 999 down to `last`."""
    ab = DDIMScheduler(**SD_BETAS).alphas_cumprod.double()
    table = ((1 - ab) / ab).sqrt()
    if last is not None:
        return table[torch.linspace(999, last, steps + 1).round().long()]
    scheduler = EulerDiscreteScheduler(**SD_BETAS, timestep_spacing="trailing")
    scheduler.set_timesteps(steps)
    return torch.cat([table[scheduler.timesteps.long()], table.new_zeros(1)])


def network(x: Tensor, ab: Tensor) -> Tensor:
    """E[eps | x] for x_0 ~ N(MEAN, STD^2): what a perfectly trained network returns."""
    return (1 - ab).sqrt() * (x - ab.sqrt() * MEAN) / (ab * STD**2 + 1 - ab)


def noise(count: int = 10_000) -> Tensor:
    """Unit noise, [count], in double precision."""
    return torch.randn(count, generator=torch.Generator().manual_seed(0)).double()


def solution(start: Tensor, sigmas: Tensor) -> Tensor:
    """The ODE's exact end from unit noise: it keeps (x - MEAN) / sqrt(STD^2 + sigma^2)."""
    x = start * (sigmas[0] ** 2 + 1).sqrt()
    ratio = (STD**2 + sigmas[-1] ** 2) / (STD**2 + sigmas[0] ** 2)
    return MEAN + (x - MEAN) * ratio.sqrt()


# Euler's two mutants


def ends_at_the_data(ns: Namespace) -> None:
    """With a perfect network 50 steps give the spread and, closely, the mean of the data."""
    made = ns["euler"](network, noise(), levels(50))
    mean, std = float(made.mean()), float(made.std())
    assert abs(mean - MEAN) < 0.05, f"mean {mean:.3g}, not {MEAN}"
    assert abs(std - STD) < 0.05, f"spread {std:.3g}, not {STD}"


def dt_turned_round(mutant: Namespace, original: Namespace) -> str:
    """Mean and spread after 20 steps; the explanation says 280 and .44."""
    made = mutant["euler"](network, noise(), levels(20))
    right = original["euler"](network, noise(), levels(20))
    spread = float(made.std())
    assert abs(spread - 280) < 10 and abs(float(right.std()) - 0.44) < 0.01
    return only(
        {
            "blows-up": 100 < spread < 1000 and bool(torch.isfinite(made).all()),
            "stays": 10 < spread < 20,
            "mirrored": abs(spread - float(right.std())) < 0.1,
            "nan": bool(made.isnan().any()),
        }
    )


def input_unscaled(mutant: Namespace, original: Namespace) -> str:
    """Spread after 50 steps; the explanation says 5e-8."""
    made = mutant["euler"](network, noise(), levels(50))
    right = original["euler"](network, noise(), levels(50))
    spread = float(made.std())
    assert 4e-8 < spread < 6e-8, spread
    return only(
        {
            "one-point": spread < 1e-3 and abs(float(made.mean()) - MEAN) < 0.1,
            "noise": spread > 5,
            "unchanged": bool(torch.allclose(made, right, atol=1e-2)),
            "too-wide": STD < spread <= 5,
        }
    )


# Heun


def heun_errors(ns: Namespace, counts: tuple[int, ...]) -> list[float]:
    """Mean error at timestep 24, before a last jump to 0 could hide the order."""
    ns["eps_at"] = lambda model, x, sigma: model(x / (sigma**2 + 1).sqrt(), 1 / (sigma**2 + 1))
    errors = []
    for steps in counts:
        sigmas = levels(steps, last=24)
        made = ns["heun"](network, noise(), sigmas)
        errors.append(float((made - solution(noise(), sigmas)).abs().mean()))
    return errors


def second_order(ns: Namespace) -> None:
    """Twice the steps leave about a quarter of the error."""
    few, many = heun_errors(ns, (20, 40))
    assert many < few / 3, f"error {few:.4f} at 20 steps, {many:.4f} at 40: not second order"


def heun_told_the_old_level(mutant: Namespace, original: Namespace) -> str:
    """Errors at 10, 20 and 40 steps, of the mutant, of correct Heun, and of Euler."""
    counts = (10, 20, 40)
    wrong, right = heun_errors(mutant, counts), heun_errors(original, counts)
    euler = []
    for steps in counts:
        sigmas = levels(steps, last=24)
        x = noise() * (sigmas[0] ** 2 + 1).sqrt()
        for sigma, sigma_next in pairwise(sigmas):
            ab = 1 / (sigma**2 + 1)
            x = x + (sigma_next - sigma) * network(x * ab.sqrt(), ab)
        euler.append(float((x - solution(noise(), sigmas)).abs().mean()))
    written = {"wrong": (0.27, 0.12, 0.05), "euler": (0.05, 0.03, 0.01)}
    for got, said in ((wrong, written["wrong"]), (euler, written["euler"])):
        assert all(abs(a - b) < 0.006 for a, b in zip(got, said, strict=True)), got
    assert all(abs(a / b - 1) < 0.1 for a, b in zip(right, (0.012, 0.003, 0.00076), strict=True)), (
        right
    )
    (limit,) = heun_errors(mutant, (640,))
    ratio = wrong[1] / wrong[2]
    worse = all(a > b for a, b in zip(wrong, euler, strict=True))
    return only(
        {
            "first-order": 1.7 < ratio < 2.6 and worse and limit < 0.01,
            "second-order": ratio > 3.3,
            "no-limit": limit > 0.02,
            "none": all(abs(a - b) < 1e-3 for a, b in zip(wrong, right, strict=True)),
        }
    )


# State


def second_run() -> str:
    """Two runs of one loop after a single set_timesteps: which differ without an error?"""
    schedulers = {
        "pndm": PNDMScheduler(**SD_BETAS, skip_prk_steps=True),
        "ddim": DDIMScheduler(**SD_BETAS),
        "euler": EulerDiscreteScheduler(**SD_BETAS),
        "dpm": DPMSolverMultistepScheduler(**SD_BETAS),
    }
    start = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))

    def run(scheduler: Any) -> Tensor:
        x = start
        for t in scheduler.timesteps:
            model_input = scheduler.scale_model_input(x, t)
            x = scheduler.step(torch.tanh(model_input), t, x).prev_sample
        return x

    silent = []
    for name, scheduler in schedulers.items():
        scheduler.set_timesteps(10)
        first = run(scheduler)
        try:
            second = run(scheduler)
        except IndexError:
            assert name in ("euler", "dpm"), f"{name} raises"
            continue
        if not torch.equal(first, second):
            silent.append(name)
    assert len(silent) == 1, silent
    return silent[0]


# The ends of Karras' list


def karras_error(solver: str, levels_of: str) -> float:
    """Mean error at sigma = 0 of a solver on its own or the other's ten Karras levels."""
    kinds = {"euler": EulerDiscreteScheduler, "dpm": DPMSolverMultistepScheduler}
    scheduler = kinds[levels_of](
        **SD_BETAS, use_karras_sigmas=True, timestep_spacing="trailing"
    )  # fmt: skip
    scheduler.set_timesteps(10)
    sigmas = scheduler.sigmas.double()
    x = noise() * (sigmas[0] ** 2 + 1).sqrt()
    last: tuple[Tensor, Tensor] | None = None
    for sigma, sigma_next in pairwise(sigmas):
        ab = 1 / (sigma**2 + 1)
        eps = network(x * ab.sqrt(), ab)
        if solver == "euler" or sigma_next == 0:
            x = x + (sigma_next - sigma) * eps
            continue
        x0, h = x - sigma * eps, sigma.log() - sigma_next.log()
        guess = x0 if last is None else x0 + (x0 - last[0]) * h / (2 * last[1])
        x = (sigma_next / sigma) * x - torch.expm1(-h) * guess
        last = x0, h
    return float((x - solution(noise(), sigmas)).abs().mean())


def karras_ends() -> str:
    """The last sigma before 0; the explanation says .34, .029, and .04 for leading spacing."""
    last, table = {}, DDIMScheduler(**SD_BETAS).alphas_cumprod.double()
    sigma = ((1 - table) / table).sqrt()
    for kind in (EulerDiscreteScheduler, HeunDiscreteScheduler, DPMSolverMultistepScheduler,
                 UniPCMultistepScheduler):  # fmt: skip
        scheduler = kind(**SD_BETAS, use_karras_sigmas=True, timestep_spacing="trailing")
        scheduler.set_timesteps(10)
        last[kind.__name__] = float(scheduler.sigmas[-2])
    leading = EulerDiscreteScheduler(
        **SD_BETAS, use_karras_sigmas=True, timestep_spacing="leading", steps_offset=1
    )
    leading.set_timesteps(10)
    assert abs(float(leading.sigmas[-2]) - 0.04) < 0.005
    assert abs(float(sigma[99]) - 0.34) < 0.005 and abs(float(sigma[0]) - 0.029) < 0.0005

    def at(value: float, t: int) -> bool:
        return abs(value / float(sigma[t]) - 1) < 1e-3

    euler, dpm = last["EulerDiscreteScheduler"], last["DPMSolverMultistepScheduler"]
    assert abs(last["HeunDiscreteScheduler"] - euler) < 1e-6
    assert abs(last["UniPCMultistepScheduler"] - dpm) < 1e-6
    written = {("euler", "euler"): 0.095, ("dpm", "dpm"): 0.020, ("dpm", "euler"): 0.073}
    for (solver, levels_of), said in written.items():
        assert abs(karras_error(solver, levels_of) - said) < 0.002, (solver, levels_of)
    return only(
        {
            "both-lowest": at(euler, 0) and at(dpm, 0),
            "both-spacing": at(euler, 99) and at(dpm, 99),
            "euler-higher": at(euler, 99) and at(dpm, 0),
            "euler-lower": at(euler, 0) and at(dpm, 99),
        }
    )
