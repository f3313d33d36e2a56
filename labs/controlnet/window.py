"""control-window: when control acts, what it costs, and which half of the batch it is given to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("window_claims.py"))
shared = load_module(Path(__file__).with_name("shared.py"))

SHOWN = 12
COMPARED = 6
"""Pictures of the empty prompt."""


class ControlWindow(Experiment):
    name = "control-window"
    params = (
        Param("share", "float", 0.25, "share of the steps in a window", 0.1, 0.5),
        Param("scale", "float", 1.0, "controlnet_conditioning_scale", 0.1, 4),
        Param("guidance", "float", 5.0, "guidance scale", 1.5, 30),
        Param("pictures", "int", 12, "pictures of each window, from paired seeds", 6, 96),
        Param("steps", "int", 8, "sampling steps", 4, 100),
        Param("rounds", "int", 9, "timed rounds", 3, 101),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "calls", "better_window", "fewest_right", "guess_rows", "guided_control", "time_ratio",
    )  # fmt: skip
    seconds = 120

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        from drill.lab.family import control_maps, controlnet_pipeline

        shared.only_bundled(context)
        context.progress(0, 1, "loading the models")
        given, pipe = context.params, controlnet_pipeline(context)
        asked = shared.descriptions(context, given["pictures"])
        maps = control_maps(context, [a["shape"] for a in asked], [a["size"] for a in asked])
        metrics: dict[str, Any] = {
            "steps": given["steps"],
            "share": given["share"],
            "pictures": len(asked),
            "windows": self._windows(context, pipe, asked, maps),
            "empty": self._empty(context, pipe, maps[:COMPARED]),
            "guidance": given["guidance"],
            "time_ratio": self._time(context, pipe, maps[:1]),
        }
        return Result(
            metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers(context)
        )

    @staticmethod
    def _windows(
        context: Context, pipe: Any, asked: list[dict[str, str]], maps: Tensor
    ) -> list[dict[str, Any]]:
        """IoU with the map, and calls of both networks, by the window that control acts in."""
        from drill.lab.sampling import DenoiserSpy

        given, sight = context.params, shared.Sight(context)
        share = given["share"]
        variants: dict[str, dict[str, float]] = {
            claims.NEVER: {"controlnet_conditioning_scale": 0.0},
            claims.FIRST: {"control_guidance_end": share},
            claims.LAST: {"control_guidance_start": 1 - share},
            claims.ALWAYS: {},
        }
        painter = shared.Painter(context, pipe, len(variants))
        prompts, found = shared.captions(context, asked), []
        rows = [maps]
        for name, arguments in variants.items():
            settings = {"controlnet_conditioning_scale": given["scale"], **arguments}
            with DenoiserSpy(pipe.controlnet) as control, DenoiserSpy(pipe.unet) as unet:
                pixels = painter.paint(prompts, given["guidance"], image=maps, **settings)
            found.append(
                {
                    "name": name,
                    "iou": sight.iou(pixels, maps),
                    "right": sight.share(pixels, asked, *shared.ATTRIBUTES),
                    "controlnet_calls": control.calls,
                    "unet_calls": unet.calls,
                }
            )
            rows.append(pixels)
            told = ", ".join(each["name"] for each in found)
            context.image(
                "windows",
                pictures.png(pictures.grid([pictures.to_bytes(each[:SHOWN]) for each in rows])),
                f"top: maps; then control in {told}",
            )
        context.plot(
            "windows",
            {"IoU with the map": [(k, each["iou"]) for k, each in enumerate(found)]},
            "control in: " + ", ".join(f"{k} {each['name']}" for k, each in enumerate(found)),
            "IoU",
        )
        return found

    @staticmethod
    def _empty(context: Context, pipe: Any, maps: Tensor) -> dict[str, dict[str, float]]:
        """With the empty prompt: how far guidance moves latents, and the ControlNet's rows."""
        from drill.lab.sampling import DenoiserSpy

        given = context.params
        painter = shared.Painter(context, pipe, 3)
        settings = {"image": maps, "controlnet_conditioning_scale": given["scale"]}
        prompts = [""] * len(maps)
        plain = painter.paint(prompts, 1.0, output="latent", **settings)
        found = {}
        for name, guess in ((claims.BOTH, False), (claims.GUESS, True)):
            with DenoiserSpy(pipe.controlnet) as control, DenoiserSpy(pipe.unet) as unet:
                guided = painter.paint(
                    prompts, given["guidance"], output="latent", guess_mode=guess, **settings
                )
            found[name] = {
                "moved": float((guided - plain).square().mean().sqrt()),
                "controlnet_rows": control.evaluations / given["steps"] / len(maps),
                "unet_rows": unet.evaluations / given["steps"] / len(maps),
            }
        return found

    @staticmethod
    def _time(context: Context, pipe: Any, hint: Tensor) -> float:
        """Time of a guided step with the ControlNet over that of the UNet alone."""
        import torch

        from drill.lab.family import encode_text
        from drill.lab.timing import interleaved, ratio

        text = encode_text(context, ["", "a red star"]).states
        noisy = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
        noisy, hint = noisy.to(context.device), torch.cat([hint, hint])

        def alone() -> None:
            with torch.inference_mode():
                pipe.unet(noisy, 500, text)

        def controlled() -> None:
            with torch.inference_mode():
                down, middle = pipe.controlnet(noisy, 500, text, hint, return_dict=False)
                pipe.unet(
                    noisy, 500, text,
                    down_block_additional_residuals=down, mid_block_additional_residual=middle,
                )  # fmt: skip

        times = interleaved(
            {"alone": alone, "controlled": controlled}, context.device, context.params["rounds"],
            on_call=lambda done, total: context.progress(done, total, "timing a step"),
        )  # fmt: skip
        return ratio(times, "controlled", "alone")


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    return Transfers(
        "yes",
        "Calls outside the window, the halved rows of guess mode and guidance that cannot amplify "
        "what both halves were given follow from the pipeline's loop. How much the first steps "
        "settle, and the ratio of times, belong to this model and this machine.",
    )


EXPERIMENTS = (ControlWindow(),)
