"""What must come out where timestep spacings are compared, checked on the numbers of every run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

SPACINGS = ("leading", "linspace", "trailing")
LISTED = ("ddim", "euler", "dpm++2m", "unipc", "pndm")
"""Classes whose lists are compared; no denoiser is needed for that."""


def snr(metrics: Any, timestep: float) -> float:
    """ab / (1 - ab) at a timestep."""
    ab = metrics["alphas_cumprod"][round(timestep)]
    return float(ab / (1 - ab))


def first(metrics: Any, name: str, spacing: str, steps: int) -> float:
    return float(metrics["lists"][name][spacing][str(steps)][0])


def distances(metrics: Any, name: str, steps: int) -> dict[str, float]:
    """Distance to the reference by spacing, for one scheduler and number of steps."""
    return {
        each["spacing"]: each["distance"]
        for each in metrics["runs"]
        if each["scheduler"] == name and each["steps"] == steps
    }


def _of(metrics: Any, name: str, steps: int, spacing: str) -> Any:
    for each in metrics["runs"]:
        if (each["scheduler"], each["steps"], each["spacing"]) == (name, steps, spacing):
            return each
    return None


def leading_starts_late(result: Result) -> Finding:
    expected = "DDIM: leading starts at stride (N - 1) + offset, the others at 999"
    metrics = result.metrics
    found, holds = [], True
    for steps in metrics["steps"]:
        starts = {kind: first(metrics, "ddim", kind, steps) for kind in SPACINGS}
        # The offset is 0 or 1 in the models that use these classes.
        wanted = 1000 // steps * (steps - 1)
        holds &= starts["leading"] - wanted in (0, 1)
        holds &= starts["linspace"] == starts["trailing"] == 999
        found.append(
            f"{steps} steps: {starts['leading']:g} (SNR {snr(metrics, starts['leading']):.4f}) "
            f"against 999 (SNR {snr(metrics, 999):.4f})"
        )
    return finding(holds, "; ".join(found), expected)


def one_word_many_lists(result: Result) -> Finding:
    expected = (
        "leading and linspace: the list of DPM-Solver++ and UniPC is not that of DDIM and Euler; "
        "trailing: all equal"
    )
    metrics = result.metrics
    steps = str(metrics["steps"][-1])
    lists = metrics["lists"]

    def same(one: str, other: str, kind: str) -> bool:
        # Euler keeps fractions of linspace, DDIM rounds them.
        a, b = (lists[name][kind][steps] for name in (one, other))
        return len(a) == len(b) and all(abs(x - y) <= 0.5 for x, y in zip(a, b, strict=True))

    holds = all(same("ddim", "euler", kind) and same("dpm++2m", "unipc", kind) for kind in SPACINGS)
    holds = holds and same("ddim", "dpm++2m", "trailing")
    holds = holds and not any(same("ddim", "dpm++2m", kind) for kind in ("leading", "linspace"))
    shown = [
        f"{kind}: DDIM {lists['ddim'][kind][steps][0]:g} to {lists['ddim'][kind][steps][-1]:g}, "
        f"DPM-Solver++ {lists['dpm++2m'][kind][steps][0]:g} to "
        f"{lists['dpm++2m'][kind][steps][-1]:g}"
        for kind in SPACINGS
    ]
    return finding(holds, f"{steps} steps, " + "; ".join(shown), expected)


def trailing_at_few(result: Result) -> Finding:
    expected = "at 2 steps trailing is at most .8 as far from the reference as leading"
    metrics = result.metrics
    if 2 not in metrics["steps"] or not metrics["bundled"] or metrics["guidance_scale"] > 1:
        return not_applicable("it needs 2 steps without guidance, on the bundled model", expected)
    rows = {name: distances(metrics, name, 2) for name in ("ddim", "euler")}
    rows = {name: row for name, row in rows.items() if row}
    if not rows:
        return not_applicable("it needs ddim or euler", expected)
    measured = "; ".join(
        f"{name}: trailing {row['trailing']:.3f}, leading {row['leading']:.3f}"
        for name, row in rows.items()
    )
    holds = all(row["trailing"] <= 0.8 * row["leading"] for row in rows.values())
    return finding(holds, measured, expected)


def leading_at_more(result: Result) -> Finding:
    expected = "at 10 steps leading is nearer to the reference than trailing"
    metrics = result.metrics
    if 10 not in metrics["steps"] or not metrics["bundled"] or metrics["guidance_scale"] > 1:
        return not_applicable("it needs 10 steps without guidance, on the bundled model", expected)
    rows = {name: distances(metrics, name, 10) for name in ("ddim", "euler")}
    rows = {name: row for name, row in rows.items() if row}
    if not rows:
        return not_applicable("it needs ddim or euler", expected)
    measured = "; ".join(
        f"{name}: leading {row['leading']:.3f}, trailing {row['trailing']:.3f}"
        for name, row in rows.items()
    )
    return finding(all(r["leading"] < r["trailing"] for r in rows.values()), measured, expected)


def linspace_trips_ddim(result: Result) -> Finding:
    expected = (
        "at 3 steps DDIM with linspace is at least 1.3 times as far off as Euler on the same "
        "timesteps, and farther than DDIM with the other two"
    )
    metrics = result.metrics
    rows = {name: distances(metrics, name, 3) for name in ("ddim", "euler")}
    if not all(rows.values()) or not metrics["bundled"]:
        return not_applicable("it needs ddim and euler at 3 steps, on the bundled model", expected)
    ddim, euler = rows["ddim"], rows["euler"]
    holds = ddim["linspace"] >= 1.3 * euler["linspace"] and ddim["linspace"] == max(ddim.values())
    measured = (
        f"ddim {ddim['linspace']:.3f}, euler {euler['linspace']:.3f}; ddim leading "
        f"{ddim['leading']:.3f}, trailing {ddim['trailing']:.3f}"
    )
    return finding(holds, measured, expected)


def leading_is_flat(result: Result) -> Finding:
    expected = (
        "at the fewest steps (2 or 3) leading leaves less spread in the latents than trailing"
    )
    metrics = result.metrics
    steps = metrics["steps"][0]
    pairs = {
        name: (_of(metrics, name, steps, "leading"), _of(metrics, name, steps, "trailing"))
        for name in ("ddim", "euler")
    }
    pairs = {name: pair for name, pair in pairs.items() if pair[0] is not None}
    if not pairs or steps > 3 or not metrics["bundled"] or metrics["guidance_scale"] > 1:
        return not_applicable(
            "it needs ddim or euler at 2 or 3 steps without guidance, on the bundled model",
            expected,
        )
    measured = "; ".join(
        f"{name}: leading {a['final_std']:.3f}, trailing {b['final_std']:.3f}"
        for name, (a, b) in pairs.items()
    )
    holds = all(a["final_std"] < b["final_std"] - 0.03 for a, b in pairs.values())
    return finding(holds, measured, expected)


CLAIMS = (
    Claim(
        "leading-starts-late",
        "Leading leaves out the noisy end: the fewer the steps, the higher the SNR that the "
        "denoiser is first told, while its input is pure noise.",
        leading_starts_late,
    ),
    Claim(
        "one-word-many-lists",
        "The same timestep_spacing gives DPM-Solver++ and UniPC other timesteps than DDIM and "
        "Euler, but for trailing.",
        one_word_many_lists,
    ),
    Claim(
        "trailing-at-few",
        "At two steps trailing comes much nearer to the solution than leading.",
        trailing_at_few,
    ),
    Claim(
        "leading-at-more",
        "At ten steps leading comes nearer: trailing then pays for its last jump to 0.",
        leading_at_more,
    ),
    Claim(
        "linspace-trips-ddim",
        "DDIM steps by a stride that is not linspace's: it lands on levels that it is not told.",
        linspace_trips_ddim,
    ),
    Claim(
        "leading-is-flat",
        "At few steps leading leaves the latents with too little spread.",
        leading_is_flat,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by; null for what was not measured."""
    few, many = metrics["steps"][0], metrics["steps"][-1]
    name = metrics["runs"][0]["scheduler"]
    at_few, at_many = distances(metrics, name, few), distances(metrics, name, many)
    for_ddim = distances(metrics, "ddim", few)
    return {
        "nearest_at_fewest": min(at_few, key=lambda kind: at_few[kind]),
        "nearest_at_most": min(at_many, key=lambda kind: at_many[kind]),
        "worst_for_ddim": max(for_ddim, key=lambda kind: for_ddim[kind]) if for_ddim else None,
        "first_leading": first(metrics, "ddim", "leading", few),
        "first_trailing": first(metrics, "ddim", "trailing", few),
        "sees_the_noisy_end": [k for k in SPACINGS if first(metrics, "ddim", k, few) == 999],
    }
