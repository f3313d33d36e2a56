"""unet-vs-dit: two backbones for one task, with the same text, VAE, schedule and noise."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module
from drill.lab.models import ModelError

if TYPE_CHECKING:
    from torch import Tensor

    from drill.lab.denoisers import Denoiser, Text

claims = load_module(Path(__file__).with_name("backbones_claims.py"))

FOLDERS = {"UNet": "shapes", "DiT": "dit"}
SHOWN = 8
PRODUCTS = ("bmm", "baddbmm")
"""Operators of attention's two products when it runs on the plain kernel; projections are mm."""


class UnetVsDit(Experiment):
    name = "unet-vs-dit"
    params = (
        Param("scales", "floats", (1, 5), "guidance scales", 0, 30, most=4),
        Param("pictures", "int", 16, "pictures of each backbone and scale", 2, 256),
        Param("steps", "int", 12, "sampling steps", 2, 100),
        Param(
            "sides", "ints", (8, 16, 32), "sides of the latents whose cost is taken", 4, 64, most=4
        ),
        Param("rounds", "int", 7, "timed rounds at each side", 3, 101),
    )
    claims = claims.CLAIMS
    outcomes = (
        "evaluations_ratio", "dit_growth", "unet_growth", "grows_more", "faster", "follow",
    )  # fmt: skip
    seconds = 120

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        if not context.bundled:
            raise ModelError(
                "unet-vs-dit compares two bundled models that were trained alike, and a model of "
                "your own has no such twin; run it without a model"
            )
        from drill.lab.family import encode_text, load_denoiser

        given = context.params
        context.progress(0, 1, "loading both models")
        both = {name: load_denoiser(context, folder) for name, folder in FOLDERS.items()}
        code = context.module("labs/models/judge.py")
        judge = code.load_judge(context.models / "judge")
        measures = context.module("labs/cfg_reading/measures.py")
        prompts = measures.fixed_prompts(judge.attributes, given["pictures"])
        asked = [measures.wanted(prompt, judge.attributes) for prompt in prompts]
        text, empty = encode_text(context, prompts), encode_text(context, [""])
        sampled, rows = [], []
        for name, denoiser in both.items():
            for scale in sorted(set(given["scales"])):
                pixels, evaluations = self._sample(context, name, denoiser, text, empty, scale)
                shares = measures.judged(code, judge, pixels, asked)
                rows.append(pictures.to_bytes(pixels[:SHOWN]))
                sampled.append(
                    {
                        "name": name,
                        "scale": scale,
                        "evaluations": evaluations,
                        "adherence": shares["all"],
                        "by_attribute": {each: shares[each] for each in judge.attributes},
                    }
                )
                told = "; ".join(f"{each['name']} at {each['scale']:g}" for each in sampled)
                context.image("backbones", pictures.png(pictures.grid(rows)), f"rows: {told}")
        costs = [self._cost(context, both, text[:1], side) for side in sorted(set(given["sides"]))]
        metrics: dict[str, Any] = {
            "parameters": {name: denoiser.parameters for name, denoiser in both.items()},
            "sampled": sampled,
            "costs": costs,
        }
        self._plot(context, costs)
        return Result(
            metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers(context)
        )

    @staticmethod
    def _sample(
        context: Context, name: str, denoiser: Denoiser, text: Text, empty: Text, scale: float
    ) -> tuple[Tensor, float]:
        """Pixels (N, 3, 64, 64), and the evaluations of each picture as counted."""
        from drill.lab.sampling import (
            DenoiserSpy,
            decode,
            initial_latents,
            picture_seeds,
            to_pixels,
        )

        pipe = context.pipeline()
        noise = initial_latents(pipe, picture_seeds(context.seed, len(text)))
        with DenoiserSpy(denoiser.model) as spy:
            latents = denoiser.sample(
                text,
                noise.to(context.device),
                steps=context.params["steps"],
                guidance_scale=scale,
                empty=empty,
                on_step=lambda done, total, _: context.progress(
                    done, total, f"sampling with the {name} at {scale:g}"
                ),
            )
        return to_pixels(decode(pipe, latents)), spy.evaluations / len(text)

    @staticmethod
    def _cost(context: Context, both: dict[str, Denoiser], text: Text, side: int) -> dict[str, Any]:
        """Tokens, FLOPs and attention's share of one evaluation, and the ratio of times."""
        import torch

        from drill.lab.timing import interleaved, ratio

        noisy = torch.randn(1, 4, side, side, generator=torch.Generator().manual_seed(0))
        noisy = noisy.to(context.device)
        calls = {
            name: partial(denoiser.predict, noisy, 500, text) for name, denoiser in both.items()
        }
        counted = {name: flops(call) for name, call in calls.items()}
        times = interleaved(
            calls,
            context.device,
            context.params["rounds"],
            on_call=lambda done, total: context.progress(done, total, f"timing {side} a side"),
        )
        patch = both["DiT"].model.config.patch_size
        return {
            "side": side,
            "tokens": {"UNet": side**2, "DiT": (side // patch) ** 2},
            "flops": {name: total for name, (total, _) in counted.items()},
            "attention": {name: share for name, (_, share) in counted.items()},
            "dit_over_unet": ratio(times, "DiT", "UNet"),
        }

    @staticmethod
    def _plot(context: Context, costs: list[dict[str, Any]]) -> None:
        first = costs[0]
        series = {
            name: [
                (
                    each["tokens"]["DiT"] / first["tokens"]["DiT"],
                    each["flops"][name] / first["flops"][name],
                )
                for each in costs
            ]
            for name in FOLDERS
        }
        series["tokens squared"] = [(x, x * x) for x, _ in series["DiT"]]
        context.plot("growth", series, "times the tokens", "times the FLOPs")


def flops(call: Any) -> tuple[int, float]:
    """FLOPs of a call (a multiplication and an addition are two), and attention's share of them.

    Attention runs on the plain kernel meanwhile, whose products are counted as such: the share is
    that of `q @ k.T` and `weights @ v`, without the projections.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        call()
    found = {str(name): count for name, count in counter.get_flop_counts()["Global"].items()}
    products = sum(count for name, count in found.items() if name.split(".")[-1] in PRODUCTS)
    total = counter.get_total_flops()
    return total, products / total


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the models that were run."""
    return Transfers(
        "unknown",
        "Counts and shares of FLOPs follow from the architecture and can be taken of any model. "
        "Which backbone paints better does not: two small models after minutes of training say "
        "nothing of large ones, where transformers scale better.",
    )


EXPERIMENTS = (UnetVsDit(),)
