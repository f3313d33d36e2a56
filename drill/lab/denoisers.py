"""Denoisers of every target and class behind one interface: what they predict and what follows.

A noisy latent is ``signal * x0 + noise * eps``. With a variance-preserving schedule the two levels
are ``sqrt(alphas_cumprod)`` and ``sqrt(1 - alphas_cumprod)`` (Ho et al. 2020, equation 4), with
flow matching ``1 - sigma`` and ``sigma`` (Esser et al. 2024, section 2). What a denoiser predicts
gives x0 and eps at either by linear algebra.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor
else:
    Tensor = Any

Target: TypeAlias = Literal["epsilon", "sample", "v_prediction", "flow"]
OnStep: TypeAlias = "Callable[[int, int, Tensor], None]"
"""Called after each step with the steps done, their number and the predicted clean latents."""


@dataclass(frozen=True)
class Text:
    """What the base's text model says of N prompts."""

    states: Tensor
    """(N, 12, 96): its last hidden states."""
    pooled: Tensor
    """(N, 96): its state at the end-of-text token; only the flow model reads it."""

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, rows: slice | list[int]) -> Text:
        return Text(self.states[rows], self.pooled[rows])

    def repeated(self, count: int) -> Text:
        """One text as ``count`` rows; raises ValueError for more texts than one."""
        if len(self) != 1:
            raise ValueError(f"one text can be repeated, not {len(self)}")
        return Text(self.states.expand(count, -1, -1), self.pooled.expand(count, -1))


@dataclass(frozen=True)
class Denoiser:
    """A trained denoiser of 8x8x4 latents, with the schedule that it was trained on.

    Timesteps are training indices 0..999, (N,) or a number; for the flow model index t is
    sigma = (t + 1) / 1000, and it takes fractions too.
    """

    name: str
    model: Any
    """UNet2DConditionModel, PixArtTransformer2DModel or SD3Transformer2DModel, float32."""
    scheduler: Any
    """DDIMScheduler or FlowMatchEulerDiscreteScheduler, of its own."""
    target: Target

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())

    def noise_levels(self) -> Tensor:
        """Amplitude (1000,) of the noise by timestep: sqrt(1 - alphas_cumprod), or sigma."""
        import torch

        return self._levels(torch.arange(1000))[1].flatten()

    def signal_levels(self) -> Tensor:
        """Amplitude (1000,) of the signal by timestep: sqrt(alphas_cumprod), or 1 - sigma."""
        import torch

        return self._levels(torch.arange(1000))[0].flatten()

    def add_noise(self, clean: Tensor, noise: Tensor, timesteps: Tensor | int) -> Tensor:
        """Noisy latents, of the shape of ``clean`` (N, 4, 8, 8)."""
        signal, level = self._levels(timesteps, clean)
        return signal * clean + level * noise

    def training_target(self, clean: Tensor, noise: Tensor, timesteps: Tensor | int) -> Tensor:
        """What the denoiser was trained to predict."""
        if self.target == "epsilon":
            return noise
        if self.target == "sample":
            return clean
        if self.target == "flow":
            return noise - clean
        signal, level = self._levels(timesteps, clean)
        return signal * noise - level * clean

    def predict(self, noisy: Tensor, timesteps: Tensor | float, text: Text) -> Tensor:
        """The raw output (N, 4, 8, 8): an estimate of ``training_target``. No gradient."""
        import torch

        times = torch.as_tensor(timesteps, device=noisy.device).expand(len(noisy))
        kind = type(self.model).__name__
        with torch.no_grad():
            if kind == "SD3Transformer2DModel":
                output = self.model(
                    noisy,
                    encoder_hidden_states=text.states,
                    pooled_projections=text.pooled,
                    timestep=(times + 1).to(noisy.dtype),
                )
            elif kind == "PixArtTransformer2DModel":
                output = self.model(
                    noisy,
                    encoder_hidden_states=text.states,
                    timestep=times,
                    added_cond_kwargs={"resolution": None, "aspect_ratio": None},
                )
            else:
                output = self.model(noisy, times, encoder_hidden_states=text.states)
        return output.sample

    def to_clean(self, predicted: Tensor, noisy: Tensor, timesteps: Tensor | float) -> Tensor:
        """x0 from a prediction. From eps where no signal is left it is infinite, as it must be."""
        signal, level = self._levels(timesteps, noisy)
        if self.target == "epsilon":
            return (noisy - level * predicted) / signal
        if self.target == "sample":
            return predicted
        if self.target == "flow":
            return noisy - level * predicted
        return signal * noisy - level * predicted

    def to_noise(self, predicted: Tensor, noisy: Tensor, timesteps: Tensor | float) -> Tensor:
        """eps from a prediction."""
        signal, level = self._levels(timesteps, noisy)
        if self.target == "epsilon":
            return predicted
        if self.target == "sample":
            return (noisy - signal * predicted) / level
        if self.target == "flow":
            return noisy + signal * predicted
        return level * noisy + signal * predicted

    def sample(
        self,
        text: Text,
        noise: Tensor,
        *,
        steps: int = 20,
        guidance_scale: float = 1.0,
        empty: Text | None = None,
        on_step: OnStep | None = None,
    ) -> Tensor:
        """Latents (N, 4, 8, 8) from unit noise of that shape, by the scheduler's own steps.

        Guidance is ``uncond + scale * (cond - uncond)``; any scale but 1 needs ``empty``, the text
        of the empty prompt (one row), and doubles the denoiser's batch. Raises ValueError.
        """
        import torch

        if guidance_scale != 1 and empty is None:
            raise ValueError("guidance needs the empty prompt: encode_text(context, [''])")
        guided = guidance_scale != 1 and empty is not None
        if guided and empty is not None:
            none = empty.repeated(len(text))
            text = Text(
                torch.cat([none.states, text.states]), torch.cat([none.pooled, text.pooled])
            )
        scheduler = type(self.scheduler).from_config(self.scheduler.config)
        scheduler.set_timesteps(steps, device=text.states.device)
        latents = noise.to(text.states.device)
        for done, t in enumerate(scheduler.timesteps, start=1):
            # The flow scheduler counts in 1000 sigma, from 1000 down; the others in indices.
            index = t - 1 if self.target == "flow" else t
            both = torch.cat([latents, latents]) if guided else latents
            predicted = self.predict(both, index, text)
            if guided:
                from_empty, from_text = predicted.chunk(2)
                predicted = from_empty + guidance_scale * (from_text - from_empty)
            if on_step is not None:
                clean = self.to_clean(predicted, latents, index)
                on_step(done, len(scheduler.timesteps), clean)
            latents = scheduler.step(predicted, t, latents, return_dict=False)[0]
        return latents

    def _levels(
        self, timesteps: Tensor | float, like: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Signal and noise levels, (N, 1, 1, 1) or for one timestep (1, 1, 1, 1)."""
        import torch

        times = torch.as_tensor(timesteps).reshape(-1)
        if self.target == "flow":
            sigma = (times + 1).double() / 1000
            signal, noise = 1 - sigma, sigma
        else:
            kept = self.scheduler.alphas_cumprod.double()[times.cpu().long()]
            signal, noise = kept.sqrt(), (1 - kept).sqrt()
        pair = torch.stack([signal, noise])[:, :, None, None, None]
        pair = pair.float() if like is None else pair.to(like)
        return pair[0], pair[1]
