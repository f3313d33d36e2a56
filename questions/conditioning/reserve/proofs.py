"""Proofs of the conditioning questions that interviews keep: text encoders of true width with one
layer, and small attentions with random weights."""

from __future__ import annotations

import math
import random
import string
from functools import cache
from typing import Any

import torch
from diffusers import (
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    StableDiffusion3Pipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import (
    Attention,
    AttnProcessor2_0,
    JointAttnProcessor2_0,
)
from torch import Tensor
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

Namespace = dict[str, Any]
LETTERS = [*string.ascii_lowercase, *(c + "</w>" for c in string.ascii_lowercase)]
WORDS = [*LETTERS, "<|startoftext|>", "<|endoftext|>"]


# Text encoders of true width


def clip_tokenizer() -> Any:
    """A tokenizer of CLIP's kind with one token a letter and 77 positions."""
    return CLIPTokenizer({w: n for n, w in enumerate(WORDS)}, [], model_max_length=77)


def clip(kind: Any, width: int) -> Any:
    """One layer of a CLIP text model; it projects to its own width."""
    torch.manual_seed(0)
    config = CLIPTextConfig(
        vocab_size=len(WORDS), hidden_size=width, intermediate_size=8, num_hidden_layers=2,
        num_attention_heads=2, projection_dim=width,
        bos_token_id=len(WORDS) - 2, eos_token_id=len(WORDS) - 1,
    )  # fmt: skip
    return kind(config).eval().requires_grad_(False)


def t5() -> dict[str, Any]:
    """One narrow layer of a T5 encoder whose states have the width of T5-XXL's."""
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=64, d_model=4096, d_kv=2, d_ff=4, num_layers=1, num_heads=1,
        decoder_start_token_id=0,
    )  # fmt: skip
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0)]
    pieces += [("\u2581" + c, -3.0) for c in string.ascii_lowercase]
    return {"model": T5EncoderModel(config).eval(), "tokenizer": T5Tokenizer(vocab=pieces)}


@cache
def pipeline(model: str) -> Any:
    """A pipeline that can do nothing but encode prompts."""
    scheduler = FlowMatchEulerDiscreteScheduler()
    if model == "SDXL":
        return StableDiffusionXLPipeline(
            vae=None, unet=None, scheduler=scheduler, add_watermarker=False,
            text_encoder=clip(CLIPTextModel, 768), tokenizer=clip_tokenizer(),
            text_encoder_2=clip(CLIPTextModelWithProjection, 1280), tokenizer_2=clip_tokenizer(),
        )  # fmt: skip
    long = t5()
    if model == "SD3":
        return StableDiffusion3Pipeline(
            transformer=None, vae=None, scheduler=scheduler,
            text_encoder=clip(CLIPTextModelWithProjection, 768), tokenizer=clip_tokenizer(),
            text_encoder_2=clip(CLIPTextModelWithProjection, 1280), tokenizer_2=clip_tokenizer(),
            text_encoder_3=long["model"], tokenizer_3=long["tokenizer"],
        )  # fmt: skip
    return FluxPipeline(
        transformer=None, vae=None, scheduler=scheduler,
        text_encoder=clip(CLIPTextModel, 768), tokenizer=clip_tokenizer(),
        text_encoder_2=long["model"], tokenizer_2=long["tokenizer"],
    )  # fmt: skip


@torch.no_grad()
def encoded(model: str, prompt: str = "a b c") -> list[Tensor]:
    """States and pooled vector of one prompt, without the negative branch."""
    asked: dict[str, Any] = {"prompt": prompt, "prompt_2": prompt, "device": "cpu"}
    if model == "SDXL":
        asked["do_classifier_free_guidance"] = False
    if model == "SD3":
        asked |= {"prompt_3": prompt, "do_classifier_free_guidance": False}
    found = pipeline(model).encode_prompt(**asked)
    tensors = [each for each in found if isinstance(each, Tensor)]
    return tensors[:2]  # Flux also returns the text's ids, which need not be stored


def prompts_in_a_cache(model: str, room: int) -> float:
    """Thousands of prompts whose states and pooled vectors fit into so many GB of halves."""
    size = 2 * sum(each.numel() for each in encoded(model))
    return room * 1e9 / size / 1000


def long_prompts() -> None:
    """What is cut, and that a UNet takes three chunks but not two lengths in one batch."""
    kept = "a " * 75
    pipe = pipeline("SDXL")
    ids = pipe.tokenizer(kept + "b " * 200, truncation=True).input_ids
    assert len(ids) == 77 and len(ids) - 2 == 75
    for short, long in zip(encoded("SDXL", kept), encoded("SDXL", kept + "b " * 200), strict=True):
        assert torch.equal(short, long), "what is cut off acts"
    unet = UNet2DConditionModel(
        block_out_channels=(4,), norm_num_groups=2, layers_per_block=1, cross_attention_dim=8,
        down_block_types=("CrossAttnDownBlock2D",), up_block_types=("CrossAttnUpBlock2D",),
        attention_head_dim=2,
    )  # fmt: skip
    with torch.no_grad():
        made = unet(torch.zeros(2, 4, 8, 8), 1, torch.randn(2, 231, 8)).sample
    assert made.shape == (2, 4, 8, 8)
    try:
        torch.cat([torch.zeros(1, 77, 8), torch.zeros(1, 231, 8)])
    except RuntimeError:
        return
    raise AssertionError("states of two lengths made one batch")


@torch.no_grad()
def without_t5() -> None:
    """SD3 fills in zeros for a missing T5; Flux's sequence is T5's and its CLIP gives a vector."""
    pipe = pipeline("SD3")
    full = encoded("SD3")[0]
    whole, pipe.text_encoder_3 = pipe.text_encoder_3, None

    class Config:
        joint_attention_dim = 4096

    class Transformer:
        config = Config()

    before, pipe.__dict__["transformer"] = pipe.transformer, Transformer()
    states, pooled = encoded("SD3")
    pipe.text_encoder_3, pipe.__dict__["transformer"] = whole, before
    assert states.shape == full.shape == (1, 77 + 256, 4096) and pooled.shape == (1, 2048)
    assert states[:, 77:].abs().max() == 0 and full[:, 77:].abs().max() > 0
    assert torch.equal(states[:, :77], full[:, :77])
    flux = pipeline("FLUX.1")
    states, pooled = encoded("FLUX.1")
    own = flux._get_t5_prompt_embeds(prompt="a b c", max_sequence_length=512, device="cpu")
    assert torch.equal(states, own) and pooled.shape == (1, 768)
    assert round(333 * 4096 * 2 / 1e6, 1) == 2.7


# One word's weight


@torch.no_grad()
def contribution_of_a_word() -> list[tuple[dict[str, float], float]]:
    """The library's cross-attention on two keys: a word whose state is scaled, and the rest."""
    attn = Attention(
        1, cross_attention_dim=2, heads=1, dim_head=1, out_bias=False,
        processor=AttnProcessor2_0(),
    ).double()  # fmt: skip
    attn.to_q.weight.fill_(1)
    attn.to_k.weight.copy_(torch.tensor([[1.0, 0.0]]))
    attn.to_v.weight.copy_(torch.tensor([[0.0, 1.0]]))
    attn.to_out[0].weight.fill_(1)
    found = []
    drawn = random.Random(0)
    for _ in range(40):
        logit, rest, w = drawn.uniform(-3, 3), drawn.uniform(1, 80), drawn.uniform(0.5, 2)
        value = 1.7
        word, others = torch.tensor([logit, value]), torch.tensor([math.log(rest), 0.0])
        states = torch.stack([w * word.double(), others.double()])[None]
        out = attn(torch.ones(1, 1, 1).double(), states)
        found.append(({"l": logit, "R": rest, "w": w}, float(out) / value))
    return found


# Code: joint attention with a mask


def joint(normed: bool) -> Any:
    """The attention of a block of Stable Diffusion 3, with or without norms of queries and keys."""
    torch.manual_seed(3)
    attn = Attention(
        24, added_kv_proj_dim=24, heads=3, dim_head=8, context_pre_only=False, bias=True,
        qk_norm="rms_norm" if normed else None, processor=JointAttnProcessor2_0(),
    )  # fmt: skip
    for name in ("norm_q", "norm_k", "norm_added_q", "norm_added_k") if normed else ():
        torch.nn.init.uniform_(getattr(attn, name).weight, 0.3, 2.0)
    return attn.requires_grad_(False)


KEPT = (
    [True, True, True, True, True],
    [True, True, False, False, False],
    [False, True, False, True, True],
    [False, False, False, False, False],
)


@torch.no_grad()
def as_if_cut(ns: Namespace) -> None:
    """Each row against the library's processor on the text that is kept; zeros elsewhere."""
    kept = torch.tensor(KEPT)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 6, 24, generator=generator)
    text = torch.randn(4, 5, 24, generator=generator)
    for normed in (False, True):
        attn = joint(normed)
        given = [each.clone() for each in (x, text, kept)]
        picture, states = ns["joint_attention"](attn, *given)
        for name, ours, want in (("picture", picture, x), ("text", states, text)):
            assert ours.shape == want.shape, f"the {name}'s part has shape {tuple(ours.shape)}"
        same = [torch.equal(a, b) for a, b in zip(given, (x, text, kept), strict=True)]
        assert all(same), "an argument was changed"
        for row in range(4):
            chosen = text[row : row + 1, kept[row]]
            if len(chosen[0]):
                want, want_text = attn(x[row : row + 1], chosen)
            else:
                want, want_text = attn(x[row : row + 1]), chosen
            case = f"row that keeps {int(kept[row].sum())} of 5, norms: {normed}"
            gap = (picture[row] - want[0]).abs().max().item()
            assert gap < 1e-5, f"{case}: the picture's part is off by up to {gap:.3g}"
            gap = float((states[row, kept[row]] - want_text[0]).abs().sum())
            assert gap < 1e-3, f"{case}: kept text is off by {gap:.3g} in all"
            rest = states[row, ~kept[row]]
            assert not rest.numel() or float(rest.abs().max()) == 0, f"{case}: padding is not zero"
