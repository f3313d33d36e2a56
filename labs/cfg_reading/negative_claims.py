"""What must come out of negative prompts, checked on the numbers of every run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

SAME_PICTURE = 0.02
"""Largest difference of a pixel in [0, 1] between two float32 runs of one computation."""
PLAIN = ""
"""The empty prompt, which a negative one replaces."""


def compared(metrics: Any) -> list[dict[str, Any]]:
    """For each scale above 1 and negative prompt: the share with the empty one and with it."""
    if metrics["settings"][0]["shares"] is None:
        return []
    plain = {
        each["scale"]: each["shares"] for each in metrics["settings"] if each["negative"] == PLAIN
    }
    return [
        {
            "scale": each["scale"],
            "negative": each["negative"],
            "plain": plain[each["scale"]][each["negative"]],
            "with": each["shares"][each["negative"]],
        }
        for each in metrics["settings"]
        if each["negative"] != PLAIN
    ]


def shows_less(result: Result) -> Finding:
    expected = (
        "over all scales above 1 and negative prompts, the share of pictures that show what is "
        "named falls to under half; at no setting does it rise by more than 0.05"
    )
    rows = compared(result.metrics)
    if not rows or sum(each["plain"] for each in rows) / len(rows) < 0.08:
        return not_applicable("it needs a judge, a scale above 1 and something to lose", expected)
    before, after = (sum(each[name] for each in rows) for name in ("plain", "with"))
    measured = "; ".join(
        f"{each['negative']} at {each['scale']:g}: {each['plain']:.2f} to {each['with']:.2f}"
        for each in rows
    )
    never = all(each["with"] <= each["plain"] + 0.05 for each in rows)
    return finding(after < before / 2 and never, measured, expected)


def subjects(metrics: Any) -> dict[str, dict[str, Any]]:
    """At the largest scale above 1: the setting of each negative prompt, where one of them repeats
    the subject of the prompt and another does not; else empty."""
    rows = [each for each in metrics["settings"] if each["negative"] and each["scale"] > 1]
    last = max((each["scale"] for each in rows), default=None)
    found = {each["negative"]: each for each in rows if each["scale"] == last}
    kinds = {each["repeats"] for each in found.values() if each["subject"] is not None}
    return found if kinds == {True, False} else {}


def repeating_costs_the_subject(result: Result) -> Finding:
    expected = (
        "at the largest scale at least 0.1 fewer pictures show the subject against a negative "
        "prompt that repeats it than against one that does not"
    )
    found = subjects(result.metrics)
    if not found or result.metrics["pictures"] < 16:
        return not_applicable("it needs 16 pictures and negative prompts of both kinds", expected)
    shares = {
        kind: [each["subject"] for each in found.values() if each["repeats"] is kind]
        for kind in (True, False)
    }
    measured = "; ".join(f"{each['subject']:.2f} against {name!r}" for name, each in found.items())
    holds = min(shares[False]) - max(shares[True]) >= 0.1
    return finding(holds, measured, expected)


def off_at_or_under_1(result: Result) -> Finding:
    expected = "not one pixel differs, and the negative prompt is not even encoded"
    off = [each for each in result.metrics["calls"] if each["scale"] <= 1]
    if not off:
        return not_applicable("it needs a scale up to 1", expected)
    apart = max(each["difference"] for each in off)
    texts = sorted({each["texts"][1] for each in off})
    measured = f"{apart:g}; {' or '.join(f'{each:g}' for each in texts)} text encoded for a picture"
    return finding(apart == 0 and texts == [1], measured, expected)


def acts_above_1(result: Result) -> Finding:
    expected = "above 1 pictures do differ, and two texts are encoded either way"
    on = [each for each in result.metrics["calls"] if each["scale"] > 1]
    if not on:
        return not_applicable("it needs a scale above 1", expected)
    apart = min(each["difference"] for each in on)
    texts = all(each["texts"] == [2, 2] for each in on)
    return finding(apart > SAME_PICTURE and texts, f"by {apart:.2f} of a pixel or more", expected)


def costs_nothing(result: Result) -> Finding:
    expected = "the same evaluations with and without a negative prompt, at every scale"
    pairs = [(each["scale"], *each["evaluations"]) for each in result.metrics["calls"]]
    measured = "; ".join(f"{without:g} and {given:g} at {s:g}" for s, without, given in pairs)
    return finding(all(without == given for _, without, given in pairs), measured, expected)


def same_text_is_scale_1(result: Result) -> Finding:
    expected = (
        f"no pixel differs by more than {SAME_PICTURE:g} from scale 1, at twice the evaluations"
    )
    metrics = result.metrics
    found = metrics["same_text"]
    if found is None or not (metrics["float32"] and metrics["bundled"]):
        return not_applicable("it needs a scale above 1, and float32", expected)
    measured = (
        f"{found['difference']:.1e} at scale {found['scale']:g}, "
        f"{found['evaluations_ratio']:g} times the evaluations"
    )
    holds = found["difference"] <= SAME_PICTURE and found["evaluations_ratio"] == 2
    return finding(holds, measured, expected)


CLAIMS = (
    Claim(
        "off-at-or-under-1",
        "At scales up to 1 a negative prompt changes nothing: identical pictures.",
        off_at_or_under_1,
    ),
    Claim(
        "acts-above-1",
        "Above 1 it takes the place of the empty prompt: other pictures, and no more texts.",
        acts_above_1,
    ),
    Claim(
        "shows-less",
        "Fewer pictures show what the negative prompt names.",
        shows_less,
    ),
    Claim(
        "repeating-costs-the-subject",
        "A negative prompt that repeats the subject of the prompt drives that out as well.",
        repeating_costs_the_subject,
    ),
    Claim(
        "costs-nothing",
        "A negative prompt adds no evaluation: the unconditional half runs anyway.",
        costs_nothing,
    ),
    Claim(
        "same-text-is-scale-1",
        "The prompt as its own negative prompt gives the pictures of scale 1, for twice the work.",
        same_text_is_scale_1,
    ),
)


def outcomes(metrics: dict[str, Any]) -> dict[str, Any]:
    """What `predict` questions are judged by; shares are of the first negative prompt at the
    largest scale; null for what was not measured."""
    rows = compared(metrics)
    first = [each for each in rows if each["negative"] == rows[0]["negative"]] if rows else []
    last = max(first, key=lambda each: each["scale"]) if first else None
    added = {each["evaluations"][1] - each["evaluations"][0] for each in metrics["calls"]}
    same = metrics["same_text"]
    found = subjects(metrics)
    return {
        "off_scales": [plain(each["scale"]) for each in metrics["calls"] if not each["difference"]],
        "share_plain": last["plain"] if last else None,
        "share_negative": last["with"] if last else None,
        "evaluations_added": max(added),
        "same_text": None
        if same is None
        else "scale 1"
        if same["difference"] <= SAME_PICTURE
        else "another picture",
        "keeps_subject": max(found, key=lambda name: found[name]["subject"]) if found else None,
    }


def plain(scale: float) -> float | int:
    """5 instead of 5.0, as a person writes it."""
    return int(scale) if scale == int(scale) else scale


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    off = [f"{each['scale']:g}" for each in metrics["calls"] if not each["difference"]]
    parts = []
    if off:
        parts.append(f"at scale {' and '.join(off)} the negative prompt changed no pixel")
    parts += [
        f"at {each['scale']:g} pictures of {metrics['prompt']!r} that show {each['negative']!r} "
        f"went from {each['plain']:.0%} to {each['with']:.0%}"
        for each in compared(metrics)
    ]
    parts += [
        f"against {name!r} {each['subject']:.0%} still show the subject"
        for name, each in subjects(metrics).items()
    ]
    counts = {each["scale"]: each["evaluations"][1] for each in metrics["calls"]}
    parts.append(
        "each picture cost "
        + ", ".join(f"{value:g} evaluations at {scale:g}" for scale, value in counts.items())
        + ", with and without it"
    )
    text = "; ".join(parts) + "."
    return text[0].upper() + text[1:]
