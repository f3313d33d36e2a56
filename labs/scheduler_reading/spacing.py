"""timestep-spacing: leading, linspace and trailing at few steps; one word, many lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module

claims = load_module(Path(__file__).with_name("spacing_claims.py"))

FINE = 40
"""Even steps of the reference, which makes 24 more at the end."""
SHOWN = 8


class TimestepSpacing(Experiment):
    name = "timestep-spacing"
    params = (
        Param("steps", "ints", (2, 3, 10), "steps of a run", low=2, high=100, most=5),
        Param(
            "schedulers", "texts", ("ddim", "euler"), "schedulers that run",
            choices=("ddim", "euler", "dpm++2m"), most=3,
        ),
        Param("pictures", "int", 12, "pictures of each run, the same noise in all", 1, 128),
        Param("guidance_scale", "float", 1, "above 1 the picture is guided, twice the cost", 0, 20),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "nearest_at_fewest", "nearest_at_most", "worst_for_ddim", "first_leading",
        "first_trailing", "sees_the_noisy_end",
    )  # fmt: skip
    seconds = 240

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        from drill.lab.sampling import decode, initial_latents, picture_seeds, to_pixels
        from drill.lab.trajectory import prepare_texts

        solvers = load_module(Path(__file__).with_name("solvers.py"))
        jury_code = load_module(Path(__file__).with_name("judging.py"))
        given = context.params
        context.progress(0, 1, "loading the model")
        pipe = context.pipeline()
        count = given["pictures"]
        jury = jury_code.Jury(context, count)
        texts = prepare_texts(pipe, jury.prompts, given["guidance_scale"])
        noise = initial_latents(pipe, picture_seeds(context.seed, count))
        counts = sorted(set(given["steps"]))
        names = list(dict.fromkeys(given["schedulers"]))

        fine = solvers.reference(
            pipe, texts, noise, FINE,
            on_step=lambda done, total, _: context.progress(done, total, "the fine reference"),
        )  # fmt: skip
        true = to_pixels(decode(pipe, fine.latents))
        runs, rows = [], [pictures.to_bytes(true[:SHOWN])]
        jobs = [(n, s, kind) for n in names for s in counts for kind in claims.SPACINGS]
        for done, (name, steps, spacing) in enumerate(jobs):
            context.progress(done, len(jobs), f"{name}, {steps} steps, {spacing}")
            made = solvers.run(
                pipe, name, steps, texts, noise, timestep_spacing=spacing,
                on_step=lambda done, total, latents: context.check(),
            )  # fmt: skip
            pixels = to_pixels(decode(pipe, made.latents))
            if steps == counts[0]:
                rows.append(pictures.to_bytes(pixels[:SHOWN]))
            runs.append(
                {
                    "scheduler": name,
                    "steps": steps,
                    "spacing": spacing,
                    "distance": solvers.distance(made.latents, fine.latents),
                    "final_std": float(made.latents.std()),
                    "adherence": jury.right(pixels),
                    "brightness": float(pixels.mean()),
                    "contrast": float(pixels.flatten(1).std(dim=1).mean()),
                }
            )
            context.metric(f"distance, {name}, {spacing}", runs[-1]["distance"], steps)
        metrics: dict[str, Any] = {
            "steps": counts,
            "pictures": count,
            "guidance_scale": given["guidance_scale"],
            "lists": self._lists(solvers, pipe, counts),
            "alphas_cumprod": _table(pipe),
            "runs": runs,
            "reference": {
                "final_std": float(fine.latents.std()),
                "adherence": jury.right(true),
                "evaluations": fine.evaluations,
            },
            "bundled": context.bundled,
        }
        self._plots(context, metrics)
        context.image(
            "spacing", pictures.png(pictures.grid(rows, cell=96)),
            f"first row: the reference; then at {counts[0]} steps: "
            + ", ".join(f"{name} {kind}" for name in names for kind in claims.SPACINGS),
        )  # fmt: skip
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), transfers(context))

    @staticmethod
    def _lists(solvers: Any, pipe: Any, counts: list[int]) -> dict[str, Any]:
        """The timesteps that each class makes of each word, by class, spacing and steps."""
        lists: dict[str, Any] = {}
        for name in claims.LISTED:
            lists[name] = {
                kind: {
                    str(steps): _timesteps(solvers.make(pipe, name, steps, timestep_spacing=kind))
                    for steps in counts
                }
                for kind in claims.SPACINGS
            }
        return lists

    @staticmethod
    def _plots(context: Context, metrics: dict[str, Any]) -> None:
        for name in dict.fromkeys(each["scheduler"] for each in metrics["runs"]):
            series = {
                kind: [
                    (each["steps"], each["distance"])
                    for each in metrics["runs"]
                    if each["scheduler"] == name and each["spacing"] == kind
                ]
                for kind in claims.SPACINGS
            }
            context.plot(f"distance, {name}", series, "steps", "distance to the reference")


def _timesteps(scheduler: Any) -> list[float]:
    return [round(float(t), 2) for t in scheduler.timesteps]


def _table(pipe: Any) -> list[float]:
    """alphas_cumprod of the model, [1000]."""
    return [float(each) for each in pipe.scheduler.alphas_cumprod]


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    few, many = metrics["steps"][0], metrics["steps"][-1]
    parts = []
    for steps in dict.fromkeys((few, many)):
        for name in dict.fromkeys(each["scheduler"] for each in metrics["runs"]):
            row = claims.distances(metrics, name, steps)
            shown = ", ".join(f"{kind} {value:.3f}" for kind, value in row.items())
            parts.append(f"{name} at {steps} steps: {shown}")
    return f"Distance to the reference, {'; '.join(parts)}."


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if context.model:
        return Transfers("yes", "It was measured on this very model, with these prompts.")
    return Transfers(
        "unknown",
        "The lists of timesteps are code and hold everywhere. Which spacing comes nearest at few "
        "steps depends on the model: on what the level at 999 tells it (trailing shows it, leading "
        "does not) and on how much it still has to do near 0 (the other way round).",
    )


EXPERIMENTS = (TimestepSpacing(),)
