"""Proofs of the autoencoder questions that interviews keep: small autoencoders with the layout of
the real ones, and the real layout on the meta device where bytes and work are counted."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from diffusers.image_processor import VaeImageProcessor
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.downsampling import Downsample2D
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from drill.lab.live_bytes import tensor_peak

Namespace = dict[str, Any]
SD_WIDTHS = (128, 256, 512, 512)


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def vae_of(widths: tuple[int, ...], groups: int, **config: Any) -> Any:
    """AutoencoderKL with the blocks of Stable Diffusion's and these widths."""
    torch.manual_seed(0)
    blocks = len(widths)
    return AutoencoderKL(
        block_out_channels=widths, norm_num_groups=groups, layers_per_block=2, sample_size=512,
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks, **{"latent_channels": 4, **config},
    ).eval().requires_grad_(False)  # fmt: skip


def small_vae(**config: Any) -> Any:
    """Four channels in each block."""
    return vae_of((4, 4, 4, 4), 2, **config)


def full_vae() -> Any:
    """Stable Diffusion's autoencoder in half precision, on the meta device."""
    with torch.device("meta"):
        return vae_of(SD_WIDTHS, 32).half()


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own."""
    return torch.Generator().manual_seed(seed)


# Black pictures


def what_removes_nan() -> str:
    """An autoencoder with one loud layer, decoded in half precision and with each change."""
    vae = small_vae()
    loud = vae.decoder.up_blocks[2].resnets[0].conv1
    loud.weight.mul_(2e5)
    assert loud.weight.abs().max() < torch.finfo(torch.float16).max
    latents = torch.randn(1, 4, 16, 16, generator=seeded())

    def finite(dtype: torch.dtype, given: Tensor = latents, tiled: bool = False) -> bool:
        cast = copy.deepcopy(vae).to(dtype)
        cast.use_tiling, cast.tile_latent_min_size, cast.tile_sample_min_size = tiled, 8, 64
        made = cast.decode(given.to(dtype)).sample
        return bool(made.isfinite().all())

    assert not finite(torch.float16) and abs(latents.std() - 1) < 0.1
    black = VaeImageProcessor().postprocess(torch.full((1, 3, 8, 8), torch.nan), "pil")[0]
    assert max(high for _, high in black.getextrema()) == 0
    return only(
        {
            "range": finite(torch.float32) and finite(torch.bfloat16),
            "clamp": finite(torch.float16, latents.clamp(-3, 3)),
            "tiles": finite(torch.float16, tiled=True),
            "denoiser": finite(torch.float16, latents.half().float()),
        }
    )


# Downsampling padded on one side


def convs() -> list[tuple[Tensor, Tensor]]:
    """Weights and biases of three halvings, [2, 2, 3, 3] and [2]."""
    generator = seeded(1)
    return [
        (torch.randn(2, 2, 3, 3, generator=generator), torch.randn(2, generator=generator))
        for _ in range(3)
    ]


def picture() -> Tensor:
    """Noise as a picture, [1, 2, 96, 96]."""
    return torch.randn(1, 2, 96, 96, generator=seeded())


@torch.no_grad()
def as_downsample2d(ns: Namespace) -> None:
    """Each halving is the layer of the library's encoder with the same weights."""
    levels = ns["pyramid"](picture(), convs())
    for level, (weight, bias) in enumerate(convs()):
        layer = Downsample2D(2, use_conv=True, padding=0, name="op")
        layer.conv.weight.copy_(weight)
        layer.conv.bias.copy_(bias)
        want, got = layer(levels[level]), levels[level + 1]
        assert got.shape == want.shape, f"level {level + 1} has shape {tuple(got.shape)}"
        gap = (got - want).abs().max().item()
        assert gap < 1e-4, f"level {level + 1} is not the library's: off by up to {gap:.3g}"


def what_the_levels_show(original: Namespace, mutant: Namespace) -> str:
    """The mutant's last level beside the original's, of the picture and of moved pictures."""
    x = picture()
    right, wrong = (ns["pyramid"](x, convs())[-1] for ns in (original, mutant))
    same_size = right.shape == wrong.shape

    def inside(level: Tensor) -> Tensor:
        return level[..., 2:-2, 2:-2]

    moved = original["pyramid"](x.roll((7, 7), dims=(-2, -1)), convs())[-1]
    stays = torch.allclose(inside(right), inside(wrong), rtol=1e-3, atol=1e-2)
    return only(
        {
            "displaced": torch.allclose(inside(moved), inside(wrong), rtol=1e-3, atol=1e-2),
            "border": same_size and stays,
            "smaller": not same_size,
            "blurred": bool(wrong.std() < 0.9 * right.std()),
        }
    )


# Code: around the denoiser


class Seen:
    """An edit that notes what it is given."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain
        self.latents = torch.empty(0)

    def __call__(self, latents: Tensor) -> Tensor:
        self.latents = latents.clone()
        return latents * self.gain


CONFIGS: tuple[dict[str, Any], ...] = (
    {"scaling_factor": 0.18215},
    {"scaling_factor": 0.3611, "shift_factor": 0.1159},
    {
        "scaling_factor": 0.5,
        "latents_mean": [0.3, -0.2, 0.1, 0.6],
        "latents_std": [1.5, 0.5, 2.0, 3.0],
    },
)


@torch.no_grad()
def around_the_denoiser(ns: Namespace) -> None:
    """What `edit` sees, what comes back, sizes, draws and ranges, for three kinds of config."""
    write = ns["edit_in_latents"]
    for config in CONFIGS:
        vae = small_vae(**config)
        named = ", ".join(config)
        for height, width in ((32, 48), (41, 30)):
            pictures = torch.rand(2, 3, height, width, generator=seeded(height))
            before = pictures.clone()
            padded = F.pad(pictures, (0, -width % 8, 0, -height % 8), mode="replicate")
            posterior = vae.encode(VaeImageProcessor.normalize(padded)).latent_dist
            for generator in (None, 5):
                z = posterior.mode()
                if generator is not None:
                    z = posterior.sample(seeded(generator))
                for gain in (1.0, 0.5):
                    edit = Seen(gain)
                    asked = None if generator is None else seeded(generator)
                    got = write(vae, pictures, edit, asked)
                    want = in_units(z, config)
                    case = f"{named}, {height} x {width}, generator {generator}"
                    assert torch.equal(pictures, before), f"{case}: pictures were changed"
                    assert edit.latents.shape == want.shape, (
                        f"{case}: edit saw shape {tuple(edit.latents.shape)}"
                    )
                    far = (edit.latents - want).abs().max().item()
                    assert far < 1e-4, f"{case}: edit saw latents that are off by up to {far:.3g}"
                    back = decoded(vae, want * gain, config)[..., :height, :width]
                    assert got.shape == pictures.shape, f"{case}: result {tuple(got.shape)}"
                    far = (got - back).abs().max().item()
                    assert far < 1e-4, f"{case}: gain {gain}: pictures off by up to {far:.3g}"
    loud = small_vae(scaling_factor=1.0)
    loud.decoder.conv_out.weight.mul_(50)
    got = write(loud, torch.rand(1, 3, 16, 16, generator=seeded()), Seen())
    assert got.min() >= 0 and got.max() <= 1, "pictures leave [0, 1]"


def in_units(z: Tensor, config: dict[str, Any]) -> Tensor:
    """Raw latents in the denoiser's units, written as the pipelines write it."""
    if "latents_mean" in config:
        mean, std = (
            torch.tensor(config[name]).view(1, 4, 1, 1) for name in ("latents_mean", "latents_std")
        )
        return (z - mean) * config["scaling_factor"] / std
    return (z - config.get("shift_factor", 0.0)) * config["scaling_factor"]


def decoded(vae: Any, latents: Tensor, config: dict[str, Any]) -> Tensor:
    """Pictures in [0, 1] of latents in the denoiser's units."""
    if "latents_mean" in config:
        mean, std = (
            torch.tensor(config[name]).view(1, 4, 1, 1) for name in ("latents_mean", "latents_std")
        )
        raw = latents * std / config["scaling_factor"] + mean
    else:
        raw = latents / config["scaling_factor"] + config.get("shift_factor", 0.0)
    made: Tensor = VaeImageProcessor().postprocess(vae.decode(raw).sample, "pt")
    return made


# What the explanations state


@torch.no_grad()
def cache_of_latents() -> None:
    """Bytes of a latent, the encoder's share of a step by FLOPs, and that flips do not commute."""
    posterior = DiagonalGaussianDistribution(torch.zeros(1, 8, 64, 64))
    size = posterior.mode().numel() * 2
    assert size == 32 * 1024 and abs(size * 40e6 / 1e12 - 1.31) < 0.01
    with torch.device("meta"):
        vae = vae_of(SD_WIDTHS, 32)
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
        with FlopCounterMode(display=False) as encoding:
            vae.encode(torch.zeros(1, 3, 512, 512))
        with FlopCounterMode(display=False) as forward:
            unet(torch.zeros(1, 4, 64, 64), 500, torch.zeros(1, 77, 768))
    step = 3 * forward.get_total_flops()
    share = encoding.get_total_flops() / (encoding.get_total_flops() + step)
    assert 0.28 < share < 0.36, f"the encoder is {share:.2f} of a step"
    vae = small_vae()
    x = torch.rand(1, 3, 64, 64, generator=seeded()) * 2 - 1
    plain, flipped = (vae.encode(each).latent_dist.mode() for each in (x, x.flip(-1)))
    assert (plain.flip(-1) - flipped).abs().max() > 1e-3


@torch.no_grad()
def who_reads_the_latents() -> None:
    """A changed decoder leaves the latents equal; a changed encoder gives others of one shape."""
    x = torch.rand(1, 3, 64, 64, generator=seeded()) * 2 - 1
    vae = small_vae()
    before = vae.encode(x).latent_dist.mode()
    for weight in vae.decoder.parameters():
        weight.mul_(1.1)
    assert torch.equal(before, vae.encode(x).latent_dist.mode())
    vae.encoder.conv_in.weight.mul_(1.1)
    after = vae.encode(x).latent_dist.mode()
    assert after.shape == before.shape and (after - before).abs().max() > 1e-3
    unet = UNet2DConditionModel(
        in_channels=4, out_channels=4, block_out_channels=(4,), norm_num_groups=2,
        down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",), cross_attention_dim=4,
        attention_head_dim=2, layers_per_block=1,
    )  # fmt: skip
    try:
        unet(torch.zeros(1, 16, 8, 8), 0, torch.zeros(1, 1, 4))
    except RuntimeError:
        return
    raise AssertionError("a denoiser of 4 channels took 16")


# Pictures of 4K


LATENTS_4K = (270, 480)


def meta_latents(size: tuple[int, int]) -> Tensor:
    """Latents in half precision of this height and width, without data."""
    return torch.zeros(1, 4, *size, dtype=torch.float16, device="meta")


@torch.no_grad()
def peak_at_4k() -> float:
    """Peak of live tensors in GB while Stable Diffusion's decoder makes 3840 x 2160."""
    vae = full_vae()
    return tensor_peak(lambda: vae.decode(meta_latents(LATENTS_4K)).sample, "meta") / 1e9


@torch.no_grad()
def tiles_at_4k() -> list[tuple[int, int]]:
    """(height, width) of what enters the decoder for 3840 x 2160 in tiles, in latents."""
    vae = small_vae().to("meta").half()
    vae.enable_tiling()
    vae.blend_v = vae.blend_h = lambda before, tile, extent: tile
    found: list[tuple[int, int]] = []
    vae.decoder.register_forward_pre_hook(
        lambda _, args: found.append((args[0].shape[-2], args[0].shape[-1]))
    )
    vae.decode(meta_latents(LATENTS_4K))
    return found


def work_of_the_tiles() -> float:
    """Latents that the decoder sees in tiles, over those of the picture."""
    tiles = tiles_at_4k()
    assert len(tiles) == 60
    return sum(height * width for height, width in tiles) / math.prod(LATENTS_4K)


@torch.no_grad()
def attention_in_the_full_decode() -> None:
    """Positions and scores of the mid block's attention, and the whole work by FLOPs."""
    positions = math.prod(LATENTS_4K)
    assert positions == 129600 and round(positions**2 * 2 / 1e9) == 34
    vae = full_vae()
    work = {}
    tiles = tiles_at_4k()
    for size in {*tiles, LATENTS_4K}:
        with FlopCounterMode(display=False) as counter:
            vae.decode(meta_latents(size))
        work[size] = counter.get_total_flops()
    ratio = sum(work[size] for size in tiles) / work[LATENTS_4K]
    assert 1.0 < ratio < 1.2, f"tiles do {ratio:.2f} times the work"


# The factor at full strength


def factor_and_snr() -> None:
    """By what factor raw latents raise the SNR, by family, and at the two ends of the table."""
    found = [round(1 / factor**2, 1) for factor in (0.18215, 0.13025, 0.3611)]
    assert found == [30.1, 58.9, 7.7], found
    scheduler = DDIMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1
    )
    scheduler.set_timesteps(16)
    for place, low, high in ((0, 0.1, 0.4), (8, 14, 18)):
        ab = scheduler.alphas_cumprod[scheduler.timesteps[place]]
        ratio = float(ab / (1 - ab)) / 0.18215**2
        assert low < ratio < high, f"step {place}: {ratio:.2f}"
