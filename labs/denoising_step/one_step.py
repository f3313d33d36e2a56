"""one-step-x0: what a single evaluation says of the clean picture, by noise level."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("one_step_claims.py"))

OWN_PROMPTS = (
    "a lighthouse on a cliff",
    "a bowl of fruit on a table",
    "a red bicycle before a white wall",
    "a cat on a windowsill",
)
"""What a model of the learner's own draws, to have clean latents."""
SHOWN = 2
"""Pictures in the final grid, with three rows each."""


class OneStep(Experiment):
    name = "one-step-x0"
    params = (
        Param(
            "timesteps", "ints", (20, 100, 250, 500, 750, 900, 999), "noise levels to start from",
            low=1, high=999, least=2, most=12,
        ),
        Param("pictures", "int", 48, "drawings that are noised", 4, 512),
        Param("steps", "int", 20, "DDIM steps from t=999; from a lower t in proportion", 2, 100),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "oracle_exact_at", "closer_at_last", "sharper_at_last", "blurred_from",
        "sharpness_at_last", "prompt_helps_most_at",
    )  # fmt: skip
    seconds = 180

    def warm(self, context: Context) -> None:
        from drill.lab.random_models import is_random

        if not is_random(context.model):
            context.pipeline()

    def run(self, context: Context) -> Result:
        import torch

        given = context.params
        context.progress(0, 1, "loading the model")
        model = load_module(Path(__file__).with_name("estimates.py")).Model(context)
        measures = load_module(Path(__file__).with_name("measures.py"))
        clean, prompts = self._clean(context, model)
        timesteps = sorted(set(given["timesteps"]))
        text, empty = model.encode(prompts), model.encode([""] * len(prompts))
        reference = model.decode(clean)
        rows: list[dict[str, Any]] = []
        shown: dict[str, list[Tensor]] = {"x_t": [], "one": [], "many": []}
        for done, t in enumerate(timesteps):
            context.progress(done, len(timesteps), "one evaluation, and many steps, at each t")
            rng = torch.Generator().manual_seed(context.seed + t)
            eps = torch.randn(clean.shape, generator=rng)
            noisy = model.add_noise(clean, eps, t)
            one, unprompted = model.estimate(noisy, t, text), model.estimate(noisy, t, empty)
            many = model.descend(noisy, t, text, given["steps"])
            pixels = {"one": model.decode(one), "many": model.decode(many)}
            rows.append(
                {
                    "t": t,
                    "sigma": model.sigma(t),
                    "oracle_rmse": measures.rmse(
                        model.from_true_output(noisy, clean, eps, t), clean
                    ),
                    "one_rmse": measures.rmse(one, clean),
                    "many_rmse": measures.rmse(many, clean),
                    "unprompted_rmse": measures.rmse(unprompted, clean),
                    "prompt_gain": measures.gain(one, unprompted, clean),
                    "mean_gain": measures.gain(one, many, clean),
                    "one_spread": float(one.std() / clean.std()),
                    "one_sharpness": measures.sharpness(pixels["one"], reference),
                    "many_sharpness": measures.sharpness(pixels["many"], reference),
                    "one_psnr": measures.psnr(pixels["one"], reference),
                    "many_psnr": measures.psnr(pixels["many"], reference),
                    "many_steps": model.step_count(t, given["steps"]),
                }
            )
            shown["x_t"].append(model.decode(noisy[:SHOWN]))
            for name, each in pixels.items():
                shown[name].append(each[:SHOWN])
            self._show(context, shown, reference, timesteps[: done + 1])
            for name in ("one_rmse", "many_rmse", "one_sharpness", "many_sharpness"):
                context.metric(name, rows[-1][name], t)
        context.progress(
            len(timesteps), len(timesteps), "one evaluation, and many steps, at each t"
        )
        metrics = {
            "rows": rows,
            "pictures": len(clean),
            "float32": model.float32,
            "bundled": context.bundled,
            "mean_rmse": measures.rmse(clean.mean(dim=0, keepdim=True).expand_as(clean), clean),
        }
        self._plots(context, rows)
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), transfers(context))

    @staticmethod
    def _clean(context: Context, model: Any) -> tuple[Tensor, list[str]]:
        """Scaled clean latents and their prompts: of drawings, or drawn by the learner's model."""
        count = context.params["pictures"]
        if context.bundled:
            from drill.lab.family import drawing_latents

            drawn = drawing_latents(context, count, context.seed + 1000)
            return drawn.latents.cpu(), list(drawn.captions)
        prompts = [OWN_PROMPTS[k % len(OWN_PROMPTS)] for k in range(count)]
        context.log(f"clean latents: {count} pictures that {context.model} draws itself")
        return model.draw(prompts, context.params["steps"], context.seed), prompts

    @staticmethod
    def _show(
        context: Context, shown: dict[str, list[Tensor]], reference: Tensor, timesteps: list[int]
    ) -> None:
        import torch

        rows = []
        for k in range(min(SHOWN, len(reference))):
            for name in ("x_t", "one", "many"):
                columns = [each[k] for each in shown[name]]
                rows.append(pictures.to_bytes(torch.stack([reference[k], *columns])))
        caption = (
            "rows: x_t decoded, one evaluation, many steps; columns: the original, then t = "
            + ", ".join(map(str, timesteps))
        )
        context.image("estimates", pictures.png(pictures.grid(rows, cell=128)), caption)

    @staticmethod
    def _plots(context: Context, rows: list[dict[str, Any]]) -> None:
        def line(key: str) -> list[tuple[float, float]]:
            return [(row["t"], row[key]) for row in rows]

        context.plot(
            "error",
            {
                "one evaluation": line("one_rmse"),
                "without prompt": line("unprompted_rmse"),
                "many steps": line("many_rmse"),
                "oracle": line("oracle_rmse"),
            },
            "timestep", "RMSE to the original's latents",
        )  # fmt: skip
        context.plot(
            "sharpness",
            {"one evaluation": line("one_sharpness"), "many steps": line("many_sharpness")},
            "timestep", "gradient energy over that of the original",
        )  # fmt: skip


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    first, last = metrics["rows"][0], metrics["rows"][-1]
    return (
        f"From t={first['t']} to t={last['t']} the error of one evaluation rose from "
        f"{first['one_rmse']:.2f} to {last['one_rmse']:.2f} (RMSE of latents) and its sharpness "
        f"fell from {first['one_sharpness']:.0%} to {last['one_sharpness']:.0%} of the original's; "
        f"at t={last['t']} {last['many_steps']} steps gave an error of {last['many_rmse']:.2f} and "
        f"a sharpness of {last['many_sharpness']:.0%}. With the true output the error was at most "
        f"{max(row['oracle_rmse'] for row in metrics['rows']):.0e}."
    )


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if not context.bundled:
        return Transfers("yes", "It was measured on this very model, on pictures it drew itself.")
    return Transfers(
        "yes",
        "In shape: the minimum of a squared error is a conditional mean for every network, and a "
        "mean of many pictures is blurred. From which t on it blurs depends on the data and on how "
        "much the prompt says. Distilled few-step models are trained away from it.",
    )


EXPERIMENTS = (OneStep(),)
