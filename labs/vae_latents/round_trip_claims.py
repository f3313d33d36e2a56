"""What must come out of a round trip through the autoencoder, checked on the numbers of a run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

POINTED = ("star", "cross")
PLAIN = ("circle", "square")
ENOUGH = 48
"""Pictures from which each of the twelve kinds has been drawn often enough to compare."""


def _of_shapes(metrics: Any, shapes: tuple[str, ...], size: str) -> list[float]:
    return [metrics["psnr_by_kind"][f"{size} {shape}"] for shape in shapes]


def lossy(result: Result) -> Finding:
    expected = "between 20 and 45 dB over all pictures"
    metrics = result.metrics
    measured = f"{metrics['psnr']:.1f} dB, worst picture {metrics['psnr_worst']:.1f}"
    return finding(20 <= metrics["psnr"] <= 45, measured, expected)


def pointed_is_worse(result: Result) -> Finding:
    expected = "in both sizes star and cross come back worse than circle and square"
    metrics = result.metrics
    if metrics["pictures"] < ENOUGH:
        return not_applicable(f"it needs at least {ENOUGH} pictures", expected)
    parts, holds = [], True
    for size in ("small", "large"):
        pointed, plain = (_of_shapes(metrics, shapes, size) for shapes in (POINTED, PLAIN))
        holds &= max(pointed) < min(plain)
        parts.append(f"{size}: at most {max(pointed):.1f} against at least {min(plain):.1f} dB")
    return finding(holds, "; ".join(parts), expected)


def errors_at_edges(result: Result) -> Finding:
    expected = "at least 3 times the share of the error that their share of the area would give"
    metrics = result.metrics
    share, area = metrics["error_near_edges"], metrics["area_near_edges"]
    measured = f"{share:.0%} of the error on {area:.0%} of the pixels"
    return finding(share >= 3 * area, measured, expected)


def narrow_posterior(result: Result) -> Finding:
    expected = (
        "the posterior's std is under a tenth of the latents', and a draw costs less than 1 dB"
    )
    metrics = result.metrics
    ratio = metrics["posterior_std"] / metrics["latent_std"]
    cost = metrics["psnr"] - metrics["psnr_sampled"]
    measured = f"std {ratio:.3f} of the latents', {cost:.2f} dB"
    return finding(ratio < 0.1 and cost < 1, measured, expected)


def spread_is_not_1(result: Result) -> Finding:
    expected = "the raw latents have std 2 or more and mostly lie beyond 1"
    metrics = result.metrics
    if not metrics["bundled"]:
        return not_applicable("the spread of raw latents is each autoencoder's own", expected)
    measured = f"std {metrics['latent_std']:.2f}, {metrics['beyond_1']:.0%} beyond 1"
    return finding(metrics["latent_std"] >= 2 and metrics["beyond_1"] > 0.5, measured, expected)


def factor_is_inverse_std(result: Result) -> Finding:
    expected = "std times scaling_factor within 10 % of 1"
    metrics = result.metrics
    if not metrics["bundled"]:
        return not_applicable(
            "drawings need not have the spread of the training pictures", expected
        )
    measured = f"{metrics['latent_std']:.2f} x {metrics['scaling_factor']:.5f} = " + (
        f"{metrics['scaled_std']:.3f}"
    )
    return finding(abs(metrics["scaled_std"] - 1) <= 0.1, measured, expected)


CLAIMS = (
    Claim("lossy", "Without any diffusion the pictures come back changed: a floor.", lossy),
    Claim(
        "pointed-is-worse",
        "What is thin or pointed comes back worse than what is plain.",
        pointed_is_worse,
    ),
    Claim(
        "errors-at-edges",
        "The error sits at the edges, not in the flat areas.",
        errors_at_edges,
    ),
    Claim(
        "narrow-posterior",
        "Mean or draw hardly matters: the posterior is narrow.",
        narrow_posterior,
    ),
    Claim(
        "spread-is-not-1",
        "Raw latents have no spread of 1 and no bound at 1 (here the spread is set to about that "
        "of Stable Diffusion's).",
        spread_is_not_1,
    ),
    Claim(
        "factor-is-inverse-std",
        "The scaling factor is one over the spread of the latents.",
        factor_is_inverse_std,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by."""
    by_shape: dict[str, list[float]] = {}
    for kind, value in metrics["psnr_by_kind"].items():
        by_shape.setdefault(kind.split()[1], []).append(value)
    order = sorted(by_shape, key=lambda shape: sum(by_shape[shape]))
    return {
        "psnr": metrics["psnr"],
        "worst_shapes": order[:2],
        "best_shapes": order[-2:],
        "drop_by_sampling": metrics["psnr"] - metrics["psnr_sampled"],
        "latent_std": metrics["latent_std"],
        "scaled_std": metrics["scaled_std"],
    }
