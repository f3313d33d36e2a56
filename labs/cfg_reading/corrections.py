"""cfg-rescale-and-interval: what mends strong guidance, and what it costs or saves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import (
    Context,
    Experiment,
    Param,
    ParamError,
    Result,
    Transfers,
    pictures,
)
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("corrections_claims.py"))

SHOWN = 6
LIBRARY_PICTURES = 4
ROWS_OF_LARGE = {"cpu": 4}


def window_of(text: str, steps: int) -> range:
    """The guided steps of `0.2-0.8`: shares of the run, 0 at pure noise; raises ParamError."""
    first, dash, last = text.partition("-")
    try:
        low, high = float(first), float(last)
    except ValueError:
        low, high = 1.0, 0.0
    if not dash or not 0 <= low < high <= 1:
        raise ParamError(f"windows: {text!r} is not taken; give shares of the run such as 0-0.4")
    return range(round(low * steps), round(high * steps))


class RescaleAndInterval(Experiment):
    name = "cfg-rescale-and-interval"
    params = (
        Param("scale", "float", 20.0, "guidance scale, strong enough to do damage", 1.5, 50),
        Param("rescales", "floats", (0, 0.5, 1), "values of guidance_rescale", 0, 1, most=8),
        Param(
            "windows", "texts", ("0-0.4", "0.4-1", "0.2-0.8"),
            "shares of the run in which guidance is on; 0 is pure noise", least=0, most=8,
        ),
        Param("pictures", "int", 32, "pictures of each setting, from paired seeds", 2, 256),
        Param("steps", "int", 12, "sampling steps", 5, 200),
        Param("check", "bool", True, "also call the pipeline itself and compare"),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "falls", "std_at_1", "least_out_of_range", "window_evaluations", "saved", "best_window",
    )  # fmt: skip
    seconds = 240

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        import torch

        from drill.lab.guided import encode_texts, guided_sample
        from drill.lab.sampling import decode, initial_latents, picture_seeds, to_pixels

        given = context.params
        steps, count = given["steps"], given["pictures"]
        settings = _settings(given)
        context.progress(0, len(settings), "loading the model")
        pipe = context.pipeline()
        measures = load_module(Path(__file__).with_name("measures.py"))
        words = load_module(Path(__file__).with_name("experiment.py")).ATTRIBUTES
        code = context.module("labs/models/judge.py") if context.bundled else None
        judge = code.load_judge(context.models / "judge") if code else None
        prompts = measures.fixed_prompts(words, count)
        asked = [measures.wanted(prompt, words) for prompt in prompts]
        noise = initial_latents(pipe, picture_seeds(context.seed, count))
        text, empty = encode_texts(pipe, prompts), encode_texts(pipe, [""])
        rows = None if context.bundled else ROWS_OF_LARGE.get(context.device, 16)
        found: list[dict[str, Any]] = []
        shown: list[Tensor] = []

        def stepped(done: int, total: int) -> None:
            label = f"sampling with {settings[len(found)]['label']}"
            context.progress(len(found) + done / total, len(settings), label)

        for setting in settings:
            made = guided_sample(
                pipe, text, empty, noise, steps, setting["scale"], rescale=setting["rescale"],
                window=setting["window"], rows=rows, on_step=stepped,
            )  # fmt: skip
            decoded = decode(pipe, made.latents)
            pixels = to_pixels(decoded)
            shown.append(pixels)
            window = setting["window"]
            right = measures.judged(code, judge, pixels, asked)["all"] if judge else None
            found.append(
                {
                    "label": setting["label"],
                    "kind": setting["kind"],
                    "rescale": setting["rescale"],
                    "window": None if window is None else [window.start, window.stop],
                    "calls": made.calls,
                    "evaluations": made.evaluations,
                    "spread": made.spread,
                    "latent_std": float(made.latents.std()),
                    "out_of_range": measures.out_of_range(decoded),
                    "saturation": measures.saturation(pixels),
                    "adherence": right,
                }
            )
            self._show(context, shown, found)
        library = []
        if given["check"]:
            kept = {entry["label"]: pixels for entry, pixels in zip(found, shown, strict=True)}
            library = self._library(context, pipe, settings, prompts, noise, kept)
        metrics: dict[str, Any] = {
            "scale": given["scale"],
            "steps": steps,
            "pictures": count,
            "settings": found,
            "library": library,
            "bundled": context.bundled,
            "float32": pipe.unet.dtype == torch.float32,
        }
        self._plot(context, found)
        return Result(
            metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers(context)
        )

    @staticmethod
    def _library(
        context: Context,
        pipe: Any,
        settings: list[dict[str, Any]],
        prompts: list[str],
        noise: Tensor,
        kept: dict[str, Tensor],
    ) -> list[dict[str, Any]]:
        """The pipeline's own `guidance_rescale` and cut-off callback against the same settings."""
        from diffusers import DDIMScheduler
        from diffusers.callbacks import SDCFGCutoffCallback

        from drill.lab.sampling import DenoiserSpy

        steps = context.params["steps"]
        found: list[dict[str, Any]] = []
        usual = pipe.scheduler
        pipe.scheduler = DDIMScheduler.from_config(usual.config)
        try:
            for setting in settings:
                window = setting["window"]
                call: dict[str, Any] = {"guidance_rescale": setting["rescale"]}
                # The callback keeps the last row of the text states: it serves one picture a call.
                size = min(LIBRARY_PICTURES, len(prompts)) if window is None else 1
                if window is not None:
                    if window.start > 0 or window.stop >= steps:
                        continue
                    call["callback_on_step_end"] = SDCFGCutoffCallback(
                        cutoff_step_ratio=None, cutoff_step_index=window.stop - 1
                    )
                context.progress(len(found), len(settings), "comparing with the pipeline itself")
                with DenoiserSpy(pipe.unet) as spy:
                    made = pipe(
                        prompts[:size], num_inference_steps=steps, output_type="pt",
                        guidance_scale=setting["scale"],
                        latents=noise[:size].to(pipe.unet.device, pipe.unet.dtype), **call,
                    )  # fmt: skip
                apart = (made.images.float().cpu() - kept[setting["label"]][:size]).abs()
                found.append(
                    {
                        "label": setting["label"],
                        "evaluations": spy.evaluations / size,
                        "difference": float(apart.max()),
                    }
                )
        finally:
            pipe.scheduler = usual
        return found

    @staticmethod
    def _show(context: Context, shown: list[Tensor], found: list[dict[str, Any]]) -> None:
        rows = [pictures.to_bytes(pixels[:SHOWN]) for pixels in shown]
        labels = "; ".join(entry["label"] for entry in found)
        context.image("settings", pictures.png(pictures.grid(rows, cell=128)), f"rows: {labels}")

    @staticmethod
    def _plot(context: Context, found: list[dict[str, Any]]) -> None:
        rescaled = claims.rescales(found)
        series = {
            label: [(each["rescale"], each[name]) for each in rescaled]
            for label, name in (
                ("std of guided over conditional", "spread"),
                ("share out of range", "out_of_range"),
                ("share right", "adherence"),
            )
            if rescaled and rescaled[0][name] is not None
        }
        context.plot("rescale", series, "guidance_rescale", "")


def _settings(given: Any) -> list[dict[str, Any]]:
    """What is sampled: no guidance, the scale with each rescale, and with each window."""
    scale, steps = given["scale"], given["steps"]
    off = {"label": "scale 1", "kind": "off", "scale": 1.0, "rescale": 0.0, "window": None}
    settings = [off]
    for value in sorted({0.0, *given["rescales"]}):
        label = f"rescale {value:g}"
        settings.append(
            {"label": label, "kind": "rescale", "scale": scale, "rescale": value, "window": None}
        )
    for text in dict.fromkeys(given["windows"]):
        settings.append(
            {
                "label": f"window {text}",
                "kind": "window",
                "scale": scale,
                "rescale": 0.0,
                "window": window_of(text, steps),
            }
        )
    return settings


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if not context.bundled:
        return Transfers("yes", "It was measured on this very model, with these prompts.")
    return Transfers(
        "yes",
        "The counts and the std at a rescale of 1 are arithmetic. How much of the damage is "
        "mended, and which part of the run needs guidance, has to be measured on each model.",
    )


EXPERIMENTS = (RescaleAndInterval(),)
