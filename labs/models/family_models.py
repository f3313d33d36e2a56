"""The side models: their classes and sizes, untrained. All work on the base's 8x8x4 latents and on
the states (12, 96) of its text model."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    ControlNetModel,
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
    PixArtTransformer2DModel,
    SD3Transformer2DModel,
    UNet2DConditionModel,
)
from torch import nn
from train_unet import TEXT_WIDTH, new_scheduler
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

LATENT_SIZE, LATENT_CHANNELS = 8, 4
# The four targets: what their schedulers' configs change in the base's.
TARGETS: dict[str, dict[str, object]] = {
    "epsilon": {"prediction_type": "epsilon"},
    "sample": {"prediction_type": "sample"},
    "v": {"prediction_type": "v_prediction"},
    "v-zero-snr": {
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
    },
}
LORA_RANK = 8
LORA_MODULES = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2")
HINT_CHANNELS = (8, 16, 32, 64)
IMAGE_TOKENS = 4


def load_unet(folder: Path) -> UNet2DConditionModel:
    """A UNet from disk, in float32."""
    return UNet2DConditionModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)


def target_scheduler(target: str) -> DDIMScheduler:
    """The base's scheduler with what the target changes."""
    # As keyword arguments: in the config itself they would count as defaults and be dropped.
    return DDIMScheduler.from_config(new_scheduler().config, **TARGETS[target])


def new_target_unet() -> UNet2DConditionModel:
    """0.73 M parameters: a third of the base's widths, the same blocks."""
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("CrossAttnDownBlock2D",) * 2,
        up_block_types=("CrossAttnUpBlock2D",) * 2,
        block_out_channels=(32, 48),
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
    )


def new_dit() -> PixArtTransformer2DModel:
    """4.2 M parameters, 16 tokens of 2x2 latents, text by cross-attention, adaLN-single.

    The modulation, its gates and the last layer start at zero, so that every block starts as the
    identity (Peebles and Xie 2023, section 3.2); the class itself starts them at random.
    """
    model = PixArtTransformer2DModel(
        num_attention_heads=4,
        attention_head_dim=48,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        num_layers=7,
        norm_num_groups=16,
        cross_attention_dim=TEXT_WIDTH,
        sample_size=LATENT_SIZE,
        patch_size=2,
    )
    zero(model.adaln_single.linear, model.proj_out)
    with torch.no_grad():
        for block in model.transformer_blocks:
            # Rows: shift, scale, gate of the self-attention; shift, scale, gate of the MLP.
            block.scale_shift_table[[2, 5]] = 0
    return model


def new_flow() -> SD3Transformer2DModel:
    """1.6 M parameters, 16 tokens of 2x2 latents beside 12 of text in one attention (MM-DiT).

    The modulations and the last layer start at zero, as in ``new_dit``.
    """
    width = 96
    model = SD3Transformer2DModel(
        sample_size=LATENT_SIZE,
        patch_size=2,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        num_layers=5,
        attention_head_dim=24,
        num_attention_heads=4,
        joint_attention_dim=TEXT_WIDTH,
        caption_projection_dim=width,
        pooled_projection_dim=TEXT_WIDTH,
        pos_embed_max_size=LATENT_SIZE // 2,
        qk_norm="rms_norm",
    )
    for block in model.transformer_blocks:
        zero(block.norm1.linear, block.norm1_context.linear)
    zero(model.norm_out.linear, model.proj_out)
    return model


def flow_scheduler() -> FlowMatchEulerDiscreteScheduler:
    """Straight paths, sigma evenly from 1 to 1/1000, no shift."""
    return FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=1.0)


def zero(*layers: nn.Linear) -> None:
    for layer in layers:
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)


def new_controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """The encoder of ``unet`` copied, with a small hint encoder for 64x64 silhouettes."""
    return ControlNetModel.from_unet(
        unet, conditioning_channels=3, conditioning_embedding_out_channels=HINT_CHANNELS
    )


def new_image_encoder() -> CLIPVisionModelWithProjection:
    """A CLIP vision model of 0.2 M parameters: 64 patches of 8x8, an embedding of 64 numbers."""
    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=64,
            intermediate_size=256,
            projection_dim=64,
            num_hidden_layers=3,
            num_attention_heads=4,
            image_size=64,
            patch_size=8,
            dtype="float32",
        )
    )


def new_ip_state(
    unet: UNet2DConditionModel, image_width: int
) -> dict[str, dict[str, torch.Tensor]]:
    """An untrained IP-Adapter for ``unet`` in the layout that ``load_ip_adapter`` reads.

    Keys and values of the image tokens start as copies of the text's (Ye et al. 2023, section
    3.2.2). Cross-attentions are numbered 1, 3, 5, ... in the order of ``unet.attn_processors``.
    """
    projection = nn.Linear(image_width, IMAGE_TOKENS * TEXT_WIDTH)
    norm = nn.LayerNorm(TEXT_WIDTH)
    image_proj = {
        **{f"proj.{name}": value for name, value in projection.state_dict().items()},
        **{f"norm.{name}": value for name, value in norm.state_dict().items()},
    }
    ip_adapter = {}
    crossing = [n for n in unet.attn_processors if n.endswith("attn2.processor")]
    for index, name in enumerate(crossing):
        attention = unet.get_submodule(name.removesuffix(".processor"))
        for part in ("k", "v"):
            weight = getattr(attention, f"to_{part}").weight
            ip_adapter[f"{2 * index + 1}.to_{part}_ip.weight"] = weight.detach().clone()
    return {"image_proj": image_proj, "ip_adapter": ip_adapter}
