"""What must come out of broken services and their mends, checked on the numbers of every run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable


@dataclass(frozen=True)
class Pair:
    """Two cases that look alike, and the number of a probe that lies on either side of `limit`."""

    cases: tuple[str, str]
    """The one with the smaller number first."""
    probe: str
    number: str
    limit: float


PAIRS = (
    Pair(("forgot-scaling", "bare-scheduler"), "decoder-input", "ratio", 0.35),
    Pair(("short-tokens", "cache-key"), "prompt-tokens", "longest", 7),
    Pair(("same-seed", "no-init-sigma"), "random-state", "noises", 2.5),
    Pair(("shared-generator", "step-noise"), "random-state", "same", 2),
    Pair(("shared-scheduler", "steps-once"), "replay", "failed", 0.5),
    Pair(("graph-kept", "previews-kept"), "memory-after-request", "left", 1),
    Pair(("lock-held", "queue-unbounded"), "device-busy", "busy", 0.6),
    Pair(("waits-for-batch", "lock-held"), "stage-times", "queue", 2),
    Pair(("unfuse-rescaled", "style-leaks"), "adapters", "on", 1),
)


def passes(check: Any, value: float) -> bool:
    """Whether a measured value is a healthy service's."""
    if check["at_least"]:
        return bool(value >= check["bound"])
    return bool(value <= check["bound"])


def _checks(result: Result) -> dict[str, Any]:
    cases = result.metrics["cases"]
    return {name: each["check"] for name, each in cases.items() if each["check"]}


def symptom_is_there(result: Result) -> Finding:
    expected = "every broken service fails its check"
    checks = _checks(result)
    if not checks:
        return not_applicable("the run has no mend to check", expected)
    well = [name for name, each in checks.items() if passes(each, each["broken"])]
    return finding(not well, f"{len(checks)} broken; passing: {_named(well)}", expected)


def mend_removes_it(result: Result) -> Finding:
    expected = "every mended service passes its check"
    checks = _checks(result)
    if not checks:
        return not_applicable("the run has no mend to check", expected)
    ill = [name for name, each in checks.items() if not passes(each, each["mended"])]
    return finding(not ill, f"{len(checks)} mended; failing: {_named(ill)}", expected)


def probes_tell_apart(result: Result) -> Finding:
    expected = "of two that look alike, one lies below the limit of the probe and one above"
    measured, wrong = [], []
    for pair in PAIRS:
        values = [_number(result, name, pair) for name in pair.cases]
        if None in values:
            continue
        low, high = values
        told = f"{pair.probe} {low:.3g} in {pair.cases[0]}, {high:.3g} in {pair.cases[1]}"
        measured.append(told)
        if not low < pair.limit < high:
            wrong.append(told)
    if not measured:
        return not_applicable("the run has no pair of cases", expected)
    return finding(not wrong, f"{len(measured)} pairs; wrong: {_named(wrong)}", expected)


def _number(result: Result, case: str, pair: Pair) -> Any:
    probes = result.metrics["cases"].get(case, {}).get("probes", {})
    return probes.get(pair.probe, {}).get(pair.number)


def _named(names: list[str]) -> str:
    return ", ".join(names) or "none"


CLAIMS = (
    Claim(
        "symptom-is-there",
        "The broken service fails a check that a healthy one passes.",
        symptom_is_there,
    ),
    Claim("mend-removes-it", "With the mend the same check is passed.", mend_removes_it),
    Claim(
        "probes-tell-apart",
        "Faults that look alike are told apart by a measurement.",
        probes_tell_apart,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The cause, once the mend was run; null for what was not."""
    cases = metrics["cases"]
    checks = [each["check"] for each in cases.values()]
    mended = None if None in checks else all(passes(each, each["mended"]) for each in checks)
    known = mended is not None and len(cases) == 1
    return {
        "cause": next(iter(cases.values()))["cause"] if known else "",
        "mended": mended,
    }


def sentence(metrics: Any) -> str:
    """What happened over all cases, in the measured numbers."""
    cases = metrics["cases"]
    checks = {name: each["check"] for name, each in cases.items() if each["check"]}
    if not checks:
        return f"{len(cases)} broken services were looked at ({metrics['look']})."
    failed = sum(not passes(each, each["broken"]) for each in checks.values())
    passed = sum(passes(each, each["mended"]) for each in checks.values())
    worst = ", ".join(
        f"{name}: {each['what']} {each['broken']:.3g}, mended {each['mended']:.3g}"
        for name, each in list(checks.items())[:3]
    )
    return (
        f"{failed} of {len(checks)} broken services fail their check and {passed} pass it once "
        f"mended; for example {worst}."
    )
