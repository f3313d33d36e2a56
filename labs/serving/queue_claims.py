"""Numbers of stage-queues from its requests, and what must come out of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

STATES = ("done", "rejected", "cancelled", "failed")


def level_numbers(
    service: Any, shop: Any, requests: list[Any], rate: float, alive: int
) -> dict[str, Any]:
    """What is kept of one load: counts, percentiles of waiting, work and both, and what is left."""
    states = Counter(request.state for request in requests)
    done = [request for request in requests if request.state == "done"]
    denoised = [r.worked["denoise"] for r in requests if r.steps and r.state != "cancelled"]
    cancelled = [request for request in requests if request.state == "cancelled"]
    waited = [request.total_wait for request in done] or [0.0]
    worked = [request.total_work for request in done] or [0.0]
    whole = [request.ended - request.due for request in done] or [0.0]
    mean = sum(denoised) / len(denoised) if denoised else 0.0
    return {
        "load": rate * mean,
        "arrived": len(requests),
        "states": {state: states[state] for state in STATES},
        "waited_median": service.percentile(waited, 50),
        "worked_median": service.percentile(worked, 50),
        "latency": {f"p{p}": service.percentile(whole, p) for p in (50, 95, 99)},
        "waited": {f"p{p}": service.percentile(waited, p) for p in (50, 95, 99)},
        "longest": {name: line.longest for name, line in shop.lines.items()},
        "most_in_flight": shop.slots.most,
        "busy": dict(shop.busy),
        "steps_after_cancel": [request.steps - request.steps_at_cancel for request in cancelled],
        "decoded_after_cancel": sum(request.decoded for request in cancelled),
        "left": {
            "slots": shop.slots.used,
            "queued": sum(len(line) for line in shop.lines.values()),
            "threads": sum(thread.is_alive() for thread in shop.threads),
            "latents": alive,
        },
        "denoise_each": denoised,
        "errors": sorted({request.error for request in requests if request.error}),
    }


def _low_and_high(metrics: Any) -> tuple[Any, Any]:
    levels = sorted(metrics["levels"], key=lambda level: level["load"])
    return levels[0], levels[-1]


def refused(level: Any) -> float:
    """Share of the arrivals that were rejected."""
    return float(level["states"]["rejected"] / level["arrived"])


def ends_once(result: Result) -> Finding:
    expected = "done + rejected + cancelled = arrived at every load, none failed"
    levels = result.metrics["levels"]
    holds = all(
        sum(level["states"].values()) == level["arrived"] and not level["states"]["failed"]
        for level in levels
    )
    measured = "; ".join(
        f"{level['arrived']} = "
        + " + ".join(f"{level['states'][s]} {s}" for s in STATES if level["states"][s])
        for level in levels
    )
    errors = sorted({text for level in levels for text in level["errors"]})
    return finding(holds, measured + (f" ({'; '.join(errors)})" if errors else ""), expected)


def stays_bounded(result: Result) -> Finding:
    metrics = result.metrics
    expected = f"no queue longer than {metrics['bound']}, at most {metrics['slots']} in flight"
    longest = max(max(level["longest"].values()) for level in metrics["levels"])
    most = max(level["most_in_flight"] for level in metrics["levels"])
    holds = longest <= metrics["bound"] and most <= metrics["slots"]
    return finding(holds, f"longest {longest}, {most} in flight", expected)


def overload_is_refused(result: Result) -> Finding:
    expected = "at a load of 1.2 or more at least 0.05 rejected"
    high = _low_and_high(result.metrics)[1]
    if high["load"] < 1.2:
        return not_applicable(f"the highest load came out as {high['load']:.2f}", expected)
    excess = high["arrived"] * (1 - 1 / high["load"])
    if excess < result.metrics["slots"] + 0.1 * high["arrived"]:
        return not_applicable(
            f"{excess:.0f} requests more than can be served; the slots hold almost all", expected
        )
    return finding(
        refused(high) >= 0.05, f"{refused(high):.2f} at a load of {high['load']:.2f}", expected
    )


def waiting_grows(result: Result) -> Finding:
    expected = (
        "from the lowest load (up to 0.8) to the highest (1.2 or more) the median wait grows by "
        "more than the median work does, and by at least the median work of one request"
    )
    low, high = _low_and_high(result.metrics)
    if low["load"] > 0.8 or high["load"] < 1.2:
        return not_applicable(
            f"the loads came out as {low['load']:.2f} and {high['load']:.2f}", expected
        )
    wait = high["waited_median"] - low["waited_median"]
    work = high["worked_median"] - low["worked_median"]
    share = wait / low["worked_median"]
    holds = wait > work and wait >= low["worked_median"]
    measured = f"wait by {share:.1f} and work by {work / low['worked_median']:.1f} requests' work"
    return finding(holds, measured, expected)


def cancels_between_steps(result: Result) -> Finding:
    expected = "at most one step was finished after the cancel, and nothing was decoded after it"
    levels = result.metrics["levels"]
    after = [count for level in levels for count in level["steps_after_cancel"]]
    if not after:
        return not_applicable("no request was cancelled in time", expected)
    decoded = sum(level["decoded_after_cancel"] for level in levels)
    measured = f"{max(after)} at most over {len(after)} cancelled; {decoded} decoded"
    return finding(max(after) <= 1 and decoded == 0, measured, expected)


def nothing_left(result: Result) -> Finding:
    expected = "0 slots in use, 0 queued, 0 threads running, 0 latents held"
    left: Counter[str] = Counter()
    for level in result.metrics["levels"]:
        left.update(level["left"])
    measured = ", ".join(f"{count} {name}" for name, count in left.items())
    return finding(not any(left.values()), measured, expected)


def wait_at(metrics: Any, load: float) -> float:
    """Simulated mean wait over mean service at a load."""
    return next(float(e["wait"]) for e in metrics["simulated"] if e["load"] == load)


def hockey_stick(result: Result) -> Finding:
    expected = "6 to 13 times the wait (the formula: 9), and 0.8 to 1.2 of the formula up to 0.8"
    simulated = result.metrics["simulated"]
    ratio = wait_at(result.metrics, 0.9) / wait_at(result.metrics, 0.5)
    near = [each["wait"] / each["formula"] for each in simulated if each["load"] <= 0.8]
    holds = 6 <= ratio <= 13 and all(0.8 <= share <= 1.2 for share in near)
    measured = f"{ratio:.1f} times; {', '.join(f'{share:.2f}' for share in near)} of the formula"
    return finding(holds, measured, expected)


CLAIMS = (
    Claim(
        "ends-once",
        "Every request that arrives ends exactly once: done, rejected or cancelled.",
        ends_once,
    ),
    Claim(
        "stays-bounded",
        "Queues and requests in flight stay within their bounds, whatever arrives.",
        stays_bounded,
    ),
    Claim(
        "overload-is-refused",
        "What is more than the capacity is refused at the door instead of waiting for ever.",
        overload_is_refused,
    ),
    Claim(
        "waiting-grows",
        "Under load it is the waiting that grows, not the work.",
        waiting_grows,
    ),
    Claim(
        "cancels-between-steps",
        "A cancelled request ends before its next step and is not decoded.",
        cancels_between_steps,
    ),
    Claim(
        "nothing-left",
        "When the last request has ended nothing is held: no slot, no latents, no thread.",
        nothing_left,
    ),
    Claim(
        "hockey-stick",
        "Without a bound the mean wait at load 0.9 is about nine times that at 0.5.",
        hockey_stick,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """The named results that `predict` questions are judged by; null for what was not measured."""
    low, high = _low_and_high(metrics)
    wait = high["waited_median"] - low["waited_median"]
    work = high["worked_median"] - low["worked_median"]
    after = [count for level in metrics["levels"] for count in level["steps_after_cancel"]]
    left = sum(sum(level["left"].values()) for level in metrics["levels"])
    return {
        "grows_most": None if low is high else "waiting" if wait > work else "work",
        "overload_refused": refused(high) >= 0.05 if high["load"] >= 1.2 else None,
        "leaked": left,
        "steps_after_cancel": max(after) if after else None,
        "wait_90_over_50": round(wait_at(metrics, 0.9) / wait_at(metrics, 0.5), 1),
    }


def sentence(metrics: Any) -> str:
    """What was measured, in units of a request alone."""
    alone = metrics["alone_seconds"]
    parts = []
    for level in metrics["levels"]:
        states = level["states"]
        parts.append(
            f"at a load of {level['load']:.2f} ({level['asked']:g} asked for) {states['done']} of "
            f"{level['arrived']} were done, {states['rejected']} rejected and "
            f"{states['cancelled']} cancelled; p50, p95 and p99 took "
            + ", ".join(f"{level['latency'][p] / alone:.1f}" for p in ("p50", "p95", "p99"))
            + " times a request alone, of which the median waited "
            + f"{level['waited_median'] / alone:.1f}"
        )
    ratio = wait_at(metrics, 0.9) / wait_at(metrics, 0.5)
    return (
        f"{'; '.join(parts)}. Simulated without a bound, the mean wait at load 0.9 is {ratio:.1f} "
        f"times that at 0.5. Of so few requests p99 is the slowest one."
    ).replace("at a load", "At a load", 1)
