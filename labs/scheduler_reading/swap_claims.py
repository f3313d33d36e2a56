"""What must come out when schedulers are swapped, checked on the numbers of every run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

PAIRS = (("euler", "ddim"), ("euler-a", "ddpm"))
"""Two names for one computation, in two coordinates."""
SAME = 2e-3
"""Relative distance under which two results are one: float32 rounding along the way."""
APPROACHES = 0.6
"""What may be left of the distance to the reference, from the fewest steps to the most. A solver
without any error on the way is left with .45 from 5 steps to 40, as both end in a jump to 0."""
STAYS = 0.7
LADDER = 4
"""The most steps over the fewest from which a run speaks of convergence."""


def _wide(metrics: Any) -> bool:
    counts = metrics["steps"]
    return bool(counts[-1] >= LADDER * counts[0] and counts[-1] >= 20)


def _left(each: Any) -> float:
    """Distance at the most steps over that at the fewest."""
    return float(each["distance"][-1] / each["distance"][0])


def _named(metrics: Any, stochastic: bool) -> dict[str, Any]:
    return {
        name: each
        for name, each in metrics["schedulers"].items()
        if each["stochastic"] is stochastic
    }


def ode_solvers_approach(result: Result) -> Finding:
    expected = f"from the fewest to the most steps at most {APPROACHES:g} of the distance is left"
    metrics = result.metrics
    solvers = _named(metrics, stochastic=False)
    if not solvers or not _wide(metrics):
        return not_applicable("it needs 20 steps or more, and four times the fewest", expected)
    left = {name: _left(each) for name, each in solvers.items()}
    measured = ", ".join(f"{name} {value:.2f}" for name, value in left.items())
    return finding(max(left.values()) <= APPROACHES, measured, expected)


def stochastic_do_not(result: Result) -> Finding:
    expected = (
        f"at least {STAYS:g} of the distance is left, and the last increase of the steps moved "
        "the result by more than .2"
    )
    metrics = result.metrics
    drawn = _named(metrics, stochastic=True)
    if not drawn or not _wide(metrics):
        return not_applicable("it needs a stochastic sampler and 20 steps or more", expected)
    measured = ", ".join(
        f"{name} {_left(each):.2f} (moved {each['moved'][-1]:.2f})" for name, each in drawn.items()
    )
    holds = all(_left(each) >= STAYS and each["moved"][-1] > 0.2 for each in drawn.values())
    return finding(holds, measured, expected)


def calls_as_counted(result: Result) -> Finding:
    expected = "N calls for N steps, but 2N - 1 for Heun and N + 1 for PNDM"
    wrong, shown = [], []
    for name, each in result.metrics["schedulers"].items():
        wanted = [calls_of(name, steps) for steps in each["steps"]]
        if each["calls"] != wanted:
            wrong.append(name)
        shown.append(f"{name} {each['calls'][-1]} in {each['steps'][-1]} steps")
    return finding(not wrong, ", ".join(shown), expected)


def calls_of(name: str, steps: int) -> int:
    """Calls of the denoiser in so many steps of its own."""
    return {"heun": 2 * steps - 1, "pndm": steps + 1}.get(name, steps)


def multistep_saves(result: Result) -> Finding:
    expected = "at 10 steps the way costs 2M and UniPC at most half of what it costs DDIM"
    metrics = result.metrics
    found = metrics["schedulers"]
    names = [name for name in ("dpm++2m", "unipc") if name in found]
    if 10 not in metrics["steps"] or "ddim" not in found or not names:
        return not_applicable("it needs 10 steps, ddim and dpm++2m or unipc", expected)
    if metrics["guidance_scale"] > 1:
        return not_applicable(
            "guidance bends the ODE more; who is ahead then has to be measured", expected
        )
    place = metrics["steps"].index(10)
    way = {name: found[name]["way"][place] for name in ("ddim", *names)}
    measured = ", ".join(f"{name} {value:.3f}" for name, value in way.items())
    return finding(max(way[name] for name in names) <= 0.5 * way["ddim"], measured, expected)


def orders(result: Result) -> Finding:
    expected = (
        "from 10 to 40 steps the error on the way falls to between .17 and .45 with DDIM and to "
        "at most .15 with Heun"
    )
    metrics = result.metrics
    found = metrics["schedulers"]
    if not {10, 40} <= {*metrics["steps"]} or not {"ddim", "heun"} <= found.keys():
        return not_applicable("it needs 10 and 40 steps, ddim and heun", expected)
    if metrics["guidance_scale"] > 1:
        return not_applicable("it is known without guidance only", expected)
    few, many = metrics["steps"].index(10), metrics["steps"].index(40)
    names = [name for name in ("ddim", "heun", "dpm++2m") if name in found]
    left = {name: found[name]["way"][many] / found[name]["way"][few] for name in names}
    measured = ", ".join(f"{name} {value:.2f}" for name, value in left.items())
    return finding(0.17 <= left["ddim"] <= 0.45 and left["heun"] <= 0.15, measured, expected)


def last_jump_dominates(result: Result) -> Finding:
    expected = (
        "at 20 steps or more the jump from the last timestep alone accounts for .6 or more of "
        "the distance of 2M and UniPC"
    )
    metrics = result.metrics
    found = metrics["schedulers"]
    names = [name for name in ("dpm++2m", "unipc") if name in found]
    if not names or metrics["steps"][-1] < 20:
        return not_applicable("it needs dpm++2m or unipc and 20 steps or more", expected)
    parts = {
        name: found[name]["last_jump"][-1] / found[name]["distance"][-1] for name in names
    }  # fmt: skip
    measured = ", ".join(
        f"{name} {found[name]['distance'][-1]:.3f}, the jump {found[name]['last_jump'][-1]:.3f}"
        for name in names
    )
    return finding(min(parts.values()) >= 0.6, measured, expected)


def same_pairs(result: Result) -> Finding:
    expected = f"their results differ by at most {SAME:g}"
    apart = result.metrics["apart"]
    if not apart or any(1000 % steps for steps in result.metrics["steps"][-1:]):
        return not_applicable(
            "it needs euler and ddim, or euler-a and ddpm, and steps that divide 1000", expected
        )
    measured = ", ".join(f"{pair}: {value:.1e}" for pair, value in apart.items())
    return finding(max(apart.values()) <= SAME, measured, expected)


CLAIMS = (
    Claim(
        "ode-solvers-approach",
        "Solvers of the ODE come nearer to one and the same result as the steps grow.",
        ode_solvers_approach,
    ),
    Claim(
        "stochastic-do-not",
        "Samplers that draw noise do not: each number of steps gives another picture.",
        stochastic_do_not,
    ),
    Claim(
        "calls-as-counted",
        "N steps are N calls of the denoiser, but for Heun (2N - 1) and PNDM (N + 1).",
        calls_as_counted,
    ),
    Claim(
        "multistep-saves",
        "At ten evaluations the multistep solvers 2M and UniPC err far less than DDIM on the way "
        "down to the last timestep.",
        multistep_saves,
    ),
    Claim(
        "first-and-second-order",
        "Four times the steps leave about a quarter of the error on the way with DDIM and about "
        "a sixteenth with Heun.",
        orders,
    ),
    Claim(
        "last-jump-dominates",
        "What keeps a good solver from the limit is its last jump to sigma = 0, not its order.",
        last_jump_dominates,
    ),
    Claim(
        "same-pairs",
        "Euler is DDIM, and Euler ancestral is DDPM, from the same noise and draws.",
        same_pairs,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by; null for what was not measured."""
    found = metrics["schedulers"]
    wide = _wide(metrics)

    def last_calls(name: str) -> int | None:
        return found[name]["calls"][-1] if name in found else None

    ratio = None
    if 10 in metrics["steps"] and "ddim" in found and "dpm++2m" in found:
        place = metrics["steps"].index(10)
        ratio = found["dpm++2m"]["way"][place] / found["ddim"]["way"][place]
    return {
        "approach": [n for n, e in found.items() if _left(e) <= APPROACHES] if wide else None,
        "keep_changing": [n for n, e in found.items() if _left(e) >= STAYS] if wide else None,
        "same_pairs": [pair for pair, value in metrics["apart"].items() if value <= SAME],
        "heun_calls": last_calls("heun"),
        "pndm_calls": last_calls("pndm"),
        "multistep_ratio": ratio,
    }
