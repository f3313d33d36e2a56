"""What every case of `diagnose` uses: pipelines of its own, the judge, prompts that are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from drill.lab import Context

PROMPTS = (
    "a large red circle on a white background",
    "a large blue square on a yellow background",
    "a large green heart on a black background",
    "a large purple star on an orange background",
)
SEEDS = (0, 1, 2, 3)
STEPS = 8


def pipeline(context: Context) -> Any:
    """A pipeline object and a scheduler of the case's own over the bundled weights, which are read
    only here."""
    from diffusers import StableDiffusionPipeline

    base = bundled(context)
    scheduler = type(base.scheduler).from_config(base.scheduler.config)
    parts = {**base.components, "scheduler": scheduler}
    pipe = StableDiffusionPipeline(**parts, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def copied(context: Context, **dtypes: Any) -> Any:
    """The same with networks of the case's own; `dtypes` casts them by name."""
    import copy

    pipe = pipeline(context)
    for name in ("unet", "vae", "text_encoder"):
        part = copy.deepcopy(getattr(pipe, name))
        for each in (*part.parameters(), *part.buffers()):
            if each.is_floating_point():
                each.data = each.data.to(dtypes.get(name, each.dtype))
        setattr(pipe, name, part)
    return pipe


def bundled(context: Context) -> Any:
    """The bundled pipeline, which later runs use too: read only."""
    from drill.lab.models import ModelError

    if not context.bundled:
        raise ModelError(
            "these cases are measured on the bundled model, whose pictures can be judged; "
            "leave --model out"
        )
    return context.pipeline()


def judge(context: Context) -> Any:
    return context.module("labs/models/judge.py").load_judge(context.models / "judge")


def asked(context: Context, prompts: Sequence[str]) -> list[dict[str, str]]:
    """The attributes that each prompt names."""
    measures = context.module("labs/cfg_reading/measures.py")
    known = judge(context).attributes
    return [measures.wanted(prompt, known) for prompt in prompts]


def shown(context: Context, pixels: Tensor) -> list[str]:
    """What each picture shows, in the words of the judge: `large red circle on white`."""
    return [
        f"{each['size']} {each['colour']} {each['shape']} on {each['background']}"
        for each in judge(context).names(pixels.float().cpu())
    ]


def share_right(
    context: Context, pixels: Tensor, prompts: Sequence[str], judged: Sequence[str]
) -> float:
    """Share of pictures (N, 3, 64, 64) with all of the `judged` attributes as asked for."""
    wanted = [
        {name: value for name, value in each.items() if name in judged}
        for each in asked(context, prompts)
    ]
    return float(judge(context).agrees(pixels.float().cpu(), wanted)["all"].float().mean())


def apart(pixels: Tensor) -> float:
    """Mean absolute difference of pixels in [0, 1] between two of the pictures (N, 3, H, W)."""
    pairs = [
        float((pixels[a] - pixels[b]).abs().mean())
        for a in range(len(pixels))
        for b in range(a + 1, len(pixels))
    ]
    return sum(pairs) / len(pairs)
