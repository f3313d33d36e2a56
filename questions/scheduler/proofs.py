"""Proofs of the scheduler items: timestep lists, update rules and what a swap changes.

`levels` builds a scheduler whose table holds just the noise levels of the question. `Gaussian` is
data for which the best possible denoiser is known in closed form.
"""

from __future__ import annotations

import inspect
import itertools
import random
import re
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    HeunDiscreteScheduler,
    LCMScheduler,
    StableDiffusionPipeline,
)

Namespace = dict[str, Any]
Pairs = list[tuple[dict[str, float], float]]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def levels(cls: Any, alphas_cumprod: list[float], **config: Any) -> Any:
    """A scheduler whose timestep i has `alphas_cumprod[i]`, in double precision."""
    scheduler = cls(num_train_timesteps=len(alphas_cumprod), clip_sample=False, **config)
    scheduler.alphas_cumprod = torch.tensor(alphas_cumprod, dtype=torch.float64)
    scheduler.set_timesteps(len(alphas_cumprod))
    return scheduler


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, so that proofs do not depend on their order."""
    return torch.Generator().manual_seed(seed)


def table() -> torch.Tensor:
    """Stable Diffusion's alphas_cumprod, [1000]."""
    ab: torch.Tensor = DDIMScheduler(**SD_BETAS).alphas_cumprod
    return ab


class Gaussian:
    """x_0 ~ N(mean, std^2): what an optimally trained eps-network returns is known exactly."""

    def __init__(self, mean: float, std: float) -> None:
        self.mean, self.var = mean, std**2

    def eps(self, x: torch.Tensor, ab: torch.Tensor) -> torch.Tensor:
        """E[eps | x_t]."""
        residual = x - ab.sqrt() * self.mean
        return (1 - ab).sqrt() * residual / (ab * self.var + 1 - ab)


def sample(scheduler: Any, data: Gaussian, noise: torch.Tensor, steps: int) -> torch.Tensor:
    """The pipeline's loop with the exact denoiser, on a table like Stable Diffusion's."""
    ab = table()
    scheduler.set_timesteps(steps)
    x = noise * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        model_input = scheduler.scale_model_input(x, t)
        x = scheduler.step(data.eps(model_input, ab[int(t)]), t, x).prev_sample
    return x


# Numbers and formulas


def first_timestep(spacing: str, steps: int) -> int:
    """What the loop visits first."""
    scheduler = DDIMScheduler(**SD_BETAS, timestep_spacing=spacing, steps_offset=1)
    scheduler.set_timesteps(steps)
    return int(scheduler.timesteps[0])


def shifted_sigma(shift: float, sigma: float) -> float:
    """Where the scheduler puts a sigma that the caller asked for."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=[sigma])
    return float(scheduler.sigmas[0])


def last_sigma(shift: float) -> float:
    """The last sigma before 0 when only the number of steps is given."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(28)
    return float(scheduler.sigmas[-2])


def too_loud_by() -> float:
    """init_noise_sigma read before set_timesteps, over the one that the run needs."""
    scheduler = EulerDiscreteScheduler(**SD_BETAS, timestep_spacing="leading", steps_offset=1)
    before = scheduler.init_noise_sigma
    scheduler.set_timesteps(10)
    return float(before / scheduler.init_noise_sigma)


def ddim_update() -> Pairs:
    """DDIMScheduler.step with eta = 0."""
    draw = random.Random(3)
    pairs: Pairs = []
    for _ in range(6):
        at = {
            "x_t": draw.uniform(-2, 2),
            "eps": draw.uniform(-2, 2),
            "ab": draw.uniform(0.1, 0.4),
            "ab_prev": draw.uniform(0.5, 0.9),
        }
        scheduler = levels(DDIMScheduler, [at["ab_prev"], at["ab"]])
        x_t, eps = (torch.tensor([at[n]], dtype=torch.float64) for n in ("x_t", "eps"))
        pairs.append((at, scheduler.step(eps, 1, x_t).prev_sample.item()))
    return pairs


def flow_preview() -> Pairs:
    """A flow-matching Euler step that goes from sigma straight to 0."""
    draw = random.Random(4)
    pairs: Pairs = []
    for _ in range(6):
        at = {"x": draw.uniform(-2, 2), "u": draw.uniform(-2, 2), "sigma": draw.uniform(0.05, 0.95)}
        scheduler = FlowMatchEulerDiscreteScheduler()
        scheduler.set_timesteps(sigmas=[at["sigma"]])
        # The step runs in float32: say which numbers it really saw.
        x, u = torch.tensor([at["x"]]), torch.tensor([at["u"]])
        exact = {"x": x.item(), "u": u.item(), "sigma": scheduler.sigmas[0].item()}
        pairs.append((exact, scheduler.step(u, scheduler.timesteps[0], x).prev_sample.item()))
    return pairs


# Terms and choices


def initial_scale() -> str:
    """The attribute that prepare_latents multiplies by, with the value that Euler needs."""
    code = inspect.getsource(StableDiffusionPipeline.prepare_latents)
    (name,) = set(re.findall(r"latents \* self\.scheduler\.(\w+)", code))
    euler = EulerDiscreteScheduler(**SD_BETAS, timestep_spacing="trailing")
    ddim = DDIMScheduler(**SD_BETAS)
    for scheduler in (euler, ddim):
        scheduler.set_timesteps(20)
    # Euler's x_t is x_0 + sigma * eps, so pure noise has the spread of the first sigma.
    assert float(getattr(euler, name)) == float(euler.sigmas[0]) > 14
    assert getattr(ddim, name) == 1
    return str(name)


def same_without_generator() -> set[str]:
    """Schedulers whose result does not move when the global random state does."""
    classes = {
        "ddim": DDIMScheduler,
        "dpm": DPMSolverMultistepScheduler,
        "heun": HeunDiscreteScheduler,
        "euler-a": EulerAncestralDiscreteScheduler,
        "ddpm": DDPMScheduler,
        "lcm": LCMScheduler,
    }
    x_T = torch.randn(64, 1, generator=seeded())
    stable = set()
    for name, cls in classes.items():
        results = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            results.append(sample(cls(**SD_BETAS), Gaussian(0.2, 0.5), x_T, 8))
        if torch.equal(*results):
            stable.add(name)
    return stable


def trailing_that_does_not_divide() -> str:
    """Level that DDIM steps to against the level of the timestep visited next, N = 30."""
    scheduler = DDIMScheduler(**SD_BETAS, timestep_spacing="trailing", clip_sample=False)
    scheduler.set_timesteps(30)
    x, eps = torch.zeros(1), torch.ones(1)
    off = []
    visited = scheduler.timesteps.tolist()
    for t, t_next in itertools.pairwise(visited):
        # From x_0 = 0 the noise level of the result can be read off directly.
        at_t = (1 - scheduler.alphas_cumprod[t]).sqrt() * eps
        try:
            reached = scheduler.step(eps, t, x + at_t).prev_sample
        except IndexError:
            return "index-error"
        wanted = (1 - scheduler.alphas_cumprod[t_next]).sqrt()
        off.append((reached - wanted).item())
    wrong = [i for i, d in enumerate(off) if abs(d) > 1e-5]
    return only(
        {
            "one-off": len(wrong) == 10 and all(d > -1e-6 for d in off),
            "looks-it-up": not wrong,
            "drifts": len(wrong) > 20 and abs(off[-1]) > 5 * abs(off[0]),
        }
    )


def solver_errors() -> None:
    """Distance from a 500-step reference at 20 steps, and from 100 to 200 steps with two Eulers."""
    data, noise = Gaussian(0.2, 0.5), torch.randn(5_000, 1, generator=seeded())

    def run(cls: Any, steps: int, **config: Any) -> torch.Tensor:
        torch.manual_seed(0)
        return sample(cls(**SD_BETAS, **config), data, noise, steps)

    reference = run(DDIMScheduler, 500, clip_sample=False)
    measured = {
        DDIMScheduler: (run(DDIMScheduler, 20, clip_sample=False), 0.042),
        DPMSolverMultistepScheduler: (run(DPMSolverMultistepScheduler, 20), 0.031),
        HeunDiscreteScheduler: (run(HeunDiscreteScheduler, 20), 0.006),
    }
    for cls, (result, written) in measured.items():
        error = (result - reference).abs().mean().item()
        assert abs(error - written) < 0.001, f"{cls.__name__}: {error:.4f}"
    for cls, written in ((EulerDiscreteScheduler, 0.005), (EulerAncestralDiscreteScheduler, 0.46)):
        moved = (run(cls, 200) - run(cls, 100)).abs().mean().item()
        assert abs(moved / written - 1) < 0.05, f"{cls.__name__}: {moved:.4f}"


# Mutants


def on_the_marginal(ns: Namespace) -> None:
    """With the true eps, x at t_prev has the amplitudes that the forward process gives it."""
    ab = table().double()
    x0, eps = torch.tensor(0.7), torch.tensor(-1.3)
    for t, t_prev in ((999, 900), (500, 480), (60, 20)):
        x = ab[t].sqrt() * x0 + (1 - ab[t]).sqrt() * eps
        got = ns["ddim_step"](x, eps, t, t_prev, ab)
        want = ab[t_prev].sqrt() * x0 + (1 - ab[t_prev]).sqrt() * eps
        assert abs(got - want) < 1e-6, f"{t} -> {t_prev}: {got:.4f}, not {want:.4f}"


def direction_without_root() -> str:
    """Noise and signal after such a step, over what the forward process puts at t_prev."""
    ab = table().double()
    noise, signal = [], []
    for t in range(980, 0, -20):
        a_prev = ab[t - 20]

        def step(x: torch.Tensor, eps: torch.Tensor, a: torch.Tensor = ab[t]) -> torch.Tensor:
            x0 = (x - (1 - a).sqrt() * eps) / a.sqrt()
            return a_prev.sqrt() * x0 + (1 - a_prev) * eps  # noqa: B023 - called in this pass only

        one, zero = torch.ones(()), torch.zeros(())
        noise.append(step((1 - ab[t]).sqrt() * one, one) / (1 - a_prev).sqrt())
        signal.append(step(ab[t].sqrt() * one, zero) / a_prev.sqrt())
    x, data = torch.randn(5_000, generator=seeded()), Gaussian(0.2, 0.5)
    for t in range(950, -1, -50):
        a, a_prev = ab[t], ab[t - 50] if t else torch.ones(())
        eps = data.eps(x, a)
        x = a_prev.sqrt() * (x - (1 - a).sqrt() * eps) / a.sqrt() + (1 - a_prev) * eps
    assert abs(x.mean() - 0.2) < 0.01, "the explanation says that the mean is right"
    assert x.std() < 0.025, "the explanation says .02"
    least, most = min(noise).item(), max(noise).item()
    kept = max(abs(s.item() - 1) for s in signal) < 1e-6
    return only(
        {
            "too-clean": kept and most < 1 and least < 0.1,
            "too-noisy": kept and most > 1,
            "less-signal": not kept,
            "same-variance": kept and least > 0.999,
        }
    )


def visits_the_right_levels(ns: Namespace) -> None:
    """With the true eps of one data point every latent has the level of its timestep."""
    scheduler = DDIMScheduler(**SD_BETAS, clip_sample=False, steps_offset=1)
    ab, eps = scheduler.alphas_cumprod, torch.ones(1)

    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        wanted = (1 - ab[t]).sqrt() * eps
        assert torch.allclose(x, wanted, atol=1e-4), (
            f"at t={int(t)} x has noise {x.item():.3f}, not {wanted.item():.3f}"
        )
        return eps

    first = 981
    ns["sample"](model, scheduler, (1 - ab[first]).sqrt() * eps, 50)


def index_for_timestep() -> str:
    """What DDIM and Euler do with 0, 1, 2, ... in place of timesteps."""
    ddim = DDIMScheduler(**SD_BETAS, clip_sample=False, steps_offset=1)
    ddim.set_timesteps(50)
    x, eps = torch.randn(2, 1, 4, generator=seeded())
    right = ddim.step(eps, ddim.timesteps[30], x).prev_sample
    try:
        got = ddim.step(eps, 30, x).prev_sample
    except ValueError:
        return "raises"
    near_data = ddim.alphas_cumprod[30], ddim.alphas_cumprod[10]
    x0 = (x - (1 - near_data[0]).sqrt() * eps) / near_data[0].sqrt()
    as_near_data = near_data[1].sqrt() * x0 + (1 - near_data[1]).sqrt() * eps
    euler = EulerDiscreteScheduler(**SD_BETAS)
    euler.set_timesteps(50)
    try:
        euler.step(eps, 30, x)
    except ValueError as error:
        assert "indices" in str(error)
    else:
        raise AssertionError("Euler was expected to refuse an index")
    return only(
        {
            "low-levels": torch.allclose(got, as_near_data, atol=1e-6),
            "same-picture": torch.allclose(got, right),
            "noisier": bool(near_data[1] < near_data[0]),
        }
    )


# Code


def steps_like_ddim(ns: Namespace) -> None:
    """The learner's update against DDIMScheduler.step, for eta 0, .5 and 1 and at the end."""
    scheduler = DDIMScheduler(**SD_BETAS, clip_sample=False)
    scheduler.set_timesteps(50)
    ab = scheduler.alphas_cumprod
    x, eps, z = torch.randn(3, 2, 4, 8, 8, generator=seeded())
    for t in (980, 500, 20, 0):
        for eta in (0.0, 0.5, 1.0):
            got = ns["ddim_step"](x, eps, t, t - 20, ab, eta, z)
            want = scheduler.step(eps, t, x, eta=eta, variance_noise=z).prev_sample
            assert got.shape == want.shape, f"shape {tuple(got.shape)}"
            assert torch.isfinite(got).all(), f"not finite at t={t}, eta={eta}"
            far = (got - want).abs().max().item()
            assert far < 1e-4, f"t={t} -> {t - 20}, eta={eta}: off by up to {far:.3g}"
