"""Evaluation of what is added to the base: ControlNet, LoRA and IP-Adapter, each by rule on pixels,
with and without it, through the loaders that experiments use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from drawings import HOLLOW_SHAPES, SHAPES, caption
from family_export import folder_of
from family_measures import hollowness, iou
from judge import Judge
from PIL import Image
from quality import full_prompts, rounded, shares
from safetensors.torch import load_file
from train_family import MEMBERS, Sources

from drill.lab.context import Context
from drill.lab.family import (
    LORA_NAME,
    control_maps,
    controlnet_pipeline,
    drawing_latents,
    ip_adapter_pipeline,
    lora_pipeline,
)

PICTURES, STEPS, GUIDANCE = 96, 20, 5.0
LORA_SCALES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
CONTROL_SCALES = (0.0, 0.25, 0.5, 0.75, 1.0)
IP_SCALES = (0.0, 0.25, 0.5, 0.75, 1.0)
# A shape with a larger share of hole than this counts as hollow.
HOLLOW = 0.05
SEED = 1000
CLASSES = {
    "controlnet": "`ControlNetModel`",
    "lora": "LoRA (peft) of the UNet's attention",
    "ip-adapter": "IP-Adapter and `CLIPVisionModelWithProjection`",
}


def weights_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors"))


def training_of(name: str, sources: Sources) -> dict[str, Any]:
    """Steps, batch and minutes of a member's training, from its checkpoint."""
    path = sources.folder / f"{name}.pt"
    state = torch.load(path, weights_only=True, mmap=True)
    return {
        "steps": int(state["step"]),
        "batch": MEMBERS[name].batch,
        "minutes": rounded(state["seconds"] / 60, 1),
    }


def painted(
    pipeline: Any,
    prompts: Sequence[str],
    part: Callable[[slice], dict[str, Any]],
    together: int = 32,
) -> torch.Tensor:
    """Pixels (N, 3, 64, 64) of the pipeline's own call, seeds 0 to N - 1; ``part`` gives the
    other arguments for a slice of the prompts, ``together`` at a time. With an IP-Adapter that
    is one: all images of a call go to every prompt of its batch."""
    made = []
    for start in range(0, len(prompts), together):
        rows = slice(start, start + together)
        chunk = list(prompts[rows])
        made.append(
            pipeline(
                chunk,
                num_inference_steps=STEPS,
                guidance_scale=GUIDANCE,
                generator=[torch.Generator().manual_seed(start + row) for row in range(len(chunk))],
                output_type="pt",
                **part(rows),
            ).images
        )
    return torch.cat(made)


def no_more(rows: slice) -> dict[str, Any]:
    return {}


def lora_quality(context: Context, judge: Judge) -> dict[str, Any]:
    """Holes in large circles and squares, and what of the prompts still holds, by the LoRA's scale;
    at 0 and 1 also large shapes of all kinds, and small ones."""
    every = [{**description, "size": "large"} for description in full_prompts(PICTURES)]
    large = [{**each, "shape": HOLLOW_SHAPES[i % 2]} for i, each in enumerate(every)]
    small = [{**each, "size": "small"} for each in every]
    pipeline = lora_pipeline(context)
    rows = []
    for scale in LORA_SCALES:
        pipeline.set_adapters([LORA_NAME], [scale])
        pixels = painted(pipeline, [caption(**d) for d in large], no_more)
        holes = hollowness(pixels)
        row = {
            "scale": scale,
            "hollowness": rounded(holes.mean()),
            "hollow": rounded((holes > HOLLOW).float().mean()),
            "right": shares(judge.agrees(pixels, large)),
        }
        if scale in (0.0, 1.0):
            for name, others in (("right_of_all_shapes", every), ("right_when_small", small)):
                pixels = painted(pipeline, [caption(**d) for d in others], no_more)
                row[name] = shares(judge.agrees(pixels, others))
        rows.append(row)
        print(f"lora: {row}", flush=True)
    return {"pictures": PICTURES, "guidance_scale": GUIDANCE, "by_scale": rows}


def controlnet_quality(context: Context, judge: Judge) -> dict[str, Any]:
    """How well the shape fits its map, by the conditioning scale; then maps of another shape than
    the prompt's."""
    wanted = full_prompts(PICTURES)
    prompts = [caption(**description) for description in wanted]
    shapes = [description["shape"] for description in wanted]
    others = [SHAPES[(SHAPES.index(shape) + 1 + i % 5) % 6] for i, shape in enumerate(shapes)]
    sizes = [description["size"] for description in wanted]
    pipeline = controlnet_pipeline(context)
    fitting, conflicting = (control_maps(context, s, sizes, SEED) for s in (shapes, others))
    rows = []
    for scale in CONTROL_SCALES:

        def mapped(maps: torch.Tensor, scale: float = scale) -> torch.Tensor:
            return painted(
                pipeline,
                prompts,
                lambda rows: {"image": maps[rows], "controlnet_conditioning_scale": scale},
            )

        pixels = mapped(fitting)
        row = {
            "scale": scale,
            "iou": rounded(iou(pixels, fitting).mean()),
            "right": shares(judge.agrees(pixels, wanted)),
        }
        pixels = mapped(conflicting)
        row["conflict"] = {
            "iou": rounded(iou(pixels, conflicting).mean()),
            "shape_of_map": shares(judge.agrees(pixels, [{"shape": s} for s in others]))["shape"],
            "shape_of_prompt": shares(judge.agrees(pixels, [{"shape": s} for s in shapes]))[
                "shape"
            ],
        }
        rows.append(row)
        print(f"controlnet: {row}", flush=True)
    return {"pictures": PICTURES, "guidance_scale": GUIDANCE, "by_scale": rows}


def ip_adapter_quality(context: Context, judge: Judge) -> dict[str, Any]:
    """What comes over from the image where the prompt leaves all open, and where it names a
    shape."""
    drawn = drawing_latents(context, PICTURES, SEED)
    images = [
        Image.fromarray((p.permute(1, 2, 0) * 255).round().byte().numpy()) for p in drawn.pixels
    ]
    seen = list(drawn.attributes)
    asked = full_prompts(PICTURES, seed=SEED)
    pipeline = ip_adapter_pipeline(context)
    rows = []
    for scale in IP_SCALES:
        pipeline.set_ip_adapter_scale(scale)

        def shown(prompts: Sequence[str]) -> torch.Tensor:
            return painted(
                pipeline, prompts, lambda rows: {"ip_adapter_image": [images[rows]]}, together=1
            )

        open_pixels = shown(["a shape"] * PICTURES)
        shape_asked = [{"shape": a["shape"]} for a in asked]
        named = shown([caption(shape=a["shape"]) for a in asked])
        row = {
            "scale": scale,
            "from_image": shares(judge.agrees(open_pixels, seen)),
            "with_a_shape_asked_for": {
                "shape_of_prompt": shares(judge.agrees(named, shape_asked))["shape"],
                "from_image": shares(judge.agrees(named, seen)),
            },
        }
        rows.append(row)
        print(f"ip-adapter: {row}", flush=True)
    return {"pictures": PICTURES, "guidance_scale": GUIDANCE, "by_scale": rows}


def adapter_facts(name: str, out: Path, sources: Sources) -> dict[str, Any]:
    """Class, parameters and bytes of an adapter, from its files, and its training."""
    folder = out / folder_of(name)
    files = [load_file(path) for path in folder.rglob("*.safetensors")]
    report = {
        "class": CLASSES[name],
        "parameters": sum(value.numel() for file in files for value in file.values()),
        "bytes": weights_in(folder),
        "training": training_of(name, sources),
    }
    if name == "ip-adapter":
        report["training_of_image_encoder"] = training_of("image-encoder", sources)
    return report
