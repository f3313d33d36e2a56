"""The loop of StableDiffusionPipeline in plain code, with three samplers written out.

A bug of the arena is this file with one line replaced, so each line that can be got wrong stands
alone and only once. `ab` is alphas_cumprod; B pictures; latents [B, 4, h, w]; states [B, L, D].
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

Predict = Callable[[Tensor, int, int], Tensor]  # (what the denoiser is shown, t, index) -> eps
Draw = Callable[[int], Tensor]  # index of the step -> unit noise [B, 4, h, w]
T = 1000


def alphas_cumprod(beta_start: float, beta_end: float) -> Tensor:
    betas = torch.linspace(beta_start**0.5, beta_end**0.5, T) ** 2
    return torch.cumprod(1 - betas, dim=0)


def timesteps(steps: int, offset: int) -> list[int]:
    ts = torch.arange(steps) * (T // steps) + offset
    descending: list[int] = ts.flip(0).tolist()
    return descending


def stride(ts: list[int]) -> int:
    return T // len(ts)


def clean(x: Tensor, eps: Tensor, ab_t: Tensor) -> Tensor:
    return (x - (1 - ab_t).sqrt() * eps) / ab_t.sqrt()


def ddim(predict: Predict, noise: Tensor, ts: list[int], ab: Tensor, draw: Draw) -> Tensor:
    x = noise
    for i, t in enumerate(ts):
        eps = predict(x, t, i)
        ab_prev = ab[max(t - stride(ts), 0)]
        x0 = clean(x, eps, ab[t])
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


def ddpm(predict: Predict, noise: Tensor, ts: list[int], ab: Tensor, draw: Draw) -> Tensor:
    x = noise
    for i, t in enumerate(ts):
        x0 = clean(x, predict(x, t, i), ab[t])
        ab_prev = ab[t - stride(ts)] if t >= stride(ts) else ab.new_ones(())
        beta = 1 - ab[t] / ab_prev
        kept = (1 - beta).sqrt() * (1 - ab_prev) * x
        mean = (ab_prev.sqrt() * beta * x0 + kept) / (1 - ab[t])
        std = (beta * (1 - ab_prev) / (1 - ab[t])).sqrt()
        x = mean + std * draw(i)
    return x


def euler(predict: Predict, noise: Tensor, ts: list[int], ab: Tensor, draw: Draw) -> Tensor:
    sigma = ((1 - ab) / ab).sqrt()
    x = noise * (sigma[ts[0]] ** 2 + 1).sqrt()
    for i, (s, s_next) in enumerate(pairwise([*sigma[ts], sigma.new_zeros(())])):
        scaled = x / (s**2 + 1).sqrt()
        eps = predict(scaled, ts[i], i)
        x = x + (s_next - s) * eps
    return x


SAMPLERS = {"ddim": ddim, "ddpm": ddpm, "euler": euler}


def sample(
    pipe: Any, sampler: str, text: Tensor, empty: Tensor, noise: Tensor, steps: int, scale: float,
    draw: Draw, shown: Callable[[int, Tensor], None],
) -> Tensor:  # fmt: skip
    """Latents, from unit noise; `shown` is told the step and what the denoiser is given."""
    config = pipe.scheduler.config
    ab = alphas_cumprod(config.beta_start, config.beta_end).to(noise.device)
    states = torch.cat([empty, text])

    def predict(x: Tensor, t: int, i: int) -> Tensor:
        doubled = torch.cat([x, x])
        shown(i, doubled)
        eps_u, eps_c = pipe.unet(doubled, t, states).sample.chunk(2)
        guided: Tensor = eps_u + scale * (eps_c - eps_u)
        return guided

    return SAMPLERS[sampler](predict, noise, timesteps(steps, config.steps_offset), ab, draw)


def decode(pipe: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """Decoded values, around [-1, 1], and pixels in [0, 1], both [B, 3, H, W]."""
    unscaled = x / pipe.vae.config.scaling_factor
    decoded = pipe.vae.decode(unscaled).sample
    pixels = (decoded / 2 + 0.5).clamp(0, 1)
    return decoded, pixels
