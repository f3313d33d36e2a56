"""An interview's questions as rows: what was asked, the checklist, what was said, what helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from textual.content import Content

from drill.domain.questions import Source
from drill.services.mock_words import HOW, clock
from drill.tui.screens.mock_talk import YOU, given_row, they, you
from drill.tui.text import plain, prose, row, spans, styled
from drill.tui.widgets.feedback import point_lead, source_text
from drill.tui.widgets.paragraphs import Row

_MUTED = "$foreground 60%"
_BLANK = Content("")
Entry = Mapping[str, Any]
"""One question of the `transcript` of an interview's document."""


_ASKS = {
    "asked": "in doubt: did you say this?",
    "claimed": "you said that you had: did you?",
}


def title(text: str) -> Row:
    """A heading."""
    return _BLANK, styled(text, "bold")


def question_rows(entry: Entry) -> list[list[Row]]:
    """The scenario and the question, which are known by now: muted."""
    texts = [entry["scenario"], entry["prompt"]]
    return [[(_BLANK, prose(text).stylize(_MUTED))] for text in texts if text.strip()]


def verdict_rows(entry: Entry) -> list[Row]:
    """How an answer without a rubric came out, and the key where it was not right."""
    score = entry["score"]
    if score is None:
        return []
    if score >= 0.999:
        lead, style = "✓ Right", "bold $text-success"
    elif score > 0:
        lead, style = f"◐ Partly right, {score:.0%}", "bold $text-warning"
    else:
        lead, style = "✗ Wrong", "bold $text-error"
    said = entry["summary"]
    for words in ("Right.", "Not right.", "Right: ", "Not right: ", "Partly right: "):
        said = said.removeprefix(words)
    rows: list[Row] = [(_BLANK, row(styled(lead, style), spans(f"  {said}" if said else "")))]
    if entry["expected"] and score < 0.999:
        rows.append((styled("Right answer  ", _MUTED), spans(entry["expected"])))
    return rows


def checklist(entry: Entry, cursor: int = -1) -> list[Row]:
    """The points of the rubric, each with how it came out and the learner's own words."""
    rows: list[Row] = []
    for at, point in enumerate(entry["points"]):
        how = HOW[point["how"]]
        if point["ticked"]:
            mark, style, how = "✓", "$text-accent", "you say so"
        elif point["unticked"]:
            mark, style, how = "·", "$text-accent", "you say no"
        elif point["credit"] > 0:
            mark, style = "✓", "$text-success"
        elif point["how"] in ("asked", "claimed"):
            mark, style, how = "?", "$text-warning", _ASKS[point["how"]]
        else:
            mark, style = "·", ""
        level = point["bar"] if point["essential"] else f"{point['bar']} bonus".strip()
        quote = f"“{point['quote']}”" if point["quote"] else ""
        detail = "; ".join(part for part in (level, how) if part)
        text = row(spans(point["statement"]), styled(f"  {detail}", _MUTED))
        rows.append((styled(point_lead(at, cursor, mark), f"bold {style}".strip()), text))
        if quote:
            rows.append((Content(" " * 5), styled(quote, _MUTED)))
    return rows


def said_rows(entry: Entry) -> list[list[Row]]:
    """The dialogue: the answer, each probe and what was said to it."""
    groups: list[list[Row]] = []
    for turn in entry["turns"]:
        rows: list[Row] = [they(turn["probe"])] if turn["probe"] else []
        if turn["text"].strip():
            rows.append(you(turn.get("said") or turn["text"]))
        word = {"claim": "I said that.", "pass": "(passed)", "cut": "(time was up)"}
        if turn["kind"] in word:
            rows.append((styled(YOU, _MUTED), styled(word[turn["kind"]], _MUTED)))
        if turn["by"]:
            rows.append((Content(" " * len(YOU)), styled(turn["by"], _MUTED)))
        if rows:
            groups.append(rows)
    if entry["given"]:
        groups.append([given_row(entry["given"])])
    return groups


def belief_rows(entry: Entry) -> list[Row]:
    """Misconceptions that were held, in the learner's words."""
    rows: list[Row] = []
    for belief in entry["beliefs"]:
        rows.append((styled("✗ A belief to mend: ", "$text-error"), spans(belief["belief"])))
        if belief["quote"]:
            rows.append((Content("  "), styled(f"“{belief['quote']}”", _MUTED)))
    return rows


def help_rows(entry: Entry) -> list[list[Row]]:
    """A strong answer, the explanation and the sources."""
    groups: list[list[Row]] = []
    if entry["points"] and entry["expected"]:
        groups.append([title("A strong answer"), (_BLANK, prose(entry["expected"]))])
    if entry["explanation"].strip():
        groups.append([title("Why"), (_BLANK, prose(entry["explanation"]))])
    listed = " · ".join(source_text(msgspec.convert(source, Source)) for source in entry["sources"])
    if listed:
        groups.append([(_BLANK, styled(f"Source: {listed}", _MUTED))])
    return groups


def entry_groups(entry: Entry) -> list[list[Row]]:
    """A question in a transcript."""
    when = f"{clock(entry['began'])}  {entry['round']}"
    facts = f"  {clock(entry['seconds'])} spent · {entry['item'].partition(':')[2]}"
    groups: list[list[Row]] = [[(styled(when, "bold $text-accent"), styled(facts, _MUTED))]]
    groups += question_rows(entry)
    if entry["code"]:
        lines = entry["code"].rstrip().expandtabs(4).splitlines()
        groups.append([(Content("  "), plain(line)) for line in lines])
    groups += said_rows(entry)
    points = checklist(entry)
    groups += [verdict_rows(entry), points, belief_rows(entry), *help_rows(entry)]
    return [group for group in groups if group]


def listed(texts: Sequence[str]) -> list[Row]:
    """Texts as a list."""
    return [(styled("· ", _MUTED), spans(" ".join(text.split()))) for text in texts]
