"""A `StableDiffusionPipeline`'s denoiser, asked once or step by step, through the lab's starter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from drill.lab import Context
from drill.lab.loading import load_module
from drill.lab.models import ModelError
from drill.lab.prediction import encode_texts
from drill.lab.random_models import refuse_random
from drill.lab.sampling import decode, initial_latents, picture_seeds, sweep_scales, to_pixels

starter = load_module(Path(__file__).with_name("starter.py"))

BATCH = {"bundled": 64, "cpu": 2, "other": 8}
"""Rows of one denoiser call: of the bundled model, of a large one on the CPU or elsewhere."""


class Model:
    """The run's pipeline. Latents are scaled, (N, c, h, w), float32 on the CPU.

    Raises ModelError for random weights, a denoiser with another input than noisy latents, and a
    scheduler without a noise table.
    """

    def __init__(self, context: Context) -> None:
        refuse_random(context.model)
        self.pipe = context.pipeline()
        table = getattr(self.pipe.scheduler, "alphas_cumprod", None)
        if table is None:
            raise ModelError(f"{context.model}: its scheduler has no alphas_cumprod to noise with")
        if self.pipe.unet.config.in_channels != self.pipe.vae.config.latent_channels:
            raise ModelError(f"{context.model}: its denoiser takes more than the noisy latents")
        self.ab: Tensor = table.float().cpu()
        self.target: str = self.pipe.scheduler.config.prediction_type
        kind = "cpu" if context.device == "cpu" else "other"
        self.batch = BATCH["bundled" if context.bundled else kind]
        self.float32 = self.pipe.unet.dtype == torch.float32
        self.check: Callable[[], None] = context.check

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Text states (N, L, D), each prompt once through the text encoder."""
        return encode_texts(self.pipe, prompts)

    def draw(self, prompts: Sequence[str], steps: int, seed: int) -> Tensor:
        """Latents that the model draws for the prompts, guided by 5."""
        noise = initial_latents(self.pipe, picture_seeds(seed, len(prompts)))
        sweep = sweep_scales(
            self.pipe, prompts, [5.0], noise, steps, rows=2 * self.batch,
            on_step=lambda *_: self.check(),
        )  # fmt: skip
        return sweep.latents[0]

    def sigma(self, t: int) -> float:
        """Amplitude of the noise where the signal's is 1, sqrt((1 - ab) / ab)."""
        return float(((1 - self.ab[t]) / self.ab[t]).sqrt())

    def add_noise(self, clean: Tensor, eps: Tensor, t: int) -> Tensor:
        return self.ab[t].sqrt() * clean + (1 - self.ab[t]).sqrt() * eps

    def from_true_output(self, noisy: Tensor, clean: Tensor, eps: Tensor, t: int) -> Tensor:
        """x_0 as a network with the perfect output would have it estimated."""
        output = starter.target(clean, eps, self.ab[t], self.target)
        return starter.x0_and_eps(output, noisy, self.ab[t], self.target)[0]

    def estimate(self, noisy: Tensor, t: int, text: Tensor) -> Tensor:
        """x_0 from one evaluation at t, without guidance."""
        return self._x0_and_eps(noisy, t, text)[0]

    def step_count(self, t: int, steps: int) -> int:
        """DDIM steps from t down, where `steps` are those from the last timestep."""
        return max(1, round(steps * (t + 1) / len(self.ab)))

    def descend(self, noisy: Tensor, t: int, text: Tensor, steps: int) -> Tensor:
        """The end of a DDIM run (eta 0, no guidance) that starts at x_t."""
        count = self.step_count(t, steps)
        ladder = torch.linspace(t, 0, count + 1).round().long().tolist()[:-1]
        x, one = noisy, torch.ones(())
        for now, after in zip(ladder, [*ladder[1:], None], strict=True):
            self.check()
            x0, eps = self._x0_and_eps(x, now, text)
            ab_prev = one if after is None else self.ab[after]
            x = starter.ddim_step(x0, eps, self.ab[now], ab_prev, torch.zeros(()), 0.0)
        return x

    def decode(self, latents: Tensor) -> Tensor:
        """Pixels (N, 3, H, W) in [0, 1]."""
        return to_pixels(decode(self.pipe, latents, min(16, self.batch)))

    def _x0_and_eps(self, noisy: Tensor, t: int, text: Tensor) -> tuple[Tensor, Tensor]:
        outputs = []
        unet = self.pipe.unet
        with torch.inference_mode():
            for start in range(0, len(noisy), self.batch):
                self.check()
                part = noisy[start : start + self.batch].to(unet.device, unet.dtype)
                states = text[start : start + self.batch]
                raw = unet(part, t, encoder_hidden_states=states, return_dict=False)[0]
                outputs.append(raw.float().cpu())
        found: tuple[Tensor, Tensor] = starter.x0_and_eps(
            torch.cat(outputs), noisy, self.ab[t], self.target
        )
        return found
