"""forward-chain-vs-closed-form: a thousand small steps against one draw, over many samples."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, Result, Transfers
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("chain_claims.py"))
tables = load_module(Path(__file__).with_name("tables.py"))

PICTURE_COLUMNS = (0, 50, 100, 200, 300, 500, 700, 999)


class ForwardChain(Experiment):
    name = "forward-chain-vs-closed-form"
    params = (
        Param(
            "schedule", "text", "scaled_linear", "beta_schedule of diffusers",
            choices=tables.SCHEDULES,
        ),
        Param("x0", "float", 1.5, "the value that is noised", -4, 4),
        Param("samples", "int", 100_000, "samples of the chain, and of the one draw", 1000, 10**6),
        Param(
            "timesteps", "ints", (0, 50, 100, 250, 500, 750, 999), "where both are measured",
            low=0, high=999, least=2, most=16,
        ),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "mean_formula", "variance_formula", "mean_at_last", "variance_at_last", "draws_ratio",
        "path_correlation",
    )  # fmt: skip
    seconds = 120

    def run(self, context: Context) -> Result:
        given = context.params
        context.progress(0, 1, "noise table")
        table = tables.own_table(context) if context.model else tables.make_table(given["schedule"])
        if context.model:
            context.log(f"the noise table is that of {context.model}; `schedule` is not used")
        last = len(table.alphas_cumprod) - 1
        timesteps = sorted({min(t, last) for t in given["timesteps"]})
        walked, drawn = sample_both(context, table, timesteps)
        rows = [compare(table, given["x0"], t, walked[t], drawn[t]) for t in timesteps]
        metrics = {
            "schedule": table.name,
            "x0": given["x0"],
            "samples": given["samples"],
            "rows": rows,
            "paths": [
                correlation(table, given["x0"], s, t, walked, drawn) for s, t in pairwise(timesteps)
            ],
            "chain_draws": timesteps[-1] + 1,
            "closed_draws": 1,
        }
        self._plots(context, rows)
        show(context, table)
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), TRANSFERS)

    @staticmethod
    def _plots(context: Context, rows: list[dict[str, float]]) -> None:
        def line(key: str) -> list[tuple[float, float]]:
            return [(row["t"], row[key]) for row in rows]

        context.plot(
            "variance",
            {
                "chain": line("chain_variance"),
                "one draw": line("closed_variance"),
                "1 - ab_t": [(row["t"], 1 - row["ab"]) for row in rows],
                "sum of the betas": [(row["t"], min(row["beta_sum"], 2.0)) for row in rows],
                "beta_t": line("beta"),
            },
            "timestep", "variance of x_t (the sum of the betas is cut off at 2)",
        )  # fmt: skip
        context.plot(
            "mean",
            {
                "chain": line("chain_mean"),
                "one draw": line("closed_mean"),
                "sqrt(ab_t) x0": line("mean_expected"),
            },
            "timestep", "mean of x_t",
        )  # fmt: skip


def sample_both(
    context: Context, table: Any, timesteps: list[int]
) -> tuple[dict[int, Tensor], dict[int, Tensor]]:
    """x_t of one chain (the same samples at every t), and of a fresh single draw at each t."""
    import torch

    device, count = context.device, context.params["samples"]
    walk = torch.Generator(device).manual_seed(context.seed)
    jump = torch.Generator(device).manual_seed(context.seed + 1)
    x0 = torch.full((count,), context.params["x0"], device=device)
    betas = table.scheduler.betas.to(device)
    x, walked, drawn = x0, {}, {}
    for t in range(timesteps[-1] + 1):
        z = torch.randn(count, generator=walk, device=device)
        x = (1 - betas[t]).sqrt() * x + betas[t].sqrt() * z
        if t in timesteps:
            walked[t] = x.cpu()
            eps = torch.randn(count, generator=jump, device=device)
            at = torch.full((count,), t, device=device)
            drawn[t] = table.scheduler.add_noise(x0, eps, at).cpu()
        context.progress(t + 1, timesteps[-1] + 1, "walking the chain")
    return walked, drawn


def compare(table: Any, x0: float, t: int, walked: Tensor, drawn: Tensor) -> dict[str, float]:
    """Moments of both samples at t beside what the closed form says, and how far they are apart."""
    ab = float(table.alphas_cumprod[t].double())
    count = len(walked)
    return {
        "t": t,
        "ab": ab,
        "beta": float(table.scheduler.betas[t]),
        "beta_sum": float(table.scheduler.betas[: t + 1].double().sum()),
        "mean_expected": math.sqrt(ab) * x0,
        "chain_mean": float(walked.double().mean()),
        "closed_mean": float(drawn.double().mean()),
        "chain_variance": float(walked.double().var()),
        "closed_variance": float(drawn.double().var()),
        "mean_error_bar": math.sqrt((1 - ab) / count),
        "variance_error_bar": (1 - ab) * math.sqrt(2 / (count - 1)),
        "ks": ks_distance(walked, drawn),
    }


def ks_distance(a: Tensor, b: Tensor) -> float:
    """Largest distance of two empirical distribution functions (Kolmogorov and Smirnov)."""
    import torch

    a, b = a.sort().values, b.sort().values
    both = torch.cat([a, b])
    below_a = torch.searchsorted(a, both, right=True) / len(a)
    below_b = torch.searchsorted(b, both, right=True) / len(b)
    return float((below_a - below_b).abs().max())


def correlation(
    table: Any, x0: float, s: int, t: int, walked: dict[int, Tensor], drawn: dict[int, Tensor]
) -> dict[str, float]:
    """Correlation of x_s and x_t along the chain, and between two fresh draws.

    Along the chain it is sqrt(ab_t (1 - ab_s) / (ab_s (1 - ab_t))), as x_t is
    sqrt(ab_t / ab_s) x_s plus noise that does not depend on x_s.
    """
    import torch

    ab_s, ab_t = (float(table.alphas_cumprod[each].double()) for each in (s, t))
    return {
        "from": s,
        "to": t,
        "chain": float(torch.corrcoef(torch.stack([walked[s], walked[t]]).double())[0, 1]),
        "fresh": float(torch.corrcoef(torch.stack([drawn[s], drawn[t]]).double())[0, 1]),
        "expected": math.sqrt(ab_t * (1 - ab_s) / (ab_s * (1 - ab_t))),
    }


def show(context: Context, table: Any) -> None:
    """A drawing noised by the chain (above) and by one draw a column (below)."""
    import torch

    rng = torch.Generator().manual_seed(context.seed)
    betas, last = table.scheduler.betas, len(table.alphas_cumprod) - 1
    columns = [min(t, last) for t in PICTURE_COLUMNS]
    chain: dict[int, Tensor] = {}

    def walk(picture: Tensor, t: int) -> Tensor:
        if not chain:
            x = picture
            for step in range(columns[-1] + 1):
                z = torch.randn(x.shape, generator=rng)
                x = (1 - betas[step]).sqrt() * x + betas[step].sqrt() * z
                chain[step] = x
        return chain[t]

    def jump(picture: Tensor, t: int) -> Tensor:
        eps = torch.randn(picture.shape, generator=rng)
        return table.scheduler.add_noise(picture, eps, torch.tensor([t]))

    caption = "above the chain, below one draw for each; t = " + ", ".join(map(str, columns))
    context.image("noised", tables.noised_drawings(context, [walk, jump], columns), caption)


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    row = metrics["rows"][-1]
    text = (
        f"At t={row['t']} {metrics['chain_draws']} chain steps gave mean {row['chain_mean']:.4f} "
        f"and variance {row['chain_variance']:.4f}, one draw gave {row['closed_mean']:.4f} and "
        f"{row['closed_variance']:.4f}; the closed form says {row['mean_expected']:.4f} and "
        f"{1 - row['ab']:.4f} (error bars {row['mean_error_bar']:.4f} and "
        f"{row['variance_error_bar']:.4f})."
    )
    for path in metrics["paths"][-1:]:
        text += (
            f" Along the chain x_{path['from']} and x_{path['to']} correlate {path['chain']:.3f}, "
            f"two fresh draws {path['fresh']:.3f}."
        )
    return text


TRANSFERS = Transfers(
    "yes",
    "No network takes part: this is the arithmetic of Gaussian noise, equal for every model that "
    "trains on a table of betas, value by value, in pixels as in latents.",
)

EXPERIMENTS = (ForwardChain(),)
