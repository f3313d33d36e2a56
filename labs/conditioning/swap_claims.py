"""What must come out of swapped words, checked on the numbers of every run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

WHERE = ("all states", "its own state", "states behind it")
"""Which text states come from the prompt with the other word."""
SAME_STATE = 1e-4
"""Largest difference of two text states (of spread about 1) that are one computation."""


def mean(metrics: Any, name: str, what: str) -> float | None:
    """Mean over the swaps of a share in the variant `name`; None without a judge."""
    values = [each["where"][name][what] for each in metrics["swaps"]]
    return None if None in values else sum(values) / len(values)


def late(metrics: Any) -> list[dict[str, float]]:
    """By the share of the run after which the word was swapped: mean share that shows the new."""
    found = []
    for place, at in enumerate(metrics["switches"]):
        values = [each["late"][place]["new"] for each in metrics["swaps"]]
        if None not in values:
            found.append({"at": at, "new": sum(values) / len(values)})
    return found


def only_its_attribute(result: Result) -> Finding:
    expected = "0.8 or more show the new value, and 0.7 or more keep all other attributes"
    metrics = result.metrics
    new, kept = mean(metrics, WHERE[0], "new"), mean(metrics, WHERE[0], "others")
    if new is None or kept is None:
        return not_applicable("there is no judge for this model", expected)
    measured = f"{new:.2f} show the new value, {kept:.2f} keep the others"
    return finding(new >= 0.8 and kept >= 0.7, measured, expected)


def states_before_are_equal(result: Result) -> Finding:
    expected = f"states before the word differ by at most {SAME_STATE:g}, its own by more than 0.1"
    metrics = result.metrics
    if not metrics["float32"]:
        return not_applicable("half precision rounds more", expected)
    before = max(each["before_difference"] for each in metrics["swaps"])
    own = min(each["own_difference"] for each in metrics["swaps"])
    return finding(before <= SAME_STATE and own > 0.1, f"{before:.1e}, {own:.2f}", expected)


def states_behind_carry_it(result: Result) -> Finding:
    expected = "states behind the word differ by more than 0.1 for every swap"
    behind = min(each["behind_difference"] for each in result.metrics["swaps"])
    return finding(behind > 0.1, f"{behind:.2f} at least", expected)


def late_swaps_do_less(result: Result) -> Finding:
    expected = "0.25 fewer show the new word when swapped at 0.7 of the run or later than at once"
    metrics = result.metrics
    now, rows = mean(metrics, WHERE[0], "new"), late(metrics)
    last = max(rows, key=lambda each: each["at"], default=None)
    if now is None or last is None or last["at"] < 0.7:
        return not_applicable("it needs a judge and a swap at 0.7 or later", expected)
    measured = f"{now:.2f} at once, {last['new']:.2f} at {last['at']:g}"
    return finding(now - last["new"] >= 0.25, measured, expected)


def still_shown(metrics: Any) -> list[str] | None:
    """The new words that half the pictures or more still show at the latest switch."""
    if not metrics["switches"] or metrics["swaps"][0]["late"][0]["new"] is None:
        return None
    place = metrics["switches"].index(max(metrics["switches"]))
    return [each["to"] for each in metrics["swaps"] if each["late"][place]["new"] >= 0.5]


def size_settles_first(result: Result) -> Finding:
    expected = (
        "at 0.5 a swapped size shows in 0.3 or less, a swapped colour of the shape in 0.6 or more"
    )
    metrics = result.metrics
    swaps = {each["attribute"]: each for each in metrics["swaps"]}
    if 0.5 not in metrics["switches"] or not {"size", "colour"} <= set(swaps):
        return not_applicable("it needs a switch at 0.5 and swaps of size and colour", expected)
    place = metrics["switches"].index(0.5)
    size, colour = (swaps[name]["late"][place]["new"] for name in ("size", "colour"))
    measured = f"size {size:.2f}, colour {colour:.2f}"
    return finding(size <= 0.3 and colour >= 0.6, measured, expected)


CLAIMS = (
    Claim(
        "only-its-attribute",
        "A word swapped before sampling changes its attribute and leaves the others.",
        only_its_attribute,
    ),
    Claim(
        "states-before-are-equal",
        "The text encoder is causal: states before the swapped word are equal.",
        states_before_are_equal,
    ),
    Claim(
        "states-behind-carry-it",
        "Every state behind the word, padding too, has seen it and changes with it.",
        states_behind_carry_it,
    ),
    Claim(
        "late-swaps-do-less",
        "The later in the run a word is swapped, the fewer pictures show the new one.",
        late_swaps_do_less,
    ),
    Claim(
        "size-settles-first",
        "How large the shape is settles in the first half of the run, its colour later.",
        size_settles_first,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """What `predict` questions are judged by; null for what was not measured."""
    shares = {name: mean(metrics, name, "new") for name in WHERE}
    known = {name: value for name, value in shares.items() if value is not None}
    return {
        "new_by_where": known or None,
        "enough": [name for name, value in known.items() if value >= 0.5] if known else None,
        "still_shown": still_shown(metrics),
        "changed_states": changed_states(metrics),
        "others_kept": mean(metrics, WHERE[0], "others"),
    }


def changed_states(metrics: Any) -> list[str]:
    """Which states change with the word, out of before it, its own and behind it."""
    groups = {
        "before it": max(each["before_difference"] for each in metrics["swaps"]),
        "its own": min(each["own_difference"] for each in metrics["swaps"]),
        "behind it": min(each["behind_difference"] for each in metrics["swaps"]),
    }
    return [name for name, value in groups.items() if value > 0.01]


def sentence(metrics: Any) -> str:
    """What happened, in the measured numbers."""
    first = metrics["swaps"][0]
    parts = []
    told = outcomes(metrics)
    if told["new_by_where"]:
        parts.append(
            f"over {len(metrics['swaps'])} swaps the new word showed in "
            + ", ".join(
                f"{value:.0%} of the pictures with {name} from the other prompt"
                for name, value in told["new_by_where"].items()
            )
        )
        parts += [
            f"swapped after {each['at']:.0%} of the run it showed in {each['new']:.0%}"
            for each in late(metrics)
        ]
    parts.append(
        f"for {first['word']!r} to {first['to']!r} text states moved by up to "
        f"{first['before_difference']:.0e} before the word, {first['own_difference']:.1f} at it, "
        f"and {first['behind_difference']:.1f} or more behind it"
    )
    text = "; ".join(parts) + "."
    return text[0].upper() + text[1:]
