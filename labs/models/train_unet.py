"""UNet and text model, trained together to predict the noise in the latents of the drawings.

Loss: mean squared error of the noise at a uniformly drawn timestep (Ho et al. 2020, L_simple,
equation 14). Captions are emptied at random for classifier-free guidance (Ho and Salimans 2022,
algorithm 1).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from drawings import CaptionTable
from tokenizer import MAX_TOKENS, new_tokenizer
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from training import LoopSettings, part_of_batch, share_of_work, train_loop
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

BATCH = 128
STEPS = 6000
PEAK_LR = 1e-3
EMA_DECAY = 0.999
DROP_ATTRIBUTE = 0.15
DROP_CAPTION = 0.12
TEXT_WIDTH = 96


def new_scheduler() -> DDIMScheduler:
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="epsilon",
    )


def new_text_model(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=TEXT_WIDTH,
            intermediate_size=4 * TEXT_WIDTH,
            projection_dim=TEXT_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def new_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(64, 128),
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        # As in Stable Diffusion 1.5, diffusers reads this as the number of heads.
        attention_head_dim=4,
        norm_num_groups=16,
    )


class Denoiser(nn.Module):
    """UNet and text model as one module, so that one optimiser and one average hold both."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        self.unet = new_unet()
        self.text_encoder = new_text_model(tokenizer)

    def forward(
        self, noisy: torch.Tensor, timesteps: torch.Tensor, input_ids: torch.Tensor
    ) -> torch.Tensor:
        """Predicted noise (N, 4, 8, 8) of noisy latents (N, 4, 8, 8) under tokens (N, 12)."""
        states = self.text_encoder(input_ids).last_hidden_state
        predicted: torch.Tensor = self.unet(noisy, timesteps, states).sample
        return predicted


def caption_ids(tokenizer: CLIPTokenizer, table: CaptionTable) -> torch.Tensor:
    """Token ids (captions, 12) of every caption in the table."""
    ids: torch.Tensor = tokenizer(
        table.texts,
        padding="max_length",
        max_length=MAX_TOKENS,
        truncation=True,
        return_tensors="pt",
    ).input_ids
    return ids


def train_unet(work: Path, resume: bool, steps: int = STEPS) -> float:
    """Train on the latents that the VAE stage left in ``work``; checkpoint: ``work/unet.pt``."""
    means, stds = torch.load(work / "latents.pt", weights_only=True)
    factor = float(AutoencoderKL.load_config(work / "vae")["scaling_factor"])
    attributes = np.load(work / "train_attributes.npy")
    tokenizer, table, scheduler = new_tokenizer(), CaptionTable(), new_scheduler()
    all_ids = caption_ids(tokenizer, table)
    torch.manual_seed(0)
    denoiser = Denoiser(tokenizer)
    batch = part_of_batch(BATCH)
    rank, processes = share_of_work()

    def loss_of_step(
        step: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, dict[str, float]]:
        picked = torch.randint(0, len(means), (batch,), generator=generator)
        posterior_noise = torch.randn(batch, *means.shape[1:], generator=generator)
        latents = (means[picked] + stds[picked] * posterior_noise) * factor
        noise = torch.randn(latents.shape, generator=generator)
        timesteps = torch.randint(0, 1000, (batch,), generator=generator)
        noisy = scheduler.add_noise(latents, noise, timesteps)
        rows = table.sample(
            attributes[picked.numpy()],
            np.random.default_rng(step * processes + rank),
            drop_attribute=DROP_ATTRIBUTE,
            drop_caption=DROP_CAPTION,
        )
        # The fused CPU attention's backward pass is several times slower in bfloat16.
        with sdpa_kernel(SDPBackend.MATH), torch.autocast("cpu", dtype=torch.bfloat16):
            predicted = denoiser(noisy, timesteps, all_ids[torch.from_numpy(rows)])
        return functional.mse_loss(predicted.float(), noise), {}

    settings = LoopSettings(steps=steps, peak_lr=PEAK_LR, ema_decay=EMA_DECAY, seed=3)
    return train_loop(denoiser, loss_of_step, settings, work / "unet.pt", resume)


def trained_denoiser(work: Path) -> tuple[Denoiser, int]:
    """The averaged weights of the last checkpoint, and its step."""
    state = torch.load(work / "unet.pt", weights_only=True)
    denoiser = Denoiser(new_tokenizer())
    denoiser.load_state_dict({**state["model"], **state["ema"]})
    return denoiser.eval(), int(state["step"])
