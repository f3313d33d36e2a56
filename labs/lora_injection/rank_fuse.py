"""lora-rank-and-fuse: a trained LoRA at several scales and ranks, beside the weights and fused."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, Result, Transfers
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("rank_fuse_claims.py"))
studio_code = load_module(Path(__file__).with_name("studio.py"))

TIMED_ROWS = (2, 8)
"""Rows of a timed call: one guided picture, and four."""
DTYPES = ("float32", "bfloat16", "float16")


class LoraRankAndFuse(Experiment):
    name = "lora-rank-and-fuse"
    params = (
        Param("scales", "floats", (0.0, 0.5, 0.75, 1.0, 1.5, 2.0), "weights of the adapter",
              -2, 4, most=12),
        Param("ranks", "ints", (1, 2, 4, 8), "ranks that the update is cut to, at weight 1", 1, 64,
              most=8),
        Param("pictures", "int", 12, "large circles and squares of each setting, and a third as "
              "many other shapes", 4, 128),
        Param("steps", "int", 10, "sampling steps", 2, 100),
        Param("guidance_scale", "float", 5.0, "guidance scale", 0, 20),
        Param("rounds", "int", 5, "how often weights are fused and unfused", 1, 50),
        Param("pairs", "int", 15, "timed rounds, all ways in each", 5, 101),
        Param("lora", "text", "", "your own LoRA: a folder or a .safetensors file; with --model"),
        Param("prompt", "text", "", "prompt for your own LoRA"),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "best_scale",
        "half_over_full",
        "least_rank",
        "exact",
        "left_by_mix_up",
        "products_ratio",
        "parameter_share",
    )
    seconds = 180

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        import torch

        updates_code = load_module(Path(__file__).with_name("updates.py"))
        given = context.params
        context.progress(0, 1, "loading the model and the LoRA")
        base = context.pipeline()
        pipe, adapter = studio_code.loaded(context, base)
        unet = pipe.unet
        facts = updates_code.facts(unet, adapter)
        studio = studio_code.Studio(context)
        before = studio.predicted(base.unet)
        pipe.set_adapters([adapter], [0.0])
        zero = float((studio.predicted(unet) - before).abs().max())
        plain = studio.pictures(base, "the base")
        metrics: dict[str, Any] = {
            "pictures": given["pictures"],
            "steps": given["steps"],
            "guidance_scale": given["guidance_scale"],
            "pairs": given["pairs"],
            "float32": unet.dtype == torch.float32,
            "bundled": context.bundled and not given["lora"],
            "facts": facts,
            "zero_difference": zero,
            "usual": studio.measured(plain, plain),
            "scales": self._scales(context, studio, pipe, adapter, plain),
        }
        pipe.set_adapters([adapter], [1.0])
        beside = studio.predicted(unet)
        metrics["moved"] = float((beside - before).norm() / before.norm())
        metrics["ranks"] = self._ranks(context, studio, pipe, adapter, plain)
        fused = copy.deepcopy(unet)
        fused.fuse_lora()
        metrics |= self._fused(context, studio, pipe, adapter, fused, plain)
        metrics["times"] = self._times(
            context, studio, {"base": base.unet, "beside": unet, "fused": fused}
        )
        metrics["misuse"] = updates_code.misuse(unet, adapter)
        metrics["drift"] = {}
        for place, kind in enumerate(DTYPES):
            context.progress(place, len(DTYPES), "fusing and unfusing")
            metrics["drift"][kind] = updates_code.drift(
                unet, adapter, getattr(torch, kind), given["rounds"]
            )
        self._plot(context, metrics)
        return Result(
            metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers(context)
        )

    @staticmethod
    def _scales(
        context: Context, studio: Any, pipe: Any, adapter: str, plain: Tensor
    ) -> list[dict[str, Any]]:
        """The same pictures with the adapter at each scale."""
        found, rows = [], [plain]
        for scale in context.params["scales"]:
            pipe.set_adapters([adapter], [scale])
            rows.append(studio.pictures(pipe, f"scale {scale:g}"))
            found.append({"scale": scale, **studio.measured(rows[-1], plain)})
        labels = ", ".join(f"scale {each['scale']:g}" for each in found)
        context.image("scales", studio.grid(rows), f"rows: base, {labels}")
        return found

    @staticmethod
    def _ranks(
        context: Context, studio: Any, pipe: Any, adapter: str, plain: Tensor
    ) -> list[dict[str, Any]]:
        """The same pictures with the update cut to each rank, at scale 1."""
        updates_code = load_module(Path(__file__).with_name("updates.py"))
        unet = pipe.unet
        pipe.unet = cut = copy.deepcopy(unet)
        layers = updates_code.lora_layers(cut, adapter)
        updates = {name: updates_code.decomposed(layer, adapter) for name, layer in layers.items()}
        full = max(len(update.s) for update in updates.values())
        found, rows = [], []
        for rank in sorted({min(rank, full) for rank in context.params["ranks"]}):
            updates_code.truncate(layers, updates, adapter, rank)
            rows.append(studio.pictures(pipe, f"rank {rank}"))
            found.append(
                {
                    "rank": rank,
                    "energy": updates_code.energy_kept(updates, rank),
                    **studio.measured(rows[-1], plain),
                }
            )
        pipe.unet = unet
        labels = ", ".join(f"rank {each['rank']}" for each in found)
        context.image("ranks", studio.grid(rows), f"rows: {labels}")
        return found

    @staticmethod
    def _fused(
        context: Context, studio: Any, pipe: Any, adapter: str, fused: Any, plain: Tensor
    ) -> dict[str, Any]:
        """Fused against beside the weights; and what the base paints after a weight was set
        between fusing and unfusing."""
        updates_code = load_module(Path(__file__).with_name("updates.py"))
        unet = pipe.unet
        with updates_code.counted_products(unet) as products:
            beside_prediction = studio.predicted(unet)
        with updates_code.counted_products(fused) as fused_products:
            prediction = studio.predicted(fused)
        rows = [studio.pictures(pipe, "beside the weights")]
        pipe.unet = fused
        rows.append(studio.pictures(pipe, "fused"))
        pipe.unet = mixed_up = copy.deepcopy(fused)
        mixed_up.set_adapters([adapter], [0.0])
        mixed_up.unfuse_lora()
        mixed_up.unload_lora()
        rows.append(studio.pictures(pipe, "the base after a mix-up"))
        pipe.unet = unet
        context.image(
            "fused",
            studio.grid(rows),
            "rows: beside the weights; fused; the base after fuse, weight 0, unfuse, unload",
        )
        apart = (prediction - beside_prediction).norm() / beside_prediction.norm()
        return {
            "products": {"beside": products(), "fused": fused_products()},
            "fused_difference": float(apart),
            "fused_picture_difference": float((rows[1] - rows[0]).abs().max()),
            "after_mix_up": studio.measured(rows[2], plain),
        }

    @staticmethod
    def _times(context: Context, studio: Any, unets: dict[str, Any]) -> list[dict[str, Any]]:
        """Ratios of a denoiser call with the update beside, fused, and without any."""
        from drill.lab.timing import interleaved, ratio

        found = []
        for rows in TIMED_ROWS:
            ways = {name: studio.call(unet, rows) for name, unet in unets.items()}
            times = interleaved(
                ways, context.device, context.params["pairs"],
                on_call=lambda done, total: context.progress(done, total, "timing"),
            )  # fmt: skip
            found.append(
                {
                    "rows": rows,
                    "beside_over_fused": ratio(times, "beside", "fused"),
                    "fused_over_base": ratio(times, "fused", "base"),
                }
            )
        return found

    @staticmethod
    def _plot(context: Context, metrics: dict[str, Any]) -> None:
        if metrics["usual"]["hollow"] is None:
            return
        series = (("share hollow", "hollow"), ("share right", "right"))
        for name, rows in (("scale", metrics["scales"]), ("rank", metrics["ranks"])):
            lines = {label: [(each[name], each[key]) for each in rows] for label, key in series}
            if name == "rank":
                lines["energy of the update"] = [(each[name], each["energy"]) for each in rows]
            context.plot(f"style by {name}", lines, name, "")


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if not context.bundled:
        return Transfers("yes", "It was measured on this very model, with this LoRA.")
    return Transfers(
        "yes",
        "What fusing, unfusing and a weight of 0 do is arithmetic of peft and diffusers and holds "
        "for every model; so does the rounding in half precision. Which rank suffices and which "
        "weight looks best depend on the style and have to be measured for each LoRA.",
    )


EXPERIMENTS = (LoraRankAndFuse(),)
