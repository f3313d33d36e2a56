"""Proofs of the objective questions that interviews keep: errors of a preview, EDM's scalings, and
what weights and densities of timesteps do to a regression."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import DDIMScheduler
from torch import Tensor

Namespace = dict[str, Any]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
SPREAD = 0.5


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, so that proofs do not depend on their order."""
    return torch.Generator().manual_seed(seed)


def preview_error(target: str, ab: float, error: float) -> float:
    """How far the scheduler's x_0 moves when the network's output is off by `error`."""
    scheduler = DDIMScheduler(num_train_timesteps=2, prediction_type=target, clip_sample=False)
    scheduler.alphas_cumprod = torch.tensor([0.99, ab], dtype=torch.float64)
    scheduler.set_timesteps(2)
    x, output = torch.randn(2, 1, 1, 4, 4, generator=seeded()).double()
    right = scheduler.step(output, 1, x).pred_original_sample
    off = scheduler.step(output + error, 1, x).pred_original_sample
    return float((off - right).abs().mean())


# EDM's scalings


def loss_of_silence(ns: Namespace, sigma: float) -> float:
    """The loss of a network that answers 0: the mean square of what it is asked for."""
    x0 = SPREAD * torch.randn(64, 1, 32, 32, generator=seeded(1)).double()
    eps = torch.randn(64, 1, 32, 32, generator=seeded(2)).double()
    level = torch.full((64, 1, 1, 1), sigma, dtype=torch.float64)
    loss: Tensor = ns["edm_loss"](lambda x, c: torch.zeros_like(x), x0, level, eps)
    return float(loss)


def asks_for_unit_variance(ns: Namespace) -> None:
    """At every noise level the network's input and its target have variance 1."""
    for sigma in (0.02, 0.5, 2.0, 40.0):
        asked = loss_of_silence(ns, sigma)
        assert abs(asked - 1) < 0.05, f"sigma {sigma}: the target has mean square {asked:.3g}"


def target_blows_up(mutant: Namespace) -> str:
    """Where the mutant's target leaves variance 1."""
    clean, middle, noisy = (loss_of_silence(mutant, sigma) for sigma in (0.02, 0.5, 40.0))
    return only(
        {
            "both-ends": clean > 100 and noisy > 100 and abs(middle - 1) < 0.1,
            "clean-end": clean > 100 and abs(noisy - 1) < 0.1,
            "noisy-end": noisy > 100 and abs(clean - 1) < 0.1,
            "middle": middle > 4 and abs(noisy - 1) < 0.1 and abs(clean - 1) < 0.1,
        }
    )


# What the explanations state


def floor_under_the_loss() -> None:
    """The best eps-predictor of unit Gaussian data keeps an MSE of ab_t, and its mean over t is the
    floor under the curve."""
    ab = DDIMScheduler(**SD_BETAS).alphas_cumprod.double()
    x0, eps = torch.randn(2, 100_000, generator=seeded(3)).double()
    for t in (50, 500, 950):
        x = ab[t].sqrt() * x0 + (1 - ab[t]).sqrt() * eps
        best = (1 - ab[t]).sqrt() * x
        floor = (best - eps).square().mean()
        assert torch.isclose(floor, ab[t], rtol=0.03), (t, float(floor), float(ab[t]))


def density_times_weight() -> None:
    """Sampling t by a density and weighting the loss by it have the same expectation; sampling has
    the smaller variance."""
    ab = DDIMScheduler(**SD_BETAS).alphas_cumprod.double()
    per_t = ab  # the optimal eps-MSE of unit Gaussian data, from floor_under_the_loss
    grid = torch.linspace(-3, 3, 1000).double()
    density = torch.exp(-grid.square())
    density /= density.sum()
    weight = density * len(density)
    chosen = torch.multinomial(density, 200_000, replacement=True, generator=seeded(4))
    uniform = torch.randint(0, 1000, (200_000,), generator=seeded(5))
    by_density, by_weight = per_t[chosen], (weight * per_t)[uniform]
    assert torch.isclose(by_density.mean(), by_weight.mean(), rtol=0.02)
    assert by_weight.var() > 3 * by_density.var(), (by_weight.var(), by_density.var())
    snr = ab / (1 - ab)
    v_over_eps = 1 + 1 / snr
    assert torch.allclose(v_over_eps, 1 / ab), "v-MSE is (1 + 1/SNR) times the eps-MSE"
