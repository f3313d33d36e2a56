"""A StableDiffusionPipeline of the bundled model's geometry with random weights, and a judge."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

SIZES = ("small", "large")
SHAPES = ("circle", "square", "triangle", "star", "heart", "cross")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
WORDS = ("a", "an", "on", "background", "shape", *SIZES, *SHAPES, *COLOURS)
START, END = "<|startoftext|>", "<|endoftext|>"


def tiny_tokenizer() -> Any:
    """CLIP's tokenizer, 12 tokens, with each word of the captions as one token."""
    from tokenizers import pre_tokenizers
    from transformers import CLIPTokenizer

    merges: list[tuple[str, str]] = []
    for word in WORDS:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pair = (parts[0], parts[1])
            if pair not in merges:
                merges.append(pair)
            parts = [parts[0] + parts[1], *parts[2:]]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, *(b + "</w>" for b in alphabet), *(a + b for a, b in merges), START, END]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=12)


def tiny_pipeline(seed: int = 0) -> Any:
    """Random weights; sample_size 8, 4 latent channels, 64x64 pictures, 12 tokens."""
    import torch
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer()
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            projection_dim=32,
            num_hidden_layers=1,
            num_attention_heads=4,
            max_position_embeddings=12,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(16, 32),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=64,
    )
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    # Random weights hardly heed the prompt; larger ones in the text's way make guidance visible.
    with torch.no_grad():
        for name, weight in unet.named_parameters():
            if "attn2.to_out" in name or "attn2.to_v" in name:
                weight.mul_(6.0)
    pipe = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    for part in (vae, text, unet):
        part.eval().requires_grad_(False)
    return pipe


def save_tiny_models(folder: Path, judge_code: Path) -> None:
    """`shapes/` and `judge/` with random weights, as `labs/models` holds the trained ones."""
    import torch

    from drill.lab.loading import load_module

    pipe = tiny_pipeline()
    pipe.save_pretrained(folder / "shapes")
    pipe.tokenizer.backend_tokenizer.model.save(str(folder / "shapes" / "tokenizer"))
    attributes = {"shape": SHAPES, "colour": COLOURS, "size": SIZES, "background": COLOURS}
    torch.manual_seed(1)
    shutil.copy(judge_code, folder / "judge.py")
    module = load_module(folder / "judge.py")
    module.save_judge(module.Judge(attributes, width=8), folder / "judge")
