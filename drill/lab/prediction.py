"""What loops over a `StableDiffusionPipeline`'s own parts share: texts, one call, one formula."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from drill.lab.models import ModelError

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline
    from torch import Tensor
else:
    Tensor = StableDiffusionPipeline = Any

Halves: TypeAlias = "tuple[Tensor | None, Tensor]"
"""Something of the unconditional half, where there is one, and of the conditional half."""


def check_denoiser(pipe: StableDiffusionPipeline) -> None:
    """Raises ModelError for a denoiser that this guidance does not fit."""
    if pipe.unet.config.time_cond_proj_dim is not None:
        raise ModelError(
            "this denoiser takes the guidance scale as an input (guidance distillation); "
            "there is no unconditional prediction to guide away from"
        )
    if pipe.unet.config.in_channels != pipe.vae.config.latent_channels:
        raise ModelError("this denoiser takes more than the latents (inpainting or an edit model)")


def encode_texts(pipe: StableDiffusionPipeline, texts: Sequence[str]) -> Tensor:
    """States (N, L, D) of texts, each encoded once; "" is the empty prompt."""
    import torch

    unique = list(dict.fromkeys(texts))
    with torch.inference_mode():
        states, _ = pipe.encode_prompt(unique, pipe.unet.device, 1, False)
    found: Tensor = states[[unique.index(text) for text in texts]]
    return found


def predict(
    unet: Any, sample: Tensor, t: Any, states: Halves, masks: Halves | None = None
) -> Halves:
    """The predictions (N, c, h, w) with the empty (None where it is not asked) and with the text.

    One call for both: as in the pipeline the batch is doubled, the unconditional half first.
    `sample` is (N, c, h, w), each of `states` (N, L, D); `masks`, (N, L) each, mark with 1 the
    tokens that cross-attention may read.
    """
    import torch

    given = [each for each in states if each is not None]
    extra = {}
    if masks is not None:
        marks = masks if states[0] is not None else masks[1:]
        extra["encoder_attention_mask"] = torch.cat([m for m in marks if m is not None])
    found = unet(
        torch.cat([sample] * len(given)),
        t,
        encoder_hidden_states=torch.cat(given),
        return_dict=False,
        **extra,
    )[0]
    if len(given) == 1:
        return None, found
    from_empty, from_text = found.chunk(2)
    return from_empty, from_text


def combine(halves: Halves, scale: Any) -> Tensor:
    """The guided prediction; the conditional one where there is no other. `scale` may be a tensor
    that broadcasts, for a scale of its own for each picture."""
    from_empty, from_text = halves
    if from_empty is None:
        return from_text
    mixed: Tensor = from_empty + scale * (from_text - from_empty)
    return mixed


def spread(values: Tensor) -> Tensor:
    """Standard deviation of each picture's values, (N,)."""
    found: Tensor = values.flatten(1).float().std(dim=1)
    return found
