"""What must come out when the scaling factor is forgotten or turned round."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

RIGHT = 0.6
"""Share of right pictures from which a model is good enough to show the damage."""
LOST = 0.35
"""Share of right pictures up to which the pictures count as garbage."""
SAME_TRIP = 0.05
"""dB up to which two round trips are one."""


def decoder_input(result: Result) -> Finding:
    metrics = result.metrics
    factor = metrics["scaling_factor"]
    expected = f"times {factor:.4f} when forgotten, times {factor**2:.4f} when turned round"
    std = {name: each["decoder_std"] for name, each in metrics["from_noise"].items()}
    ratios = [std["forgotten"] / std["right"], std["turned round"] / std["right"]]
    holds = all(
        abs(ratio / wanted - 1) <= 0.01
        for ratio, wanted in zip(ratios, (factor, factor**2), strict=True)
    )
    measured = ", ".join(f"{name} {value:.3f}" for name, value in std.items())
    return finding(holds, f"std of what is decoded: {measured}", expected)


def _need_judge(result: Result, expected: str) -> Finding | None:
    metrics = result.metrics
    if not metrics["bundled"]:
        return not_applicable("there is no judge for this model", expected)
    if metrics["from_noise"]["right"]["adherence"] < RIGHT:
        return not_applicable("too few pictures are right even with the factor", expected)
    return None


def decode_garbage(result: Result) -> Finding:
    expected = f"at most {LOST:g} of the pictures are right, forgotten or turned round"
    missing = _need_judge(result, expected)
    if missing:
        return missing
    shares = {name: each["adherence"] for name, each in result.metrics["from_noise"].items()}
    measured = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    return finding(max(shares["forgotten"], shares["turned round"]) <= LOST, measured, expected)


def snr_too_high(result: Result) -> Finding:
    metrics = result.metrics
    wanted = metrics["scaling_factor"] ** -2
    expected = f"the SNR at which the denoiser starts is {wanted:.1f} times too high, within 1 %"
    edits = metrics["edits"]
    ratio = edits["forgotten on the way in"]["snr"] / edits["right"]["snr"]
    measured = f"{ratio:.1f} times, for a table that says {edits['right']['snr']:.2f}"
    return finding(abs(ratio / wanted - 1) <= 0.01, measured, expected)


def edit_lost(result: Result) -> Finding:
    expected = "less than half as many edits follow the prompt, for each way to get it wrong"
    missing = _need_judge(result, expected)
    if missing:
        return missing
    if result.metrics["strength"] > 0.6:
        return not_applicable("from higher noise the denoiser paints over the excess", expected)
    shares = {name: each["follows"] for name, each in result.metrics["edits"].items()}
    if shares["right"] < RIGHT:
        return not_applicable("too few edits follow the prompt even with the factor", expected)
    wrong = [share for name, share in shares.items() if name != "right"]
    measured = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    return finding(max(wrong) < shares["right"] / 2, measured, expected)


def round_trip_hides_it(result: Result) -> Finding:
    expected = (
        f"without a denoiser the round trip loses at most {SAME_TRIP:g} dB when the factor is "
        "forgotten on both ways, and 5 dB or more when on one"
    )
    trips = result.metrics["round_trip_psnr"]
    hidden = abs(trips["forgotten both ways"] - trips["right"]) <= SAME_TRIP
    shown = trips["right"] - trips["forgotten on the way in"] >= 5
    measured = ", ".join(f"{name} {value:.1f} dB" for name, value in trips.items())
    return finding(hidden and shown, measured, expected)


def both_ways_keeps_the_source(result: Result) -> Finding:
    expected = "the result is at least 3 dB nearer to the source picture than the right edit is"
    metrics = result.metrics
    if not metrics["bundled"] or metrics["strength"] > 0.6:
        return not_applicable("it is for the bundled model, at a strength up to .6", expected)
    edits = metrics["edits"]
    near = {name: edits[name]["psnr_to_source"] for name in ("right", "forgotten both ways")}
    measured = ", ".join(f"{name} {value:.1f} dB" for name, value in near.items())
    return finding(near["forgotten both ways"] - near["right"] >= 3, measured, expected)


CLAIMS = (
    Claim(
        "decoder-input",
        "The decoder gets latents that are too small by the factor, or by its square.",
        decoder_input,
    ),
    Claim(
        "decode-garbage",
        "Decoded so, pictures lose what was asked for.",
        decode_garbage,
    ),
    Claim(
        "snr-too-high",
        "On the way in, a forgotten factor makes the signal too strong for the noise: the SNR is "
        "too high by one over the factor squared.",
        snr_too_high,
    ),
    Claim(
        "edit-lost",
        "img2img then does not follow the prompt.",
        edit_lost,
    ),
    Claim(
        "round-trip-hides-it",
        "A test that encodes and decodes passes if the factor is forgotten on both ways.",
        round_trip_hides_it,
    ),
    Claim(
        "both-ways-keeps-the-source",
        "Forgotten on both ways, img2img looks as if its strength were too low: the source comes "
        "back.",
        both_ways_keeps_the_source,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by; null for what was not measured."""
    out, edits, trips = metrics["from_noise"], metrics["edits"], metrics["round_trip_psnr"]
    judged = out["right"]["adherence"] is not None
    garbage = ignores = None
    if judged:
        garbage = [name for name, each in out.items() if each["adherence"] <= LOST]
        half = edits["right"]["follows"] / 2
        ignores = [name for name, each in edits.items() if each["follows"] < half]
    keeps = max(edits, key=lambda name: edits[name]["psnr_to_source"])
    return {
        "garbage": garbage,
        "ignores_the_edit": ignores,
        "passes_the_round_trip": [
            name for name, value in trips.items() if abs(value - trips["right"]) <= SAME_TRIP
        ],
        "decoder_std": out["forgotten"]["decoder_std"],
        "snr_ratio": edits["forgotten on the way in"]["snr"] / edits["right"]["snr"],
        "nearest_to_source": keeps,
    }
