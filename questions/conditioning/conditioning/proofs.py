"""Proofs of the questions of lab conditioning: attention of its starter against the installed
processors on random weights, and a tiny CLIP text model with and without a mask."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.attention_processor import Attention, JointAttnProcessor2_0
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

Namespace = dict[str, Any]
PLACES, WORDS, WIDTH = 16, 6, 32


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def tokens(count: int, seed: int) -> Tensor:
    """Random tokens (2, count, WIDTH)."""
    return torch.randn(2, count, WIDTH, generator=torch.Generator().manual_seed(seed))


# Cross-attention that reads the picture


def cross() -> Any:
    """The library's attention, with picture and text of one width."""
    torch.manual_seed(0)
    return Attention(WIDTH, cross_attention_dim=WIDTH, heads=4, dim_head=8)


@torch.no_grad()
def reads_the_text(ns: Namespace) -> None:
    """The output is the installed processor's."""
    attn, x, text = cross(), tokens(PLACES, 1), tokens(WORDS, 2)
    gap = (ns["cross_attention"](x, text, attn) - attn(x, text)).abs().max().item()
    assert gap < 1e-5, f"the output is not that of the library\nlargest gap {gap:.3f}"


@torch.no_grad()
def what_a_prompt_changes(original: Namespace, mutant: Namespace) -> str:
    """How far outputs for two texts are apart, and those for a text cut to its first words."""
    attn, x = cross(), tokens(PLACES, 1)
    a, b = tokens(WORDS, 2), tokens(WORDS, 3)

    def change(ns: Namespace) -> float:
        made = ns["cross_attention"]
        return float((made(x, a, attn) - made(x, b, attn)).abs().max())

    usual, got = change(original), change(mutant)
    assert usual > 0.05
    return only(
        {
            "deaf": got == 0,
            "places-mixed": got > 0.5 * usual,
            "first-words": 0.8 * usual < got,
            "weak-prompt": 0 < got < 0.8 * usual,
        }
    )


# Joint attention


def joint() -> Any:
    """The attention of a block of Stable Diffusion 3."""
    torch.manual_seed(0)
    return Attention(
        WIDTH, added_kv_proj_dim=WIDTH, heads=4, dim_head=8, context_pre_only=False, bias=True,
        processor=JointAttnProcessor2_0(),
    )  # fmt: skip


@torch.no_grad()
def as_the_library_joins(ns: Namespace) -> None:
    """Both parts are those of the installed processor."""
    attn, x, text = joint(), tokens(PLACES, 1), tokens(WORDS, 2)
    got = ns["joint_attention"](x, text, attn)
    for name, ours, theirs in zip(("picture", "text"), got, attn(x, text), strict=True):
        assert ours.shape == theirs.shape, f"the {name}'s part has shape {tuple(ours.shape)}"
        gap = (ours - theirs).abs().max().item()
        assert gap < 1e-5, f"the {name}'s part is not that of the library\nlargest gap {gap:.3f}"


@torch.no_grad()
def rows_after_the_split(original: Namespace, mutant: Namespace) -> str:
    """Which rows of the right output stand where in the picture's part of the mutant."""
    attn, x, text = joint(), tokens(PLACES, 1), tokens(WORDS, 2)
    attn.to_add_out = attn.to_out[0]  # one projection, so that rows can be recognised
    right = torch.cat(original["joint_attention"](x, text, attn), dim=1)
    got = mutant["joint_attention"](x, text, attn)[0]

    def same(ours: Tensor, theirs: Tensor) -> bool:
        return ours.shape == theirs.shape and torch.allclose(ours, theirs, atol=1e-6)

    return only(
        {
            "shifted": same(got, right[:, WORDS:]),
            "all-text": same(got[:, :WORDS], right[:, PLACES:]),
            "swapped-weights": same(got, right[:, :PLACES]),
            "no-exchange": same(got, original["joint_attention"](x, text[:, :0], attn)[0]),
        }
    )


# A mask for the text encoder


@torch.no_grad()
def what_the_mask_moves() -> str:
    """States of a right-padded text with and without the mask of its padding."""
    torch.manual_seed(0)
    config = CLIPTextConfig(
        vocab_size=40, hidden_size=WIDTH, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=12, bos_token_id=38, eos_token_id=39,
    )  # fmt: skip
    encoder = CLIPTextModel(config).eval()
    ids = torch.tensor([[38, 4, 7, 9, 39, *[39] * 7]])
    mask = torch.tensor([[1] * 5 + [0] * 7])
    free, masked = encoder(ids).last_hidden_state, encoder(ids, mask).last_hidden_state
    moved = (free - masked).abs().amax(dim=2)[0]
    words, padding = bool(moved[:5].max() > 1e-5), bool(moved[5:].max() > 1e-3)
    zero = bool(masked[0, 5:].abs().max() < 1e-6)
    return only(
        {
            "padding-only": padding and not words and not zero,
            "words": words,
            "removed": zero,
            "none": not words and not padding,
        }
    )
