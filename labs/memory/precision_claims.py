"""What must come out of precision-and-attention, checked on the numbers of every run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

FLOAT8 = "float8 stored"
ROUNDING = 2e-5
"""Relative error of a prediction that float32 sums in another order may differ by."""
ENOUGH_TOKENS = 500
"""Image tokens from which on attention is felt beside the rest of a small denoiser."""


def _errors(metrics: Any, kind: str) -> dict[str, float]:
    return {n: e["error"] for n, e in metrics[kind].items() if "error" in e}


def _row(values: dict[str, float], form: str = "{:.1e}") -> str:
    return ", ".join(f"{name} {form.format(value)}" for name, value in values.items())


def bytes_follow_bits(result: Result) -> Finding:
    expected = "16 bits: exactly half of float32; 8 bits stored: more than a quarter, under half"
    stored = result.metrics["dtypes"]
    shares = {
        name: each["bytes"] / stored["float32"]["bytes"]
        for name, each in stored.items()
        if name != "float32"
    }
    if not shares:
        return not_applicable("only float32 was run", expected)
    holds = all(
        0.25 < share < 0.5 if name == FLOAT8 else share == 0.5 for name, share in shares.items()
    )
    return finding(holds, _row(shares, "{:.4f}"), expected)


def bfloat16_is_coarser(result: Result) -> Finding:
    expected = "3 to 20 times the error of float16 (three bits of mantissa less: 8 times)"
    errors = _errors(result.metrics, "dtypes")
    if not {"float16", "bfloat16"} <= errors.keys():
        return not_applicable("it needs float16 and bfloat16", expected)
    if not errors["float16"] < 0.1:
        return not_applicable("float16 overflowed in this model", expected)
    times = errors["bfloat16"] / errors["float16"]
    return finding(3 <= times <= 20, f"{times:.1f} times; {_row(errors)}", expected)


def float8_is_coarsest(result: Result) -> Finding:
    expected = "at least twice the error of bfloat16"
    errors = _errors(result.metrics, "dtypes")
    if not {FLOAT8, "bfloat16"} <= errors.keys():
        return not_applicable("it needs both", expected)
    times = errors[FLOAT8] / errors["bfloat16"]
    return finding(times >= 2, f"{times:.1f} times", expected)


def attention_is_exact(result: Result) -> Finding:
    expected = f"every error against explicit attention at most {ROUNDING:g} (float32)"
    errors = _errors(result.metrics, "attention")
    return finding(max(errors.values()) <= ROUNDING, _row(errors), expected)


def rounding_is_small(result: Result) -> Finding:
    expected = "bfloat16 errs at least 100 times as much as fused attention"
    dtypes = _errors(result.metrics, "dtypes")
    fused = _errors(result.metrics, "attention")["fused"]
    if "bfloat16" not in dtypes:
        return not_applicable("it needs bfloat16", expected)
    holds = dtypes["bfloat16"] >= 100 * fused
    return finding(holds, f"{dtypes['bfloat16']:.1e} against {fused:.1e}", expected)


def scores_are_the_peak(result: Result) -> Finding:
    expected = "explicit attention at least 2 times the peak of fused; sliced no less than fused"
    attention = result.metrics["attention"]
    if "explicit" not in attention:
        return not_applicable("this denoiser has no explicit or sliced processor", expected)
    if result.metrics["tokens"] < ENOUGH_TOKENS:
        return not_applicable(f"it needs {ENOUGH_TOKENS} image tokens; raise size", expected)
    peaks = {n: attention[n]["peak"] / attention["fused"]["peak"] for n in ("explicit", "sliced")}
    holds = peaks["explicit"] >= 2 and peaks["sliced"] >= 0.999
    return finding(holds, _row(peaks, "{:.2f}"), expected)


def scores_cost_time(result: Result) -> Finding:
    expected = "explicit attention takes at least 1.1 times as long as fused (median of pairs)"
    metrics = result.metrics
    if "explicit" not in metrics["attention"]:
        return not_applicable("this denoiser has no explicit processor", expected)
    if metrics["tokens"] < ENOUGH_TOKENS:
        return not_applicable(f"it needs {ENOUGH_TOKENS} image tokens; raise size", expected)
    times = metrics["attention"]["explicit"]["time"]
    return finding(times >= 1.1, f"{times:.2f} times", expected)


def backend_switch_is_ignored(result: Result) -> Finding:
    expected = "accepted, and the prediction is the same to the last bit"
    metrics = result.metrics
    if "explicit" not in metrics["attention"]:
        return not_applicable("this denoiser is no UNet; transformers do heed it", expected)
    switch = metrics["attention"]["backend switch"]
    measured = f"{'accepted' if switch['accepted'] else 'refused'}; differs by {switch['apart']:g}"
    return finding(switch["accepted"] and switch["apart"] == 0, measured, expected)


CLAIMS = (
    Claim(
        "bytes-follow-bits",
        "Half the bits are half the bytes; stored in 8 bits, norms and ends stay as they were.",
        bytes_follow_bits,
    ),
    Claim(
        "bfloat16-is-coarser",
        "bfloat16 errs several times as much as float16: it gives three bits of mantissa for "
        "range.",
        bfloat16_is_coarser,
    ),
    Claim(
        "float8-is-coarsest",
        "Weights stored in 8 bits and computed in float32 err more than bfloat16 throughout.",
        float8_is_coarsest,
    ),
    Claim(
        "attention-is-exact",
        "Fused and sliced attention compute what explicit attention computes, up to rounding.",
        attention_is_exact,
    ),
    Claim(
        "rounding-is-small",
        "That rounding is far below the error of a 16-bit format.",
        rounding_is_small,
    ),
    Claim(
        "scores-are-the-peak",
        "Explicit attention stores its scores and owns the peak; slicing undoes that, and saves "
        "nothing over fused attention.",
        scores_are_the_peak,
    ),
    Claim(
        "scores-cost-time",
        "Storing the scores takes time too: explicit attention is slower than fused.",
        scores_cost_time,
    ),
    Claim(
        "backend-switch-is-ignored",
        "set_attention_backend is accepted by this UNet and changes nothing.",
        backend_switch_is_ignored,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by; null for what was not measured."""
    stored, attention = metrics["dtypes"], metrics["attention"]
    shares = {name: each["bytes"] / stored["float32"]["bytes"] for name, each in stored.items()}
    errors = {name: each["error"] for name, each in stored.items()}
    errors.update(_errors(metrics, "attention"))
    fused = attention["fused"]["peak"]
    switch = attention["backend switch"]
    return {
        "bytes_ratio": shares.get("float16", shares.get("bfloat16")),
        "coarsest": max(errors, key=lambda name: errors[name]),
        "within_rounding": [
            name
            for name, error in errors.items()
            if error <= ROUNDING and name not in ("float32", "explicit")  # what they err against
        ],
        "stores_scores": [
            name
            for name, each in attention.items()
            if "peak" in each and each["peak"] >= 1.5 * fused
        ],
        "backend_switch": "nothing" if switch["accepted"] and switch["apart"] == 0 else "result",
    }


def sentence(metrics: Any) -> str:
    """What was measured; times as ratios only."""
    stored, attention = metrics["dtypes"], metrics["attention"]
    weights = "; ".join(
        f"{name}: {each['bytes'] / stored['float32']['bytes']:.2f} times the bytes, error "
        f"{each['error']:.1e}, {each['time']:.2f} times the time"
        for name, each in stored.items()
        if name != "float32"
    )
    ways = "; ".join(
        f"{name}: error {each['error']:.1e}, peak {each['peak'] / attention['fused']['peak']:.2f} "
        f"and time {each['time']:.2f} times those of fused"
        for name, each in attention.items()
        if "peak" in each and name != "fused"
    )
    switch = attention["backend switch"]
    changed = "changed nothing" if switch["apart"] == 0 else f"changed it by {switch['apart']:.1e}"
    return (
        f"Weights against float32 at {metrics['sizes']['dtypes']} pixels: {weights}. "
        f"Attention at {metrics['sizes']['attention']} pixels ({metrics['tokens']} tokens): "
        f"{ways}. "
        f"set_attention_backend {changed}."
    )
