"""Evaluation of the family, through the loaders that experiments use; writes ``family.json``.

Denoisers are asked for the same pictures from the same noise as the base. An adapter is measured by
rule on pixels, with and without it.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import time
from pathlib import Path
from typing import Any

import diffusers
import peft
import torch
import transformers
from adapter_quality import (
    SEED,
    adapter_facts,
    controlnet_quality,
    ip_adapter_quality,
    lora_quality,
    training_of,
    weights_in,
)
from drawings import caption
from export import JUDGE_FOLDER
from family_measures import brightness
from family_report import update_family_table
from judge import Judge, load_judge
from quality import full_prompts, rounded, shares, starting_noise
from torch.utils.flop_counter import FlopCounterMode
from train_family import Sources, sources_of

from drill.lab.context import Context
from drill.lab.denoisers import Denoiser, Text
from drill.lab.family import DENOISERS, drawing_latents, encode_text, load_denoiser
from drill.lab.sampling import decode, to_pixels

PROMPTS, STEPS = 192, 20
DENOISER_SCALES = (1.0, 5.0)
OPEN_PICTURES = 96


def new_context(out: Path) -> Context:
    """What an experiment on the CPU is given, with the models in ``out``."""
    root = Path(__file__).resolve().parents[2]
    return Context(params={}, pack=root, emit=lambda event: None, models=out)


def adherence(context: Context, denoiser: Denoiser, judge: Judge, scale: float) -> dict[str, float]:
    """Shares of PROMPTS pictures that show what was asked for; one seed a prompt."""
    wanted = full_prompts(PROMPTS)
    text = encode_text(context, [caption(**description) for description in wanted])
    empty = encode_text(context, [""])
    noise = starting_noise(range(PROMPTS))
    parts = [
        denoiser.sample(
            text[slice(i, i + 64)],
            noise[i : i + 64],
            steps=STEPS,
            guidance_scale=scale,
            empty=empty,
        )
        for i in range(0, PROMPTS, 64)
    ]
    pixels = to_pixels(decode(context.pipeline(), torch.cat(parts)))
    return shares(judge.agrees(pixels, wanted))


def cost(denoiser: Denoiser) -> dict[str, float]:
    """Multiply-adds times two of one call on one latent, and milliseconds a latent in a batch of
    16 (the fastest of five calls)."""
    latents, times = torch.zeros(16, 4, 8, 8), torch.full((16,), 500)
    text = Text(torch.zeros(16, 12, 96), torch.zeros(16, 96))
    with FlopCounterMode(display=False) as counter:
        denoiser.predict(latents[:1], times[:1], text[slice(0, 1)])
    spent = []
    for _ in range(5):
        started = time.perf_counter()
        denoiser.predict(latents, times, text)
        spent.append(time.perf_counter() - started)
    return {
        "megaflops_a_call": rounded(counter.get_total_flops() / 1e6, 1),
        "milliseconds_a_latent": rounded(1000 * min(spent) / 16, 2),
    }


def denoiser_quality(context: Context, name: str, judge: Judge, sources: Sources) -> dict[str, Any]:
    denoiser = load_denoiser(context, name)
    report: dict[str, Any] = {
        "class": type(denoiser.model).__name__,
        "target": denoiser.target,
        "parameters": denoiser.parameters,
        **cost(denoiser),
        "right": {
            f"scale {scale:g}": adherence(context, denoiser, judge, scale)
            for scale in DENOISER_SCALES
        },
    }
    if name != "shapes":
        report["bytes"] = weights_in(context.models / name)
        report["training"] = training_of(name.replace("/", "-"), sources)
    print(f"{name}: {report}", flush=True)
    return report


def brightness_range(context: Context) -> dict[str, Any]:
    """Mean brightness before clipping, in the pixels' unit [0, 1], where prompts ask for black on
    darkest and white on brightest and where they ask for nothing: with the schedule that keeps
    6.8 % of the signal at the last step and with the one that keeps none."""
    count = OPEN_PICTURES
    drawn = drawing_latents(context, 2 * PROMPTS, SEED)
    report: dict[str, Any] = {
        "pictures": count,
        "drawings": {"open_std": rounded(brightness(drawn.pixels).std())},
    }
    for ground in ("black", "white"):
        rows = [i for i, a in enumerate(drawn.attributes) if a["background"] == ground]
        report["drawings"][ground] = rounded(brightness(drawn.pixels[rows]).mean())
    plain = load_denoiser(context, "targets/v")
    trailing = type(plain.scheduler).from_config(
        plain.scheduler.config, timestep_spacing="trailing"
    )
    for name, denoiser in {
        "targets/v": plain,
        "targets/v, trailing steps": dataclasses.replace(plain, scheduler=trailing),
        "targets/v-zero-snr": load_denoiser(context, "targets/v-zero-snr"),
    }.items():
        row: dict[str, float] = {}
        for label, prompt in (
            ("black", "a shape on a black background"),
            ("white", "a shape on a white background"),
            ("open", ""),
        ):
            text = encode_text(context, [prompt]).repeated(count)
            made = denoiser.sample(text, starting_noise(range(count)), steps=STEPS)
            values = brightness(decode(context.pipeline(), made) / 2 + 0.5)
            if label == "open":
                row["open_std"] = rounded(values.std())
            else:
                row[label] = rounded(values.mean())
        report[name] = row
        print(f"brightness, {name}: {row}", flush=True)
    return report


def evaluate_family(work: Path, out: Path) -> None:
    """Measure every member; write ``family.json`` and the README's table."""
    context, sources = new_context(out), sources_of(work, out)
    judge = load_judge(out / JUDGE_FOLDER)
    started = time.monotonic()
    report: dict[str, Any] = {
        "prompts": PROMPTS,
        "steps": STEPS,
        "denoisers": {name: denoiser_quality(context, name, judge, sources) for name in DENOISERS},
        "controlnet": {
            **adapter_facts("controlnet", out, sources),
            **controlnet_quality(context, judge),
        },
        "lora": {**adapter_facts("lora", out, sources), **lora_quality(context, judge)},
        "ip_adapter": {
            **adapter_facts("ip-adapter", out, sources),
            **ip_adapter_quality(context, judge),
        },
        "brightness": brightness_range(context),
        "all_weights_bytes": weights_in(out),
        "threads": torch.get_num_threads(),
        "evaluation_minutes": rounded((time.monotonic() - started) / 60, 1),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
            "transformers": transformers.__version__,
            "peft": peft.__version__,
        },
        "command": "python labs/models/train.py --stage evaluate-family --work DIR",
    }
    text = json.dumps(report, indent=2) + "\n"
    (out / "family.json").write_text(text, encoding="utf-8")
    update_family_table(out / "README.md", report)
