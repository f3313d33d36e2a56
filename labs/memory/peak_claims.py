"""What must come out of peak-memory-by-resolution, checked on the numbers of every run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

EXPLICIT = "denoise, explicit attention"
PARTS = ("encode", "denoise", EXPLICIT, "decode", "decode, tiled")
MB = 1e6


def last(metrics: Any, part: str) -> int | None:
    """Peak of a part at the largest size."""
    value: int | None = metrics["peaks"][part][-1]
    return value


def growth(metrics: Any, part: str) -> float | None:
    """Peak at the largest size over that at half its side; None where either is missing."""
    sizes, values = metrics["sizes"], metrics["peaks"][part]
    if sizes[-1] / 2 not in sizes or values[-1] is None:
        return None
    half = values[sizes.index(sizes[-1] / 2)]
    return None if not half else values[-1] / half


def owner(metrics: Any, denoise: str) -> str | None:
    """Which of encoding, denoising and decoding has the highest peak at the largest size."""
    peaks = {"encode": last(metrics, "encode"), "denoise": last(metrics, denoise)}
    peaks["decode"] = last(metrics, "decode")
    if peaks["denoise"] is None:
        return None
    return max(peaks, key=lambda name: peaks[name] or 0)


def _peaks(metrics: Any, *parts: str) -> str:
    return ", ".join(
        f"{part} {value / MB:.1f} MB"
        for part in parts
        if (value := last(metrics, part)) is not None
    )


def decode_owns(result: Result) -> Finding:
    metrics = result.metrics
    expected = f"decode has the highest peak at {metrics['sizes'][-1]} pixels"
    measured = _peaks(metrics, "encode", "denoise", "decode")
    return finding(owner(metrics, "denoise") == "decode", measured, expected)


def explicit_turns_it_over(result: Result) -> Finding:
    metrics = result.metrics
    expected = f"denoise has the highest peak at {metrics['sizes'][-1]} pixels"
    if last(metrics, EXPLICIT) is None:
        return not_applicable("explicit attention was left out or its scores do not fit", expected)
    return finding(
        owner(metrics, EXPLICIT) == "denoise", _peaks(metrics, EXPLICIT, "decode"), expected
    )


def grows_with_the_area(result: Result) -> Finding:
    expected = "3.3 to 4.6 times for denoise and decode from half the side to the whole"
    values = {part: growth(result.metrics, part) for part in ("denoise", "decode")}
    known = {part: value for part, value in values.items() if value is not None}
    if not known:
        return not_applicable("it needs two sizes, one twice the other", expected)
    measured = ", ".join(f"{part} {value:.2f} times" for part, value in known.items())
    return finding(all(3.3 <= value <= 4.6 for value in known.values()), measured, expected)


def scores_grow_with_its_square(result: Result) -> Finding:
    expected = "8 to 16.5 times from half the side to the whole"
    value = growth(result.metrics, EXPLICIT)
    if value is None:
        return not_applicable(
            "it needs explicit attention at two sizes, one twice the other", expected
        )
    return finding(8 <= value <= 16.5, f"{value:.1f} times", expected)


def tiling_is_for_the_decoder(result: Result) -> Finding:
    metrics = result.metrics
    expected = "decode under 0.6 of its peak, denoise exactly as before"
    if metrics["sizes"][-1] < 2 * metrics["tile"]:
        return not_applicable(f"it needs a size of two tiles ({2 * metrics['tile']})", expected)
    plain, tiled = last(metrics, "decode"), last(metrics, "decode, tiled")
    before, beside = last(metrics, "denoise"), metrics["denoise_with_tiling"]
    if not plain or not before or tiled is None:
        return not_applicable("a part was not measured", expected)
    measured = f"decode {tiled / plain:.2f}, denoise {beside / before:.4f} of what they were"
    return finding(tiled < 0.6 * plain and beside == before, measured, expected)


def two_ways_agree(result: Result) -> Finding:
    expected = "tensors counted one by one are 0.6 to 1.02 of what the allocator gave out"
    metrics = result.metrics
    if "meta" in metrics["method"]:
        return not_applicable("nothing was run", expected)
    shares = {
        part: metrics["counted"][part][-1] / value
        for part in ("denoise", EXPLICIT, "decode")
        if (value := last(metrics, part))
    }
    measured = ", ".join(f"{part} {share:.2f}" for part, share in shares.items())
    return finding(all(0.6 <= share <= 1.02 for share in shares.values()), measured, expected)


CLAIMS = (
    Claim(
        "decode-owns",
        "With fused attention the decoder, not the denoiser, has the highest peak of activations.",
        decode_owns,
    ),
    Claim(
        "explicit-turns-it-over",
        "With attention that stores its scores the denoiser owns the peak.",
        explicit_turns_it_over,
    ),
    Claim(
        "grows-with-the-area",
        "Twice the side, four times the peak, for both, as long as no scores are stored.",
        grows_with_the_area,
    ),
    Claim(
        "scores-grow-with-its-square",
        "Stored scores grow with the square of the area.",
        scores_grow_with_its_square,
    ),
    Claim(
        "tiling-is-for-the-decoder",
        "VAE tiling cuts the decoder's peak and leaves the denoiser's alone.",
        tiling_is_for_the_decoder,
    ),
    Claim(
        "two-ways-agree",
        "Live tensors explain what the allocator saw; the rest is scratch memory of kernels.",
        two_ways_agree,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by; null for what was not measured."""

    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 2)

    plain, tiled = last(metrics, "decode"), last(metrics, "decode, tiled")
    shrinks = []
    if plain and tiled is not None and tiled < 0.9 * plain:
        shrinks.append("decode")
    before = last(metrics, "denoise")
    if before and metrics["denoise_with_tiling"] < 0.9 * before:
        shrinks.append("denoise")
    return {
        "owner": owner(metrics, "denoise"),
        "explicit_owner": owner(metrics, EXPLICIT),
        "tiling_shrinks": shrinks,
        "decode_growth": rounded(growth(metrics, "decode")),
        "explicit_growth": rounded(growth(metrics, EXPLICIT)),
    }


def sentence(metrics: Any) -> str:
    """What was measured or counted."""
    size = metrics["sizes"][-1]
    grown = ", ".join(
        f"{part} {value:.1f} times"
        for part in ("denoise", EXPLICIT, "decode")
        if (value := growth(metrics, part)) is not None
    )
    weights = sum(metrics["weights"].values()) / MB
    text = (
        f"At {size} pixels, beyond {weights:.1f} MB of weights, at most "
        f"{_peaks(metrics, *PARTS)} ({metrics['method']})"
    )
    return text + (f"; from half that side: {grown}." if grown else ".")
