"""The autoencoder: 64x64x3 pictures to 8x8x4 latents and back (f=8, c=4, as Stable Diffusion).

Loss: L1 + squared error of the pixels in [-1, 1] + a small KL weight (Rombach et al. 2022,
section 3.1, without the perceptual and adversarial terms: drawings of flat shapes do not need
them).
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from training import LoopSettings, part_of_batch, share_of_work, to_pixels, train_loop

BATCH = 32
STEPS = 5200
PEAK_LR = 1.5e-3
KL_WEIGHT = 2e-4
# Spread of Stable Diffusion's raw latents, 1 / .18215.
LATENT_STD = 5.49


def new_vae() -> AutoencoderKL:
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 32, 64, 128),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=64,
    )


def train_vae(work: Path, resume: bool, steps: int = STEPS) -> float:
    """Train on ``work``'s drawings; the checkpoint goes to ``work/vae.pt``,
    the finished model to ``work/vae``."""
    pixels = np.load(work / "train_pixels.npy", mmap_mode="r")
    torch.manual_seed(0)
    vae = new_vae()
    batch = part_of_batch(BATCH)

    def loss_of_step(
        step: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, dict[str, float]]:
        picked = torch.randint(0, len(pixels), (batch,), generator=generator).numpy()
        x = to_pixels(torch.from_numpy(pixels[np.sort(picked)])) * 2 - 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            moments = vae.quant_conv(vae.encoder(x)).float()
            mean, logvar = moments.chunk(2, dim=1)
            logvar = logvar.clamp(-30, 20)
            noise = torch.randn(mean.shape, generator=generator)
            latent = mean + noise * (0.5 * logvar).exp()
            decoded = vae.decode(latent).sample.float()
        error = decoded - x
        squared = error.square().mean()
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
        loss = error.abs().mean() + squared + KL_WEIGHT * kl
        # A squared error in [-1, 1] is 4 times that in [0, 1].
        psnr = -10 * (error.detach().square().mean(dim=(1, 2, 3)) / 4).log10().mean()
        return loss, {"psnr": psnr.item(), "kl": kl.item(), "std": mean.detach().std().item()}

    settings = LoopSettings(steps=steps, peak_lr=PEAK_LR, weight_decay=1e-3, seed=1)
    seconds = train_loop(vae, loss_of_step, settings, work / "vae.pt", resume)
    started = time.monotonic()
    if share_of_work()[0] == 0:
        finish_vae(work)
    return seconds + time.monotonic() - started


def finish_vae(work: Path) -> None:
    """Write the trained VAE to ``work/vae``, its latents at Stable Diffusion's spread.

    ``scaling_factor`` is 1 / the standard deviation of the training drawings' latents.
    """
    vae = new_vae()
    vae.load_state_dict(torch.load(work / "vae.pt", weights_only=True)["model"])
    vae.eval()
    pixels = np.load(work / "train_pixels.npy", mmap_mode="r")
    mean, std = encode_moments(vae, pixels)
    spread = float((mean + std * torch.randn(std.shape)).std())
    factor = LATENT_STD / spread
    rescale_latents(vae, factor)
    mean, std = mean * factor, std * factor
    sampled = mean + std * torch.randn(std.shape)
    vae.register_to_config(scaling_factor=1 / float(sampled.std()))
    vae.save_pretrained(work / "vae")
    torch.save((mean, std), work / "latents.pt")
    print(
        f"latents: spread {spread:.3f} as trained, now {float(sampled.std()):.3f}, mean "
        f"{float(sampled.mean()):.3f}, by channel {sampled.std(dim=(0, 2, 3)).tolist()}, "
        f"posterior deviation {float(std.mean()):.3f}",
        flush=True,
    )


@torch.no_grad()
def rescale_latents(vae: AutoencoderKL, factor: float) -> None:
    """Make every latent ``factor`` times as large and leave the round trip as it is.

    The rows of ``quant_conv`` that give the mean are multiplied, ln(factor^2) is added to the
    log-variance, and ``post_quant_conv`` takes its input divided by the factor.
    """
    channels = int(vae.config["latent_channels"])
    vae.quant_conv.weight[:channels] *= factor
    vae.quant_conv.bias[:channels] *= factor
    vae.quant_conv.bias[channels:] += 2 * float(np.log(factor))
    vae.post_quant_conv.weight /= factor


@torch.no_grad()
def encode_moments(
    vae: AutoencoderKL, pixels: np.ndarray, batch: int = 128
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation (N, 4, 8, 8) of the latents of uint8 pictures (N, 64, 64, 3)."""
    means, stds = [], []
    for start in range(0, len(pixels), batch):
        x = to_pixels(torch.from_numpy(np.array(pixels[start : start + batch]))) * 2 - 1
        posterior = vae.encode(x).latent_dist
        means.append(posterior.mean)
        stds.append(posterior.std)
    return torch.cat(means), torch.cat(stds)
