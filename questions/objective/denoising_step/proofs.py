"""Proofs of the questions of lab denoising_step: its starter's functions against the installed
schedulers, and what each broken line does to samples.

`Gaussian` is data for which the output of a perfectly trained network is known in closed form, so
that a whole sampling run can be made without one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers import DDIMScheduler, DDPMScheduler

Namespace = dict[str, Any]
Network = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
ONE = torch.tensor(1.0)


def table() -> torch.Tensor:
    """Stable Diffusion's alphas_cumprod."""
    ab: torch.Tensor = DDPMScheduler(**SD_BETAS).alphas_cumprod
    return ab


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, so that proofs do not depend on their order."""
    return torch.Generator().manual_seed(seed)


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


class Gaussian:
    """x_0 ~ N(mean, std^2): what an optimally trained network returns is known exactly."""

    def __init__(self, mean: float = 0.3, std: float = 0.5) -> None:
        self.mean, self.std = mean, std

    def x0_and_eps(self, x: torch.Tensor, ab: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """E[x_0 | x_t] and E[eps | x_t]."""
        eps = (1 - ab).sqrt() * (x - ab.sqrt() * self.mean) / (ab * self.std**2 + 1 - ab)
        return (x - (1 - ab).sqrt() * eps) / ab.sqrt(), eps

    def v(self, x: torch.Tensor, ab: torch.Tensor) -> torch.Tensor:
        """E[v | x_t]."""
        x0, eps = self.x0_and_eps(x, ab)
        return ab.sqrt() * eps - (1 - ab).sqrt() * x0


def ladder(steps: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """alphas_cumprod now and at the next level, for trailing spacing; 1 at the end."""
    ab, stride = table(), 1000 // steps
    return [(ab[t], ab[t - stride] if t >= stride else ONE) for t in range(999, -1, -stride)]


def ddim_run(step: Callable[..., Any], network: Network, steps: int, eta: float) -> torch.Tensor:
    """The end of a run over 20,000 starting noises with a `ddim_step`."""
    rng, x = seeded(1), torch.randn(20_000, generator=seeded())
    for ab, ab_prev in ladder(steps):
        x0, eps = network(x, ab)
        x = step(x0, eps, ab, ab_prev, torch.randn(x.shape, generator=rng), eta)
    return x


def deterministic(
    x0: Any, eps: Any, ab: Any, ab_prev: torch.Tensor, z: Any, eta: float
) -> torch.Tensor:
    """The DDIM step with eta 0."""
    x: torch.Tensor = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


# Noise in the last step


def is_the_posterior(ns: Namespace) -> None:
    """DDPMScheduler.step for the same noise, also over skipped steps; x_0 itself at the end."""
    for steps in (1000, 20):
        scheduler = DDPMScheduler(**SD_BETAS, prediction_type="sample", clip_sample=False)
        scheduler.set_timesteps(steps)
        t = int(scheduler.timesteps[len(scheduler.timesteps) // 2])
        before = int(scheduler.previous_timestep(t))
        x0, x = torch.randn(2, 64, 1, generator=seeded())
        theirs = scheduler.step(x0, t, x, generator=seeded(1)).prev_sample
        z = torch.randn(x.shape, generator=seeded(1))
        ab = scheduler.alphas_cumprod
        ours = ns["ddpm_step"](x0, x, ab[t], ab[before], z)
        far = (ours - theirs).abs().max().item()
        assert far < 1e-5, f"t={t} to {before}: off by up to {far:.3f}"
        last = ns["ddpm_step"](x0, x, ab[t], ONE, z)
        assert torch.allclose(last, x0, atol=1e-5), "the last step does not end at x_0"


def noise_left_at_the_end(mutant: Namespace, original: Namespace) -> str:
    """What is added to x_0 in the last of 20 and of 50 steps, and whether the mean is right."""
    added = {}
    for steps in (20, 50):
        ab, ab_prev = ladder(steps)[-1]
        x0, x, z = torch.randn(3, 20_000, generator=seeded())
        end = mutant["ddpm_step"](x0, x, ab, ab_prev, z)
        added[steps] = (end - x0).std().item()
    ab, ab_prev = ladder(20)[10]
    middle = [ns["ddpm_step"](x0, x, ab, ab_prev, torch.zeros(())) for ns in (mutant, original)]
    same_mean = torch.allclose(*middle)
    noisy = 0.15 < added[20] < 0.25 and 0.1 < added[50] < 0.16
    return only(
        {
            "noisy-end": noisy and same_mean,
            "same": all(each < 1e-3 for each in added.values()),
            "biased": not same_mean,
            "nan": bool(end.isnan().any()),
        }
    )


# v taken for the noise


def converts_every_target(ns: Namespace) -> None:
    """What target forms from x_0 and eps must lead back to both."""
    scheduler = DDPMScheduler(**SD_BETAS)
    x0, eps = torch.randn(2, 64, 1, generator=seeded())
    for t in (10, 500, 950):
        at = torch.full((64,), t)
        x = scheduler.add_noise(x0, eps, at)
        outputs = {
            "epsilon": eps,
            "sample": x0,
            "v_prediction": scheduler.get_velocity(x0, eps, at),
        }
        for kind, output in outputs.items():
            got = ns["x0_and_eps"](output, x, scheduler.alphas_cumprod[t], kind)
            for name, value, wanted in zip(("x0", "eps"), got, (x0, eps), strict=True):
                far = (value - wanted).abs().max().item()
                assert far < 1e-3, f"{kind}, t={t}: {name} is off by up to {far:.3f}"


def samples_with_v_as_noise(mutant: Namespace, original: Namespace) -> str:
    """Spread over seeds of 20-step samples from an optimal v-model, and of the x_0 estimates."""
    data = Gaussian()

    def network(ns: Namespace) -> Network:
        return lambda x, ab: ns["x0_and_eps"](data.v(x, ab), x, ab, "v_prediction")

    right, wrong = (
        ddim_run(deterministic, network(ns), 20, 0.0).std().item() for ns in (original, mutant)
    )
    x, (ab, _) = torch.randn(64, generator=seeded()), ladder(20)[10]
    previews = torch.allclose(network(mutant)(x, ab)[0], network(original)(x, ab)[0])
    return only(
        {
            "one-picture": previews and right > 0.4 and wrong < 0.05,
            "noise": wrong > 0.8,
            "previews-wrong": not previews,
            "only-contrast": previews and 0.05 < wrong < 0.8,
        }
    )


# The next level of the full table in place of the next level of the run


def in_the_starter(ns: Namespace) -> Namespace:
    """The namespace of a `sample` alone, with what stands above it in the starter."""

    ns.update(T=1000, AB=table(), ddim_step=deterministic)
    return ns


def reaches_the_levels(ns: Namespace) -> None:
    """With 20 and 50 steps x follows DDIMScheduler with trailing spacing, step by step."""
    data = Gaussian()
    in_the_starter(ns)
    x_T = torch.randn(64, 1, generator=seeded())
    for steps in (20, 50):
        scheduler = DDIMScheduler(
            **SD_BETAS, clip_sample=False, prediction_type="sample", timestep_spacing="trailing"
        )
        scheduler.set_timesteps(steps)
        x, wanted = x_T, [x_T]
        for t in scheduler.timesteps:
            x0, _ = data.x0_and_eps(x, scheduler.alphas_cumprod[t])
            x = scheduler.step(x0, t, x).prev_sample
            wanted.append(x)
        got = ns["sample"](data.x0_and_eps, x_T, steps, 0.0)
        assert len(got) == len(wanted), f"{len(got) - 1} steps, not {len(wanted) - 1}"
        far = max((a - b).abs().max().item() for a, b in zip(got, wanted, strict=True))
        assert far < 1e-3, f"{steps} steps: off by up to {far:.3f}"


def after_small_steps(mutant: Namespace, original: Namespace) -> str:
    """How much of the starting noise 20-step samples still show, at 20 and at 1000 steps."""
    data = Gaussian()
    x_T = torch.randn(4_000, generator=seeded())

    def spread(ns: Namespace, steps: int) -> tuple[float, float]:
        seen = in_the_starter(ns)["sample"](data.x0_and_eps, x_T, steps, 0.0)
        return seen[-2].std().item(), seen[-1].std().item()

    before, end = spread(mutant, 20)
    right_before, right_end = spread(original, 20)
    full = abs(spread(mutant, 1000)[1] - spread(original, 1000)[1]) < 1e-3
    return only(
        {
            "still-noise": full and before > 0.95 and end > 1.5 * right_end,
            "finer": abs(end - right_end) < 0.05,
            "overshoots": before < 0.8 * right_before,
            "always": not full,
        }
    )


# sigma in the place of its square


def keeps_the_marginal(ns: Namespace) -> None:
    """DDIMScheduler.step with the same noise, for eta 0, one half and 1."""
    for eta in (0.0, 0.5, 1.0):
        scheduler = DDIMScheduler(
            **SD_BETAS, clip_sample=False, prediction_type="sample", timestep_spacing="trailing"
        )
        scheduler.set_timesteps(20)
        ab = scheduler.alphas_cumprod
        for t in (949, 499, 99):
            x0, x, z = torch.randn(3, 64, 1, generator=seeded())
            eps = (x - ab[t].sqrt() * x0) / (1 - ab[t]).sqrt()
            theirs = scheduler.step(x0, t, x, eta=eta, variance_noise=z).prev_sample
            ours = ns["ddim_step"](x0, eps, ab[t], ab[t - 50], z, eta)
            far = (ours - theirs).abs().max().nan_to_num(float("inf")).item()
            assert far < 1e-4, f"eta {eta}, t={t}: off by up to {far:.3f}"


def runs_with_sigma(mutant: Namespace, original: Namespace) -> str:
    """Ends of 20-step runs with eta 0 and eta 1, on data with an exact network."""
    data = Gaussian()
    calm = [ddim_run(ns["ddim_step"], data.x0_and_eps, 20, 0.0) for ns in (mutant, original)]
    lively = ddim_run(mutant["ddim_step"], data.x0_and_eps, 20, 1.0)
    same_at_0 = torch.allclose(*calm)
    return only(
        {
            "nan-at-1": same_at_0 and bool(lively.isnan().all()),
            "less-noise": same_at_0 and bool(lively.std() < 0.3),
            "both": not same_at_0,
            "more-noise": same_at_0 and bool(lively.std() > 0.8),
        }
    )


# Numbers


def v_loss_of_the_same_error(snr: float, eps_mse: float) -> float:
    """v-MSE of a network whose x_0 is off by as much as that of an eps-network with this MSE."""
    ab = torch.tensor(snr / (1 + snr), dtype=torch.float64)
    schedulers = {
        kind: DDIMScheduler(
            num_train_timesteps=1, trained_betas=[float(1 - ab)], clip_sample=False,
            prediction_type=kind,
        )
        for kind in ("epsilon", "v_prediction")
    }  # fmt: skip
    x = torch.zeros(1, 1, dtype=torch.float64)

    def x0_error(kind: str, error: float) -> float:
        scheduler = schedulers[kind]
        scheduler.alphas_cumprod = ab[None]
        scheduler.set_timesteps(1)
        return float(scheduler.step(x + error, 0, x).pred_original_sample.abs())

    wanted = x0_error("epsilon", eps_mse**0.5)
    return float((wanted / x0_error("v_prediction", 1.0)) ** 2)


# DDPM's variances and the lists that do not end at 0


def noise_of_the_last_step() -> list[str]:
    """Changes after which DDPMScheduler's last step adds nothing to a perfect estimate of 0."""
    usual: dict[str, Any] = {
        "variance_type": "fixed_large", "timestep_spacing": "trailing", "clip_sample": False,
    }  # fmt: skip
    changes: dict[str, tuple[dict[str, Any], int]] = {
        "small": ({"variance_type": "fixed_small"}, 20),
        "linspace": ({"timestep_spacing": "linspace"}, 20),
        "more": ({}, 100),
        "leading": ({"timestep_spacing": "leading", "steps_offset": 1}, 20),
        "clip": ({"clip_sample": True}, 20),
    }

    def left(config: dict[str, Any], steps: int) -> float:
        scheduler = DDPMScheduler(**SD_BETAS, **{**usual, **config})
        scheduler.set_timesteps(steps)
        t = scheduler.timesteps[-1]
        eps = torch.randn(20_000, 1, generator=seeded())
        x = (1 - scheduler.alphas_cumprod[t]).sqrt() * eps
        return float(scheduler.step(eps, t, x, generator=seeded(1)).prev_sample.std())

    found = {name: left(*change) for name, change in changes.items()}
    assert abs(left({}, 20) - 0.22) < 0.005 and abs(left({}, 1000)) < 1e-6
    assert abs(found["more"] - 0.1) < 0.01 and abs(found["leading"] - 0.04) < 0.005
    return [name for name, std in found.items() if std < 1e-3]
