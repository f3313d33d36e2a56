"""Bugs of the arena: each replaces one line of loop.py, and leaves a signature that was measured.

Signatures are bounds on measures of one run, most of them relative to the healthy loop with the
same sampler and noise, for the bundled model at 8 to 14 steps and a guidance scale from 4 to 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LOOP = Path(__file__).with_name("loop.py")
HEALTHY = "healthy"


class PatchError(ValueError):
    """A bug's line that does not stand in the loop exactly once."""


@dataclass(frozen=True)
class Bound:
    """A measure and the range in which it must lie."""

    measure: str
    least: float | None = None
    most: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value lies in the range; what is not a number does not."""
        above = self.least is None or value >= self.least
        return above and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        least = "" if self.least is None else f" from {self.least:g}"
        most = "" if self.most is None else f" up to {self.most:g}"
        return f"{self.measure}{least}{most}"


@dataclass(frozen=True)
class Bug:
    name: str
    sampler: str
    was: str
    """A line of loop.py without its indent."""
    now: str
    says: str
    """What is seen, in a sentence: the claim."""
    signature: tuple[Bound, ...]

    @property
    def in_decoder(self) -> bool:
        """Whether the latents are those of the healthy loop."""
        return LOOP.read_text(encoding="utf-8").rindex(self.was) > _decoder_begins()


def _decoder_begins() -> int:
    return LOOP.read_text(encoding="utf-8").index("def decode(")


def patched(source: str, bug: Bug) -> tuple[str, int]:
    """The source with the bug in it, and the number of the line. Raises PatchError."""
    lines = source.splitlines()
    places = [n for n, line in enumerate(lines) if line.strip() == bug.was]
    if len(places) != 1:
        raise PatchError(f"{bug.name}: {bug.was!r} stands {len(places)} times in {LOOP.name}")
    line = lines[places[0]]
    lines[places[0]] = line[: len(line) - len(line.lstrip())] + bug.now
    return "\n".join(lines) + "\n", places[0] + 1


BUGS: tuple[Bug, ...] = (
    Bug(
        "halves-swapped", "ddim",
        "states = torch.cat([empty, text])",
        "states = torch.cat([text, empty])",
        "Guides away from the prompt: everything is something else, in opposite colours.",
        (
            Bound("adherence kept", most=-0.6),
            Bound("agreement", most=-0.2),
            Bound("latent std", least=1.4),
        ),
    ),
    Bug(
        "guided-embeddings", "ddim",
        "states = torch.cat([empty, text])",
        "states = torch.cat([empty + scale * (text - empty)] * 2)",
        "Faded fields of about the right colour: the background survives an exaggerated "
        "text, the shape does not.",
        (
            Bound("adherence kept", most=-0.4),
            Bound("background", least=0.45),
            Bound("shape", most=0.7),
            Bound("agreement", least=0.55, most=0.92),
        ),
    ),
    Bug(
        "counted-from-text", "ddim",
        "guided: Tensor = eps_u + scale * (eps_c - eps_u)",
        "guided: Tensor = eps_c + scale * (eps_c - eps_u)",
        "Looks right: it guides at the scale plus 1, and no picture tells.",
        (
            Bound("adherence kept", least=-0.25),
            Bound("agreement", least=0.97),
            Bound("latent distance", least=0.01, most=0.35),
        ),
    ),
    Bug(
        "prompts-shifted", "ddim",
        "states = torch.cat([empty, text])",
        "states = torch.cat([empty, text.roll(1, 0)])",
        "Flawless pictures of the neighbour's prompt: no measure of quality moves, only "
        "adherence.",
        (
            Bound("adherence kept", most=-0.6),
            Bound("latent std", least=0.9, most=1.1),
            Bound("roughness", least=0.85, most=1.15),
            Bound("contrast", least=0.9, most=1.1),
        ),
    ),
    Bug(
        "index-for-timestep", "ddim",
        "eps_u, eps_c = pipe.unet(doubled, t, states).sample.chunk(2)",
        "eps_u, eps_c = pipe.unet(doubled, i, states).sample.chunk(2)",
        "Backgrounds right, shapes blotched: at each step the denoiser is told that hardly any "
        "noise is left.",
        (
            Bound("adherence kept", most=-0.2),
            Bound("background", least=0.6),
            Bound("latent distance", least=0.5),
        ),
    ),
    Bug(
        "fresh-latents", "ddim",
        "doubled = torch.cat([x, x])",
        "doubled = torch.cat([draw(i)] * 2)",
        "What the denoiser is shown looks perfect at every step; the latents grow to many "
        "times their size.",
        (
            Bound("adherence kept", most=-0.5),
            Bound("first input std", least=0.9, most=1.1),
            Bound("latent std", least=5),
            Bound("roughness", least=2),
        ),
    ),
    Bug(
        "linear-betas", "ddim",
        "betas = torch.linspace(beta_start**0.5, beta_end**0.5, T) ** 2",
        "betas = torch.linspace(beta_start, beta_end, T)",
        "Hardly to be seen: the same ends, another curve; latents a tenth too large.",
        (
            Bound("adherence kept", least=-0.3),
            Bound("agreement", least=0.97),
            Bound("latent std", least=1.03, most=1.2),
        ),
    ),
    Bug(
        "bare-betas", "ddim",
        "betas = torch.linspace(beta_start**0.5, beta_end**0.5, T) ** 2",
        "betas = torch.linspace(0.0001, 0.02, T)",
        "The betas of a scheduler's bare constructor: latents far too large, murky colours, "
        "some shapes lost.",
        (
            Bound("latent std", least=1.4),
            Bound("agreement", least=0.85, most=0.99),
            Bound("background", least=0.6),
        ),
    ),
    Bug(
        "stale-stride", "ddim",
        "return T // len(ts)",
        "return T // 50",
        "Steps too short, left over from another request: noise remains, as bubbles over "
        "the right picture.",
        (
            Bound("adherence kept", most=-0.2),
            Bound("roughness", least=1.8),
            Bound("latent std", least=0.7, most=0.97),
        ),
    ),
    Bug(
        "as-v-prediction", "ddim",
        "return (x - (1 - ab_t).sqrt() * eps) / ab_t.sqrt()",
        "return ab_t.sqrt() * x - (1 - ab_t).sqrt() * eps",
        "Torn pictures and wrong shapes, latents of about half the spread: noise is read as "
        "velocity.",
        (
            Bound("adherence kept", most=-0.6),
            Bound("latent std", most=0.75),
            Bound("agreement", most=0.75),
        ),
    ),
    Bug(
        "clip-sample", "ddim",
        "return (x - (1 - ab_t).sqrt() * eps) / ab_t.sqrt()",
        "return ((x - (1 - ab_t).sqrt() * eps) / ab_t.sqrt()).clamp(-1, 1)",
        "Blotches of wrong colours with half of the spread: latents are not pixels, and "
        "reach far beyond 1.",
        (
            Bound("adherence kept", most=-0.6),
            Bound("latent std", most=0.75),
            Bound("roughness", least=1.6),
        ),
    ),
    Bug(
        "noise-subtracted", "ddim",
        "x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps",
        "x = x - eps",
        "Colours about right, shapes torn: the prediction is no step.",
        (
            Bound("adherence kept", most=-0.4),
            Bound("latent std", least=1.1),
            Bound("roughness", least=1.3),
        ),
    ),
    Bug(
        "dt-sign", "euler",
        "x = x + (s_next - s) * eps",
        "x = x + (s - s_next) * eps",
        "Saturated noise: each step adds what it should remove.",
        (
            Bound("latent std", least=8),
            Bound("roughness", least=2.5),
            Bound("agreement", most=0.1),
        ),
    ),
    Bug(
        "no-init-sigma", "euler",
        "x = noise * (sigma[ts[0]] ** 2 + 1).sqrt()",
        "x = noise",
        "Other pictures, as good as the right ones, though the denoiser is first shown "
        "almost nothing.",
        (
            Bound("adherence kept", least=-0.25),
            Bound("first input std", most=0.3),
            Bound("latent distance", least=0.3),
        ),
    ),
    Bug(
        "input-unscaled", "euler",
        "scaled = x / (s**2 + 1).sqrt()",
        "scaled = x",
        "With guidance the pictures are still right, though the denoiser is first shown "
        "many times too much.",
        (
            Bound("adherence kept", least=-0.25),
            Bound("first input std", least=4),
            Bound("latent std", least=0.7, most=0.97),
            Bound("latent distance", least=0.3),
        ),
    ),
    Bug(
        "same-noise", "ddpm",
        "x = mean + std * draw(i)",
        "x = mean + std * noise",
        "Coarse marbling: noise that is the same at each step adds up instead of averaging "
        "out.",
        (
            Bound("adherence kept", most=-0.2),
            Bound("latent std", least=1.35),
            Bound("roughness", least=1.8),
        ),
    ),
    Bug(
        "noise-at-the-end", "ddpm",
        "std = (beta * (1 - ab_prev) / (1 - ab[t])).sqrt()",
        "std = beta.sqrt()",
        "Hardly to be seen: the variance beta adds a last touch of noise that nothing "
        "removes.",
        (
            Bound("adherence kept", least=-0.3),
            Bound("roughness", least=1.01, most=1.3),
            Bound("latent distance", least=0.08),
        ),
    ),
    Bug(
        "no-scaling-factor", "ddim",
        "unscaled = x / pipe.vae.config.scaling_factor",
        "unscaled = x",
        "Right latents, wrong pictures: torn, in wrong colours.",
        (
            Bound("latent distance", most=0),
            Bound("adherence kept", most=-0.6),
            Bound("roughness", least=1.6),
        ),
    ),
    Bug(
        "no-shift", "ddim",
        "pixels = (decoded / 2 + 0.5).clamp(0, 1)",
        "pixels = decoded.clamp(0, 1)",
        "Right shapes; all below middle grey is black, and colours are harsh.",
        (
            Bound("latent distance", most=0),
            Bound("adherence kept", most=-0.25),
            Bound("shape", least=0.85),
            Bound("agreement", least=0.8, most=0.98),
        ),
    ),
    Bug(
        "channels-reversed", "ddim",
        "pixels = (decoded / 2 + 0.5).clamp(0, 1)",
        "pixels = (decoded / 2 + 0.5).clamp(0, 1).flip(1)",
        "Right shapes with red and blue exchanged, as sharp as before.",
        (
            Bound("latent distance", most=0),
            Bound("adherence kept", most=-0.5),
            Bound("shape", least=0.85),
            Bound("roughness", least=0.98, most=1.02),
        ),
    ),
)  # fmt: skip
