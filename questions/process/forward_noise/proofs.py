"""Proofs of the questions of lab forward_noise: its starter's functions against the installed
scheduler, and what each broken line does to noised samples."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

import torch
from diffusers import DDIMScheduler, DDPMScheduler, EulerDiscreteScheduler

Namespace = dict[str, Any]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, so that proofs do not depend on their order."""
    return torch.Generator().manual_seed(seed)


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


# The chain with beta in the place of its root


def keeps_unit_variance(ns: Namespace) -> None:
    """Data of unit variance keep it along the chain, and the mean shrinks by sqrt(ab)."""
    scheduler = DDPMScheduler(**SD_BETAS)
    x0 = 0.5 + torch.randn(40_000, generator=seeded())
    for t in (0, 100, 500):
        x = ns["run_chain"](x0, t, scheduler.betas, seeded(1))
        mean = 0.5 * scheduler.alphas_cumprod[t].sqrt()
        assert abs(x.mean() - mean) < 0.03, f"mean {x.mean():.3f} at t={t}, not {mean:.3f}"
        assert abs(x.std() - 1) < 0.03, f"spread {x.std():.3f} at t={t}, not 1"


def spread_after_the_chain(mutant: Namespace) -> str:
    """Mean and spread of x_999 from data of unit variance and mean 0.5."""
    scheduler = DDPMScheduler(**SD_BETAS)
    x0 = 0.5 + torch.randn(20_000, generator=seeded())
    x = mutant["run_chain"](x0, 999, scheduler.betas, seeded(1))
    mean = 0.5 * scheduler.alphas_cumprod[-1].sqrt()
    right_mean = bool((x.mean() - mean).abs() < 0.02)
    return only(
        {
            "shrinks": right_mean and bool(0.05 < x.std() < 0.2),
            "grows": bool(x.std() > 1.2),
            "wrong-mean": not right_mean,
            "as-before": bool((x.std() - 1).abs() < 0.05),
        }
    )


# A sum in the place of the product


def matches_the_table(ns: Namespace) -> None:
    """alphas_cumprod of the installed scheduler, for both tables with a range of betas."""
    for config in (SD_BETAS, {"beta_schedule": "linear"}):
        scheduler = DDPMScheduler(**config)
        got = ns["alphas_cumprod"](scheduler.betas)
        far = (got - scheduler.alphas_cumprod).abs().max().item()
        assert far < 1e-5, f"off by up to {far:.3f}"


def noise_from_a_summed_table(mutant: Namespace) -> str:
    """Where samples noised with Stable Diffusion's betas are finite, and how far they are off."""
    scheduler = DDPMScheduler(**SD_BETAS)
    table = mutant["alphas_cumprod"](scheduler.betas)
    t = torch.arange(1000)
    x0, eps = torch.randn(2, 1000, 1, 1, 1, generator=seeded())
    x = mutant["add_noise"](x0, eps, t, table)
    off = (x - scheduler.add_noise(x0, eps, t)).abs().flatten()
    broken = off.isnan()
    first = int(broken.int().argmax())
    close = bool(off[:50].max() < 0.01)
    return only(
        {
            "nan-later": close and 400 < first < 450 and bool(broken[first:].all()),
            "too-noisy": not broken.any() and not close,
            "same": not broken.any() and bool(off.max() < 0.01),
            "nan-everywhere": bool(broken.all()),
        }
    )


# Timesteps that are off by one, or laid along the channels


def noises_each_sample(ns: Namespace) -> None:
    """add_noise of the scheduler, for batches of every size and with t = 0 and 999 among them."""
    scheduler = DDPMScheduler(**SD_BETAS)
    for t in ([0], [0, 999, 500], [10, 200, 700, 999], [3] * 4):
        x0, eps = torch.randn(2, len(t), 4, 8, 8, generator=seeded())
        at = torch.tensor(t)
        try:
            got = ns["add_noise"](x0, eps, at, scheduler.alphas_cumprod)
        except (RuntimeError, IndexError) as error:
            raise AssertionError(f"t={t}: {error}") from error
        far = (got - scheduler.add_noise(x0, eps, at)).abs().max().item()
        assert far < 1e-5, f"t={t}: off by up to {far:.3f}"


def one_level_too_early(mutant: Namespace) -> str:
    """Signal that is left in samples with t = 0, and how far all others are off."""
    ab = DDPMScheduler(**SD_BETAS).alphas_cumprod
    t = torch.arange(1000)
    one, zero = torch.ones(1000, 1, 1, 1), torch.zeros(1000, 1, 1, 1)
    try:
        signal = mutant["add_noise"](one, zero, t, ab).flatten()
    except IndexError:
        return "index-error"
    off = (signal - ab.sqrt()).abs()
    others = bool(off[1:].max() < 0.01)
    return only(
        {
            "noise-at-0": others and bool(signal[0] < 0.1),
            "one-level": others and bool(off[0] < 0.01),
            "no-last-level": others and not bool((signal - ab[-1].sqrt()).abs().min() < 1e-6),
        }
    )


def levels_of_channels(mutant: Namespace) -> str:
    """Whose timestep sets the noise level of sample i and channel j, for a batch of 4."""
    ab = DDPMScheduler(**SD_BETAS).alphas_cumprod
    t = torch.tensor([100, 300, 600, 900])
    level = ab[t].sqrt()
    one, zero = torch.ones(4, 4, 8, 8), torch.zeros(4, 4, 8, 8)
    try:
        signal = mutant["add_noise"](one, zero, t, ab)
    except RuntimeError:
        return "raises"
    return only(
        {
            "by-channel": torch.allclose(signal[:, :, 0, 0], level[None].expand(4, 4)),
            "by-sample": torch.allclose(signal[:, :, 0, 0], level[:, None].expand(4, 4)),
            "by-column": torch.allclose(signal[0, 0, 0, :4], level),
        }
    )


# Numbers and choices


def ab_from_sigma(sigma: float) -> float:
    """alphas_cumprod of the timestep where EulerDiscreteScheduler has just this sigma."""
    ab = torch.linspace(0.0001, 0.9999, 9999, dtype=torch.float64).flip(0)
    alphas = torch.cat([ab[:1], ab[1:] / ab[:-1]])
    euler = EulerDiscreteScheduler(num_train_timesteps=len(ab), trained_betas=(1 - alphas).tolist())
    sigmas = euler.sigmas[:-1].flip(0).double()
    above = int((sigmas >= sigma).int().argmax())
    share = (sigma - sigmas[above - 1]) / (sigmas[above] - sigmas[above - 1])
    return float(ab[above - 1] + share * (ab[above] - ab[above - 1]))


def shorter_table() -> str:
    """What the last of 100 timesteps keeps of the signal with the betas of a thousand."""
    short, long = (DDPMScheduler(**SD_BETAS, num_train_timesteps=n) for n in (100, 1000))
    left = short.alphas_cumprod[-1].sqrt().item()
    same_as_every_tenth = torch.allclose(
        short.alphas_cumprod, long.alphas_cumprod[9::10], atol=0.01
    )
    return only(
        {
            "mostly-image": left > 0.7,
            "coarser": same_as_every_tenth,
            "more-noise": left < long.alphas_cumprod[-1].sqrt().item(),
            "steeper": left < 0.1 and not same_as_every_tenth,
        }
    )


def rounded_away() -> str:
    """The conversion in add_noise without which a bfloat16 sample at t = 1 has its noise again."""
    scheduler = DDPMScheduler(**SD_BETAS)
    zero, one = torch.zeros(2, 1, dtype=torch.bfloat16), torch.ones(2, 1, dtype=torch.bfloat16)
    at = torch.tensor([0, 1])
    assert (scheduler.add_noise(zero, one, at) == 0).all()
    source = textwrap.dedent(inspect.getsource(DDPMScheduler.add_noise))
    mended = []
    for line in source.splitlines():
        without = re.sub(r"\.to\(.*\)$", "", line)
        if without == line:
            continue
        namespace: Namespace = {"torch": torch}
        exec(source.replace(line, without), namespace)
        if (namespace["add_noise"](scheduler, zero, one, at) > 0.02).all():
            mended.append(line.strip())
    (line,) = mended
    return line


# A shift of the starting noise, followed through a whole run


def shifted_runs(mended: bool) -> tuple[int, float, float]:
    """First timestep, and how far a shift of x_T moves the first and the last x_0's brightness.

    Pictures are 64 values of spread .8 around a brightness of spread .6. The best v-model of such
    data is known exactly; it is sampled by 20 steps of the installed DDIM.
    """
    scheduler = DDIMScheduler(
        **SD_BETAS, prediction_type="v_prediction", rescale_betas_zero_snr=mended,
        timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=True,
    )  # fmt: skip
    scheduler.set_timesteps(20)
    table = scheduler.alphas_cumprod.double()

    def best(x: torch.Tensor, ab: torch.Tensor) -> torch.Tensor:
        mean = x.mean(dim=1, keepdim=True)
        bright = ab.sqrt() * 0.36 / (ab * 0.36 + (1 - ab) / 64) * mean
        return bright + ab.sqrt() * 0.64 / (ab * 0.64 + 1 - ab) * (x - mean)

    def brightness(x: torch.Tensor) -> tuple[float, float]:
        first = best(x, table[scheduler.timesteps[0]]).mean().item()
        for t in scheduler.timesteps:
            ab = table[t]
            x0 = best(x, ab)
            eps = (x - ab.sqrt() * x0) / (1 - ab).sqrt()
            x = scheduler.step(ab.sqrt() * eps - (1 - ab).sqrt() * x0, t, x).prev_sample
        return first, x.mean().item()

    noise = torch.randn(200, 64, generator=seeded()).double()
    shift = 0.068 * 0.6  # half of what lies between x_T of dark and of bright pictures, leaky table
    darker, brighter = brightness(noise - shift), brightness(noise + shift)
    return int(scheduler.timesteps[0]), brighter[0] - darker[0], brighter[1] - darker[1]


def follows_its_noise() -> str:
    """What the mended model's first and last x_0 make of the shift, beside the leaky one's."""
    start, first, end = shifted_runs(mended=True)
    _, leaky_first, leaky_end = shifted_runs(mended=False)
    assert leaky_first > 0.1 and leaky_end > 0.3, (leaky_first, leaky_end)
    alike = 0.8 < end / leaky_end < 1.25
    return only(
        {
            "taken-along": start == 999 and abs(first) < 1e-6 and alike,
            "leaky": first > 0.5 * leaky_first,
            "spacing": start < 999,
            "vae": abs(end - 2 * 0.068 * 0.6) < 0.02,  # carried to the end as it is
        }
    )
