"""Proofs of the questions of lab vae_latents: its starter's functions against the installed ones,
and small autoencoders with the layout of the real ones."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL, DDPMScheduler
from diffusers.image_processor import VaeImageProcessor
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from torch import Tensor

Namespace = dict[str, Any]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, so that proofs do not depend on their order."""
    return torch.Generator().manual_seed(seed)


def small_vae(**config: Any) -> Any:
    """AutoencoderKL with the blocks of Stable Diffusion's and four channels in each."""
    torch.manual_seed(0)
    layout: dict[str, Any] = {
        "block_out_channels": (4, 4, 4, 4),
        "norm_num_groups": 2,
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
    }
    return AutoencoderKL(**{**layout, **config}).eval().requires_grad_(False)


# The posterior


def moments(log_variance: float = -2.5) -> Tensor:
    """Means of spread 5 and log-variances close to the one given, [2, 8, 64, 64]."""
    mean = 5 * torch.randn(2, 4, 64, 64, generator=seeded())
    logvar = log_variance + 0.05 * torch.randn(2, 4, 64, 64, generator=seeded(1))
    return torch.cat([mean, logvar], dim=1)


def std_of_the_posterior(ns: Namespace) -> None:
    """Mean and std are those of the library's own posterior."""
    for log_variance in (-2.5, 0.0, 1.0, 50.0):
        given = moments(log_variance)
        mean, std = ns["posterior"](given)
        library = DiagonalGaussianDistribution(given)
        assert torch.equal(mean, library.mean), "the mean is not the first half of the channels"
        far = (std / library.std - 1).abs().max().item()
        assert far < 1e-5, f"std off by up to {far:.0%} at log-variances of {log_variance:g}"


def draws_without_the_half(mutant: Namespace, original: Namespace) -> str:
    """How far draws lie from the mean, with and without the half."""
    distances = []
    for ns in (mutant, original):
        mean, std = ns["posterior"](moments())
        draw = ns["draw"](mean, std, seeded(2))
        distances.append(float((draw - mean).std()))
    wrong, right = distances
    assert abs(right - 0.29) < 0.006 and abs(wrong - 0.08) < 0.004, "the explanation's numbers"
    means = [ns["posterior"](moments())[0] for ns in (mutant, original)]
    return only(
        {
            "too-near": 0.2 < wrong / right < 0.35,
            "too-far": wrong > 2 * right,
            "shifted": not torch.equal(*means),
            "unit": abs(wrong - 1) < 0.2,
        }
    )


# Ranges


def perfect_round_trip(ns: Namespace) -> None:
    """The encoder gets what diffusers' processor would give it, and a picture comes back."""
    picture = torch.rand(2, 3, 8, 8, generator=seeded())
    given = ns["to_encoder"](picture)
    processor = VaeImageProcessor()
    wanted = processor.normalize(picture)
    assert torch.allclose(given, wanted, atol=1e-6), (
        f"the encoder gets values from {given.min():.2f} to {given.max():.2f}"
    )
    x = ns["to_model"](given, 0.3611, 0.1159)
    back = ns["to_pixels"](ns["to_decoder"](x, 0.3611, 0.1159))
    assert torch.allclose(back, picture, atol=1e-5), "the picture does not come back"


def encoder_given_0_to_1(mutant: Namespace) -> str:
    """Black and white through an autoencoder that returns what it is given."""
    ramp = torch.tensor([0.0, 0.25, 1.0]).view(1, 1, 1, 3)
    black, dark, white = mutant["to_pixels"](mutant["to_encoder"](ramp)).flatten().tolist()
    return only(
        {
            "washed-out": abs(black - 0.5) < 1e-6 and abs(white - 1) < 1e-6,
            "too-dark": black < 0.1 and abs(white - 0.5) < 0.1,
            "clipped": black == dark == 0,
            "as-before": black == 0 and abs(dark - 0.25) < 1e-6 and white == 1,
        }
    )


# The fade


def fades_like_diffusers(ns: Namespace) -> None:
    """Both directions against AutoencoderKL.blend_v and blend_h, also for narrow last tiles."""
    vae = small_vae()
    for dim, library in ((2, vae.blend_v), (3, vae.blend_h)):
        for width in (16, 3):
            before = torch.rand(1, 3, 16, 16, generator=seeded())
            tile = torch.rand(1, 3, 16, 16, generator=seeded(1)).narrow(dim, 0, width)
            wanted = library(before, tile.clone(), 4)
            got = ns["blend"](before, tile.clone(), 4, dim)
            far = (got - wanted).abs().max().item()
            assert far < 1e-6, f"along dim {dim}, {width} wide: off by up to {far:.2f}"


def edges_at_the_seam(mutant: Namespace, original: Namespace) -> str:
    """A tile of zeros beside one of ones: where are the jumps, what are the weights' sums?"""
    extent = 8

    def row(ns: Namespace) -> Tensor:
        before, tile = torch.zeros(1, 1, 32, 32), torch.ones(1, 1, 32, 32)
        faded = ns["blend"](before, tile, extent, 3)
        return torch.cat([before[..., :-extent], faded], dim=3)[0, 0, 0]

    def jumps(values: Tensor) -> list[int]:
        return ((values[1:] - values[:-1]).abs() > 0.5).nonzero().flatten().tolist()

    assert jumps(row(original)) == [], "the right fade has no edge"
    found = jumps(row(mutant))
    ends = [32 - extent - 1, 32 - 1]
    agreeing = torch.ones(1, 1, 32, 32)
    unchanged = torch.allclose(mutant["blend"](agreeing, agreeing.clone(), extent, 3), agreeing)
    return only(
        {
            "two-edges": found == ends,
            "one-edge": len(found) == 1,
            "darker": not unchanged,
            "shifted": not found and unchanged,
        }
    )


# The factor


def snr_of_raw_latents(factor: float) -> float:
    """SNR of noised raw latents over that of scaled ones, from what add_noise makes of both."""
    scheduler = DDPMScheduler(**SD_BETAS)
    scaled = torch.randn(200_000, generator=seeded()).double()
    zeros, noise = torch.zeros_like(scaled), torch.randn(200_000, generator=seeded(1)).double()
    found = []
    for t in (50, 500, 950):
        at = torch.tensor([t])
        noisy = scheduler.add_noise(zeros, noise, at).var()
        nothing = torch.zeros_like(noise)
        snr = [
            scheduler.add_noise(latents, nothing, at).var() / noisy
            for latents in (scaled / factor, scaled)
        ]
        found.append(float(snr[0] / snr[1]))
    assert max(found) - min(found) < 1e-6 * max(found), "the same at every t"
    return found[0]


def round_trip_cannot_see() -> str:
    """A service without the factor, beside one with it: which checks tell the two apart?"""
    vae = small_vae(scaling_factor=0.18215)
    factor = vae.config.scaling_factor
    picture = torch.rand(2, 3, 64, 64, generator=seeded()) * 2 - 1
    z = vae.encode(picture).latent_dist.mode()
    z = z / (factor * z.std())  # raw latents of the spread that the factor was made for
    services = {"right": (factor, 1 / factor), "without": (1.0, 1.0)}
    entering = {name: z * way_in for name, (way_in, _) in services.items()}
    returned = {
        name: vae.decode(entering[name] * way_out).sample for name, (_, way_out) in services.items()
    }
    same_trip = torch.allclose(returned["right"], returned["without"], atol=1e-4)
    near_1 = {name: abs(float(x.std()) - 1) < 0.1 for name, x in entering.items()}
    assert near_1["right"]
    same_shapes = all(
        x.shape == (2, 4, 8, 8) and bool(x.isfinite().all()) for x in entering.values()
    )
    return only(
        {
            "spread": not near_1["without"],
            "psnr": not same_trip,
            "shapes": not same_shapes,
            "strength": not same_trip,
        }
    )
