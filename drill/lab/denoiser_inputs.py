"""Inputs of the right shapes for the denoisers and decoders that experiments time and weigh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
else:
    Tensor = Any

TOKENS = 77
"""Text tokens of a UNet of the Stable Diffusion kind, and of CLIP's part in SD3."""
T5_TOKENS_SD3, T5_TOKENS_FLUX = 256, 512
"""Text tokens from T5, by the pipelines' defaults."""


def denoiser_of(components: dict[str, Any]) -> Any:
    """The UNet or the transformer among a pipeline's components; raises ModelError."""
    from drill.lab.models import ModelError

    found = components.get("unet") or components.get("transformer")
    if found is None:
        raise ModelError("this pipeline has neither a unet nor a transformer")
    return found


def vae_factor(vae: Any) -> int:
    """Pixels a latent's side stands for."""
    return int(2 ** (len(vae.config.block_out_channels) - 1))


def guided_rows(denoiser: Any) -> int:
    """Rows of a step for one picture: 2 with guidance, 1 where guidance is distilled (FLUX)."""
    return 1 if type(denoiser).__name__ == "FluxTransformer2DModel" else 2


def denoiser_inputs(
    denoiser: Any,
    factor: int,
    pixels: int,
    rows: int,
    device: str,
    dtype: Any,
    *,
    tokens: int = TOKENS,
    timestep: int = 500,
    seed: int = 0,
) -> dict[str, Any]:
    """Keyword arguments of one forward: `rows` pictures of `pixels` a side in the batch.

    Values are unit noise from a CPU generator, the same on every device. `factor` is the VAE's.
    Raises ModelError for a denoiser of another class.
    """
    import torch

    from drill.lab.models import ModelError

    generator = torch.Generator().manual_seed(seed)
    config, side = denoiser.config, pixels // factor

    def noise(*shape: int) -> Tensor:
        if device == "meta":
            return torch.empty(shape, device="meta", dtype=dtype)
        return torch.randn(shape, generator=generator).to(device, dtype)

    kind = type(denoiser).__name__
    if kind == "UNet2DConditionModel":
        given: dict[str, Any] = {
            "sample": noise(rows, config.in_channels, side, side),
            "timestep": timestep,
            "encoder_hidden_states": noise(rows, tokens, config.cross_attention_dim),
        }
        if config.addition_embed_type == "text_time":
            times = 6 * config.addition_time_embed_dim
            pooled = config.projection_class_embeddings_input_dim - times
            given["added_cond_kwargs"] = {
                "text_embeds": noise(rows, pooled),
                "time_ids": noise(rows, 6),
            }
        return given
    times_ = torch.full((rows,), float(timestep), device=device, dtype=dtype)
    if kind == "SD3Transformer2DModel":
        return {
            "hidden_states": noise(rows, config.in_channels, side, side),
            "encoder_hidden_states": noise(
                rows, TOKENS + T5_TOKENS_SD3, config.joint_attention_dim
            ),
            "pooled_projections": noise(rows, config.pooled_projection_dim),
            "timestep": times_,
        }
    if kind == "FluxTransformer2DModel":
        half = side // 2
        places = torch.zeros(half, half, 3, device=device, dtype=dtype)
        if device != "meta":
            places[..., 1] += torch.arange(half, device=device)[:, None]
            places[..., 2] += torch.arange(half, device=device)[None, :]
        given = {
            "hidden_states": noise(rows, half * half, config.in_channels),
            "encoder_hidden_states": noise(rows, T5_TOKENS_FLUX, config.joint_attention_dim),
            "pooled_projections": noise(rows, config.pooled_projection_dim),
            "timestep": times_ / 1000,
            "img_ids": places.reshape(-1, 3),
            "txt_ids": torch.zeros(T5_TOKENS_FLUX, 3, device=device, dtype=dtype),
        }
        if config.guidance_embeds:
            given["guidance"] = torch.full((rows,), 3.5, device=device, dtype=dtype)
        return given
    raise ModelError(f"no inputs are known here for a {kind}")


def latents_of(vae: Any, pixels: int, pictures: int, device: str, dtype: Any) -> Tensor:
    """Latents (N, c, h, w) as the decoder takes them: unit noise over the scaling factor."""
    import torch

    side = pixels // vae_factor(vae)
    shape = (pictures, vae.config.latent_channels, side, side)
    if device == "meta":
        return torch.empty(shape, device="meta", dtype=dtype)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    return (noise / vae.config.scaling_factor).to(device, dtype)
