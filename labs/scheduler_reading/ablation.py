"""missing-scale-model-input: Euler without its input's scaling, its start's, or both."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module

claims = load_module(Path(__file__).with_name("ablation_claims.py"))

ARMS: dict[str, tuple[bool, bool]] = {
    "right": (True, True),
    "no scale_model_input": (False, True),
    "no init_noise_sigma": (True, False),
    "neither": (False, False),
}
"""Name to (whether the denoiser's input is scaled, whether the noise at the start is)."""
CONTROL = 4
"""Pictures of the control with DDIM, whose result must not change at all."""
SHOWN = 8


class MissingScaleModelInput(Experiment):
    name = "missing-scale-model-input"
    params = (
        Param("steps", "int", 20, "sampling steps", 2, 200),
        Param("pictures", "int", 20, "pictures of each arm, the same noise in all", 2, 128),
        Param("guidance_scale", "float", 1, "above 1 the picture is guided, twice the cost", 0, 20),
        Param(
            "spacing", "text", "trailing", "timestep_spacing of Euler",
            choices=("leading", "linspace", "trailing"),
        ),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = ("comes_out", "harms", "std_ratio", "first_input_std", "warnings", "ddim_changes")
    seconds = 240

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        from drill.lab.sampling import decode, initial_latents, picture_seeds, to_pixels
        from drill.lab.trajectory import denoise, prepare_texts

        solvers = load_module(Path(__file__).with_name("solvers.py"))
        jury_code = load_module(Path(__file__).with_name("judging.py"))
        given = context.params
        context.progress(0, 1, "loading the model")
        pipe = context.pipeline()
        count = given["pictures"]
        jury = jury_code.Jury(context, count)
        texts = prepare_texts(pipe, jury.prompts, given["guidance_scale"])
        noise = initial_latents(pipe, picture_seeds(context.seed, count))

        found: dict[str, dict[str, Any]] = {}
        rows, right = [], None
        for name, (scale_input, scale_start) in ARMS.items():
            scheduler = solvers.make(
                pipe, "euler", given["steps"], timestep_spacing=given["spacing"]
            )  # fmt: skip
            first = noise * float(scheduler.init_noise_sigma) if scale_start else noise
            with _warnings(scheduler) as said:
                made = denoise(
                    pipe, scheduler, texts, first, scale_input=scale_input,
                    on_step=_reporter(context, name),
                )  # fmt: skip
            pixels = to_pixels(decode(pipe, made.latents))
            rows.append(pictures.to_bytes(pixels[:SHOWN]))
            right = made.latents if right is None else right
            share = jury.right(pixels)
            found[name] = {
                "input_std": list(made.input_std),
                "latent_std": list(made.latent_std),
                "final_std": float(made.latents.std()),
                "contrast": float(pixels.flatten(1).std(dim=1).mean()),
                "distance": solvers.distance(made.latents, right),
                "adherence": share,
                "adherence_interval": None if share is None else jury.interval(share, count),
                "warnings": len(said),
            }
            if share is not None:
                context.metric(f"adherence, {name}", share)
        control = self._control(context, solvers, pipe, texts.first(CONTROL), noise[:CONTROL])
        metrics: dict[str, Any] = {
            "steps": given["steps"],
            "pictures": count,
            "guidance_scale": given["guidance_scale"],
            "spacing": given["spacing"],
            "first_sigma": float(scheduler.sigmas[0]),
            "arms": found,
            "ddim_changed_by": control,
            "bundled": context.bundled,
        }
        context.plot(
            "shown to the denoiser",
            {name: list(enumerate(each["input_std"], start=1)) for name, each in found.items()},
            "call", "standard deviation",
        )  # fmt: skip
        context.image(
            "ablation", pictures.png(pictures.grid(rows, cell=96)), "rows: " + ", ".join(ARMS)
        )
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), transfers(context))

    @staticmethod
    def _control(context: Context, solvers: Any, pipe: Any, texts: Any, noise: Any) -> float:
        """How far DDIM's result moves when both scalings are left out."""
        from drill.lab.trajectory import denoise

        results = []
        for kept in (True, False):
            scheduler = solvers.make(pipe, "ddim", context.params["steps"])
            first = noise * float(scheduler.init_noise_sigma) if kept else noise
            made = denoise(
                pipe, scheduler, texts, first, scale_input=kept,
                on_step=_reporter(context, "DDIM as a control"),
            )  # fmt: skip
            results.append(made.latents)
        return float(solvers.distance(results[1], results[0]))


def _reporter(context: Context, label: str) -> Any:
    def report(done: int, total: int, latents: Any) -> None:
        context.progress(done, total, label)

    return report


@contextmanager
def _warnings(scheduler: Any) -> Iterator[list[str]]:
    """What the scheduler's module warns of meanwhile; kept from the terminal."""
    said: list[str] = []
    logger = logging.getLogger(type(scheduler).__module__)
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    before = logger.propagate, logger.level
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.propagate, logger.level = before


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    arms = metrics["arms"]
    right, wrong = arms["right"], arms["no scale_model_input"]
    text = (
        f"Without scale_model_input the denoiser is first shown latents of std "
        f"{wrong['input_std'][0]:.1f} in place of {right['input_std'][0]:.1f}, nothing raises, and "
        f"the final latents have std {wrong['final_std']:.2f} in place of {right['final_std']:.2f}"
    )
    if right["adherence"] is not None:
        text += (
            f"; all four attributes are right in {wrong['adherence']:.0%} of the pictures in place "
            f"of {right['adherence']:.0%}"
        )
    return text + "."


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if context.model:
        return Transfers("yes", "It was measured on this very model, with these prompts.")
    return Transfers(
        "unknown",
        "The wrong standard deviations and the silence hold for every model. What a network makes "
        "of them is its own: this one begins its blocks with GroupNorm, which divides the scale "
        "out, and still loses the shapes; an exact denoiser of Gaussian data collapses altogether.",
    )


EXPERIMENTS = (MissingScaleModelInput(),)
