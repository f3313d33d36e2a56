"""zero-terminal-snr: how dark and how bright a model paints, with a leaky and a mended table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module
from drill.lab.models import ModelError

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("zero_snr_claims.py"))
brightness = load_module(Path(__file__).with_name("brightness.py"))

SHOWN = 8
"""Pictures a row of the final grid."""
CONDITIONS = {
    "leaky epsilon": ("targets/epsilon", "trailing"),
    "leaky v": ("targets/v", "trailing"),
    "zero-SNR v": ("targets/v-zero-snr", "trailing"),
    "zero-SNR v (leading)": ("targets/v-zero-snr", "leading"),
}
"""What is compared: a model, and the spacing of its steps. `trailing` starts at t=999."""


class ZeroTerminalSnr(Experiment):
    name = "zero-terminal-snr"
    params = (
        Param("pictures", "int", 24, "pictures for each ground, and of the empty prompt", 8, 256),
        Param("steps", "int", 20, "DDIM steps", 4, 100),
        Param("guidance_scale", "float", 1.0, "of the pictures with a prompt", 1, 20),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "widest_range", "first_follows", "eps_at_zero_snr", "range_leaky", "range_zero_snr",
    )  # fmt: skip
    seconds = 240

    def warm(self, context: Context) -> None:
        if context.bundled:
            from drill.lab.family import load_denoiser

            load_denoiser(context, "targets/v")

    def run(self, context: Context) -> Result:
        from drill.lab.family import encode_text, load_denoiser
        from drill.lab.sampling import initial_latents, picture_seeds

        if not context.bundled:
            raise ModelError(
                "zero-terminal-snr compares two small models that were trained alike but for the "
                "noise table; with a single model of your own there is no second one. Run it "
                "without --model, or run snr-schedules with your model to see what its table leaves"
            )
        given, count = context.params, context.params["pictures"]
        context.progress(0, 1, "loading the models")
        pipe = context.pipeline()
        scenes = brightness.scenes(context, count)
        reference = brightness.reference(context, pipe, scenes)
        text = encode_text(context, [scene.caption for scene in scenes])
        empty = encode_text(context, [""])
        # Each ground, and the empty prompt, starts from the same noise.
        noise = initial_latents(pipe, picture_seeds(context.seed, count)).to(context.device)
        amplitude = brightness.leaked_amplitude(context)
        shift = reference.leak * amplitude
        rows, shown = [], [pictures.to_bytes(reference.pixels(SHOWN))]
        for done, (label, (name, spacing)) in enumerate(CONDITIONS.items()):
            context.progress(done, len(CONDITIONS), "painting on black and on white")
            model = brightness.with_spacing(load_denoiser(context, name), spacing)
            painted = brightness.paint(
                context, pipe, model, text, empty, noise, given["steps"], given["guidance_scale"]
            )
            asked = (pipe, model, empty)
            first = brightness.moved(
                lambda x, a=asked: brightness.first_estimate(*a, x, given["steps"]), noise, shift
            )
            run = brightness.moved(
                lambda x, a=asked: brightness.unprompted(context, *a, x, given["steps"]),
                noise,
                shift,
            )
            row = brightness.row(label, painted, first, run, reference)
            row["signal_at_last"] = float(model.signal_levels()[-1])
            rows.append(row)
            shown.append(pictures.to_bytes(painted.pixels(SHOWN)))
            self._show(context, shown)
        context.progress(len(CONDITIONS), len(CONDITIONS), "painting on black and on white")
        metrics = {
            "rows": rows,
            "pictures": count,
            "steps": given["steps"],
            "guidance_scale": given["guidance_scale"],
            "reference": reference.summary(),
            "leaked_amplitude": amplitude,
            "eps_not_finite": self._eps_at_zero_snr(context, text, noise, given["steps"]),
        }
        self._plot(context, metrics)
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), TRANSFERS)

    @staticmethod
    def _eps_at_zero_snr(context: Context, text: Any, noise: Tensor, steps: int) -> float:
        """Share of latents that are not finite when the epsilon model runs on the mended table."""
        from diffusers import DDIMScheduler

        from drill.lab.family import load_denoiser

        model = load_denoiser(context, "targets/epsilon")
        mended = DDIMScheduler.from_config(
            model.scheduler.config, rescale_betas_zero_snr=True, timestep_spacing="trailing"
        )
        few = min(4, len(noise))
        latents = replace(model, scheduler=mended).sample(text[:few], noise[:few], steps=steps)
        return float((~latents.isfinite()).float().mean())

    @staticmethod
    def _show(context: Context, shown: list[Any]) -> None:
        rows = "; ".join(["drawings", *CONDITIONS][: len(shown)])
        caption = f"left half on black, right half on white; rows: {rows}"
        context.image("grounds", pictures.png(pictures.grid(shown)), caption)

    @staticmethod
    def _plot(context: Context, metrics: dict[str, Any]) -> None:
        places = range(len(metrics["rows"]))
        for ground in ("black", "white"):
            context.plot(
                f"{ground} ground",
                {
                    "measured": [(k, metrics["rows"][k][ground]["mean"]) for k in places],
                    "drawings": [(k, metrics["reference"][ground]["mean"]) for k in places],
                },
                "; ".join(f"{k} {row['label']}" for k, row in enumerate(metrics["rows"])),
                "brightness before clipping, 0 black to 1 white",
            )  # fmt: skip


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    real = metrics["reference"]
    grounds = ", ".join(
        f"{row['label']} {row['black']['mean']:.3f} and {row['white']['mean']:.3f}"
        for row in metrics["rows"]
    )
    moved = ", ".join(
        f"{row['label']} {row['first_moved'][0]:+.3f} and {row['run_moved'][0]:+.3f}"
        for row in metrics["rows"]
    )
    return (
        f"Brightness of grounds asked for as black and as white: drawings "
        f"{real['black']['mean']:.3f} and {real['white']['mean']:.3f}, {grounds}. The starting "
        f"noise moved from what black leaves in x_T to what white leaves moves the first x_0, and "
        f"the picture that a run without prompt ends in, by: {moved}. With eps on the mended table "
        f"{metrics['eps_not_finite']:.0%} of the values are not finite."
    )


TRANSFERS = Transfers(
    "unknown",
    "That eps cannot start at zero SNR, and that a model reads the mean of x_T, holds for every "
    "size. What it costs does not carry over: here the mean of a channel's 64 values has "
    "noise of .125, twice the leak, and the prompt names the ground; at 64x64 its noise is .016. "
    "The loss of range that is reported for Stable Diffusion was not measured here.",
)

EXPERIMENTS = (ZeroTerminalSnr(),)
