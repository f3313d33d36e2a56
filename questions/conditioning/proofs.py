"""Proofs of the conditioning items: small pipelines with random weights, watched while they run.

Lengths, widths that the question names, orders and equalities are those of the real models; all
other widths are as small as the layers allow.
"""

from __future__ import annotations

import inspect
import string
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
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
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
LETTERS = [*string.ascii_lowercase, *(c + "</w>" for c in string.ascii_lowercase)]
WORDS = [*LETTERS, "<|startoftext|>", "<|endoftext|>"]


def tokenizer() -> Any:
    """A tokenizer of CLIP's kind with one token a letter and 77 positions."""
    return CLIPTokenizer({w: n for n, w in enumerate(WORDS)}, [], model_max_length=77)


def text_config(width: int, projection: int = 16) -> Any:
    """Two layers of CLIP's text model."""
    return CLIPTextConfig(
        vocab_size=len(WORDS), hidden_size=width, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, projection_dim=projection,
        bos_token_id=len(WORDS) - 2, eos_token_id=len(WORDS) - 1,
    )  # fmt: skip


def small_vae(**config: Any) -> Any:
    """An autoencoder with factor 8."""
    return AutoencoderKL(
        block_out_channels=(4, 4, 4, 4), norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        **config,
    )  # fmt: skip


def small_unet(text_width: int, **config: Any) -> Any:
    """A UNet with self- and cross-attention in one of two resolutions."""
    return UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=text_width, attention_head_dim=2, **config,
    )  # fmt: skip


@cache
def small_sd(text_width: int = 16) -> Any:
    """Stable Diffusion 1.5 in small."""
    torch.manual_seed(0)
    pipe = StableDiffusionPipeline(
        vae=small_vae(), text_encoder=CLIPTextModel(text_config(text_width)).eval(),
        tokenizer=tokenizer(), unet=small_unet(text_width).eval(),
        scheduler=DDIMScheduler(**SD_BETAS, steps_offset=1, clip_sample=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


@cache
def small_sdxl(**config: Any) -> Any:
    """SDXL in small, with the real widths of what is added to the time embedding."""
    torch.manual_seed(0)
    unet = small_unet(
        48, addition_embed_type="text_time", addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816, transformer_layers_per_block=1,
    )  # fmt: skip
    pipe = StableDiffusionXLPipeline(
        vae=small_vae(), text_encoder=CLIPTextModel(text_config(16)).eval(),
        text_encoder_2=CLIPTextModelWithProjection(text_config(32, projection=1280)).eval(),
        tokenizer=tokenizer(), tokenizer_2=tokenizer(), unet=unet.eval(),
        scheduler=EulerDiscreteScheduler(**SD_BETAS), add_watermarker=False, **config,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def small_sd3() -> Any:
    """Stable Diffusion 3 with nothing but its T5, which knows each letter as a word."""
    config = T5Config(
        vocab_size=200, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2,
        decoder_start_token_id=0,
    )  # fmt: skip
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0)]
    pieces += [("\u2581" + c, -3.0) for c in string.ascii_lowercase]
    return StableDiffusion3Pipeline(
        transformer=None, scheduler=FlowMatchEulerDiscreteScheduler(), vae=None,
        text_encoder=None, tokenizer=None, text_encoder_2=None, tokenizer_2=None,
        text_encoder_3=T5EncoderModel(config).eval(), tokenizer_3=T5Tokenizer(vocab=pieces),
    )  # fmt: skip


@contextmanager
def inputs_of(module: Any) -> Iterator[list[dict[str, Any]]]:
    """The arguments of every call of the module; positional ones under their number."""
    calls: list[dict[str, Any]] = []

    def note(_module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        calls.append({**{str(n): a for n, a in enumerate(args)}, **kwargs})

    handle = module.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield calls
    finally:
        handle.remove()


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


# Shapes and lengths


def states_into_unet() -> tuple[int, ...]:
    """What the UNet attends to in the call of the question."""
    pipe = small_sd(text_width=768)
    with inputs_of(pipe.unet) as calls:
        pipe(
            ["a red cat", "a blue dog"], num_images_per_prompt=3, guidance_scale=7.5,
            num_inference_steps=2, output_type="latent",
        )  # fmt: skip
    shapes = {tuple(call["encoder_hidden_states"].shape) for call in calls}
    assert len(shapes) == 1
    return shapes.pop()


def sdxl_added_vector() -> tuple[int, ...]:
    """What enters the first layer of `add_embedding`."""
    pipe = small_sdxl()
    with inputs_of(pipe.unet.add_embedding.linear_1) as calls:
        pipe(
            ["a red cat", "a blue dog"], guidance_scale=5.0, num_inference_steps=1,
            output_type="latent", height=64, width=64,
        )  # fmt: skip
    return tuple(calls[0]["0"].shape)


def tokens_cut_off(encoder: str, n: int) -> int:
    """Tokens of a prompt of n one-letter words that are not among the encoder's inputs."""
    prompt = " ".join(string.ascii_lowercase[k % 26] for k in range(n))
    if encoder == "CLIP":
        pipe = small_sd()
        network, words = pipe.text_encoder, pipe.tokenizer
        with inputs_of(network) as calls:
            pipe.encode_prompt(prompt, "cpu", 1, False)
    else:
        pipe = small_sd3()
        network, words = pipe.text_encoder_3, pipe.tokenizer_3
        usual = inspect.signature(pipe.__call__).parameters["max_sequence_length"].default
        with inputs_of(network) as calls:
            pipe._get_t5_prompt_embeds(
                prompt, max_sequence_length=usual, device="cpu", dtype=torch.float32
            )
    assert len(words(prompt, add_special_tokens=False).input_ids) == n
    special = set(words.all_special_ids)
    return n - sum(int(token) not in special for token in calls[0]["0"][0])


# What the text states are and are not


def padding_positions() -> str:
    """Change the states of the padding and see whether the prediction notices."""
    pipe = small_sd()
    ids = pipe.tokenizer("abc", padding="max_length", return_tensors="pt").input_ids[0]
    first_padding = int((ids == pipe.tokenizer.eos_token_id).nonzero()[0]) + 1
    states, _ = pipe.encode_prompt("abc", "cpu", 1, False)
    with inputs_of(pipe.unet) as calls:
        pipe("abc", num_inference_steps=1, guidance_scale=1.0, output_type="latent")
    given = calls[0]
    masks = [v for name, v in given.items() if "mask" in name and v is not None]
    x = torch.randn(1, 4, 8, 8)
    changed = states.clone()
    changed[:, first_padding:] = changed[:, first_padding:].flip(-1)
    with torch.no_grad():
        usual, other = (pipe.unet(x, 500, s).sample for s in (states, changed))
    noticed = (usual - other).abs().max() > 1e-4
    return only(
        {
            "attended": bool(noticed) and not masks,
            "masked": bool(masks) or not noticed,
            "zeros": bool((states[:, first_padding:].abs() < 1e-6).all()),
            "cut": given["encoder_hidden_states"].shape[1] < 77,
        }
    )


def none_or_empty() -> str:
    """The one entry of the config that makes None and "" agree."""

    def differ(**config: Any) -> bool:
        pipe = small_sdxl(**config)
        with torch.no_grad():
            none, empty = (
                pipe.encode_prompt("abc", device="cpu", negative_prompt=negative)
                for negative in (None, "")
            )
        assert torch.equal(none[0], empty[0])  # the prompt itself is not concerned
        return not (torch.equal(none[1], empty[1]) and torch.equal(none[3], empty[3]))

    assert differ()
    entries = [name for name, value in small_sdxl().config.items() if isinstance(value, bool)]
    deciding = [name for name in entries if not differ(**{name: False})]
    assert len(deciding) == 1
    return deciding[0]


def reuse_across_seeds() -> set[str]:
    """Which tensors are equal, bit by bit, in all steps of runs with two seeds."""
    pipe = small_sd()
    cross = pipe.unet.down_blocks[1].attentions[0].transformer_blocks[0].attn2
    own = pipe.unet.down_blocks[1].attentions[0].transformer_blocks[0].attn1
    seen: dict[str, list[torch.Tensor]] = {}

    def keep(name: str) -> Any:
        return lambda _m, _args, out: seen.setdefault(name, []).append(out.detach().clone())

    parts = {"cross-k": cross.to_k, "cross-v": cross.to_v, "cross-q": cross.to_q}
    parts |= {"self-k": own.to_k, "self-v": own.to_v}
    handles = [module.register_forward_hook(keep(name)) for name, module in parts.items()]
    predictions = pipe.unet.register_forward_hook(
        lambda _m, _args, out: seen.setdefault("half", []).append(out[0][:1].clone())
    )
    try:
        for seed in (1, 2):
            states, negative = pipe.encode_prompt("abc", "cpu", 1, True, negative_prompt="de")
            seen.setdefault("states", []).append(states)
            seen.setdefault("negative", []).append(negative)
            pipe(
                "abc", negative_prompt="de", guidance_scale=7.5, num_inference_steps=3,
                output_type="latent", generator=torch.Generator().manual_seed(seed),
            )  # fmt: skip
    finally:
        for handle in (*handles, predictions):
            handle.remove()
    queries, keys = (
        [t.unflatten(-1, (cross.heads, -1)).transpose(1, 2) for t in seen[name]]
        for name in ("cross-q", "cross-k")
    )
    seen["map"] = [
        (q @ k.transpose(-1, -2) * cross.scale).softmax(-1)
        for q, k in zip(queries, keys, strict=True)
    ]
    assert all(len(seen[name]) == 6 for name in ("half", "map", *parts))
    constant = {name for name, all_of in seen.items() if all(map(all_of[0].equal, all_of))}
    found = {
        "states": {"states"},
        "negative": {"negative"},
        "cross-kv": {"cross-k", "cross-v"},
        "cross-map": {"map"},
        "self-kv": {"self-k", "self-v"},
        "half": {"half"},
    }
    return {option for option, tensors in found.items() if tensors <= constant}


# Mutant and code


def images_of_a_prompt_side_by_side(ns: Namespace) -> None:
    """The rows are those that the pipeline itself makes."""
    pipe = small_sd()
    for prompts, n in ((["ab", "cd"], 2), (["ab", "cd", "ef"], 3), (["ab"], 4)):
        one, _ = pipe.encode_prompt(prompts, "cpu", 1, False)
        wanted, _ = pipe.encode_prompt(prompts, "cpu", n, False)
        got = ns["per_image"](one, n)
        assert got.shape == wanted.shape
        assert torch.equal(got, wanted), f"{len(prompts)} prompts, n = {n}: rows in another order"


def rows_for_two_prompts(mutant: Namespace) -> str:
    """Which prompt stands in each row."""
    a, b = torch.zeros(1, 3, 2), torch.ones(1, 3, 2)
    try:
        rows = mutant["per_image"](torch.cat([a, b]), 2)
    except RuntimeError:
        return "raises"
    whole = all(bool((row == row[0, 0]).all()) for row in rows)
    order = "".join("AB"[int(row[0, 0])] for row in rows)
    return only(
        {"swapped": whole and order == "ABAB", "mixed": not whole, "alike": order == "AAAA"}
    )


def reads_like_attn2(ns: Namespace) -> None:
    """Agree with the library's attention layer, its output projection taken off."""
    generator = torch.Generator().manual_seed(0)
    for heads, width, places, tokens in ((1, 8, 5, 3), (4, 4, 9, 7), (2, 16, 4, 4), (3, 2, 1, 77)):
        torch.manual_seed(heads)
        attention = Attention(
            query_dim=12, cross_attention_dim=10, heads=heads, dim_head=width,
            processor=AttnProcessor2_0(),
        ).double()  # fmt: skip
        attention.to_out[0] = torch.nn.Identity()
        x = torch.randn(2, places, 12, generator=generator, dtype=torch.float64)
        text = torch.randn(2, tokens, 10, generator=generator, dtype=torch.float64) * 3
        weights = [m.weight.detach() for m in (attention.to_q, attention.to_k, attention.to_v)]
        with torch.no_grad():
            wanted = attention(x, encoder_hidden_states=text)
        got = ns["cross_attention"](x, text, *weights, heads)
        case = f"heads={heads}, width of a head={width}, N={places}, L={tokens}"
        assert got is not None, "nothing was returned"
        assert tuple(got.shape) == tuple(wanted.shape), (
            f"the result has shape {tuple(got.shape)}, wanted {tuple(wanted.shape)}\n{case}"
        )
        far = (got - wanted).abs().max().item()
        assert far < 1e-9, f"off by up to {far:.3g} from the library's layer\n{case}"
