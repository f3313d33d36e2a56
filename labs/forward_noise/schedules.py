"""snr-schedules: the noise tables of diffusers side by side, and what each leaves at the end."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, Result, Transfers
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("schedules_claims.py"))
tables = load_module(Path(__file__).with_name("tables.py"))

LATENT = 8
"""Side of the bundled model's latents, which are enlarged to the sides asked for."""
BATCH = 64
COLUMNS = (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0)
"""Places in the schedule that the picture shows, 1 being the last timestep."""


class SnrSchedules(Experiment):
    name = "snr-schedules"
    params = (
        Param(
            "schedules", "texts", tables.SCHEDULES, "beta_schedule of diffusers; each is shown "
            "as it is and rescaled to zero terminal SNR", most=3, choices=tables.SCHEDULES,
        ),
        Param("train_steps", "int", 1000, "num_train_timesteps of the tables", 10, 4000),
        Param(
            "sides", "ints", (8, 32, 64), "sides of the latents in which brightness is looked for",
            low=8, high=128, most=4,
        ),
        Param("pictures", "int", 512, "drawings whose brightness is read off x_T", 32, 2048),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "left_most_at_last", "snr_highest_in_middle", "snr_below_one_from", "signal_at_last",
        "readable_at_last",
    )  # fmt: skip
    seconds = 120

    def warm(self, context: Context) -> None:
        from drill.lab.family import drawing_latents

        drawing_latents(context, 1)

    def run(self, context: Context) -> Result:
        from drill.lab.family import drawing_latents

        given = context.params
        context.progress(0, 1, "noise tables")
        shown = [
            tables.make_table(name, given["train_steps"], rescaled)
            for name in dict.fromkeys(given["schedules"])
            for rescaled in (False, True)
        ]
        if context.model:
            shown.append(tables.own_table(context))
        rows = [describe(table) for table in shown]
        self._show(context, shown, rows)
        drawn = drawing_latents(context, given["pictures"], context.seed + 1000)
        brightness = drawn.pixels.mean(dim=(1, 2, 3)).cpu()
        sides = [side - side % LATENT for side in given["sides"]]
        for done, side in enumerate(sides):
            found = readable(context, shown, drawn.latents.cpu(), brightness, side)
            for row, share in zip(rows, found, strict=True):
                row["readable"][str(side)] = share
            context.progress(done + 1, len(sides), "reading brightness off the last x_t")
        metrics = {"rows": rows, "train_steps": given["train_steps"], "sides": sides}
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), TRANSFERS)

    @staticmethod
    def _show(context: Context, shown: list[Any], rows: list[dict[str, Any]]) -> None:
        curves = {row["label"]: row["log_snr"] for row in rows}
        context.plot("log SNR", curves, "timestep", "log10 SNR (0 cut off at -10)")
        context.plot(
            "signal",
            {row["label"]: [(t, math.sqrt(ab)) for t, ab in row["ab"]] for row in rows},
            "timestep", "sqrt(ab_t), amplitude of the signal",
        )  # fmt: skip
        last = len(shown[0].alphas_cumprod) - 1
        columns = [round(place * last) for place in COLUMNS]
        caption = (
            "rows: " + "; ".join(row["label"] for row in rows) + "; t = "
            + ", ".join(map(str, columns))
        )  # fmt: skip
        picture = tables.noised_drawings(context, [_noiser(each) for each in shown], columns)
        context.image("schedules", picture, caption)


def _noiser(table: Any) -> Any:
    import torch

    eps = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(7))

    def noised(picture: Tensor, t: int) -> Tensor:
        at = torch.tensor([min(t, len(table.alphas_cumprod) - 1)])
        return table.scheduler.add_noise(picture, eps, at)

    return noised


def describe(table: Any) -> dict[str, Any]:
    """Signal, SNR and sigma of a table, by our arithmetic and by diffusers' own functions."""
    import torch
    from diffusers.training_utils import compute_snr

    ab = table.alphas_cumprod.double()
    steps = torch.arange(len(ab))
    snr = ab / (1 - ab)
    theirs = compute_snr(table.scheduler, steps).double()
    kept = steps[:: max(1, len(ab) // 100)].tolist()
    kept = sorted({*kept, len(ab) - 1})
    below = snr < 1
    return {
        "label": table.label,
        "schedule": table.name,
        "rescaled": table.rescaled,
        "ab": [(t, float(ab[t])) for t in kept],
        "log_snr": [(t, math.log10(max(float(snr[t]), 1e-10))) for t in kept],
        "falls": bool((ab.diff() < 0).all()),
        "signal_at_first": float(ab[0].sqrt()),
        "snr_in_middle": float(snr[len(ab) // 2]),
        "signal_at_last": float(ab[-1].sqrt()),
        "snr_at_last": float(snr[-1]),
        # sigma of EDM and k-diffusion: the noise's amplitude when the signal's is 1.
        "sigma_at_last": float(((1 - ab[-1]) / ab[-1]).sqrt()) if ab[-1] > 0 else None,
        "below_one_from": int(below.int().argmax()) if below.any() else None,
        "snr_apart": float(((theirs - snr).abs() / snr.clamp(min=1e-12)).max()),
        "sigma_apart": sigma_apart(table),
        "readable": {},
    }


def sigma_apart(table: Any) -> float | None:
    """Largest relative difference of EulerDiscreteScheduler's sigmas from 1 / sqrt(SNR).

    None for a table that ends at zero SNR: there Euler puts a small number in the place of 0.
    """
    import torch
    from diffusers import EulerDiscreteScheduler

    ab = table.alphas_cumprod.double()
    if float(ab[-1]) == 0:
        return None
    euler = EulerDiscreteScheduler(trained_betas=table.scheduler.betas.tolist())
    sigmas = euler.sigmas[:-1].flip(0).double()
    expected = torch.sqrt((1 - ab) / ab)
    return float(((sigmas - expected).abs() / expected).max())


def readable(
    context: Context, shown: list[Any], latents: Tensor, brightness: Tensor, side: int
) -> list[float]:
    """By table, the share of the brightness' variance that the channel means of x_T explain.

    Latents (N, 4, 8, 8) are enlarged to `side`, which keeps their means; x_T is then what training
    would show the network at the last timestep. Every table gets the same noise. The share is a
    least-squares fit's, on pictures that were not fitted, so that it is 0 where x_T tells nothing.
    """
    import torch

    rng = torch.Generator().manual_seed(context.seed)
    factor = side // LATENT
    means: list[list[Tensor]] = [[] for _ in shown]
    for start in range(0, len(latents), BATCH):
        part = latents[start : start + BATCH]
        part = part.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
        eps = torch.randn(part.shape, generator=rng)
        for place, table in enumerate(shown):
            at = torch.full((len(part),), len(table.alphas_cumprod) - 1)
            means[place].append(table.scheduler.add_noise(part, eps, at).mean(dim=(2, 3)))
        context.check()
    return [explained(torch.cat(each), brightness) for each in means]


def explained(features: Tensor, target: Tensor) -> float:
    """R^2 of a linear fit of `target` (N,) on `features` (N, C): fitted on one half, scored on
    the other, and the other way round. Below 0 counts as 0."""
    import torch

    inputs = torch.cat([features, torch.ones(len(features), 1)], dim=1).double()
    wanted = target.double()
    halves = [slice(0, None, 2), slice(1, None, 2)]
    left = []
    for fitted, scored in (halves, halves[::-1]):
        weights = torch.linalg.lstsq(inputs[fitted], wanted[fitted, None]).solution[:, 0]
        left.append((wanted[scored] - inputs[scored] @ weights).square().mean())
    return max(0.0, 1 - float(sum(left) / 2 / wanted.var(correction=0)))


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""

    def told(row: dict[str, Any]) -> str:
        shares = ", ".join(
            f"{row['readable'][str(side)]:.0%} at {side}" for side in metrics["sides"]
        )
        return (
            f"{row['label']} keeps {row['signal_at_last']:.2g} of the signal, and of the "
            f"brightness' variance {shares} can be read off x_T"
        )

    leaky = [told(row) for row in metrics["rows"] if row["signal_at_last"] > 0]
    zero = [row for row in metrics["rows"] if row["signal_at_last"] == 0]
    most = max((max(row["readable"].values()) for row in zero), default=0.0)
    text = "By side of the latents: " + "; ".join(leaky)
    return f"{text}; of the tables with zero terminal SNR {most:.0%} at most." if zero else text


TRANSFERS = Transfers(
    "yes",
    "The tables are those of the installed schedulers. How well brightness can be read grows with "
    "the side of the latents, since the mean of more independent noise is nearer to 0: at the 64 "
    "of Stable Diffusion much better than at the 8 of the bundled model.",
)

EXPERIMENTS = (SnrSchedules(),)
