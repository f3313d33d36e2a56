"""What the side models are trained on: latents of the drawings and the base's text states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from drawings import CaptionTable
from train_unet import DROP_ATTRIBUTE, DROP_CAPTION, caption_ids
from train_vae import encode_moments
from training import part_of_batch, save_atomically, share_of_work
from transformers import CLIPTextModel, CLIPTokenizer


@dataclass(frozen=True)
class TextTable:
    """States (captions, 12, 96) and pooled output (captions, 96) of every caption there is.

    The text model is frozen for the whole family, so its outputs are looked up.
    """

    captions: CaptionTable
    states: torch.Tensor
    pooled: torch.Tensor


@torch.no_grad()
def text_table(base: Path, device: torch.device) -> TextTable:
    """Every caption through the text model of the pipeline in ``base``."""
    tokenizer = CLIPTokenizer.from_pretrained(base / "tokenizer", local_files_only=True)
    model = CLIPTextModel.from_pretrained(
        base / "text_encoder", local_files_only=True, dtype=torch.float32
    ).eval()
    table = CaptionTable()
    states, pooled = [], []
    for ids in caption_ids(tokenizer, table).split(256):
        output = model(ids)
        states.append(output.last_hidden_state)
        pooled.append(output.pooler_output)
    return TextTable(table, torch.cat(states).to(device), torch.cat(pooled).to(device))


def encode_drawings(vae: AutoencoderKL, pixels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation (N, 4, 8, 8) of the latents, scaled to unit spread."""
    means, stds = encode_moments(vae, pixels)
    factor = float(vae.config["scaling_factor"])
    return means * factor, stds * factor


def training_latents(
    folder: Path, base: Path, name: str, pixels: Callable[[], np.ndarray]
) -> tuple[torch.Tensor, torch.Tensor]:
    """``encode_drawings`` of ``pixels()`` by the VAE of the pipeline in ``base``, kept in
    ``folder/NAME.pt``."""
    path = folder / f"{name}.pt"
    if not path.exists():
        vae = AutoencoderKL.from_pretrained(
            base / "vae", local_files_only=True, dtype=torch.float32
        ).eval()
        save_atomically(encode_drawings(vae, pixels()), path)
    means, stds = torch.load(path, weights_only=True)
    return means, stds


def latents_of_vae_stage(work: Path, base: Path) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The latents that the ``vae`` stage left in ``work``, scaled, if they are of the base's VAE;
    encoding all drawings again takes minutes."""
    if not (work / "latents.pt").exists() or not (work / "vae").is_dir():
        return None
    factor = float(AutoencoderKL.load_config(base / "vae", local_files_only=True)["scaling_factor"])
    if AutoencoderKL.load_config(work / "vae")["scaling_factor"] != factor:
        return None
    means, stds = torch.load(work / "latents.pt", weights_only=True)
    return means * factor, stds * factor


@dataclass(frozen=True)
class Batch:
    """``latents``, ``noise`` (N, 4, 8, 8); ``states`` (N, 12, 96), ``pooled`` (N, 96);
    ``picked`` (N,) says which drawings they are, ``generator`` goes on drawing."""

    latents: torch.Tensor
    noise: torch.Tensor
    states: torch.Tensor
    pooled: torch.Tensor
    picked: torch.Tensor
    generator: torch.Generator


@dataclass(frozen=True)
class Batches:
    """Batches by training step; ``batch`` examples in all, shared by the processes."""

    means: torch.Tensor
    stds: torch.Tensor
    attributes: np.ndarray
    text: TextTable
    device: torch.device
    batch: int
    drop_attribute: float = DROP_ATTRIBUTE
    drop_caption: float = DROP_CAPTION

    def draw(self, step: int, generator: torch.Generator) -> Batch:
        """The batch of a step: it depends on step, generator and rank alone, not on the model."""
        rank, processes = share_of_work()
        count = part_of_batch(self.batch)
        picked = torch.randint(0, len(self.means), (count,), generator=generator)
        posterior_noise = torch.randn(count, *self.means.shape[1:], generator=generator)
        latents = self.means[picked] + self.stds[picked] * posterior_noise
        noise = torch.randn(latents.shape, generator=generator)
        rows = torch.from_numpy(
            self.text.captions.sample(
                self.attributes[picked.numpy()],
                np.random.default_rng(step * processes + rank),
                drop_attribute=self.drop_attribute,
                drop_caption=self.drop_caption,
            )
        ).to(self.device)
        return Batch(
            latents.to(self.device),
            noise.to(self.device),
            self.text.states[rows],
            self.text.pooled[rows],
            picked,
            generator,
        )

    def loss_of_step(
        self, loss: Callable[[Batch], torch.Tensor]
    ) -> Callable[[int, torch.Generator], tuple[torch.Tensor, dict[str, float]]]:
        """``loss`` as ``training.train_loop`` calls it."""

        def of_step(step: int, generator: torch.Generator) -> tuple[torch.Tensor, dict[str, float]]:
            return loss(self.draw(step, generator)), {}

        return of_step
