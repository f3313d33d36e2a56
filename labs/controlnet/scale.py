"""controlnet-no-op-and-scale: a fresh ControlNet changes nothing; a trained one, by its scale."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("scale_claims.py"))
shared = load_module(Path(__file__).with_name("shared.py"))

SHOWN = 12
COMPARED = 4
"""Pictures of the runs whose latents have to be equal."""
TIMESTEPS = (20, 300, 700, 980)
"""Timesteps at which the fresh ControlNet is tried."""


class ControlNetNoOpAndScale(Experiment):
    name = "controlnet-no-op-and-scale"
    params = (
        Param(
            "scales", "floats", (0.0, 0.5, 1.0, 2.0, 8.0),
            "values of controlnet_conditioning_scale", 0, 16, most=8,
        ),
        Param("guidance", "float", 5.0, "guidance scale", 1, 30),
        Param("pictures", "int", 12, "pictures at each scale, from paired seeds", 6, 96),
        Param("steps", "int", 8, "sampling steps", 4, 100),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = ("fresh", "first_step", "residuals", "wins", "iou_at_most", "parameter_share")
    seconds = 120

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        from diffusers import ControlNetModel

        from drill.lab.family import controlnet_pipeline, unet_pipeline

        shared.only_bundled(context)
        context.progress(0, 1, "loading the models")
        pipe = controlnet_pipeline(context)
        plain = unet_pipeline(context)
        widths = pipe.controlnet.config.conditioning_embedding_out_channels
        fresh = ControlNetModel.from_unet(pipe.unet, conditioning_embedding_out_channels=widths)
        fresh = fresh.to(context.device)
        asked = shared.descriptions(context, context.params["pictures"])
        prompts = shared.captions(context, asked)
        metrics: dict[str, Any] = {
            "parameters": {
                "unet": sum(p.numel() for p in pipe.unet.parameters()),
                "controlnet": sum(p.numel() for p in pipe.controlnet.parameters()),
            },
            "fresh": tried(context, pipe, fresh, prompts[:COMPARED]),
            "first_step": first_gradients(context, pipe.unet, fresh, prompts[:COMPARED]),
            "at_zero": self._at_zero(context, pipe, plain, asked[:COMPARED]),
            "by_scale": self._sweep(context, pipe, asked),
            "pictures": len(asked),
        }
        self._plot(context, metrics["by_scale"])
        return Result(
            metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers(context)
        )

    @staticmethod
    def _at_zero(context: Context, pipe: Any, plain: Any, asked: list[dict[str, str]]) -> float:
        """Largest difference of latents: the ControlNet pipeline at scale 0, and the plain one."""
        from drill.lab.family import control_maps

        prompts = shared.captions(context, asked)
        maps = control_maps(context, [a["shape"] for a in asked], [a["size"] for a in asked])
        guidance = context.params["guidance"]
        found: list[Tensor] = [
            shared.Painter(context, each, 1).paint(prompts, guidance, output="latent", **extra)
            for each, extra in (
                (pipe, {"image": maps, "controlnet_conditioning_scale": 0.0}),
                (plain, {}),
            )
        ]
        return float((found[0] - found[1]).abs().max())

    @staticmethod
    def _sweep(context: Context, pipe: Any, asked: list[dict[str, str]]) -> list[dict[str, Any]]:
        """At each scale: maps of the shape in the prompt, then of another one."""
        from drill.lab.family import control_maps

        sight, given = shared.Sight(context), context.params
        prompts = shared.captions(context, asked)
        sizes = [each["size"] for each in asked]
        others = other_shapes(context, asked)
        fitting = control_maps(context, [each["shape"] for each in asked], sizes)
        conflicting = control_maps(context, [each["shape"] for each in others], sizes)
        scales = sorted(set(given["scales"]))
        painter = shared.Painter(context, pipe, 2 * len(scales) - (0.0 in scales))
        rows = {"fitting": [fitting], "conflict": [conflicting]}
        found: list[dict[str, Any]] = []
        for scale in scales:
            entry: dict[str, Any] = {"scale": scale}
            for name, maps in (("fitting", fitting), ("conflict", conflicting)):
                # At scale 0 the map is not read, so the second picture would be the first.
                if scale > 0 or name == "fitting":
                    pixels = painter.paint(
                        prompts, given["guidance"], image=maps, controlnet_conditioning_scale=scale
                    )
                entry[name] = {
                    "iou": sight.iou(pixels, maps),
                    "colours": sight.share(pixels, asked, "colour", "background"),
                    "shape_of_prompt": sight.share(pixels, asked, "shape"),
                    "shape_of_map": sight.share(pixels, others, "shape"),
                }
                rows[name].append(pixels)
                told = ", ".join(f"{each['scale']:g}" for each in [*found, entry])
                what = "the prompt's shape" if name == "fitting" else "another shape"
                context.image(
                    name,
                    pictures.png(
                        pictures.grid([pictures.to_bytes(each[:SHOWN]) for each in rows[name]])
                    ),
                    f"top: maps of {what}; then pictures at conditioning scale {told}",
                )
            found.append(entry)
        return found

    @staticmethod
    def _plot(context: Context, found: list[dict[str, Any]]) -> None:
        series = {
            "IoU with the map, map fits": [(e["scale"], e["fitting"]["iou"]) for e in found],
            "IoU with the map, conflict": [(e["scale"], e["conflict"]["iou"]) for e in found],
            "shape of the prompt, conflict": [
                (e["scale"], e["conflict"]["shape_of_prompt"]) for e in found
            ],
            "colours of the prompt, conflict": [
                (e["scale"], e["conflict"]["colours"]) for e in found
            ],
        }
        context.plot("scale", series, "conditioning scale", "share or IoU")


def other_shapes(context: Context, asked: list[dict[str, str]]) -> list[dict[str, str]]:
    """For each description another shape, each of the other five in turn."""
    shapes = context.module("labs/models/drawings.py").SHAPES
    return [
        {"shape": shapes[(shapes.index(each["shape"]) + 1 + (k // len(shapes)) % 5) % len(shapes)]}
        for k, each in enumerate(asked)
    ]


def inputs(context: Context, prompts: list[str]) -> tuple[Tensor, Tensor, Tensor]:
    """Noise (N, 4, 8, 8), text states (N, 12, 96) and a map (N, 3, 64, 64) of a square each."""
    import torch

    from drill.lab.family import encode_text

    noise = torch.randn(len(prompts), 4, 8, 8, generator=torch.Generator().manual_seed(0))
    hint = torch.zeros(len(prompts), 3, 64, 64)
    hint[:, :, 16:48, 16:48] = 1
    text = encode_text(context, prompts).states
    return noise.to(context.device), text, hint.to(context.device)


def tried(context: Context, pipe: Any, fresh: Any, prompts: list[str]) -> dict[str, Any]:
    """What a fresh and the trained ControlNet add at scale 1: the largest residual, the largest
    change of the UNet's prediction, and the residuals' shapes beside those of the UNet's skips."""
    import torch

    noisy, text, hint = inputs(context, prompts)
    found: dict[str, Any] = {}
    with torch.no_grad():
        for name, controlnet in (("fresh", fresh), ("trained", pipe.controlnet)):
            largest = moved = 0.0
            for t in TIMESTEPS:
                down, middle = controlnet(noisy, t, text, hint, return_dict=False)
                usual = pipe.unet(noisy, t, text).sample
                changed = pipe.unet(
                    noisy, t, text,
                    down_block_additional_residuals=down, mid_block_additional_residual=middle,
                ).sample  # fmt: skip
                largest = max(largest, *(float(r.abs().max()) for r in [*down, middle]))
                moved = max(moved, float((changed - usual).abs().max()))
            found[name] = {"largest_residual": largest, "moved": moved}
    found["down"] = [list(each.shape[1:]) for each in down]
    found["middle"] = list(middle.shape[1:])
    found["skips"], found["bottom"] = skip_shapes(pipe.unet, noisy, text)
    return found


def skip_shapes(unet: Any, noisy: Tensor, text: Tensor) -> tuple[list[list[int]], list[int]]:
    """Shapes (C, H, W) of what the UNet's encoder hands to its decoder, and of its middle."""
    skips: list[list[int]] = []
    bottom: list[int] = []
    handles = [
        unet.conv_in.register_forward_hook(lambda m, i, out: skips.append(list(out.shape[1:]))),
        unet.mid_block.register_forward_hook(lambda m, i, out: bottom.extend(list(out.shape[1:]))),
        *(
            block.register_forward_hook(
                lambda m, i, out: skips.extend(list(each.shape[1:]) for each in out[1])
            )
            for block in unet.down_blocks
        ),
    ]
    unet(noisy, 500, text)
    for handle in handles:
        handle.remove()
    return skips, bottom


def first_gradients(
    context: Context, unet: Any, fresh: Any, prompts: list[str], steps: int = 4
) -> dict[str, int | None]:
    """The optimiser step, from 1, at which a part of a fresh ControlNet first gets a gradient that
    is not zero. The UNet is frozen, the update plain SGD."""
    import torch

    noisy, text, hint = inputs(context, prompts)
    target = torch.randn(noisy.shape, generator=torch.Generator().manual_seed(1)).to(noisy.device)
    parts = {
        "zero convolutions": fresh.controlnet_down_blocks,
        "copied blocks": fresh.down_blocks,
        "last layer of the hint encoder": fresh.controlnet_cond_embedding.conv_out,
        "first layer of the hint encoder": fresh.controlnet_cond_embedding.conv_in,
    }
    first: dict[str, int | None] = dict.fromkeys(parts)
    fresh.requires_grad_(True)
    optimiser = torch.optim.SGD(fresh.parameters(), lr=0.1)
    for step in range(1, steps + 1):
        down, middle = fresh(noisy, 500, text, hint, return_dict=False)
        predicted = unet(
            noisy, 500, text,
            down_block_additional_residuals=down, mid_block_additional_residual=middle,
        ).sample  # fmt: skip
        optimiser.zero_grad()
        (predicted - target).square().mean().backward()
        for name, part in parts.items():
            found = max(float(p.grad.abs().max()) for p in part.parameters() if p.grad is not None)
            if first[name] is None and found > 0:
                first[name] = step
        optimiser.step()
    fresh.requires_grad_(False)
    return first


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    return Transfers(
        "yes",
        "Zero convolutions, the order of first gradients and one residual for each skip follow "
        "from the class: Stable Diffusion 1.5 has 12 and one for the middle. Which scale is enough "
        "and which one spoils colours was found on this model and differs from one to the next.",
    )


EXPERIMENTS = (ControlNetNoOpAndScale(),)
