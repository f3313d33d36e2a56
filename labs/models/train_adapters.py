"""Training of what is added to the frozen base UNet: ControlNet, LoRA, IP-Adapter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from drawings import ATTRIBUTES
from family_data import Batch
from family_measures import silhouettes
from family_models import (
    LORA_MODULES,
    LORA_RANK,
    load_unet,
    new_controlnet,
    new_image_encoder,
    new_ip_state,
)
from peft import LoraConfig
from torch import nn
from torch.nn import functional
from train_denoisers import Loss, drawn_timesteps, squared_error
from train_judge import roughen
from train_unet import new_scheduler
from training import LoopSettings, to_pixels
from transformers import CLIPVisionModelWithProjection

CONTROLNET_SETTINGS = LoopSettings(steps=1400, peak_lr=1e-3, ema_decay=0.995, seed=14)
LORA_SETTINGS = LoopSettings(steps=1500, peak_lr=2e-3, weight_decay=0.0, ema_decay=0.99, seed=15)
ENCODER_SETTINGS = LoopSettings(steps=2500, peak_lr=2e-3, ema_decay=0.998, seed=16)
IP_SETTINGS = LoopSettings(steps=1500, peak_lr=2e-3, ema_decay=0.99, seed=17)
DROP_IMAGE = 0.1
# What CLIPImageProcessor subtracts and divides by, channel by channel.
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def controlnet_member(base: Path, pixels: np.ndarray) -> tuple[nn.Module, Loss]:
    """The copy of the base's encoder learns to draw into the silhouette of the drawing itself
    (Zhang et al. 2023, equation 5)."""
    torch.manual_seed(0)
    unet, scheduler = load_unet(base / "unet").requires_grad_(False), new_scheduler()
    controlnet = new_controlnet(unet).requires_grad_(True)

    def loss(batch: Batch) -> torch.Tensor:
        unet.to(batch.latents.device)
        timesteps = drawn_timesteps(batch)
        noisy = scheduler.add_noise(batch.latents, batch.noise, timesteps)
        shown = to_pixels(torch.from_numpy(pixels[batch.picked.numpy()]))
        maps = silhouettes(shown).expand(-1, 3, -1, -1).to(noisy.device)

        def predict() -> torch.Tensor:
            down, middle = controlnet(
                noisy, timesteps, batch.states, controlnet_cond=maps, return_dict=False
            )
            predicted: torch.Tensor = unet(
                noisy,
                timesteps,
                batch.states,
                down_block_additional_residuals=down,
                mid_block_additional_residual=middle,
            ).sample
            return predicted

        return squared_error(predict, batch.noise)

    return controlnet, loss


def lora_member(base: Path) -> tuple[nn.Module, Loss]:
    """Low-rank updates of the linear layers of every transformer block: the attentions' four and
    the feed-forward's two (Hu et al. 2021, equation 3). In the drawings that it learns from, large
    circles and squares are hollow."""
    torch.manual_seed(0)
    unet, scheduler = load_unet(base / "unet").requires_grad_(False), new_scheduler()
    unet.add_adapter(
        LoraConfig(
            r=LORA_RANK,
            lora_alpha=LORA_RANK,
            init_lora_weights="gaussian",
            target_modules=list(LORA_MODULES),
        )
    )

    def loss(batch: Batch) -> torch.Tensor:
        timesteps = drawn_timesteps(batch)
        noisy = scheduler.add_noise(batch.latents, batch.noise, timesteps)
        return squared_error(lambda: unet(noisy, timesteps, batch.states).sample, batch.noise)

    return unet, loss


class ImageClassifier(nn.Module):
    """The image encoder with a linear head an attribute on its embedding; the heads are dropped
    after the training."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = new_image_encoder()
        width = self.encoder.config.projection_dim
        self.heads = nn.ModuleDict(
            {name: nn.Linear(width, len(values)) for name, values in ATTRIBUTES.items()}
        )

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits (N, classes) by attribute, of pixels (N, 3, 64, 64) in [0, 1]."""
        embeds = self.encoder(clip_values(pixels)).image_embeds
        return {name: head(embeds) for name, head in self.heads.items()}


def clip_values(pixels: torch.Tensor) -> torch.Tensor:
    """Pixels in [0, 1] as CLIPImageProcessor hands 64x64 pictures to the encoder."""
    mean, std = (
        torch.tensor(v, device=pixels.device)[:, None, None] for v in (CLIP_MEAN, CLIP_STD)
    )
    return (pixels - mean) / std


def encoder_member(pixels: np.ndarray, attributes: np.ndarray) -> tuple[nn.Module, Loss]:
    """The image encoder learns to say what a drawing shows, as the judge did."""
    torch.manual_seed(0)
    classifier = ImageClassifier()

    def loss(batch: Batch) -> torch.Tensor:
        device = batch.latents.device
        shown = roughen(to_pixels(torch.from_numpy(pixels[batch.picked.numpy()])), batch.generator)
        wanted = torch.from_numpy(attributes[batch.picked.numpy()]).to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            logits = classifier(shown.to(device))
        parts = [
            functional.cross_entropy(logits[name].float(), wanted[:, column], label_smoothing=0.02)
            for column, name in enumerate(ATTRIBUTES)
        ]
        return torch.stack(parts).sum()

    return classifier, loss


@torch.no_grad()
def embed_pictures(encoder: CLIPVisionModelWithProjection, pixels: np.ndarray) -> torch.Tensor:
    """Embeddings (N, width) of uint8 pictures (N, 64, 64, 3)."""
    parts = []
    for start in range(0, len(pixels), 256):
        shown = to_pixels(torch.from_numpy(np.array(pixels[start : start + 256])))
        parts.append(encoder(clip_values(shown)).image_embeds)
    return torch.cat(parts)


def ip_adapter_member(base: Path, embeds: torch.Tensor) -> tuple[nn.Module, Loss]:
    """Keys and values for image tokens in every cross-attention, and the projection that makes the
    tokens (Ye et al. 2023, section 3.2), trained to repaint the picture that was embedded.

    Some images are left out as zeros, which is what the pipeline takes for no image.
    """
    torch.manual_seed(0)
    unet, scheduler = load_unet(base / "unet").requires_grad_(False), new_scheduler()
    unet._load_ip_adapter_weights([new_ip_state(unet, embeds.shape[1])], low_cpu_mem_usage=False)
    for part in ip_parts(unet):
        part.requires_grad_(True)

    def loss(batch: Batch) -> torch.Tensor:
        timesteps = drawn_timesteps(batch)
        noisy = scheduler.add_noise(batch.latents, batch.noise, timesteps)
        shown = torch.rand(len(noisy), 1, generator=batch.generator) >= DROP_IMAGE
        image = (embeds[batch.picked] * shown)[:, None].to(noisy.device)

        def predict() -> torch.Tensor:
            predicted: torch.Tensor = unet(
                noisy, timesteps, batch.states, added_cond_kwargs={"image_embeds": [image]}
            ).sample
            return predicted

        return squared_error(predict, batch.noise)

    return unet, loss


def ip_parts(unet: nn.Module) -> list[nn.Module]:
    """The projection and the attention processors that belong to the IP-Adapter."""
    processors = [p for p in unet.attn_processors.values() if isinstance(p, nn.Module)]
    return [unet.encoder_hid_proj, *processors]


def ip_state(unet: nn.Module) -> dict[str, torch.Tensor]:
    """The IP-Adapter's weights under the names of its published files: ``image_proj.*`` and
    ``ip_adapter.N.*``."""
    projection, *processors = ip_parts(unet)
    layer = projection.image_projection_layers[0]
    state = {
        **{f"image_proj.proj.{name}": v for name, v in layer.image_embeds.state_dict().items()},
        **{f"image_proj.norm.{name}": v for name, v in layer.norm.state_dict().items()},
    }
    for index, processor in enumerate(processors):
        for part in ("to_k_ip", "to_v_ip"):
            weight = getattr(processor, part)[0].weight
            state[f"ip_adapter.{2 * index + 1}.{part}.weight"] = weight
    return state
