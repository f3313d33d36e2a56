"""Evaluation of the bundled model: everything is measured on drawings it never saw or on what it
paints, with fixed seeds, and written to ``quality.json``."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
import transformers
from diffusers import StableDiffusionPipeline
from drawings import ATTRIBUTES, BACKGROUNDS, COLOURS, SHAPES, SIZES, caption
from export import JUDGE_FOLDER, PIPELINE_FOLDER, load_pipeline
from judge import Judge, effective_number, load_judge, shape_centres
from quality_report import bars, save_grid, update_readme
from training import to_pixels

SCALES = (0.0, 1.0, 1.5, 3.0, 5.0, 7.5, 12.0, 20.0)
PROMPTS = 192
SHOWN = 12
STEPS = 10
STEP_COUNTS, STEP_SCALES, STEP_PROMPTS = (10, 20, 50), (1.0, 5.0, 20.0), 96
OPEN_SAMPLES = 128
OPEN_SCALES = (1.0, 3.0, 7.5, 12.0)
POSITION_BINS = 4


@dataclass(frozen=True)
class Samples:
    """Decoded pictures (N, 3, 64, 64), not yet clipped to [-1, 1], and what guidance did.

    ``std_ratio`` is the standard deviation of the guided noise prediction over that of the
    conditional one, averaged over the steps.
    """

    decoded: torch.Tensor
    std_ratio: float

    @property
    def pixels(self) -> torch.Tensor:
        return (self.decoded / 2 + 0.5).clamp(0, 1)

    @property
    def out_of_range(self) -> float:
        return float((self.decoded.abs() > 1).float().mean())


def starting_noise(seeds: Sequence[int]) -> torch.Tensor:
    """One noise (4, 8, 8) a seed, as the pipeline draws it from a CPU generator."""
    return torch.cat(
        [torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    )


@torch.no_grad()
def sample(
    pipeline: StableDiffusionPipeline,
    prompts: Sequence[str],
    seeds: Sequence[int],
    guidance_scale: float,
    steps: int = STEPS,
) -> Samples:
    """DDIM samples with classifier-free guidance, ``uncond + scale * (cond - uncond)``.

    Unlike the pipeline, which runs without guidance at any scale up to 1, the formula is applied
    at every scale: 1 is the conditional prediction, 0 the unconditional one.
    """
    positive, negative = pipeline.encode_prompt(list(prompts), "cpu", 1, True, [""] * len(prompts))
    states = torch.cat([negative, positive])
    scheduler = pipeline.scheduler
    scheduler.set_timesteps(steps)
    latents = starting_noise(seeds) * scheduler.init_noise_sigma
    ratios = []
    for timestep in scheduler.timesteps:
        both = pipeline.unet(torch.cat([latents] * 2), timestep, states).sample
        unconditional, conditional = both.chunk(2)
        guided = unconditional + guidance_scale * (conditional - unconditional)
        ratios.append(float(guided.std() / conditional.std()))
        latents = scheduler.step(guided, timestep, latents).prev_sample
    decoded = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample
    return Samples(decoded, float(np.mean(ratios)))


def full_prompts(count: int, seed: int = 0) -> list[dict[str, str]]:
    """Random descriptions that name all four attributes; the two colours differ."""
    rng = np.random.default_rng(seed)
    wanted = []
    for _ in range(count):
        colour, background = rng.choice(len(COLOURS), 2, replace=False)
        wanted.append(
            {
                "shape": SHAPES[rng.integers(len(SHAPES))],
                "colour": COLOURS[colour],
                "size": SIZES[rng.integers(len(SIZES))],
                "background": BACKGROUNDS[background],
            }
        )
    return wanted


def rounded(value: float, digits: int = 4) -> float:
    return round(float(value), digits)


def shares(right: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: rounded(values.float().mean()) for name, values in right.items()}


@torch.no_grad()
def autoencoder_quality(
    pipeline: StableDiffusionPipeline,
    judge: Judge,
    pixels: torch.Tensor,
    attributes: np.ndarray,
) -> dict[str, Any]:
    """PSNR of the round trip in [0, 1], as a mean of dB, and the judge before and after it."""
    wanted = [
        {name: values[row[column]] for column, (name, values) in enumerate(ATTRIBUTES.items())}
        for row in attributes
    ]
    returned = []
    spread = []
    for x in pixels.split(128):
        latents = pipeline.vae.encode(x * 2 - 1).latent_dist.mean
        spread.append(latents)
        returned.append((pipeline.vae.decode(latents).sample / 2 + 0.5).clamp(0, 1))
    after = torch.cat(returned)
    psnr = -10 * (after - pixels).square().mean(dim=(1, 2, 3)).log10()
    by_shape = {
        f"{size} {shape}": rounded(
            psnr[torch.tensor([w["shape"] == shape and w["size"] == size for w in wanted])].mean(),
            2,
        )
        for size in SIZES
        for shape in SHAPES
    }
    return {
        "held_out_drawings": len(pixels),
        "psnr_db": rounded(psnr.mean(), 2),
        "psnr_db_worst": rounded(psnr.min(), 2),
        "psnr_db_by_size_and_shape": by_shape,
        "latent_std": rounded(torch.cat(spread).std(), 3),
        "scaling_factor": rounded(pipeline.vae.config.scaling_factor, 5),
        "judge_on_drawings": shares(judge.agrees(pixels, wanted)),
        "judge_after_round_trip": shares(judge.agrees(after, wanted)),
    }


def guidance_quality(
    pipeline: StableDiffusionPipeline, judge: Judge, grid: Path
) -> list[dict[str, Any]]:
    """What share of the prompts' attributes is right, for each guidance scale.

    ``grid`` gets a picture of the first prompts, a row for each scale.
    """
    wanted = full_prompts(PROMPTS)
    prompts = [caption(**description) for description in wanted]
    rows, shown = [], []
    for scale in SCALES:
        parts = [
            sample(pipeline, prompts[i : i + 64], range(i, min(i + 64, PROMPTS)), scale)
            for i in range(0, PROMPTS, 64)
        ]
        pixels = torch.cat([part.pixels for part in parts])
        shown.append(pixels[:SHOWN])
        right = judge.agrees(pixels, wanted)
        rows.append(
            {
                "guidance_scale": scale,
                "right": shares(right),
                "standard_error_of_all": rounded(right["all"].float().std() / PROMPTS**0.5),
                "out_of_range": rounded(np.mean([part.out_of_range for part in parts])),
                "std_guided_over_conditional": rounded(np.mean([p.std_ratio for p in parts])),
            }
        )
        print(f"scale {scale}: {rows[-1]}", flush=True)
    save_grid(shown, grid)
    return rows


def guidance_by_steps(pipeline: StableDiffusionPipeline, judge: Judge) -> dict[str, Any]:
    """Share of prompts with all four attributes right, by number of DDIM steps and scale."""
    wanted = full_prompts(STEP_PROMPTS)
    prompts = [caption(**description) for description in wanted]
    rows = []
    for steps in STEP_COUNTS:
        right = {}
        for scale in STEP_SCALES:
            pixels = sample(pipeline, prompts, range(STEP_PROMPTS), scale, steps).pixels
            right[f"{scale:g}"] = shares(judge.agrees(pixels, wanted))["all"]
        rows.append({"steps": steps, "all_four_right_by_scale": right})
        print(rows[-1], flush=True)
    return {"prompts": STEP_PROMPTS, "by_steps": rows}


def spread_of(judge: Judge, pixels: torch.Tensor) -> dict[str, float]:
    """Effective number of each judged attribute and of the centre's bin in a 4x4 grid."""
    found = {
        f"effective_{name}s": rounded(effective_number(classes), 2)
        for name, classes in judge.predict(pixels).items()
    }
    centres = shape_centres(pixels)
    centres = centres[~centres.isnan().any(dim=1)]
    bins = (centres * POSITION_BINS).long().clamp(0, POSITION_BINS - 1)
    found["effective_positions"] = rounded(
        effective_number(bins[:, 0] * POSITION_BINS + bins[:, 1]), 2
    )
    return found


def diversity(
    pipeline: StableDiffusionPipeline, judge: Judge, pixels: torch.Tensor, attributes: np.ndarray
) -> dict[str, Any]:
    """How varied the pictures of open prompts are, beside as many held-out drawings."""
    report: dict[str, Any] = {"samples": OPEN_SAMPLES, "position_bins": POSITION_BINS**2}
    for prompt, asked in (("a star", {"shape": "star"}), ("a red shape", {"colour": "red"})):
        fits = np.ones(len(attributes), dtype=bool)
        for name, value in asked.items():
            column = list(ATTRIBUTES).index(name)
            fits &= attributes[:, column] == ATTRIBUTES[name].index(value)
        drawn = pixels[torch.from_numpy(fits)][:OPEN_SAMPLES]
        rows: dict[str, Any] = {"drawings": spread_of(judge, drawn)}
        for scale in OPEN_SCALES:
            made = sample(pipeline, [prompt] * OPEN_SAMPLES, range(OPEN_SAMPLES), scale).pixels
            right = judge.agrees(made, [asked] * OPEN_SAMPLES)["all"].float().mean()
            rows[f"scale {scale:g}"] = {**spread_of(judge, made), "right": rounded(right)}
        report[prompt] = rows
    return report


def check_against_pipeline(pipeline: StableDiffusionPipeline) -> float:
    """Largest difference in [0, 1] between ``sample`` and the pipeline; raises above 1e-3."""
    prompts = [caption(**description) for description in full_prompts(4)]
    ours = sample(pipeline, prompts, range(4), 7.5).pixels
    theirs = pipeline(
        prompts,
        num_inference_steps=STEPS,
        guidance_scale=7.5,
        generator=[torch.Generator().manual_seed(seed) for seed in range(4)],
        output_type="pt",
    ).images
    difference = float((ours - theirs).abs().max())
    if difference > 1e-3:
        raise RuntimeError(f"our sampler and the pipeline differ by {difference:.4f} in [0, 1]")
    return difference


def time_sweep(pipeline: StableDiffusionPipeline) -> float:
    """Seconds for all scales, 8 seeds each."""
    prompts = [caption("star", "red", "large", "blue")] * 8
    started = time.perf_counter()
    for scale in SCALES:
        sample(pipeline, prompts, range(8), scale)
    return time.perf_counter() - started


def parameters(pipeline: StableDiffusionPipeline, judge: Judge) -> dict[str, int]:
    parts = {
        "unet": pipeline.unet,
        "text_encoder": pipeline.text_encoder,
        "vae": pipeline.vae,
        "judge": judge,
    }
    return {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}


def evaluate(work: Path, out: Path) -> None:
    """Measure the model in ``out``; write ``quality.json``, ``samples.png``, the README's table."""
    pipeline = load_pipeline(out / PIPELINE_FOLDER)
    pipeline.set_progress_bar_config(disable=True)
    judge = load_judge(out / JUDGE_FOLDER)
    pixels = to_pixels(torch.from_numpy(np.load(work / "held_out_pixels.npy")))
    attributes = np.load(work / "held_out_attributes.npy")
    difference = check_against_pipeline(pipeline)
    report: dict[str, Any] = {
        "autoencoder": autoencoder_quality(pipeline, judge, pixels, attributes),
        "guidance": {
            "prompts": PROMPTS,
            "steps": STEPS,
            "scheduler": type(pipeline.scheduler).__name__,
            "by_scale": guidance_quality(pipeline, judge, out / "samples.png"),
        },
        "guidance_by_steps": guidance_by_steps(pipeline, judge),
        "diversity": diversity(pipeline, judge, pixels, attributes),
        "difference_from_pipeline_call": float(f"{difference:.1e}"),
        "sweep_seconds": rounded(time_sweep(pipeline), 1),
        "threads": torch.get_num_threads(),
        "parameters": parameters(pipeline, judge),
        "training_seconds": json.loads((work / "seconds.json").read_text(encoding="utf-8")),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
            "transformers": transformers.__version__,
        },
        "command": "python labs/models/train.py --stage evaluate --work DIR",
    }
    report = {"bars": bars(report), **report}
    text = json.dumps(report, indent=2) + "\n"
    (out / "quality.json").write_text(text, encoding="utf-8")
    update_readme(out / "README.md", report)
    print(text, flush=True)
