"""Proofs of the questions of lab controlnet: its starter's code against the installed library, on
small networks with random weights."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import Attention, IPAdapterAttnProcessor2_0
from PIL import Image
from torch import Tensor, nn
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

Namespace = dict[str, Any]
TEXT = 16


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def small_unet(blocks: int = 2, layers: int = 1) -> Any:
    """A UNet of random weights with cross-attention in each block."""
    torch.manual_seed(0)
    unet: Any = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8,) * blocks, layers_per_block=layers,
        norm_num_groups=4, cross_attention_dim=TEXT, attention_head_dim=2,
        down_block_types=("CrossAttnDownBlock2D",) * blocks,
        up_block_types=("CrossAttnUpBlock2D",) * blocks,
    )  # fmt: skip
    return unet.eval().requires_grad_(False)


def control_of(unet: Any, filled: bool) -> Any:
    """A ControlNet of the UNet: fresh, or with random numbers in its zero layers."""
    made: Any = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 4, 4, 4))
    if filled:
        torch.manual_seed(1)
        zero = (made.controlnet_down_blocks, made.controlnet_mid_block)
        for part in (*zero, made.controlnet_cond_embedding.conv_out):
            for weight in part.parameters():
                nn.init.normal_(weight, std=0.5)
    return made.eval().requires_grad_(False)


def inputs() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Noisy latents, timesteps, text states and a hint for two pictures."""
    x, text = random(2, 4, 8, 8, seed=2), random(2, 5, TEXT, seed=3)
    return x, torch.tensor([500, 500]), text, random(2, 3, 64, 64, seed=4)


# The middle residual in front of the middle block


@torch.no_grad()
def predictions(ns: Namespace, filled: bool, scale: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    """The prediction by the code shown, by the library, and without control."""
    unet = small_unet()
    x, t, text, hint = inputs()
    down, middle = control_of(unet, filled)(x, t, text, hint, scale, return_dict=False)
    ours = ns["controlled_unet"](unet, x, t, text, list(down), middle)
    theirs = unet(
        x, t, text, down_block_additional_residuals=down, mid_block_additional_residual=middle
    ).sample
    return ours, theirs, unet(x, t, text).sample


def as_the_library_controls(ns: Namespace) -> None:
    """With residuals that are not zero, the prediction is the library's."""
    ours, theirs, _ = predictions(ns, filled=True)
    gap = float((ours - theirs).abs().max())
    assert gap < 1e-4, f"predictions differ by up to {gap:.2g}"


def what_the_middle_does(original: Namespace, mutant: Namespace) -> str:
    """Where the mutant shows: with a fresh ControlNet, at scale 0, with a filled one."""
    as_the_library_controls(original)
    fresh, _, base = predictions(mutant, filled=False)
    zero, _, _ = predictions(mutant, filled=True, scale=0.0)
    filled, theirs, _ = predictions(mutant, filled=True)
    quiet = torch.allclose(fresh, base, atol=1e-6) and torch.allclose(zero, base, atol=1e-6)
    differs = not torch.allclose(filled, theirs, atol=1e-3)
    seen: list[Tensor] = []
    unet = small_unet()
    x, t, text, hint = inputs()
    down, middle = control_of(unet, True)(x, t, text, hint, return_dict=False)
    last = unet.up_blocks[0].resnets[0]
    handle = last.register_forward_pre_hook(lambda m, args: seen.append(args[0]))
    with torch.no_grad():
        for ns in (original, mutant):
            ns["controlled_unet"](unet, x, t, text, list(down), middle)
    handle.remove()
    # The decoder's first input: features of the middle, then the last skip.
    skips_differ = not torch.allclose(seen[0][:, 8:], seen[1][:, 8:], atol=1e-6)
    return only(
        {
            "only-when-trained": quiet and differs and not skips_differ,
            "fresh-too": not quiet,
            "same-sum": not differs,
            "skips-too": skips_differ,
        }
    )


# The scale inside the zero convolution


def parts_of(control: Any) -> SimpleNamespace:
    """A ControlNet's parts under the names of the code shown."""
    return SimpleNamespace(
        time=control.time_embedding,
        time_proj=control.time_proj,
        conv_in=control.conv_in,
        hint_encoder=control.controlnet_cond_embedding,
        down_blocks=control.down_blocks,
        mid_block=control.mid_block,
        zero_convs=control.controlnet_down_blocks,
        zero_mid=control.controlnet_mid_block,
    )


@torch.no_grad()
def linear_in_the_scale(ns: Namespace) -> None:
    """At every scale the residuals are the library's."""
    control = control_of(small_unet(), filled=True)
    x, t, text, hint = inputs()
    for scale in (1.0, 0.5, 0.0):
        down, middle = ns["forward"](parts_of(control), x, t, text, hint, scale)
        theirs, mid = control(x, t, text, hint, scale, return_dict=False)
        pairs = zip([*down, middle], [*theirs, mid], strict=True)
        gap = max(float((a - b).abs().max()) for a, b in pairs)
        assert gap < 1e-5, f"scale {scale:g}: residuals are off by up to {gap:.2g}"


@torch.no_grad()
def what_is_left_at_zero(original: Namespace, mutant: Namespace) -> str:
    """The residuals of the mutant at scale 0, with two hints."""
    control = control_of(small_unet(), filled=True)
    x, t, text, hint = inputs()
    made = [mutant["forward"](parts_of(control), x, t, text, h, 0.0)[0] for h in (hint, -hint)]
    full = original["forward"](parts_of(control), x, t, text, hint, 1.0)[0]
    constant = all(torch.allclose(r, r[:1, :, :1, :1].expand_as(r), atol=1e-6) for r in made[0])
    blind = all(torch.allclose(a, b, atol=1e-6) for a, b in zip(*made, strict=True))
    left = max(float(r.abs().max()) for r in made[0])
    assert all(float(r.abs().max()) == 0 for r in original["forward"](
        parts_of(control), x, t, text, hint, 0.0)[0])  # fmt: skip
    return only(
        {
            "bias-stays": constant and blind and left > 0.01,
            "nothing": left == 0,
            "full-control": all(
                torch.allclose(a, b, atol=1e-4) for a, b in zip(made[0], full, strict=True)
            ),
            "hint-only": not blind,
        }
    )


# A blend of text and picture in place of a sum


@torch.no_grad()
def attended(ns: Namespace, scale: float, text_seed: int = 6) -> tuple[Tensor, Tensor]:
    """Output of the code shown and of the installed processor."""
    torch.manual_seed(0)
    attn = Attention(16, cross_attention_dim=TEXT, heads=2, dim_head=8)
    processor = IPAdapterAttnProcessor2_0(16, TEXT, num_tokens=(4,), scale=scale)
    ip = SimpleNamespace(to_k=processor.to_k_ip[0], to_v=processor.to_v_ip[0])
    x, text, image = random(2, 9, 16, seed=5), random(2, 5, TEXT, seed=text_seed), random(
        2, 4, TEXT, seed=7)  # fmt: skip
    ours = ns["decoupled_attention"](x, text, image, attn, ip, scale)
    return ours, processor(attn, x, (text, [image[:, None]]))


def as_the_library_attends(ns: Namespace) -> None:
    """At every scale the output is the installed processor's."""
    for scale in (0.0, 0.5, 1.0, 1.5):
        ours, theirs = attended(ns, scale)
        gap = float((ours - theirs).abs().max())
        assert gap < 1e-5, f"scale {scale:g}: off by up to {gap:.2g}"


def what_the_prompt_does_at_one(original: Namespace, mutant: Namespace) -> str:
    """Two prompts at scale 1, and the mutant against the library at 0 and at one half."""
    one, other = (attended(mutant, 1.0, seed)[0] for seed in (6, 8))
    before, after = (attended(original, 1.0, seed)[0] for seed in (6, 8))
    assert not torch.allclose(before, after, atol=1e-3)
    at = {scale: attended(mutant, scale) for scale in (0.0, 0.5, 1.0)}
    return only(
        {
            "prompt-gone": torch.allclose(one, other, atol=1e-6),
            "image-at-zero": not torch.allclose(*at[0.0], atol=1e-6),
            "same-at-half": torch.allclose(*at[0.5], atol=1e-4),
            "double": torch.allclose(*at[1.0], atol=1e-4),
        }
    )


# Counts


@torch.no_grad()
def residual_count(blocks: int, layers: int) -> int:
    """Tensors that a ControlNet returns for one call."""
    side = 2**blocks
    control = control_of(small_unet(blocks, layers), filled=False)
    x, text = random(1, 4, side, side, seed=2), random(1, 5, TEXT, seed=3)
    hint = torch.zeros(1, 3, 8 * side, 8 * side)
    down, middle = control(x, 500, text, hint, return_dict=False)
    assert middle.ndim == 4
    return len(down) + 1


def image_prompted() -> Any:
    """A pipeline with an IP-Adapter of 4 tokens; the text comes as embeddings."""
    unet = small_unet()
    width = 8
    torch.manual_seed(9)
    parts = {"proj": nn.Linear(width, 4 * TEXT), "norm": nn.LayerNorm(TEXT)}
    projection = {
        f"{name}.{key}": value
        for name, part in parts.items()
        for key, value in part.state_dict().items()
    }
    crossing = [name for name in unet.attn_processors if "attn2" in name]
    ip = {
        f"{2 * index + 1}.to_{key}_ip.weight": torch.randn(8, TEXT)
        for index in range(len(crossing))
        for key in "kv"
    }
    unet._load_ip_adapter_weights(
        [{"image_proj": projection, "ip_adapter": ip}], low_cpu_mem_usage=False
    )
    vision = CLIPVisionConfig(
        hidden_size=8, intermediate_size=16, projection_dim=width, num_hidden_layers=1,
        num_attention_heads=2, image_size=16, patch_size=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 4, 4), norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    pipe = StableDiffusionPipeline(
        vae=vae, text_encoder=None, tokenizer=None, unet=unet,
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        image_encoder=CLIPVisionModelWithProjection(vision).eval(),
        feature_extractor=CLIPImageProcessor(size=16, crop_size=16),
        safety_checker=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


@torch.no_grad()
def pictures_of_a_prompt() -> str:
    """Three prompts and three pictures in one call: the tokens that each prompt attends to."""
    pipe = image_prompted()
    images = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]
    project = pipe.unet.encoder_hid_proj.image_projection_layers[0]
    own = [project(pipe.encode_image(each, "cpu", 1)[0])[0] for each in images]
    seen: list[Tensor] = []
    handle = pipe.unet.encoder_hid_proj.register_forward_hook(
        lambda module, args, out: seen.append(out[0])
    )
    pipe(
        prompt_embeds=random(3, 5, TEXT, seed=10),
        negative_prompt_embeds=random(3, 5, TEXT, seed=11),
        ip_adapter_image=[images], num_inference_steps=1, height=64, width=64,
        output_type="latent",
    )  # fmt: skip
    handle.remove()
    conditional = seen[0].chunk(2)[1].flatten(1, 2)  # [prompts, tokens, D]
    together = torch.cat(own)
    raised = False
    try:
        pipe.prepare_ip_adapter_image_embeds(images, None, "cpu", 3, True)
    except ValueError:
        raised = True
    assert raised, "without the inner list the pictures count as those of three adapters"
    tokens = conditional.shape[1]
    return only(
        {
            "all": tokens == 12
            and all(torch.allclose(each, together, atol=1e-5) for each in conditional),
            "paired": tokens == 4
            and all(torch.allclose(a, b, atol=1e-5) for a, b in zip(conditional, own, strict=True)),
            "averaged": tokens == 4
            and all(torch.allclose(each, conditional[0], atol=1e-5) for each in conditional),
        }
    )
