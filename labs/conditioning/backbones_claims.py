"""What must come out of the UNet against the DiT, checked on the numbers of every run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

NAMES = ("UNet", "DiT")
FOLLOWS = 0.3
"""Share of pictures with all four attributes right; by chance it would be 1 in 768."""
NO_DIFFERENCE = 0.1
"""Times within this share of each other are not told apart."""
SAME_GROWTH = 0.02
"""The same for the growth of FLOPs, which are counted."""


def largest(metrics: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The costs at the smallest and at the largest latents."""
    rows = sorted(metrics["costs"], key=lambda each: each["side"])
    return rows[0], rows[-1]


def growth(metrics: Any, name: str) -> float:
    """FLOPs at the largest latents over those at the smallest."""
    first, last = largest(metrics)
    return last["flops"][name] / first["flops"][name]


def similar_size(result: Result) -> Finding:
    expected = "neither has more than 1.5 times the parameters of the other"
    sizes = result.metrics["parameters"]
    ratio = sizes["UNet"] / sizes["DiT"]
    measured = ", ".join(f"{name} {sizes[name] / 1e6:.2f} M" for name in NAMES)
    return finding(2 / 3 <= ratio <= 1.5, measured, expected)


def same_evaluations(result: Result) -> Finding:
    expected = "the same evaluations of each picture at each scale"
    counts = {
        name: [each["evaluations"] for each in result.metrics["sampled"] if each["name"] == name]
        for name in NAMES
    }
    measured = "; ".join(f"{name} {', '.join(f'{n:g}' for n in counts[name])}" for name in NAMES)
    return finding(counts["UNet"] == counts["DiT"], measured, expected)


def both_follow(result: Result) -> Finding:
    expected = f"at the largest scale {FOLLOWS:g} or more of the pictures are right, of both"
    rows = result.metrics["sampled"]
    scale = max(each["scale"] for each in rows)
    if not 2 <= scale <= 10:
        return not_applicable("it needs a largest scale between 2 and 10", expected)
    shares = {each["name"]: each["adherence"] for each in rows if each["scale"] == scale}
    measured = ", ".join(f"{name} {shares[name]:.2f}" for name in NAMES) + f" at {scale:g}"
    return finding(min(shares.values()) >= FOLLOWS, measured, expected)


def far_from_quadratic(result: Result) -> Finding:
    expected = "with k times the tokens, FLOPs of both grow by 0.8 k to 2 k, not by k squared"
    first, last = largest(result.metrics)
    if first["side"] == last["side"]:
        return not_applicable("it needs two sizes of latents", expected)
    more = last["tokens"]["DiT"] / first["tokens"]["DiT"]
    grown = {name: growth(result.metrics, name) for name in NAMES}
    measured = f"{more:g} times the tokens: " + ", ".join(
        f"{name} {value:.1f} times" for name, value in grown.items()
    )
    return finding(
        all(0.8 * more <= each <= 2 * more for each in grown.values()), measured, expected
    )


def scores_take_over(result: Result) -> Finding:
    expected = "the share of FLOPs in attention's two products rises with the latents, in both"
    first, last = largest(result.metrics)
    if first["side"] == last["side"]:
        return not_applicable("it needs two sizes of latents", expected)
    measured = "; ".join(
        f"{name} {first['attention'][name]:.1%} to {last['attention'][name]:.1%}" for name in NAMES
    )
    holds = all(last["attention"][name] > first["attention"][name] for name in NAMES)
    return finding(holds, measured, expected)


CLAIMS = (
    Claim("similar-size", "Both denoisers have about the same number of parameters.", similar_size),
    Claim(
        "same-evaluations",
        "The backbone changes nothing about sampling: the same steps and evaluations.",
        same_evaluations,
    ),
    Claim("both-follow", "Both paint what the prompt asks for, with the same text.", both_follow),
    Claim(
        "far-from-quadratic",
        "Cost grows about as the tokens do at these sizes, of the DiT as well as of the UNet.",
        far_from_quadratic,
    ),
    Claim(
        "scores-take-over",
        "The quadratic part, attention's two products, takes a growing share.",
        scores_take_over,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """What `predict` questions are judged by; times are those of the smallest latents."""
    first, _ = largest(metrics)
    scale = max(each["scale"] for each in metrics["sampled"])
    last = {each["name"]: each for each in metrics["sampled"] if each["scale"] == scale}
    grown = {name: growth(metrics, name) for name in NAMES}
    return {
        "evaluations_ratio": last["DiT"]["evaluations"] / last["UNet"]["evaluations"],
        "dit_growth": grown["DiT"],
        "unet_growth": grown["UNet"],
        "grows_more": more(grown["DiT"] / grown["UNet"], SAME_GROWTH, "DiT", "UNet"),
        "faster": more(first["dit_over_unet"], NO_DIFFERENCE, "UNet", "DiT"),
        "follow": [name for name in NAMES if last[name]["adherence"] >= FOLLOWS],
    }


def more(ratio: float, tolerance: float, above: str, below: str) -> str:
    """`above` or `below` by which side of 1 a ratio is on; within the tolerance neither."""
    if ratio > 1 + tolerance:
        return above
    return below if ratio < 1 / (1 + tolerance) else "no difference"


def sentence(metrics: Any) -> str:
    """What happened, in the measured numbers."""
    first, last = largest(metrics)
    parts = [
        "with "
        + " and ".join(
            f"{metrics['parameters'][n] / 1e6:.2f} M parameters in the {n}" for n in NAMES
        )
        + ", all four attributes came out right in "
        + "; ".join(
            f"{each['adherence']:.0%} ({each['name']}) at scale {each['scale']:g}"
            for each in metrics["sampled"]
        )
    ]
    if first["side"] != last["side"]:
        parts.append(
            f"from latents of {first['side']} to {last['side']} a side FLOPs grew "
            + " and ".join(f"{growth(metrics, name):.1f} times ({name})" for name in NAMES)
            + ", attention's products from "
            + " and from ".join(
                f"{first['attention'][n]:.1%} to {last['attention'][n]:.1%} of them ({n})"
                for n in NAMES
            )
        )
    parts += [
        f"at {each['side']} a side the DiT took {each['dit_over_unet']:.2f} times the UNet's time"
        for each in metrics["costs"]
    ]
    text = "; ".join(parts) + "."
    return text[0].upper() + text[1:]
