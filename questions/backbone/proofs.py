"""Proofs of the backbone items: full-size configs on the meta device, where tensors are shapes.

Shapes, attention lengths and FLOP counts need no weights, so the real configs can be run in a few
seconds; where only the attention lengths matter, a model is built with few blocks.
"""

from __future__ import annotations

import inspect
import random
from typing import Any

import diffusers
import torch
import torch.nn.functional as F
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux import FluxPosEmbed
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

Namespace = dict[str, Any]
META = torch.device("meta")


class Attentions(TorchFunctionMode):
    """Notes (query tokens, key tokens) of every attention that runs inside the `with`."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[tuple[int, int]] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            query, key = (
                args[i] if len(args) > i else kwargs[n] for i, n in enumerate(("query", "key"))
            )
            self.lengths.append((query.shape[-2], key.shape[-2]))
        return func(*args, **kwargs)


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def sd15_unet() -> Any:
    """The UNet of Stable Diffusion 1.5, without weights."""
    return diffusers.UNet2DConditionModel(
        sample_size=64, cross_attention_dim=768, attention_head_dim=8
    )


def run_sd15(unet: Any, batch: int, height: int, width: int, text: int = 77) -> None:
    """One forward for pictures of this size."""
    unet(torch.zeros(batch, 4, height // 8, width // 8), 500, torch.zeros(batch, text, 768))


def run_sdxl(text: int) -> None:
    """SDXL's UNet with its three levels; one resnet a level, as only attention lengths matter."""
    unet = diffusers.UNet2DConditionModel(
        sample_size=128, cross_attention_dim=2048, block_out_channels=(320, 640, 1280),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1, transformer_layers_per_block=1, attention_head_dim=[5, 10, 20],
        use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816,
    )  # fmt: skip
    added = {"text_embeds": torch.zeros(1, 1280), "time_ids": torch.zeros(1, 6)}
    text_states = torch.zeros(1, text, 2048)
    unet(torch.zeros(1, 4, 128, 128), 500, text_states, added_cond_kwargs=added)


def run_flux(flux: Any, height: int, width: int, text: int) -> None:
    """One forward of FLUX.1 on latents that the pipeline's own function packs."""
    latents = torch.zeros(1, 16, height // 8, width // 8)
    packed = diffusers.FluxPipeline._pack_latents(latents, 1, 16, height // 8, width // 8)
    flux(
        hidden_states=packed, encoder_hidden_states=torch.zeros(1, text, 4096),
        pooled_projections=torch.zeros(1, 768), timestep=torch.zeros(1), guidance=torch.zeros(1),
        img_ids=torch.zeros(packed.shape[1], 3), txt_ids=torch.zeros(text, 3),
    )  # fmt: skip


def run_sd3(height: int, width: int, text: int) -> None:
    """One forward of SD3's transformer with two blocks."""
    sd3 = diffusers.SD3Transformer2DModel(num_layers=2, pos_embed_max_size=192)
    sd3(
        hidden_states=torch.zeros(1, 16, height // 8, width // 8),
        encoder_hidden_states=torch.zeros(1, text, 4096),
        pooled_projections=torch.zeros(1, 2048), timestep=torch.zeros(1),
    )  # fmt: skip


def run_pixart(text: int) -> None:
    """One forward of PixArt's transformer with two blocks."""
    pixart = diffusers.PixArtTransformer2DModel(
        num_layers=2, sample_size=64, caption_channels=4096, use_additional_conditions=False
    )
    pixart(
        torch.zeros(1, 4, 64, 64), encoder_hidden_states=torch.zeros(1, text, 4096),
        timestep=torch.zeros(1), added_cond_kwargs={"resolution": None, "aspect_ratio": None},
    )  # fmt: skip


def run_dit() -> None:
    """One forward of DiT-XL/2 with two blocks."""
    dit = diffusers.DiTTransformer2DModel(
        num_attention_heads=16, attention_head_dim=72, num_layers=2, sample_size=64
    )
    one = torch.zeros(1, dtype=torch.long)
    dit(torch.zeros(1, 4, 64, 64), timestep=one, class_labels=one)


# Shapes and tokens


@torch.no_grad()
def mid_block_shape(images: int, width: int, height: int) -> tuple[int, ...]:
    """What the mid block returns in a guided call; the batch comes from a pipeline's torch.cat."""
    seen: list[tuple[int, ...]] = []
    with META:
        unet = sd15_unet()
        unet.mid_block.register_forward_hook(lambda *got: seen.append(tuple(got[2].shape)))
        # "expand the latents if we are doing classifier free guidance"
        loop = inspect.getsource(diffusers.StableDiffusionPipeline.__call__)
        assert "torch.cat([latents] * 2) if self.do_classifier_free_guidance" in loop
        batch = torch.cat([torch.zeros(images, 1)] * 2).shape[0]
        run_sd15(unet, batch, height, width)
    return seen[0]


def default_of(call: Any, name: str) -> int:
    """The default of an argument of a pipeline."""
    default: int = inspect.signature(call).parameters[name].default
    return default


@torch.no_grad()
def joint_tokens(model: str, width: int) -> int:
    """The length of the sequence in the attention of the real block at default text lengths."""
    with META, Attentions() as attentions:
        if model == "FLUX.1-dev":
            text = default_of(diffusers.FluxPipeline.__call__, "max_sequence_length")
            flux = diffusers.FluxTransformer2DModel(
                num_layers=1, num_single_layers=1, guidance_embeds=True
            )
            run_flux(flux, 1024, width, text)
        else:
            text = default_of(diffusers.StableDiffusion3Pipeline.__call__, "max_sequence_length")
            run_sd3(1024, width, text + 77)
    assert len(set(attentions.lengths)) == 1, attentions.lengths
    query, key = attentions.lengths[0]
    assert query == key
    return query


@torch.no_grad()
def who_cross_attends() -> set[str]:
    """The models in which some attention has text for keys and something else for queries."""
    text = 101  # a length that no level of a model has by itself
    runs = {
        "sd15": lambda: run_sd15(sd15_unet(), 1, 512, 512, text),
        "sdxl": lambda: run_sdxl(text),
        "pixart": lambda: run_pixart(text),
        "dit": run_dit,
        "sd3": lambda: run_sd3(1024, 1024, text),
        "flux": lambda: run_flux(
            diffusers.FluxTransformer2DModel(
                num_layers=1, num_single_layers=1, guidance_embeds=True
            ),
            1024, 1024, text,
        ),
    }  # fmt: skip
    found = set()
    for name, run in runs.items():
        with META, Attentions() as attentions:
            run()
        assert attentions.lengths, f"{name}: no attention was seen"
        if any(key == text and query != text for query, key in attentions.lengths):
            found.add(name)
    return found


def position_encoding() -> str:
    """Tell the kinds apart by what they do to the score of a query and a key at two places."""
    embed = FluxPosEmbed(theta=10000, axes_dim=[16, 56, 56])
    grid = torch.cartesian_prod(torch.zeros(1), torch.arange(60.0), torch.arange(60.0))
    angles = embed(grid)
    draw = random.Random(0)
    q, k = torch.randn(2, 1, 1, 1, 128, dtype=torch.float64)

    def score(first: tuple[int, int], second: tuple[int, int]) -> float:
        at = [
            tuple(table[row * 60 + column][None].double() for table in angles)
            for row, column in (first, second)
        ]
        turned = [apply_rotary_emb(x, a, sequence_dim=1) for x, a in zip((q, k), at, strict=True)]
        # A rotation keeps the length.
        assert torch.allclose(turned[0].norm(), q.norm(), rtol=1e-5)
        return float((turned[0] * turned[1]).sum())

    relative = []
    for _ in range(10):
        row, column, down, right = (draw.randint(0, 25) for _ in range(4))
        here = score((row, column), (row + 7, column + 3))
        there = score((row + down, column + right), (row + down + 7, column + right + 3))
        relative.append(abs(here - there) < 1e-3)
    assert abs(score((0, 0), (7, 3)) - score((0, 0), (3, 7))) > 1e-2
    table = sum(p.numel() for p in embed.parameters()) + sum(b.numel() for b in embed.buffers())
    return only(
        {
            "learned": table > 0,
            "RoPE": all(relative) and table == 0,
            "sinusoidal": not all(relative) and table == 0,
        }
    )


# Cost


@torch.no_grad()
def flops_ratio() -> str:
    """Count the FLOPs of the full-size models for 512x512 and 1024x1024."""
    with META:
        unet, flux = sd15_unet(), diffusers.FluxTransformer2DModel(guidance_embeds=True)
        counts: dict[str, list[int]] = {"unet": [], "flux": []}
        for size in (512, 1024):
            for name, run in (
                ("unet", lambda: run_sd15(unet, 1, size, size)),  # noqa: B023
                ("flux", lambda: run_flux(flux, size, size, 512)),  # noqa: B023
            ):
                with FlopCounterMode(display=False) as counter:
                    run()
                counts[name].append(counter.get_total_flops())
    unet_grows, flux_grows = (counts[name][1] / counts[name][0] for name in ("unet", "flux"))
    assert abs(unet_grows - 5.8) < 0.05
    assert abs(flux_grows - 3.5) < 0.05
    near = 0.1
    return only(
        {
            "four-both": max(abs(unet_grows - 4), abs(flux_grows - 4)) < near,
            "over-under": unet_grows > 5 and flux_grows < 3.8,
            "four-sixteen": abs(unet_grows - 4) < near and flux_grows > 12,
            "sixteen-both": min(unet_grows, flux_grows) > 12,
        }
    )


# adaLN-Zero


def identity_that_learns(ns: Namespace) -> None:
    """A fresh block is the identity, and its gate has a gradient."""
    torch.manual_seed(0)
    block = ns["Block"](16)
    x, c, target = torch.randn(4, 5, 16), torch.randn(4, 16), torch.randn(4, 5, 16)
    out = block(x, c)
    assert torch.equal(out, x), "a fresh block must return x"
    F.mse_loss(out, target).backward()  # type: ignore[no-untyped-call]
    norms = {n: float(p.grad.norm()) for n, p in block.named_parameters()}
    assert max(norms.values()) > 1e-4, f"no parameter has a gradient\n{norms}"


def fate_of_the_block(original: Namespace, mutant: Namespace) -> str:
    """Train both with Adam to move x along c; see which parameters ever change."""

    def train(ns: Namespace) -> tuple[dict[str, bool], bool]:
        torch.manual_seed(0)
        block = ns["Block"](16)
        before = {n: p.clone() for n, p in block.named_parameters()}
        optimiser = torch.optim.Adam(block.parameters(), lr=1e-2)
        x, c = torch.randn(64, 5, 16), torch.randn(64, 16)
        target = x + x.roll(1, -1) * c[:, None]
        first = 0.0
        for _ in range(60):
            loss = F.mse_loss(block(x, c), target)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            first = first or loss.item()
        moved = {n: not torch.equal(p, before[n]) for n, p in block.named_parameters()}
        return moved, loss.item() < 0.9 * first

    moved, learns = train(original)
    assert all(moved.values())
    assert learns
    moved, learns = train(mutant)
    mlp = any(went for name, went in moved.items() if name.startswith("mlp"))
    modulation = any(went for name, went in moved.items() if name.startswith("modulation"))
    return only(
        {
            "dead": not mlp and not modulation and not learns,
            "ignores-c": mlp and not modulation,
            "one-step-late": mlp and modulation and learns,
            "slow-scale": modulation and not mlp,
        }
    )
