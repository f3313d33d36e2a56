"""What the experiments of this lab share: captions, the judge, the pipeline's call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from drill.lab import Context
from drill.lab.models import ModelError
from drill.lab.sampling import picture_seeds

if TYPE_CHECKING:
    from torch import Tensor

ATTRIBUTES = ("shape", "colour", "size", "background")


def only_bundled(context: Context) -> None:
    """Raises ModelError where the run is on a model of the learner's own."""
    if not context.bundled:
        raise ModelError(
            "an adapter belongs to the base that it was trained on, and the bundled ones fit the "
            "bundled base alone; run without --model"
        )


def descriptions(context: Context, count: int) -> list[dict[str, str]]:
    """`count` drawings to ask for, all four attributes of each, spread evenly over the values."""
    drawings = context.module("labs/models/drawings.py")
    measures = context.module("labs/cfg_reading/measures.py")
    prompts = measures.fixed_prompts(drawings.ATTRIBUTES, count)
    return [measures.wanted(prompt, drawings.ATTRIBUTES) for prompt in prompts]


def captions(context: Context, asked: Sequence[dict[str, str]]) -> list[str]:
    """Prompts that name the attributes given."""
    drawings = context.module("labs/models/drawings.py")
    return [drawings.caption(**each) for each in asked]


class Sight:
    """The judge and the measures by rule, each as a share or mean over pictures."""

    def __init__(self, context: Context) -> None:
        self._measures = context.module("labs/models/family_measures.py")
        code = context.module("labs/models/judge.py")
        self._judge = code.load_judge(context.models / "judge")

    def share(self, pixels: Tensor, asked: Sequence[dict[str, str]], *names: str) -> float:
        """Share of pictures (N, 3, 64, 64) that show what is asked for, of the named attributes."""
        wanted = [{name: each[name] for name in names} for each in asked]
        return float(self._judge.agrees(pixels.cpu(), wanted)["all"].float().mean())

    def iou(self, pixels: Tensor, maps: Tensor) -> float:
        """Mean over pictures of how well the drawn shape covers its map: 1 for the same pixels."""
        return float(self._measures.iou(pixels.cpu(), maps.cpu()).mean())


class Painter:
    """Calls a ControlNet pipeline with the same seeds again and again."""

    def __init__(self, context: Context, pipe: Any, runs: int) -> None:
        self.context, self.pipe = context, pipe
        self._done, self._runs = 0, runs

    def paint(
        self, prompts: Sequence[str], scale: float, *, output: str = "pt", **arguments: Any
    ) -> Tensor:
        """Pixels (N, 3, 64, 64) in [0, 1], or latents (N, 4, 8, 8) for the output "latent"."""
        import torch

        context, steps = self.context, self.context.params["steps"]

        def report(pipe: Any, index: int, t: Any, kept: dict[str, Any]) -> dict[str, Any]:
            done = self._done + min((index + 1) / steps, 1)
            context.progress(min(done, self._runs), self._runs, "sampling")
            return kept

        with torch.inference_mode():
            made: Tensor = self.pipe(
                list(prompts),
                num_inference_steps=steps,
                guidance_scale=scale,
                generator=[
                    torch.Generator().manual_seed(seed)
                    for seed in picture_seeds(context.seed, len(prompts))
                ],
                output_type=output,
                callback_on_step_end=report,
                **arguments,
            ).images
        self._done += 1
        return made.float().cpu()
