"""Export of a trained model: a StableDiffusionPipeline folder and the judge, in half precision."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from judge import save_judge
from tokenizer import new_tokenizer
from train_judge import trained_judge
from train_unet import new_scheduler, trained_denoiser

PIPELINE_FOLDER, JUDGE_FOLDER = "shapes", "judge"


def swap_in(fresh: Path, target: Path) -> None:
    """Put the finished folder ``fresh`` where ``target`` is, by renaming."""
    old = target.with_name(target.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def write_pipeline(work: Path, folder: Path) -> int:
    """Write the pipeline to ``folder`` and return the training step it stands at.

    Weights are stored as float16. The text model's config says float32, because transformers
    takes the dtype to load in from there, and half precision would not fit the other parts.
    """
    denoiser, step = trained_denoiser(work)
    tokenizer = new_tokenizer()
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(work / "vae").half(),
        text_encoder=denoiser.text_encoder.half(),
        tokenizer=tokenizer,
        unet=denoiser.unet.half(),
        scheduler=new_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    shutil.rmtree(folder, ignore_errors=True)
    pipeline.save_pretrained(folder)
    tokenizer.backend_tokenizer.model.save(str(folder / "tokenizer"))
    config_path = folder / "text_encoder" / "config.json"
    config = json.loads(config_path.read_text(encoding="utf-8"))
    config["dtype"] = "float32"
    config_path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    for path in folder.rglob("*config.json"):
        drop_local_paths(path)
    readable_by_all(folder)
    return step


def readable_by_all(folder: Path) -> None:
    """safetensors writes files that only their owner can read; a shared install needs more."""
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)


def drop_local_paths(path: Path) -> None:
    """Remove the folder that diffusers notes as the origin of a loaded model."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def check_pipeline(folder: Path) -> None:
    """Load the folder as a user would and make one picture; raises where that fails."""
    pipeline = load_pipeline(folder)
    pipeline.set_progress_bar_config(disable=True)
    pixels = pipeline(
        "a large red star on a blue background",
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(0),
        output_type="np",
    ).images
    if pixels.shape != (1, 64, 64, 3):
        raise RuntimeError(f"{folder} made pictures of shape {pixels.shape}, not (1, 64, 64, 3)")


def load_pipeline(folder: Path) -> StableDiffusionPipeline:
    """The exported pipeline in float32, from disk alone."""
    return StableDiffusionPipeline.from_pretrained(folder, local_files_only=True)


def export(work: Path, out: Path) -> None:
    """Write ``out/shapes`` and ``out/judge`` from the last checkpoints in ``work``.

    Both are written aside and renamed into place, so that a reader never meets half a model.
    """
    fresh_judge = out / (JUDGE_FOLDER + ".new")
    shutil.rmtree(fresh_judge, ignore_errors=True)
    save_judge(trained_judge(work), fresh_judge)
    readable_by_all(fresh_judge)
    swap_in(fresh_judge, out / JUDGE_FOLDER)
    print(f"judge: {out / JUDGE_FOLDER}", flush=True)
    if not (work / "unet.pt").exists():
        return
    fresh = out / (PIPELINE_FOLDER + ".new")
    step = write_pipeline(work, fresh)
    check_pipeline(fresh)
    swap_in(fresh, out / PIPELINE_FOLDER)
    print(f"pipeline at step {step}: {out / PIPELINE_FOLDER}", flush=True)
