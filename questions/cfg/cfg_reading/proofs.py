"""Proofs of the questions of lab cfg_reading: broken lines of its starter, run on its exact
denoiser."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import DDIMScheduler
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg
from torch import Tensor

Namespace = dict[str, Any]
PLUS, MINUS, EMPTY = 0, 1, 2
COUNT = 200


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, so that proofs do not depend on their order."""
    return torch.Generator().manual_seed(seed)


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def new_scheduler() -> Any:
    """Stable Diffusion's table, without clipping."""
    return DDIMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False
    )


class Exact:
    """The best denoiser of unit noise around a mean for each of two words, one apart from 0."""

    def __init__(self) -> None:
        direction = torch.randn(4, 8, 8, generator=seeded())
        self.direction = direction / direction.norm()
        self.alphas_cumprod = new_scheduler().alphas_cumprod
        self.evaluations = 0

    def __call__(self, x: Tensor, t: int, words: Tensor) -> Tensor:
        self.evaluations += len(x)
        ab = self.alphas_cumprod[t]
        means = ab.sqrt() * torch.stack([self.direction, -self.direction])
        gaps = x[:, None] - means
        meant = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])[words]
        weights = (meant.log() - gaps.flatten(2).square().sum(2) / 2).softmax(1)
        return (1 - ab).sqrt() * (weights[:, :, None, None, None] * gaps).sum(1)

    def along(self, x: Tensor) -> Tensor:
        """Where samples (B, 4, 8, 8) lie on the way from `minus` to `plus`."""
        return (x * self.direction).sum(dim=(1, 2, 3))


def words(word: int, count: int = COUNT) -> Tensor:
    return torch.full((count,), word)


def sampled(guided_eps: Any, exact: Exact, s: float) -> Tensor:
    """Samples for `plus` with a guidance function, over 20 steps."""
    scheduler = new_scheduler()
    scheduler.set_timesteps(20)
    x = torch.randn(COUNT, 4, 8, 8, generator=seeded(1))
    for t in scheduler.timesteps:
        eps, _ = guided_eps(exact, x, int(t), words(PLUS), words(EMPTY), s)
        x = scheduler.step(eps, t, x, return_dict=False)[0]
    return x


# The halves swapped


def conditional_at_one(ns: Namespace) -> None:
    """At s = 1 the guided prediction is the conditional one."""
    exact = Exact()
    x = torch.randn(COUNT, 4, 8, 8, generator=seeded(2))
    wanted = exact(x, 500, words(PLUS))
    got, conditional = ns["guided_eps"](exact, x, 500, words(PLUS), words(EMPTY), 1.0)
    for name, each in (("guided", got), ("conditional", conditional)):
        gap = (each - wanted).abs().max().item()
        assert gap < 1e-5, (
            f"at s = 1 the {name} prediction is not that of the prompt\ngap {gap:.3f}"
        )


def share_right_at_three(original: Namespace, mutant: Namespace) -> str:
    """Share of samples for `plus` on its side, by either code at s = 3."""
    exact = Exact()
    shares = {
        name: float((exact.along(sampled(ns["guided_eps"], exact, 3.0)) > 0).float().mean())
        for name, ns in (("original", original), ("mutant", mutant))
    }
    plain = float((exact.along(sampled(original["guided_eps"], exact, 1.0)) > 0).float().mean())
    assert shares["original"] > 0.98 and 0.75 < plain < 0.92
    return only(
        {
            "away": shares["mutant"] < 0.2,
            "weaker": shares["mutant"] > 0.9,
            "unconditional": 0.35 < shares["mutant"] < 0.65,
            "same": shares["mutant"] == shares["original"],
        }
    )


# A std over the whole batch


def loud_and_calm() -> tuple[Tensor, Tensor]:
    """Guided and conditional predictions (2, 4, 8, 8): the first sample is inflated fourfold."""
    conditional = torch.randn(2, 4, 8, 8, generator=seeded(3))
    return conditional * torch.tensor([4.0, 1.2]).view(2, 1, 1, 1), conditional


def each_sample_alone(ns: Namespace) -> None:
    """A sample in a batch is what it is alone, and what the library makes of it."""
    guided, conditional = loud_and_calm()
    for phi in (0.7, 1.0):
        together = ns["rescale"](guided, conditional, phi)
        wanted = rescale_noise_cfg(guided, conditional, guidance_rescale=phi)
        alone = torch.cat([ns["rescale"](guided[[k]], conditional[[k]], phi) for k in range(2)])
        gap = (together - alone).abs().max().item()
        assert gap < 1e-5, f"a sample depends on its neighbour\nlargest change {gap:.3f}"
        assert torch.allclose(together, wanted, atol=1e-5)


def what_neighbours_do(original: Namespace, mutant: Namespace) -> str:
    """Spread of the loud and of the calm sample over their conditional ones, at phi = 1."""
    guided, conditional = loud_and_calm()

    def spreads(ns: Namespace, rows: slice = slice(None)) -> list[float]:
        made = ns["rescale"](guided[rows], conditional[rows], 1.0)
        ratio = made.flatten(1).std(1) / conditional[rows].flatten(1).std(1)
        return [float(each) for each in ratio]

    assert all(abs(each - 1) < 1e-5 for each in spreads(original))
    loud, calm = spreads(mutant)
    alone = spreads(mutant, slice(0, 1))[0]
    made = mutant["rescale"](guided, conditional, 1.0)
    channels = made.std(dim=(0, 2, 3)) / guided.std(dim=(0, 2, 3))
    return only(
        {
            "neighbours": calm < 0.9 and loud > 1.1,
            "channels": bool(channels.std() > 1e-3),
            "alone": abs(alone - 1) > 1e-3,
            "nothing-rescaled": abs(loud - 4) < 1e-3,
        }
    )


# Guidance off at 1 only


def prepared(ns: Namespace) -> Exact:
    """Give the loop what stands around it in the starter."""

    def guided_eps(
        denoiser: Any, x: Tensor, t: int, text: Tensor, empty: Tensor, s: float
    ) -> tuple[Tensor, Tensor]:
        u, c = denoiser(torch.cat([x, x]), t, torch.cat([empty, text])).chunk(2)
        return u + s * (c - u), c

    exact = Exact()
    ns |= {
        "scheduler": new_scheduler(),
        "unet": exact,
        "guided_eps": guided_eps,
        "rescale": lambda eps, eps_c, phi: rescale_noise_cfg(eps, eps_c, guidance_rescale=phi),
    }
    return exact


def run(ns: Namespace, word: int, s: float) -> Tensor:
    x = torch.randn(COUNT, 4, 8, 8, generator=seeded(4))
    made: Tensor = ns["sample"](words(word), words(EMPTY), x, s)
    return made


def off_up_to_one(ns: Namespace) -> None:
    """Up to 1 all scales give the same samples; above, guidance moves them."""
    exact = prepared(ns)
    plain = run(ns, PLUS, 1.0)
    for s in (0.0, 0.5):
        gap = (run(ns, PLUS, s) - plain).abs().max().item()
        assert gap < 1e-5, f"at s = {s:g} the samples are not those of s = 1\ngap {gap:.3f}"
    moved = exact.along(run(ns, PLUS, 3.0)).mean() - exact.along(plain).mean()
    assert moved > 0.3, f"at s = 3 the samples moved by {moved:.3f} only"


def samples_at_zero(mutant: Namespace) -> str:
    """What the samples at s = 0 are, and what they cost."""
    exact = prepared(mutant)
    unprompted, plain = run(mutant, EMPTY, 1.0), run(mutant, PLUS, 1.0)
    exact.evaluations = 0
    zero = run(mutant, PLUS, 0.0)
    assert exact.evaluations == 2 * 30 * COUNT
    return only(
        {
            "zero-is-empty": torch.allclose(zero, unprompted, atol=1e-4),
            "zero-is-one": torch.allclose(zero, plain, atol=1e-4),
            "away": float(exact.along(zero).mean()) < -0.5,
            "nothing": torch.allclose(zero, plain, atol=1e-4),
        }
    )
