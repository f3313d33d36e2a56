"""An interview's scorecard and transcript as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from drill.cli.show import WIDTH, wrapped
from drill.domain.counted import counted
from drill.domain.interview.rounds import DEBRIEF_MINUTES, ROUNDS
from drill.services.mock_words import (
    HOW,
    band_words,
    clock,
    facts_words,
    interval,
    settings_words,
)

if TYPE_CHECKING:
    from drill.domain.interview.choosing import Slot
    from drill.domain.interview.state import Interview
    from drill.services.mock import View

BAR_WIDTH = 24


def place(view: View) -> str:
    """Round, place in the interview and in the case: `Estimation 4/6, stage 2/3`."""
    stage = f", stage {view.stage}/{view.stages}" if view.stages > 1 else ""
    return f"{ROUNDS[view.round]} {view.number}/{view.slots}{stage}"


def heading(view: View, interview: Interview) -> str:
    """What stands above a question."""
    slot = interview.slots[view.number - 1]
    whole = " for the case" * (view.stages > 1)
    left = clock(interview.seconds_left)
    return f"--- {place(view)} · about {slot.minutes:g} min{whole} · {left} left"


def course_text(settings: Mapping[str, Any], slots: Sequence[Slot], lacks: Sequence[str]) -> str:
    """What an interview will hold and what it lacks, told before it begins."""
    parts = [f"{ROUNDS[slot.round]} {slot.minutes:g} min" for slot in slots]
    lines = [
        wrapped(f"Mock interview: {settings_words(settings)}"),
        wrapped(" · ".join([*parts, f"debrief {DEBRIEF_MINUTES:g} min"]), "  "),
    ]
    lines += [wrapped(f"- {lack}", "  ") for lack in lacks]
    return "\n".join(lines)


def axis_bar(low: float, high: float) -> str:
    """The interval drawn between 1 and 4; solid up to its lower end."""
    ends = [round((value - 1) / 3 * BAR_WIDTH) for value in (low, high)]
    return "#" * ends[0] + "+" * (ends[1] - ends[0]) + "." * (BAR_WIDTH - ends[1])


def scorecard_text(document: Mapping[str, Any]) -> str:
    """The scorecard for a person."""
    card = document["scorecard"]
    own = card["bars"][card["level"]]
    lines = [wrapped(f"Scorecard: {settings_words(document['settings'])}"), ""]
    lines += [f"{card['level']} bar: {band_words(own)}", ""]
    width = max(len(axis["title"]) for axis in own["axes"].values())
    for axis in own["axes"].values():
        if axis["seen"]:
            drawn = axis_bar(axis["low"], axis["high"])
            value = interval(axis["low"], axis["high"])
        else:
            drawn, value = " " * BAR_WIDTH, "not asked enough to score"
        lines.append(f"  {axis['title']:<{width}}  {drawn}  {value}")
    lines += ["", "The same answers against the three bars:"]
    for level, bar in card["bars"].items():
        missing = counted(bar["missing"], "expected point") if bar["missing"] else "nothing"
        said = f"{level:<7} {band_words(bar)}; {missing} missing"
        lines.append(textwrap.fill(said, WIDTH, initial_indent="  ", subsequent_indent=" " * 10))
    lines += _section("Missing at your level:", (m["statement"] for m in card["missing"]))
    lines += _section("And for the next one:", (m["statement"] for m in card["next_missing"]))
    for axis, found in card["evidence"].items():
        title = own["axes"][axis]["title"]
        lines += _section(
            f"{title}, in your words:",
            (_evidence(each) for each in found),
        )
    lines += _section(
        "Beliefs to mend:", (f'{b["statement"]} You said: "{b["quote"]}"' for b in card["beliefs"])
    )
    lines += ["", *facts_lines(document["facts"])]
    due = document.get("due_tomorrow") or ()
    if due:
        lines += ["", f"Due tomorrow: {counted(len(due), 'question')} with what was missed."]
    lines += ["", wrapped(document["calibration"])]
    return "\n".join(lines)


def _evidence(each: Mapping[str, Any]) -> str:
    about = f"to: {each['statement']}" if each["answer"] else f"({HOW[each['how']]})"
    return f'"{each["quote"]}" {about}'


def _section(title: str, texts: Iterable[str]) -> list[str]:
    found = list(texts)
    if not found:
        return []
    folded = [
        textwrap.fill(
            " ".join(text.split()), WIDTH, initial_indent="  - ", subsequent_indent="    "
        )
        for text in found
    ]
    return ["", title, *folded]


def facts_lines(facts: Mapping[str, Any]) -> list[str]:
    """How it was answered: counted, not scored."""
    told = [wrapped(line, "  ") for line in facts_words(facts)]
    return ["How you answered (counted, not scored):", *told]


def row_text(row: Mapping[str, Any]) -> str:
    """A former interview in two lines."""
    return "\n".join(
        [
            f"{row['id'][:8]}  {row['date']}  {band_words(row)}",
            wrapped(settings_words(row["settings"]), " " * 10),
        ]
    )


def transcript_text(document: Mapping[str, Any]) -> str:
    """Everything that was asked and said, with what the grader made of it."""
    return "\n\n".join(_entry(entry) for entry in document["transcript"])


def _entry(entry: Mapping[str, Any]) -> str:
    parts = [
        wrapped(
            f"--- {clock(entry['began'])}  {entry['round']} · {entry['item']} · "
            f"{clock(entry['seconds'])} spent"
        )
    ]
    if entry["scenario"]:
        parts.append(wrapped(entry["scenario"]))
    parts.append(wrapped(entry["prompt"]))
    if entry["code"]:
        parts.append(entry["code"].rstrip())
    parts.append(said_text(entry))
    if entry["given"]:
        parts.append(wrapped(f"They: {entry['given']}"))
    parts.append("\n".join(points_lines(entry)))
    parts += [wrapped(f'Belief: {b["belief"]} You said: "{b["quote"]}"') for b in entry["beliefs"]]
    if entry["expected"]:
        what = "A strong answer" if entry["type"] == "explain" else "Key"
        parts.append(f"{what}:\n{indented(entry, entry['expected'])}")
    parts.append(wrapped(entry["explanation"]))
    return "\n\n".join(part for part in parts if part.strip())


def said_text(entry: Mapping[str, Any]) -> str:
    """What was said about an item, probe by probe, the learner's words indented."""
    parts = []
    for turn in entry["turns"]:
        if turn["probe"]:
            parts.append(wrapped(f"They: {turn['probe']}"))
        text = indented(entry, turn["text"])
        if turn.get("said"):
            text = wrapped(f"{turn['text']}: {turn['said']}", "    ")
        done = {"claim": "    (I said that.)", "pass": "    (passed)", "cut": "    (not finished)"}
        parts += [part for part in (text, done.get(turn["kind"], "")) if part]
    return "\n\n".join(parts)


def indented(entry: Mapping[str, Any], text: str) -> str:
    """A text indented: folded, but where lines mean something as they were typed."""
    if entry["type"] in ("code", "output"):
        return textwrap.indent(text, "    ")
    return wrapped(text, "    ")


def _mark(point: Mapping[str, Any]) -> str:
    """What a point counts as now: the learner's own tick decides, else what was found."""
    if point["ticked"] or point["unticked"]:
        return "x" if point["ticked"] else " "
    if point["credit"] > 0:
        return "x"
    return "?" if point["how"] in ("asked", "claimed") else " "


def points_lines(entry: Mapping[str, Any], first: int = 1) -> list[str]:
    """The points of an entry with how each came out, numbered as they can be ticked."""
    if entry["score"] is not None:
        return [textwrap.fill(f"{entry['score']:.0%}. {entry['summary']}".rstrip(), WIDTH)]
    lines = []
    for number, point in enumerate(entry["points"], start=first):
        mark = _mark(point)
        own = ", ticked by you" if point["ticked"] else ", taken back by you" * point["unticked"]
        kind = point["bar"] if point["essential"] else f"{point['bar']}, bonus"
        said = f"{point['statement']} ({kind}; {HOW[point['how']]}{own})"
        lines.append(
            textwrap.fill(
                said, WIDTH, initial_indent=f"  {number:>2} [{mark}] ", subsequent_indent=" " * 9
            )
        )
        if point["quote"]:
            quote = f'"{point["quote"]}"'
            lines.append(
                textwrap.fill(quote, WIDTH, initial_indent=" " * 9, subsequent_indent=" " * 9)
            )
    return lines
