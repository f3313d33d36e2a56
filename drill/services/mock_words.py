"""Words about an interview that both front ends say alike: times, intervals, bands, settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from drill.domain.counted import counted

if TYPE_CHECKING:
    from drill.domain.questions import Question

HOW = {
    "unprompted": "said",
    "neutral": "after a probe",
    "pointed": "after a pointed probe",
    "claimed": "you said so",
    "asked": "in doubt",
    "missed": "missed",
}
"""How a point came out."""


def clock(seconds: float) -> str:
    """Minutes and seconds: `31:20`."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def interval(low: float, high: float) -> str:
    """One axis as a number, or as two where the learner's ticks moved it."""
    return f"{low:.1f}" if high - low < 0.05 else f"{low:.1f} to {high:.1f}"


def band_words(bar: Mapping[str, Any]) -> str:
    """The band, or the two that the interval straddles, or why there is none."""
    if bar["low"] is None and bar["high"] is None:
        return "too little was asked for a band"
    if bar["band"]:
        return str(bar["band"])
    return f"between {bar['low']} and {bar['high']}: no band is named"


def settings_words(settings: Mapping[str, Any]) -> str:
    """Length, level, topics, mode and seed in one line."""
    topics = ", ".join(settings.get("topics") or ()) or "all topics"
    mode = settings.get("mode", "real")
    return (
        f"{settings['minutes']} min, {settings['level']}, {topics}, {mode} mode, "
        f"seed {settings['seed']}"
    )


def facts_words(facts: Mapping[str, Any]) -> list[str]:
    """How it was answered, a line each: counted, not scored."""
    lines = [
        f"{facts['minutes']:g} of {facts['minutes_allotted']:g} min; "
        f"{facts['questions']} of {facts['questions_planned']} questions",
        f"{counted(facts['unprompted'], 'point')} unprompted, {facts['prompted']} after a probe, "
        f"{facts['missed']} missed",
    ]
    if facts["answers"]:
        lines.append(
            f"{facts['answer_first']} of {facts['answers']} explanations began with the answer; "
            f"{facts['reasons']} reasons and {facts['numbers']} numbers in {facts['words']} words"
        )
    told = [
        f"{facts[key]} {word}"
        for key, word in (("claims", '"I said that"'), ("passes", "passed"), ("hints", "hints"))
        if facts[key]
    ]
    if told:
        lines.append(", ".join(told))
    if facts["over_time"]:
        lines.append("over time: " + ", ".join(facts["over_time"]))
    return lines


def said_in_words(question: Question, text: str) -> str:
    """An answer that was chosen, with the texts of what it names; empty where it says itself."""
    from drill.domain.grading.picking import labelled
    from drill.domain.presentation import letter
    from drill.domain.questions import (
        ChoiceBody,
        DiagnoseBody,
        MutantBody,
        OrderBody,
        PredictBody,
    )

    body = question.body
    texts: list[str] = []
    if isinstance(body, ChoiceBody):
        texts = [option.text for option in body.options]
    elif isinstance(body, OrderBody):
        texts = [step.text for step in body.steps]
    elif isinstance(body, MutantBody):
        texts = [effect.text for effect in body.effects]
    elif isinstance(body, DiagnoseBody):
        given = dict(part.strip().partition("=")[::2] for part in text.split(";"))
        found = [c.text for c in body.causes if c.id == given.get("cause")]
        bought = given.get("probes", "").replace(",", ", ")
        return " ".join([*found, f"(measured: {bought})" if bought else ""]).strip()
    elif isinstance(body, PredictBody):
        given = dict(part.strip().partition("=")[::2] for part in text.split(";"))
        told = [f"{f.label}: {given[f.id]}" for f in body.fields if f.id in given]
        return "; ".join(told)
    named = {letter(at): labelled(at, words) for at, words in enumerate(texts)}
    lines, _, effect = text.partition(";") if isinstance(body, MutantBody) else ("", "", text)
    letters = effect.replace(",", " ").split()
    if not texts or not letters or any(each not in named for each in letters):
        return ""
    where = [f"line {lines.strip()}"] if lines else []
    return "; ".join([*where, *(named[each] for each in letters)])
