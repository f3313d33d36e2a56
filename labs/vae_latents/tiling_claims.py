"""What must come out where tiled, sliced and full decoding are compared."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

EXACT = 1e-3
"""Largest difference of a pixel in [0, 1] up to which two decodes are one (float32 rounding)."""
CAUSES = ("norms and attention", "convolutions at the borders")
"""What the outcome `cause` chooses from."""


def tiles_by_formula(result: Result) -> Finding:
    expected = "as many decoder calls as there are starts in steps of tile x (1 - overlap), squared"
    rows = result.metrics["by_overlap"]
    measured = ", ".join(f"overlap {name}: {each['tiles']}" for name, each in rows.items())
    return finding(
        all(each["tiles"] == each["by_formula"] for each in rows.values()), measured, expected
    )


def tiling_is_approximate(result: Result) -> Finding:
    expected = f"pixels differ by more than {EXACT:g} at every overlap"
    rows = result.metrics["by_overlap"]
    measured = ", ".join(
        f"overlap {name}: mean {each['mean']:.4f}, largest {each['largest']:.3f}"
        for name, each in rows.items()
    )
    return finding(min(each["largest"] for each in rows.values()) > EXACT, measured, expected)


def slicing_is_exact(result: Result) -> Finding:
    expected = f"one decoder call a picture, and no pixel differs by more than {EXACT:g}"
    each = result.metrics["slicing"]
    measured = f"{each['calls']} calls for {each['batch']} pictures, {each['largest']:.1e}"
    return finding(each["calls"] == each["batch"] and each["largest"] <= EXACT, measured, expected)


def slicing_needs_a_batch(result: Result) -> Finding:
    expected = "the peak falls for the batch and stays for a single picture"
    each = result.metrics["slicing"]
    if each["batch"] < 2:
        return not_applicable("it needs two pictures", expected)
    measured = (
        f"peak times {each['peak_ratio_batch']:.2f} for {each['batch']} pictures, "
        f"{each['peak_ratio_one']:.2f} for one"
    )
    holds = each["peak_ratio_batch"] < 0.9 and abs(each["peak_ratio_one"] - 1) < 0.01
    return finding(holds, measured, expected)


def overlap_hides_seams(result: Result) -> Finding:
    expected = (
        "with overlap .5 the step at the seams is less than half of that without, in excess of "
        "the full decode's, while the mean difference keeps at least half of its size"
    )
    rows = result.metrics["by_overlap"]
    none, half = rows["0"], rows["0.5"]
    if not result.metrics["bundled"]:
        return not_applicable("how visible seams are is each autoencoder's own", expected)
    excess = [each["step_at_seams"] - each["step_there_in_full"] for each in (none, half)]
    measured = (
        f"excess of the step {excess[0]:.2f} to {excess[1]:.2f}; mean difference "
        f"{none['mean']:.3f} to {half['mean']:.3f}"
    )
    holds = excess[1] < excess[0] / 2 and half["mean"] >= none["mean"] / 2
    return finding(holds, measured, expected)


def whole_map_is_the_cause(result: Result) -> Finding:
    expected = "with the whole map's norms and attention at most a third of the mean difference"
    with_them = result.metrics["whole_map"]["mean"]
    without = result.metrics["by_overlap"]["0.5"]["mean"]
    if not result.metrics["bundled"]:
        return not_applicable("the share is each autoencoder's own", expected)
    return finding(with_them <= without / 3, f"{without:.4f} to {with_them:.4f}", expected)


def small_is_not_tiled(result: Result) -> Finding:
    expected = "latents that fit into a tile take one decoder call, and nothing changes"
    each = result.metrics["small"]
    measured = f"{each['tiles']} call, largest difference {each['largest']:g}"
    return finding(each["tiles"] == 1 and each["largest"] == 0, measured, expected)


def tiling_bounds_the_peak(result: Result) -> Finding:
    expected = (
        "Stable Diffusion's decoder: in full four times the peak for twice the side; in tiles at "
        "most .35 of the full at 1024 and .1 at 2048"
    )
    peaks = result.metrics["stable_diffusion_peaks"]
    if not peaks:
        return not_applicable("counting was switched off", expected)
    full, tiled = peaks["full"], peaks["tiled"]
    grows = [full["1024"] / full["512"], full["2048"] / full["1024"]]
    left = {side: tiled[side] / full[side] for side in ("1024", "2048")}
    measured = "; ".join(
        f"{side}: {full[side] / 1e9:.2f} GB in full, {tiled[side] / 1e9:.2f} in tiles"
        for side in full
    )
    holds = all(abs(each / 4 - 1) < 0.05 for each in grows)
    return finding(holds and left["1024"] <= 0.35 and left["2048"] <= 0.1, measured, expected)


CLAIMS = (
    Claim(
        "tiles-by-formula",
        "Tiles start every tile x (1 - overlap) latents, in both directions.",
        tiles_by_formula,
    ),
    Claim(
        "tiling-is-approximate",
        "Tiled decoding is not the full decode.",
        tiling_is_approximate,
    ),
    Claim(
        "slicing-is-exact",
        "Slicing is: it splits the batch, along which nothing is shared.",
        slicing_is_exact,
    ),
    Claim(
        "slicing-needs-a-batch",
        "Slicing lowers the peak of a batch and does nothing for one picture.",
        slicing_needs_a_batch,
    ),
    Claim(
        "overlap-hides-seams",
        "A wider overlap hides the seams but does not bring the picture back.",
        overlap_hides_seams,
    ),
    Claim(
        "whole-map-is-the-cause",
        "The difference comes from GroupNorm and attention, which see one tile in place of the "
        "whole map.",
        whole_map_is_the_cause,
    ),
    Claim(
        "small-is-not-tiled",
        "Latents no larger than a tile are not tiled at all.",
        small_is_not_tiled,
    ),
    Claim(
        "tiling-bounds-the-peak",
        "The full decode's peak grows with the area of the picture, that of tiles hardly.",
        tiling_bounds_the_peak,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by; null for what was not measured."""
    rows, slicing = metrics["by_overlap"], metrics["slicing"]
    peaks = metrics["stable_diffusion_peaks"]
    excess = [
        rows[name]["step_at_seams"] - rows[name]["step_there_in_full"] for name in ("0", "0.5")
    ]
    repaired = metrics["whole_map"]["mean"] <= rows["0.5"]["mean"] / 2
    lower = []
    if metrics["peak_bytes"]["tiled"] < 0.95 * metrics["peak_bytes"]["full"]:
        lower.append("tiling")
    if slicing["peak_ratio_one"] < 0.95:
        lower.append("slicing")
    exact = [name for name, value in (
        ("tiling", rows["0.25"]["largest"]), ("slicing", slicing["largest"])
    ) if value <= EXACT]  # fmt: skip
    return {
        "tiles": rows["0.25"]["tiles"],
        "exact": exact,
        "seams_gone_at_half": "yes" if excess[1] < excess[0] / 2 else "no",
        "slicing_calls": slicing["calls"],
        "cause": CAUSES[0] if repaired else CAUSES[1],
        "sd_peak_ratio_1024": peaks["tiled"]["1024"] / peaks["full"]["1024"] if peaks else None,
        "lower_peak_for_one": lower,
    }
