"""Pictures on black and on white, from models and from rules, and how bright they are.

Brightness is the mean of decoded values as they leave the VAE, scaled so that 0 is black and 1 is
white, before any clipping: clipping would hide a ground that is darker than black.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from drill.lab import Context
from drill.lab.family import Denoiser, Text
from drill.lab.sampling import decode

GROUNDS = ("black", "white")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple")
SIZES = ("small", "large")


@dataclass(frozen=True)
class Scene:
    """What a picture is to show."""

    shape: str
    colour: str
    size: str
    ground: str
    caption: str


@dataclass(frozen=True)
class Painted:
    """Decoded values (N, 3, 64, 64): the scenes', black grounds first, then the empty prompt's."""

    scenes: Tensor
    empty: Tensor

    def pixels(self, count: int) -> Tensor:
        """`count` pictures in [0, 1] and more, half of them on black, half on white."""
        half = count // 2
        black, white = self.scenes.chunk(2)
        return torch.cat([black[:half], white[:half]]) / 2 + 0.5


@dataclass(frozen=True)
class Reference:
    """The scenes drawn by rule, through the VAE; drawings of all kinds for the empty prompt."""

    painted: Painted
    leak: Tensor
    """(1, c, 1, 1): channel means of the latents on white less those on black."""

    def pixels(self, count: int) -> Tensor:
        return self.painted.pixels(count)

    def summary(self) -> dict[str, Any]:
        return measured(self.painted)


def scenes(context: Context, count: int) -> list[Scene]:
    """`count` scenes on black, then the same on white."""
    drawings = context.module("labs/models/drawings.py")
    made = []
    for ground in GROUNDS:
        for k in range(count):
            shape, colour = drawings.SHAPES[k % 6], COLOURS[(k + k // 6) % 6]
            size = SIZES[(k + k // 2) % 2]
            caption = drawings.caption(shape, colour, size, ground)
            made.append(Scene(shape, colour, size, ground, caption))
    return made


def reference(context: Context, pipe: Any, wanted: list[Scene]) -> Reference:
    """The scenes by rule, and as many drawings of all kinds, encoded and decoded."""
    import numpy as np

    from drill.lab.family import drawing_latents

    drawings = context.module("labs/models/drawings.py")
    rng = np.random.default_rng(context.seed)
    drawn = np.stack([drawings.draw(s.shape, s.colour, s.size, s.ground, rng) for s in wanted])
    pixels = torch.tensor(drawn).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        encoded = [
            pipe.vae.encode(part.to(pipe.vae.device)).latent_dist.mean.cpu()
            for part in pixels.split(32)
        ]
    latents = torch.cat(encoded) * pipe.vae.config.scaling_factor
    black, white = (each.mean(dim=(0, 2, 3), keepdim=True) for each in latents.chunk(2))
    others = drawing_latents(context, len(wanted), context.seed + 1000).latents
    return Reference(Painted(decode(pipe, latents), decode(pipe, others)), white - black)


def leaked_amplitude(context: Context) -> float:
    """sqrt(ab_T) of the leaky table: what x_T of training keeps of the image."""
    from drill.lab.family import load_denoiser

    return float(load_denoiser(context, "targets/v").signal_levels()[-1])


def with_spacing(model: Denoiser, spacing: str) -> Denoiser:
    """The model with another `timestep_spacing`."""
    scheduler = type(model.scheduler).from_config(model.scheduler.config, timestep_spacing=spacing)
    return replace(model, scheduler=scheduler)


def paint(
    context: Context,
    pipe: Any,
    model: Denoiser,
    text: Text,
    empty: Text,
    noise: Tensor,
    steps: int,
    scale: float,
) -> Painted:
    """Every scene (2 N) and N pictures of the empty prompt, all from the same N noises."""
    latents = model.sample(
        text, noise.repeat(2, 1, 1, 1), steps=steps, guidance_scale=scale,
        empty=empty if scale != 1 else None, on_step=lambda *_: context.check(),
    )  # fmt: skip
    return Painted(decode(pipe, latents), unprompted(context, pipe, model, empty, noise, steps))


def unprompted(
    context: Context, pipe: Any, model: Denoiser, empty: Text, noise: Tensor, steps: int
) -> Tensor:
    """Decoded pictures of the empty prompt."""
    latents = model.sample(
        empty.repeated(len(noise)), noise, steps=steps, on_step=lambda *_: context.check()
    )
    return decode(pipe, latents)


def first_estimate(pipe: Any, model: Denoiser, empty: Text, noise: Tensor, steps: int) -> Tensor:
    """The x_0, decoded, that the model sees in the starting noise at the run's first timestep."""
    scheduler = type(model.scheduler).from_config(model.scheduler.config)
    scheduler.set_timesteps(steps)
    t = int(scheduler.timesteps[0])
    output = model.predict(noise, t, empty.repeated(len(noise)))
    return decode(pipe, model.to_clean(output, noise, t))


def moved(estimate: Callable[[Tensor], Tensor], noise: Tensor, shift: Tensor) -> Tensor:
    """By how much a shift of the starting noise moves the brightness of each picture, (N,).

    `estimate` turns noise into decoded values. `shift` (1, c, 1, 1) is what separates x_T of white
    from x_T of black in training; half of it is added to, and half taken from, the same noise.
    """
    half = shift.to(noise) / 2
    return whole(estimate(noise + half)) - whole(estimate(noise - half))


def whole(decoded: Tensor) -> Tensor:
    """Brightness of each picture, (N,)."""
    return (decoded / 2 + 0.5).mean(dim=(1, 2, 3))


def ground(decoded: Tensor) -> Tensor:
    """Brightness of each picture's border, one pixel wide, which no drawn shape touches: (N,)."""
    scaled = decoded / 2 + 0.5
    edges = [scaled[..., 0, :], scaled[..., -1, :], scaled[..., :, 0], scaled[..., :, -1]]
    return torch.cat(edges, dim=-1).mean(dim=(1, 2))


def measured(painted: Painted) -> dict[str, Any]:
    """Brightness of the grounds, and its spread over pictures of the empty prompt."""
    found: dict[str, Any] = {}
    for name, part in zip(GROUNDS, painted.scenes.chunk(2), strict=True):
        values = ground(part)
        found[name] = {
            "mean": float(values.mean()),
            "std": float(values.std()),
            "bar": float(values.std()) / len(values) ** 0.5,
        }
    found["range"] = found["white"]["mean"] - found["black"]["mean"]
    found["empty_std"] = float(whole(painted.empty).std())
    return found


def mean_and_bar(values: Tensor) -> tuple[float, float]:
    """Mean and its standard error."""
    return float(values.mean()), float(values.std()) / len(values) ** 0.5


def row(label: str, painted: Painted, first: Tensor, whole_run: Tensor, real: Reference) -> Any:
    """All that was measured of one condition; `first` and `whole_run` come from `moved`."""
    found = measured(painted)
    return {
        "label": label,
        **found,
        "share_of_range": found["range"] / real.summary()["range"],
        "first_moved": mean_and_bar(first),
        "run_moved": mean_and_bar(whole_run),
    }
