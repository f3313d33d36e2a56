"""What must come out of shared-scheduler-threads, checked on the numbers of every run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

SCHEDULERS = {
    "euler": "EulerDiscreteScheduler",
    "dpm": "DPMSolverMultistepScheduler",
    "pndm": "PNDMScheduler",
    "ddim": "DDIMScheduler",
}
COUNTING = ("euler", "dpm", "pndm")
"""Those that keep a counter or a history between steps."""
SAME = 1e-4
"""Largest difference of a latent value between two runs of one computation."""
WRONG = 0.05
"""A latent value that differs by more belongs to another picture."""


def is_wrong(setup: Any) -> bool:
    """Whether an exception came, or a picture that its request alone would not have got."""
    return bool(setup["raised"]) or setup["apart"] > WRONG


def own_is_right(result: Result) -> Finding:
    metrics = result.metrics
    expected = f"nothing raised and no latent value off by more than {SAME:g}, over one UNet object"
    own = [metrics["setups"][f"{name}, own"] for name in metrics["schedulers"]]
    apart = max(each["apart"] for each in own)
    raised = [text for each in own for text in each["raised"]]
    holds = not raised and apart <= SAME and metrics["same_modules"]
    return finding(holds, f"{apart:.1e} at most, raised: {raised or 'nothing'}", expected)


def sharing_breaks(result: Result) -> Finding:
    metrics = result.metrics
    expected = f"for each an exception, or latents off by more than {WRONG:g}"
    names = [name for name in COUNTING if name in metrics["schedulers"]]
    if not names:
        return not_applicable("no scheduler with a counter or a history was run", expected)
    setups = {name: metrics["setups"][f"{name}, shared"] for name in names}
    measured = "; ".join(
        f"{name} {each['raised'][0] if each['raised'] else format(each['apart'], '.2f')}"
        for name, each in setups.items()
    )
    return finding(all(is_wrong(each) for each in setups.values()), measured, expected)


def euler_runs_out(result: Result) -> Finding:
    metrics = result.metrics
    expected = "IndexError in both, after as many steps together as one request has"
    if "euler" not in metrics["schedulers"]:
        return not_applicable("euler was not run", expected)
    setup = metrics["setups"]["euler, shared"]
    steps = sum(setup["steps"])
    holds = len(setup["raised"]) == 2 and steps == metrics["steps"]
    holds = holds and all(text.endswith("IndexError") for text in setup["raised"])
    measured = f"{', '.join(setup['raised']) or 'nothing raised'} after {steps} steps together"
    return finding(holds, measured, expected)


def counter_is_shared(result: Result) -> Finding:
    expected = "a's steps leave it at 1, 3, 5 ... instead of 1, 2, 3 ..."
    metrics = result.metrics
    if "euler" not in metrics["schedulers"]:
        return not_applicable("euler was not run", expected)
    shared = metrics["setups"]["euler, shared"]["positions"][0]
    own = metrics["setups"]["euler, own"]["positions"][0]
    holds = shared == [2 * k + 1 for k in range(len(shared))] and len(shared) > 1
    holds = holds and own == [k + 1 for k in range(metrics["steps"])]
    return finding(holds, f"shared {shared[:4]}, own {own[:4]}", expected)


def luck_of_ddim(result: Result) -> Finding:
    metrics = result.metrics
    expected = f"nothing raised, no latent value off by more than {SAME:g}"
    if "ddim" not in metrics["schedulers"]:
        return not_applicable("ddim was not run", expected)
    setup = metrics["setups"]["ddim, shared"]
    holds = not setup["raised"] and setup["apart"] <= SAME
    return finding(holds, f"{setup['apart']:.1e} at most", expected)


def silent_ddim(result: Result) -> Finding:
    expected = f"nothing raised, latents off by more than {WRONG:g}"
    setup = result.metrics["setups"]["ddim, shared, other steps"]
    holds = not setup["raised"] and setup["apart"] > WRONG
    measured = f"{', '.join(setup['raised']) or 'nothing raised'}, off by {setup['apart']:.2f}"
    return finding(holds, measured, expected)


def wrong_scale(result: Result) -> Finding:
    scales = result.metrics["scales"]
    expected = (
        f"nothing raised; a within {SAME:g} of its own scale for one step and b's from then on, "
        f"and more than {WRONG:g} from its own throughout"
    )
    holds = not scales["raised"] and scales["from_others"] <= SAME and scales["from_own"] > WRONG
    measured = f"{scales['from_others']:.1e} from the switch, {scales['from_own']:.2f} from its own"
    return finding(holds, measured, expected)


CLAIMS = (
    Claim(
        "own-is-right",
        "With a pipeline object and a scheduler each, over the same weights, both requests get the "
        "picture that they would get alone.",
        own_is_right,
    ),
    Claim(
        "sharing-breaks",
        "Two requests that share a scheduler with a counter or a history get an error or another "
        "picture.",
        sharing_breaks,
    ),
    Claim(
        "euler-runs-out",
        "A shared Euler scheduler runs out of sigmas half-way through both requests.",
        euler_runs_out,
    ),
    Claim(
        "counter-is-shared",
        "It is `step_index`: each request moves the other's.",
        counter_is_shared,
    ),
    Claim(
        "luck-of-ddim",
        "DDIM keeps no counter: shared by requests with equal steps it happens to be right.",
        luck_of_ddim,
    ),
    Claim(
        "silent-ddim",
        "With different numbers of steps a shared DDIM is wrong without an error.",
        silent_ddim,
    ),
    Claim(
        "wrong-scale",
        "Over one pipeline object the request that is under way gets the other's guidance scale as "
        "soon as that one starts.",
        wrong_scale,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by."""
    setups = metrics["setups"]
    shared = {name: each for name, each in setups.items() if not name.endswith(", own")}
    positions = setups["euler, shared"]["positions"][0] if "euler, shared" in setups else []
    scales = metrics["scales"]
    return {
        "raise": [name for name in metrics["schedulers"] if setups[f"{name}, shared"]["raised"]],
        "silent": [
            name.replace(", shared", "")
            for name, each in shared.items()
            if not each["raised"] and each["apart"] > WRONG
        ],
        "third_position": positions[2] if len(positions) > 2 else None,
        "whose_scale": "its own" if scales["from_own"] <= SAME else "the other's",
    }


def sentence(metrics: Any) -> str:
    """What was measured."""
    parts = []
    for name in metrics["schedulers"]:
        each = metrics["setups"][f"{name}, shared"]
        if each["raised"]:
            what = f"raised {each['raised'][0].split(': ')[1]} after {sum(each['steps'])} steps"
        elif each["apart"] > WRONG:
            what = f"gave other pictures (latents off by up to {each['apart']:.2f}) and no error"
        else:
            what = "gave the right pictures"
        tries = metrics["free_tries"]
        if tries:
            what += f" (wrong in {each['free_tries_wrong']} of {tries} tries without turns)"
        parts.append(f"{name} {what}")
    silent = metrics["setups"]["ddim, shared, other steps"]["apart"]
    own = max(metrics["setups"][f"{n}, own"]["apart"] for n in metrics["schedulers"])
    return (
        f"Two requests that shared a scheduler, step by step in turns: {'; '.join(parts)}. "
        f"ddim with other steps was off by {silent:.2f} without an error. With a scheduler each "
        f"the largest difference from being alone was {own:.1e}."
    )
