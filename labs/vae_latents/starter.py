"""What stands between pixels and the denoiser: moments, a draw, units, pixels, tiles.

    python labs/vae_latents/starter.py

Runs the bundled model's autoencoder: f = 8, c = 4, the layout of Stable Diffusion's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor

MODEL = Path(__file__).resolve().parents[1] / "models" / "shapes"


# @posterior
def posterior(moments: Tensor) -> tuple[Tensor, Tensor]:
    """[B, 2c, h, w] from the encoder -> mean and std, [B, c, h, w] each."""
    mean, logvar = moments.chunk(2, dim=1)
    std = torch.exp(0.5 * logvar.clamp(-30, 20))
    return mean, std


def draw(mean: Tensor, std: Tensor, generator: torch.Generator) -> Tensor:
    return mean + std * torch.randn(mean.shape, generator=generator)


# @units
def to_model(z: Tensor, scale: float, shift: float = 0.0) -> Tensor:
    """Raw latents -> about spread 1, on which noise schedules rely."""
    return (z - shift) * scale


def to_decoder(x: Tensor, scale: float, shift: float = 0.0) -> Tensor:
    """The denoiser's latents -> raw ones, which the decoder was trained on."""
    return x / scale + shift


# @pixels
def to_encoder(pixels: Tensor) -> Tensor:
    return pixels * 2 - 1  # [0, 1] -> [-1, 1]


def to_pixels(decoded: Tensor) -> Tensor:
    return (decoded / 2 + 0.5).clamp(0, 1)


def psnr(pixels: Tensor, other: Tensor) -> float:
    return float(-10 * (pixels - other).square().mean().log10())


# @blend
def blend(before: Tensor, tile: Tensor, extent: int, dim: int) -> Tensor:
    """Fade from the end of `before` into the start of `tile` along `dim`."""
    extent = min(before.shape[dim], tile.shape[dim], extent)
    shape = [-1 if d == dim else 1 for d in range(4)]
    weight = (torch.arange(extent) / extent).view(shape)
    old = before.narrow(dim, before.shape[dim] - extent, extent)
    start = tile.narrow(dim, 0, extent)
    start.copy_(old * (1 - weight) + start * weight)
    return tile


# @tiles
def tiled(decode: Callable[[Tensor], Tensor], z: Tensor, tile: int, overlap: float) -> Tensor:
    """Decode z [B, c, h, w] tile by tile; every tile starts from nothing but its own latents."""
    stride = int(tile * (1 - overlap))
    extent = int(tile * 8 * overlap)
    keep = tile * 8 - extent
    above: list[Tensor] = []
    rows = []
    for top in range(0, z.shape[2], stride):
        row: list[Tensor] = []
        for left in range(0, z.shape[3], stride):
            part = decode(z[:, :, top : top + tile, left : left + tile])
            if above:
                part = blend(above[len(row)], part, extent, dim=2)
            if row:
                part = blend(row[-1], part, extent, dim=3)
            row.append(part)
        rows.append(torch.cat([part[:, :, :keep, :keep] for part in row], dim=3))
        above = row
    return torch.cat(rows, dim=2)


# @look
@torch.inference_mode()
def main() -> None:
    vae = AutoencoderKL.from_pretrained(MODEL / "vae", local_files_only=True).float().eval()
    scale = vae.config.scaling_factor
    pixels = torch.tensor([0.2, 0.4, 0.85]).view(1, 3, 1, 1).repeat(1, 1, 128, 128)
    pixels[:, :, 40:80, 30:70] = torch.tensor([0.95, 0.55, 0.1]).view(1, 3, 1, 1)

    moments = vae.quant_conv(vae.encoder(to_encoder(pixels)))
    mean, std = posterior(moments)
    z = draw(mean, std, torch.Generator().manual_seed(0))
    print("pixels", tuple(pixels.shape), "moments", tuple(moments.shape), "z", tuple(z.shape))
    print(f"{pixels.numel() // z.numel()} times fewer numbers; std of a posterior {std.mean():.2f}")
    print(f"std of z {z.std():.2f}, for the denoiser {to_model(z, scale).std():.2f}")

    for name, latent in (("mean", mean), ("draw", z), ("factor forgotten", to_model(z, scale))):
        back = to_pixels(vae.decode(latent).sample)
        print(f"round trip, {name}: {psnr(back, pixels):.1f} dB")

    full = vae.decode(z).sample
    for overlap in (0.0, 0.25, 0.5):
        apart = (tiled(lambda part: vae.decode(part).sample, z, 8, overlap) - full).abs()
        tiles = len(range(0, z.shape[2], int(8 * (1 - overlap)))) ** 2
        print(f"overlap {overlap}: {tiles} tiles, off by {apart.mean():.3f} on average")


if __name__ == "__main__":
    main()
