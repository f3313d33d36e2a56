"""cfg-sweep: guidance scales side by side, from the same noise, with adherence measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("claims.py"))

PREVIEWS = 5
"""How many times a run shows where its pictures are heading."""
SHOWN_PROMPTS, SHOWN_SEEDS = 6, 2
"""Rows of the final grid: pictures of prompts, and of seeds of the open prompt."""
SMALL = 128
"""Pictures up to this many pixels a side are decoded in between without being felt."""
ROWS_OF_LARGE = {"cpu": 4}
"""Batch of one denoiser call for a model of the learner's own, by device; 16 on accelerators."""


class CfgSweep(Experiment):
    name = "cfg-sweep"
    params = (
        Param(
            "scales", "floats", (0, 1, 1.5, 3, 5, 7.5, 12, 20),
            "guidance scales to compare", low=0, high=50, most=16,
        ),
        Param("seeds", "int", 24, "pictures at each scale, each from its own seed", 1, 256),
        Param("steps", "int", 10, "sampling steps", 2, 200),
        Param(
            "prompts", "texts", (),
            "prompts to take in turn; none: a fixed set that names all four attributes",
            least=0, most=256,
        ),
        Param("open_prompt", "text", "a star", "prompt whose variety over seeds is measured"),
        Param("check", "bool", True, "also call the pipeline itself at some scales and compare"),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "best_scale", "grows", "narrows", "off_scales", "evaluations_ratio", "out_of_range_ratio",
    )  # fmt: skip
    seconds = 300

    def warm(self, context: Context) -> None:
        context.pipeline()
        if context.bundled:
            self._judge(context)

    def run(self, context: Context) -> Result:
        import torch

        from drill.lab.sampling import (
            decode,
            decode_sweep,
            initial_latents,
            picture_seeds,
            sweep_scales,
            to_pixels,
        )

        given = context.params
        scales = sorted(set(given["scales"]))
        context.progress(0, given["steps"], "loading the model")
        pipe = context.pipeline()
        judge_code, judge = self._judge(context) if context.bundled else (None, None)
        measures = load_module(Path(__file__).with_name("measures.py"))
        count = given["seeds"]
        attributes = judge.attributes if judge else ATTRIBUTES
        texts = list(given["prompts"]) or measures.fixed_prompts(attributes, count)
        prompts = [texts[k % len(texts)] for k in range(count)]
        seeds = picture_seeds(context.seed, count)
        noise = initial_latents(pipe, seeds)

        def preview(done: int, total: int, clean: Any) -> None:
            context.progress(done, total, f"denoising {len(scales)} scales together")
            small = pipe.unet.config.sample_size * pipe.vae_scale_factor <= SMALL
            every = max(1, total // PREVIEWS)
            if small and done < total and done % every == 0:
                shown = to_pixels(decode(pipe, clean()[:, :2].flatten(0, 1)))
                rows = pictures.to_bytes(shown).reshape(len(scales), -1, *shown.shape[2:], 3)
                picture = pictures.png(pictures.grid(list(rows.swapaxes(0, 1))))
                context.image("sweep", picture, f"after {done} of {total} steps; {columns}")

        columns = "columns: scale " + ", ".join(f"{scale:g}" for scale in scales)
        # Both sets of pictures start from the same noise, and all of them share the batch.
        sweep = sweep_scales(
            pipe, [*prompts, *[given["open_prompt"]] * count], scales, noise.repeat(2, 1, 1, 1),
            given["steps"], rows=self._rows(context), on_step=preview,
        )  # fmt: skip
        decoded = decode_sweep(
            pipe,
            sweep,
            on_batch=lambda done, total: context.progress(done, total, "decoding"),
        )
        pixels = to_pixels(decoded)
        self._show(context, pixels, count, columns)

        context.progress(0, 1, "measuring")
        pipeline = []
        if given["check"]:
            comparison = load_module(Path(__file__).with_name("comparison.py"))
            pipeline = comparison.compare(context, pipe, scales, prompts, noise, pixels)
        metrics: dict[str, Any] = {
            "scales": scales,
            "pictures": count,
            "steps": given["steps"],
            "adherence": None,
            "adherence_interval": None,
            "effective": None,
            "out_of_range": [measures.out_of_range(each) for each in decoded],
            "saturation": [measures.saturation(each[:count]) for each in pixels],
            "std_ratio": sweep.spread.mean(dim=1).tolist(),
            "mean_pixel_distance": [measures.pixel_distance(each[count:]) for each in pixels],
            "denoiser_calls": sweep.calls.float().mean(dim=1).tolist(),
            "evaluations": sweep.evaluations.float().mean(dim=1).tolist(),
            "total_calls": sweep.total_calls,
            "total_evaluations": sweep.total_evaluations,
            "sampling_seconds": sweep.seconds,
            "bundled": context.bundled,
            "float32": pipe.unet.dtype == torch.float32,
            "pipeline": pipeline,
        }
        if judge is not None:
            asked = [measures.wanted(prompt, judge.attributes) for prompt in prompts]
            if all(asked):
                shares = [
                    measures.judged(judge_code, judge, each[:count], asked) for each in pixels
                ]
                metrics["adherence"] = {
                    name: [each[name] for each in shares] for name in (*judge.attributes, "all")
                }
                metrics["adherence_interval"] = [
                    measures.interval(each["all"], count) for each in shares
                ]
            else:
                context.log("adherence is left out: a prompt names nothing that the judge knows")
            seen = [measures.variety(judge_code, judge, each[count:]) for each in pixels]
            metrics["effective"] = {name: [each[name] for each in seen] for name in seen[0]}
        else:
            context.log(
                "adherence and variety are left out: the judge knows the bundled model's "
                "drawings only, not the pictures of another model"
            )
        self._plots(context, metrics)
        context.progress(1, 1, "measuring")
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), transfers(context))

    @staticmethod
    def _judge(context: Context) -> tuple[Any, Any]:
        code = load_module(context.models / "judge.py")
        return code, code.load_judge(context.models / "judge")

    @staticmethod
    def _rows(context: Context) -> int | None:
        return None if context.bundled else ROWS_OF_LARGE.get(context.device, 16)

    @staticmethod
    def _show(context: Context, pixels: Tensor, count: int, columns: str) -> None:
        shown = [*range(count)][:SHOWN_PROMPTS] + [count + k for k in range(count)][:SHOWN_SEEDS]
        rows = [pictures.to_bytes(pixels[:, k]) for k in shown]
        context.image("sweep", pictures.png(pictures.grid(rows, cell=SMALL)), columns)

    @staticmethod
    def _plots(context: Context, metrics: dict[str, Any]) -> None:
        scales = metrics["scales"]

        def series(values: dict[str, list[Any]]) -> dict[str, list[tuple[float, float]]]:
            return {
                label: [(s, v) for s, v in zip(scales, each, strict=True) if v is not None]
                for label, each in values.items()
            }

        if metrics["adherence"]:
            context.plot("adherence", series(metrics["adherence"]), "guidance scale", "share right")
            for scale, value in zip(scales, metrics["adherence"]["all"], strict=True):
                context.metric("adherence", value, scale)
        if metrics["effective"]:
            context.plot(
                "variety", series(metrics["effective"]), "guidance scale", "effective number"
            )
        spread = {"share out of range": metrics["out_of_range"], "std ratio": metrics["std_ratio"]}
        context.plot("spread", series(spread), "guidance scale", "")
        for name in ("out_of_range", "std_ratio"):
            for scale, value in zip(scales, metrics[name], strict=True):
                context.metric(name, value, scale)


ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "shape": ("circle", "square", "triangle", "star", "heart", "cross"),
    "colour": ("red", "orange", "yellow", "green", "blue", "purple", "white", "black"),
    "size": ("small", "large"),
    "background": ("red", "orange", "yellow", "green", "blue", "purple", "white", "black"),
}
"""Words of the fixed prompts where no judge names them."""


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    places = claims.effective(metrics["scales"])
    first, last = places[0], places[-1]
    scales = metrics["scales"]
    parts = []
    values = claims.adherence(metrics)
    if values is not None:
        best = max(places, key=lambda k: values[k])
        told = dict.fromkeys([first, best, last])
        parts.append(
            f"of {metrics['pictures']} pictures all four attributes came out right in "
            + ", ".join(
                f"{values[k]:.0%} at scale {scales[k]:g}{' (the best)' if k == best else ''}"
                for k in told
            )
        )
    share, ratio = metrics["out_of_range"], metrics["std_ratio"]
    if first != last:
        parts.append(
            f"from scale {scales[first]:g} to {scales[last]:g} decoded values out of range went "
            f"from {share[first]:.1%} to {share[last]:.1%} and the std of the guided over the "
            f"conditional prediction from {ratio[first]:.2f} to {ratio[last]:.2f}"
        )
    else:
        parts.append(f"{share[first]:.1%} of the decoded values were out of range")
    calls = {round(metrics["denoiser_calls"][k]) for k in places}
    rows = [round(metrics["evaluations"][k]) for k in places]
    parts.append(
        f"each picture took part in {' or '.join(map(str, sorted(calls)))} denoiser calls and "
        f"{' or '.join(map(str, sorted(set(rows))))} evaluations"
    )
    text = "; ".join(parts) + "."
    return text[0].upper() + text[1:]


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if not context.bundled:
        return Transfers("yes", "It was measured on this very model, with these prompts.")
    return Transfers(
        "yes",
        "In shape: the formula and the counts are the same for every pipeline with classifier-free "
        "guidance. Where adherence peaks differs from model to model (7.5 is habit, not law), a "
        "guidance-distilled model may have no peak, and many steps soften the fall at large "
        "scales.",
    )


EXPERIMENTS = (CfgSweep(),)
