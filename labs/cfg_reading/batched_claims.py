"""What must come out of one doubled batch against two calls, checked on the numbers of a run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

SAME_PREDICTION = 1e-4
"""Largest difference of two float32 predictions of one input, in units of their std."""
SAME_PICTURE = 0.02
"""Largest difference of a pixel in [0, 1] after a whole run: sampling amplifies rounding."""
NO_DIFFERENCE = 0.1
"""Times within this share of each other are not told apart."""
FASTER = ("one doubled batch", "two calls", "no difference")
"""What the outcome `faster` chooses from."""


def calls_double(result: Result) -> Finding:
    expected = "twice the calls, the same evaluations of each picture"
    counted = result.metrics["counted"]
    one, two = counted["doubled"], counted["apart"]
    measured = (
        f"{one['calls']} calls and {one['evaluations']:g} evaluations in one batch, "
        f"{two['calls']} and {two['evaluations']:g} apart"
    )
    holds = two["calls"] == 2 * one["calls"] and two["evaluations"] == one["evaluations"]
    return finding(holds, measured, expected)


def same_predictions(result: Result) -> Finding:
    expected = f"no value differs by more than {SAME_PREDICTION:g} of the std (float32)"
    if not result.metrics["float32"]:
        return not_applicable("half precision rounds more", expected)
    apart = result.metrics["prediction_difference"]
    return finding(apart <= SAME_PREDICTION, f"{apart:.1e} of the std", expected)


def same_pictures(result: Result) -> Finding:
    expected = f"no pixel differs by more than {SAME_PICTURE:g} (float32)"
    if not (result.metrics["float32"] and result.metrics["bundled"]):
        return not_applicable("rounding is known for the bundled model in float32 only", expected)
    apart = result.metrics["picture_difference"]
    return finding(apart <= SAME_PICTURE, f"{apart:.1e}", expected)


def guidance_costs_about_twice(result: Result) -> Finding:
    expected = "a guided step takes 1.2 to 3 times one without, at the largest batch"
    last = max(result.metrics["times"], key=lambda each: each["batch"])
    if last["batch"] < 4:
        return not_applicable("it needs a batch of 4 or more", expected)
    found = last["doubled_over_single"]
    measured = f"{found:.2f} at batch {last['batch']}"
    return finding(1.2 <= found <= 3, measured, expected)


def two_calls_hardly_win(result: Result) -> Finding:
    expected = (
        "at the smallest batch two calls take at least 0.85 times the time of the doubled one"
    )
    first = min(result.metrics["times"], key=lambda each: each["batch"])
    found = first["apart_over_doubled"]
    return finding(found >= 0.85, f"{found:.2f} at batch {first['batch']}", expected)


CLAIMS = (
    Claim(
        "calls-double",
        "Two calls a step double the calls and leave the evaluations of each picture as they are.",
        calls_double,
    ),
    Claim(
        "same-predictions",
        "Both ways make the same two predictions, up to rounding.",
        same_predictions,
    ),
    Claim("same-pictures", "Both ways give the same pictures, up to rounding.", same_pictures),
    Claim(
        "two-calls-hardly-win",
        "At the smallest batch two calls are not faster than one doubled batch.",
        two_calls_hardly_win,
    ),
    Claim(
        "guidance-costs-about-twice",
        "On a busy batch guidance costs about twice the time of a step without it.",
        guidance_costs_about_twice,
    ),
)


def faster(found: float) -> str:
    """Which of FASTER a ratio of two calls over the doubled batch says."""
    if found > 1 + NO_DIFFERENCE:
        return FASTER[0]
    return FASTER[1] if found < 1 / (1 + NO_DIFFERENCE) else FASTER[2]


def outcomes(metrics: dict[str, Any]) -> dict[str, Any]:
    """What `predict` questions are judged by; times are those of the smallest batch."""
    one, two = metrics["counted"]["doubled"], metrics["counted"]["apart"]
    first = min(metrics["times"], key=lambda each: each["batch"])
    return {
        "calls_ratio": two["calls"] / one["calls"],
        "evaluations_ratio": two["evaluations"] / one["evaluations"],
        "same_pictures": "yes" if metrics["picture_difference"] <= SAME_PICTURE else "no",
        "faster": faster(first["apart_over_doubled"]),
        "guided_over_plain": first["doubled_over_single"],
    }


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    one, two = metrics["counted"]["doubled"], metrics["counted"]["apart"]
    rows = "; ".join(
        f"at {each['batch']} in a request two calls took "
        f"{each['apart_over_doubled']:.2f} times the time of one doubled batch, and that "
        f"{each['doubled_over_single']:.2f} times a step without guidance"
        for each in metrics["times"]
    )
    return (
        f"One doubled batch made {one['calls']} calls and two calls a step {two['calls']}, with "
        f"{one['evaluations']:g} evaluations of each picture either way; no pixel differed by "
        f"more than {metrics['picture_difference']:.0e}; {rows}."
    )
