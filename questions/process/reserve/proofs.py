"""Proofs of the process questions that interviews keep: noising from one level to the next, Karras
levels on a model's own table, and what a size does to a noise level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers import DDIMScheduler, DDPMScheduler, EulerDiscreteScheduler
from torch import Tensor

Namespace = dict[str, Any]
Pairs = list[tuple[dict[str, float], float]]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, so that proofs do not depend on their order."""
    return torch.Generator().manual_seed(seed)


def from_level_to_level() -> Pairs:
    """Mean and variance of the chain of single steps from s to t, put together as one draw."""
    scheduler = DDPMScheduler(**SD_BETAS)
    ab, betas = scheduler.alphas_cumprod.double(), scheduler.betas.double()
    pairs: Pairs = []
    for s, t, x_s, eps in ((100, 101, 1.3, -0.4), (200, 500, -0.7, 1.1), (5, 950, 0.9, 0.6)):
        mean, var = torch.tensor(x_s).double(), torch.tensor(0.0).double()
        for step in range(s + 1, t + 1):
            mean = (1 - betas[step]).sqrt() * mean
            var = (1 - betas[step]) * var + betas[step]
        named = {"x_s": x_s, "eps": eps, "ab_s": float(ab[s]), "ab_t": float(ab[t])}
        pairs.append((named, float(mean + var.sqrt() * eps)))
    return pairs


# The known part of a picture


class Watching:
    """A denoiser that answers with noise and notes how noisy the known part of its input is."""

    def __init__(self) -> None:
        self.spread: list[tuple[int, float]] = []
        self.seed = 0

    def __call__(self, x: Tensor, t: Tensor) -> Tensor:
        self.seed += 1
        self.spread.append((int(t), float(x[..., :16].var())))
        return torch.randn(x.shape, generator=seeded(self.seed))


def filled(ns: Namespace) -> tuple[Watching, Tensor]:
    """A run of the shown loop on a picture of zeros, so that the known part is noise alone."""
    model, known = Watching(), torch.zeros(4, 4, 32, 32)
    mask = torch.zeros_like(known)
    mask[..., 16:] = 1
    scheduler = DDIMScheduler(**SD_BETAS, clip_sample=False, timestep_spacing="trailing")
    result: Tensor = ns["inpaint"](model, known, mask, scheduler, 10, seeded())
    return model, result


def known_part_as_told(ns: Namespace) -> None:
    """In every call the known part has the noise of the timestep that the network is told."""
    model, result = filled(ns)
    ab = DDIMScheduler(**SD_BETAS).alphas_cumprod
    assert float(result[..., :16].abs().max()) == 0, "the known part came out changed"
    for t, var in model.spread[1:]:
        right = 1 - float(ab[t])
        assert abs(var - right) < 0.06 * right + 0.005, (
            f"t={t}: variance {var:.3f}, not {right:.3f}"
        )


def known_part_lags(mutant: Namespace) -> str:
    """What is wrong with the known part in the mutant."""
    model, result = filled(mutant)
    ab = DDIMScheduler(**SD_BETAS).alphas_cumprod
    told = torch.tensor([1 - float(ab[t]) for t, _ in model.spread[1:]])
    had = torch.tensor([var for _, var in model.spread[1:]])
    return only(
        {
            "too-noisy": bool((had > told + 0.01).sum() >= 7)
            and float(result[..., :16].var()) == 0,
            "too-clean": bool((had < told - 0.01).sum() >= 7),
            "noise-left": float(result[..., :16].var()) > 0,
            "same-noise": bool((had - told).abs().max() < 0.01),
        }
    )


# Code: Karras levels


def karras_as_the_library(ns: Namespace) -> None:
    """Levels and timesteps beside EulerDiscreteScheduler's, and what must hold by definition."""
    function: Callable[..., tuple[Tensor, Tensor]] = ns["karras_levels"]
    scheduler = EulerDiscreteScheduler(
        **SD_BETAS, use_karras_sigmas=True, timestep_spacing="linspace"
    )
    ab = scheduler.alphas_cumprod
    before = ab.clone()
    for steps in (2, 10, 25):
        sigmas, timesteps = function(ab, steps, 7.0)
        scheduler.set_timesteps(steps)
        assert sigmas.shape == (steps + 1,), f"sigmas {tuple(sigmas.shape)}"
        assert timesteps.shape == (steps,), f"timesteps {tuple(timesteps.shape)}"
        assert float(sigmas[-1]) == 0, f"the last level is {float(sigmas[-1]):.4g}, not 0"
        off = (sigmas / scheduler.sigmas - 1)[:-1].abs().max().item()
        assert off < 1e-3, f"{steps} steps: sigmas off by up to {off:.2%}"
        apart = (timesteps - scheduler.timesteps).abs().max().item()
        assert apart < 0.02, f"{steps} steps: timesteps off by up to {apart:.2f}"
    one, t = function(ab, 1, 7.0)
    assert one.shape == (2,) and abs(float(one[0]) - 14.6146) < 0.01, f"one step: {one.tolist()}"
    assert abs(float(t[0]) - 999) < 0.5, f"one step: timestep {float(t[0])}"
    even, _ = function(ab, 5, 1.0)
    gaps = (even[:-2] - even[1:-1]).tolist()
    assert max(gaps) - min(gaps) < 1e-3, (
        f"rho = 1 must space the sigmas evenly, got {even.tolist()}"
    )
    assert torch.equal(ab, before), "alphas_cumprod was changed in place"


# What the explanations state


def coarse_content_at_twice_the_side() -> None:
    """Averaged over 2 x 2, noise loses half its spread and coarse content nothing: SNR times 4."""
    ab = DDIMScheduler(**SD_BETAS).alphas_cumprod[500]
    small = torch.randn(64, 4, 64, 64, generator=seeded(1))
    large = small.repeat_interleave(2, -1).repeat_interleave(2, -2)
    eps = torch.randn(large.shape, generator=seeded(2))
    noised = ab.sqrt() * large + (1 - ab).sqrt() * eps
    pooled = torch.nn.functional.avg_pool2d(noised, 2)
    left = (pooled - ab.sqrt() * small).var()
    snr, pooled_snr = ab / (1 - ab), ab / left
    assert abs(float(pooled_snr / snr) - 4) < 0.05, float(pooled_snr / snr)
