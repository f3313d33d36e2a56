"""What must come out of an IP-Adapter's scales, checked on the numbers of every run."""

from __future__ import annotations

from typing import Any

from drill.lab import Claim, Finding, Result, finding, not_applicable

KNOWN = 0.9
"""Share of right readouts above which the image embedding holds an attribute."""
TAKEN, LITTLE = 0.8, 0.6
PROMPT, PICTURE = "the prompt's colour", "another colour"


def _at(result: Result, low: float, high: float) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = result.metrics["by_scale"]
    return [each for each in rows if low <= each["scale"] <= high]


def scale_zero_is_the_base(result: Result) -> Finding:
    expected = "at scale 0 the latents are those without an adapter, to the bit"
    apart = result.metrics["at_zero"]
    return finding(apart == 0, f"they differ by {apart:g} at most", expected)


def all_pictures_to_each_prompt(result: Result) -> Finding:
    expected = "as many image tokens a picture for one prompt, beside the text's"
    found = result.metrics["tokens"]
    one = found["1"]
    measured = ", ".join(f"{count} for {name}" for name, count in found.items())
    return finding(all(count == one * int(n) for n, count in found.items()), measured, expected)


def no_picture_is_not_zero(result: Result) -> Finding:
    expected = "the embedding of no picture is 0, its tokens at least half as long as a picture's"
    empty = result.metrics["empty"]
    measured = f"embedding {empty['embedding']:g}, tokens {empty['length_ratio']:.2f} times as long"
    return finding(empty["embedding"] == 0 and empty["length_ratio"] >= 0.5, measured, expected)


def attributes_come_over(result: Result) -> Finding:
    expected = (
        "from scale 0 to 1 colour and background of the picture show in at least 0.5 more of the "
        "pictures"
    )
    none, full = _at(result, 0, 0), _at(result, 1, 1)
    if not none or not full:
        return not_applicable("it needs scales 0 and 1", expected)
    before, after = (each[0]["open"]["taken_over"] for each in (none, full))
    gains = {name: after[name] - before[name] for name in ("colour", "background")}
    measured = ", ".join(
        f"{name} {before[name]:.2f} to {after[name]:.2f}" for name in ("colour", "background")
    )
    return finding(min(gains.values()) >= 0.5, measured, expected)


def only_what_the_embedding_holds(result: Result) -> Finding:
    expected = (
        f"at scale 1, attributes read from the embedding in {KNOWN:g} or more come over in "
        f"{TAKEN:g} or more, those read less often in less than {LITTLE:g}"
    )
    full = _at(result, 1, 1)
    if not full:
        return not_applicable("it needs scale 1", expected)
    told, taken = result.metrics["readout"], full[0]["open"]["taken_over"]
    fits = [taken[name] >= TAKEN if told[name] >= KNOWN else taken[name] < LITTLE for name in told]
    measured = ", ".join(f"{name}: read {told[name]:.2f}, over {taken[name]:.2f}" for name in told)
    return finding(all(fits), measured, expected)


def prompt_keeps_what_it_names(result: Result) -> Finding:
    expected = (
        "at scale 1 the colour that the prompt names shows in at least 0.75, and the background, "
        "which it does not name, comes from the picture in at least 0.75"
    )
    full = _at(result, 1, 1)
    if not full:
        return not_applicable("it needs scale 1", expected)
    prompt = full[0]["conflict"]["colour_of_prompt"]
    ground = full[0]["conflict"]["taken_over"]["background"]
    return finding(min(prompt, ground) >= 0.75, f"{prompt:.2f} and {ground:.2f}", expected)


def too_much_drowns_the_prompt(result: Result) -> Finding:
    expected = "from scale 1 to 3 the colour that the prompt names shows in at least 0.4 less"
    full, much = _at(result, 1, 1), _at(result, 3, 3)
    if not full or not much:
        return not_applicable("it needs scales 1 and 3", expected)
    before, after = (each[0]["conflict"]["colour_of_prompt"] for each in (full, much))
    return finding(before - after >= 0.4, f"{before:.2f} to {after:.2f}", expected)


CLAIMS = (
    Claim(
        "scale-zero-is-the-base",
        "At scale 0 the image branch is skipped and the latents are the base's.",
        scale_zero_is_the_base,
    ),
    Claim(
        "all-pictures-to-each-prompt",
        "Several pictures in one call all go to every prompt, as more tokens.",
        all_pictures_to_each_prompt,
    ),
    Claim(
        "no-picture-is-not-zero",
        "The unconditional half attends to image tokens too, and they are not zero.",
        no_picture_is_not_zero,
    ),
    Claim(
        "attributes-come-over",
        "What the prompt leaves open is taken from the picture.",
        attributes_come_over,
    ),
    Claim(
        "only-what-the-embedding-holds",
        "Only what the image embedding holds can come over.",
        only_what_the_embedding_holds,
    ),
    Claim(
        "prompt-keeps-what-it-names",
        "Up to scale 1 the prompt keeps what it names, the picture gives the rest.",
        prompt_keeps_what_it_names,
    ),
    Claim(
        "too-much-drowns-the-prompt",
        "Far above 1 the picture's branch drowns the prompt.",
        too_much_drowns_the_prompt,
    ),
)


def outcomes(metrics: Any) -> dict[str, Any]:
    """What `predict` questions are judged by; null for what was not measured."""
    rows = metrics["by_scale"]
    last = rows[-1]
    return {
        "at_zero": "identical" if metrics["at_zero"] == 0 else "different",
        "tokens": metrics["tokens"]["1"],
        "tokens_of_several": metrics["tokens"][str(max(int(n) for n in metrics["tokens"]))],
        "taken_over": [n for n, share in last["open"]["taken_over"].items() if share >= TAKEN],
        "wins": PROMPT if last["conflict"]["colour_of_prompt"] > 0.5 else PICTURE,
        "empty_is_zero": "zero" if metrics["empty"]["length_ratio"] == 0 else "not zero",
    }


def sentence(metrics: Any) -> str:
    """What happened, in the measured numbers."""
    rows, told = metrics["by_scale"], metrics["readout"]
    last = rows[-1]
    over = ", ".join(f"{n} {s:.0%}" for n, s in last["open"]["taken_over"].items())
    read = ", ".join(f"{n} {s:.0%}" for n, s in told.items())
    prompt = ", ".join(f"{e['conflict']['colour_of_prompt']:.0%} at {e['scale']:g}" for e in rows)
    return (
        f"at scale 0 latents differ from the base's by {metrics['at_zero']:g}; at "
        f"{last['scale']:g} there come over {over}, and a linear readout of the image embedding "
        f"tells {read}; a colour that the prompt names shows in {prompt}; one picture makes "
        f"{metrics['tokens']['1']} tokens beside {metrics['text_tokens']} of text, and tokens of "
        f"no picture are {metrics['empty']['length_ratio']:.2f} times as long."
    )
