"""Training of the other denoisers: the four targets, the DiT, flow matching.

All see the base's latents and text states. The loss is the plain mean squared error of the target,
so the targets weigh the timesteps differently: in terms of the error of x0, epsilon weighs by SNR,
sample by 1, v by SNR + 1 (Salimans and Ho 2022, section 4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from diffusers import DDIMScheduler, PixArtTransformer2DModel, SD3Transformer2DModel
from family_data import Batch
from family_models import new_dit, new_flow, new_target_unet, target_scheduler
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from train_unet import new_scheduler
from training import LoopSettings

TARGET_SETTINGS = LoopSettings(steps=4000, peak_lr=1.5e-3, ema_decay=0.999, seed=11)
DIT_SETTINGS = LoopSettings(steps=5000, peak_lr=1e-3, ema_decay=0.999, seed=12)
FLOW_SETTINGS = LoopSettings(steps=7000, peak_lr=1e-3, ema_decay=0.999, seed=13)

Loss: TypeAlias = Callable[[Batch], torch.Tensor]


def squared_error(predict: Callable[[], torch.Tensor], wanted: torch.Tensor) -> torch.Tensor:
    """Mean squared error of what ``predict`` gives in bfloat16 autocast.

    The fused CPU attention's backward pass is several times slower in bfloat16, hence the plain
    one.
    """
    with sdpa_kernel(SDPBackend.MATH), torch.autocast(wanted.device.type, dtype=torch.bfloat16):
        predicted = predict()
    return functional.mse_loss(predicted.float(), wanted)


def drawn_timesteps(batch: Batch) -> torch.Tensor:
    """Uniform training timesteps (N,) in 0..999."""
    drawn = torch.randint(0, 1000, (len(batch.latents),), generator=batch.generator)
    return drawn.to(batch.latents.device)


def target_of(scheduler: DDIMScheduler, batch: Batch, timesteps: torch.Tensor) -> torch.Tensor:
    """What a model of the scheduler's ``prediction_type`` is to predict, (N, 4, 8, 8)."""
    kind = scheduler.config["prediction_type"]
    if kind == "epsilon":
        return batch.noise
    if kind == "sample":
        return batch.latents
    velocity: torch.Tensor = scheduler.get_velocity(batch.latents, batch.noise, timesteps)
    return velocity


def target_member(target: str) -> tuple[nn.Module, Loss]:
    """A small UNet for one target. Weights at the start, data, timesteps and noise are the same
    for all four; only the last also has another schedule."""
    torch.manual_seed(0)
    unet, scheduler = new_target_unet(), target_scheduler(target)

    def loss(batch: Batch) -> torch.Tensor:
        timesteps = drawn_timesteps(batch)
        noisy = scheduler.add_noise(batch.latents, batch.noise, timesteps)
        wanted = target_of(scheduler, batch, timesteps)
        return squared_error(lambda: unet(noisy, timesteps, batch.states).sample, wanted)

    return unet, loss


def dit_member() -> tuple[PixArtTransformer2DModel, Loss]:
    """The DiT learns what the base UNet learned: the noise, at uniform timesteps."""
    torch.manual_seed(0)
    transformer, scheduler = new_dit(), new_scheduler()

    def loss(batch: Batch) -> torch.Tensor:
        timesteps = drawn_timesteps(batch)
        noisy = scheduler.add_noise(batch.latents, batch.noise, timesteps)

        def predict() -> torch.Tensor:
            return predicted_by_dit(transformer, noisy, timesteps, batch.states)

        return squared_error(predict, batch.noise)

    return transformer, loss


def predicted_by_dit(
    transformer: PixArtTransformer2DModel,
    noisy: torch.Tensor,
    timesteps: torch.Tensor,
    states: torch.Tensor,
) -> torch.Tensor:
    nothing = {"resolution": None, "aspect_ratio": None}
    predicted: torch.Tensor = transformer(
        noisy, encoder_hidden_states=states, timestep=timesteps, added_cond_kwargs=nothing
    ).sample
    return predicted


def flow_member() -> tuple[SD3Transformer2DModel, Loss]:
    """Flow matching on straight paths: x = (1 - sigma) x0 + sigma eps, target eps - x0, sigma drawn
    logit-normally (Esser et al. 2024, sections 2 and 3.1). The model is told 1000 sigma."""
    torch.manual_seed(0)
    transformer = new_flow()

    def loss(batch: Batch) -> torch.Tensor:
        drawn = torch.randn(len(batch.latents), generator=batch.generator).sigmoid()
        sigma = drawn.to(batch.latents.device)
        share = sigma[:, None, None, None]
        noisy = (1 - share) * batch.latents + share * batch.noise

        def predict() -> torch.Tensor:
            predicted: torch.Tensor = transformer(
                noisy,
                encoder_hidden_states=batch.states,
                pooled_projections=batch.pooled,
                timestep=1000 * sigma,
            ).sample
            return predicted

        return squared_error(predict, batch.noise - batch.latents)

    return transformer, loss
