"""Noise tables of the installed schedulers, and that of a model of the learner's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drill.lab import Context
from drill.lab.models import ModelError

if TYPE_CHECKING:
    from torch import Tensor

SCHEDULES = ("linear", "scaled_linear", "squaredcos_cap_v2")
"""`beta_schedule` as diffusers calls it: of DDPM, of Stable Diffusion, the cosine."""
OWN = "your model"
_BETAS = {
    "linear": {"beta_start": 1e-4, "beta_end": 0.02},
    "scaled_linear": {"beta_start": 0.00085, "beta_end": 0.012},
    "squaredcos_cap_v2": {},
}


@dataclass(frozen=True)
class Table:
    """One noise table. Timesteps count from 0."""

    name: str
    rescaled: bool
    scheduler: Any
    """A DDPMScheduler with this table."""

    @property
    def label(self) -> str:
        return f"{self.name}, zero terminal SNR" if self.rescaled else self.name

    @property
    def alphas_cumprod(self) -> Tensor:
        """Share of the signal's variance that is left, (T,), float32 on the CPU."""
        # add_noise moves the scheduler's table to the device of what it noises.
        return self.scheduler.alphas_cumprod.cpu()


def make_table(schedule: str, train_steps: int = 1000, rescaled: bool = False) -> Table:
    """A schedule of `SCHEDULES` as the installed DDPMScheduler computes it."""
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(
        num_train_timesteps=train_steps,
        beta_schedule=schedule,
        rescale_betas_zero_snr=rescaled,
        **_BETAS[schedule],
    )
    return Table(schedule, rescaled, scheduler)


def own_table(context: Context) -> Table:
    """The table of the learner's own model; raises ModelError where it has no betas."""
    from diffusers import DDPMScheduler

    from drill.lab.random_models import refuse_random

    refuse_random(context.model)
    try:
        config = dict(DDPMScheduler.load_config(context.model, subfolder="scheduler"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"cannot read {context.model}/scheduler/scheduler_config.json: {error}"
        ) from error
    if "num_train_timesteps" not in config or "beta_schedule" not in config:
        raise ModelError(
            f"the scheduler of {context.model} ({config.get('_class_name', 'unknown')}) has no "
            "betas: a flow-matching model mixes (1 - sigma) x0 + sigma eps and has no noise table. "
            "Run without --model, or with a model of the Stable Diffusion 1 or XL kind"
        )
    keys = (
        "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas",
        "rescale_betas_zero_snr",
    )  # fmt: skip
    given = {key: config[key] for key in keys if key in config}
    try:
        scheduler = DDPMScheduler(**given)
    except NotImplementedError as error:
        raise ModelError(f"the noise table of {context.model} is not known: {error}") from error
    return Table(OWN, bool(given.get("rescale_betas_zero_snr", False)), scheduler)


def noised_drawings(context: Context, rows: list[Any], timesteps: list[int]) -> bytes:
    """PNG of one drawing: a row for each of `rows`, functions of (picture, t) -> x_t.

    The picture is (1, 3, 64, 64) in [-1, 1]; columns are `timesteps`.
    """
    import numpy as np
    import torch

    from drill.lab import pictures

    drawings = context.module("labs/models/drawings.py")
    drawn = drawings.draw("star", "yellow", "large", "blue", np.random.default_rng(context.seed))
    picture = torch.tensor(drawn).permute(2, 0, 1)[None].float() / 127.5 - 1
    shown = [torch.cat([make(picture, t) for t in timesteps]) / 2 + 0.5 for make in rows]
    return pictures.png(pictures.grid([pictures.to_bytes(each) for each in shown]))
