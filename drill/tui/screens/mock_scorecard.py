"""A scorecard: four axes as intervals, the band or the two it straddles, and what is behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from drill.domain.counted import counted
from drill.services.mock_words import HOW, band_words, facts_words, interval, settings_words
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.screens.mock_words import listed, title
from drill.tui.text import prose, row, spans, styled
from drill.tui.widgets.paragraphs import Paragraphs, Row

_MUTED = "$foreground 60%"
_BLANK = Content("")
CELLS = 31
"""Cells of an axis from 1 to 4: ten for each whole number."""
MOST_DUE = 6


class ScorecardScreen(BaseScreen):
    """Reads an interview's document; scrolls."""

    BINDINGS = bindings("scorecard")

    def __init__(self, document: Mapping[str, Any]) -> None:
        """`document` is that of the interview with its `id`."""
        super().__init__()
        self.document = document

    def body(self) -> ComposeResult:
        with VerticalScroll(id="feedback"):
            yield Paragraphs("card", card_groups(self.document))

    def on_mount(self) -> None:
        settings = self.document["settings"]
        about = Content(f" · {settings['level']} · {settings['minutes']} min")
        right = str(self.document.get("started", ""))[:10]
        self.head(Content("").join([styled("Scorecard", "bold"), about]), right)
        self.query_one("#feedback").focus()
        self.newly_shown()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.document["transcript"]) if action == "transcript" else True

    def action_transcript(self) -> None:
        from drill.tui.screens.mock_transcript import TranscriptScreen

        self.app.push_screen(TranscriptScreen(self.document))

    def action_scroll(self, by: int) -> None:
        self.query_one("#feedback").scroll_relative(y=2 * by, animate=False)

    def action_back(self) -> None:
        self.leave()


def axis_bar(low: float, high: float) -> Content:
    """An interval between 1 and 4: full up to its lower end, dotted to its upper one."""
    ends = [round((value - 1) / 3 * (CELLS - 1)) + 1 for value in (low, high)]
    return row(
        styled("━" * ends[0], "$text-accent"),
        styled("╍" * (ends[1] - ends[0]), "$text-accent"),
        styled("─" * (CELLS - ends[1]), "$foreground 20%"),
    )


def axis_rows(bar: Mapping[str, Any]) -> list[Row]:
    """The four axes at one bar, under their scale."""
    width = max(len(axis["title"]) for axis in bar["axes"].values()) + 2
    scale = (" " * 9).join("1234")
    rows: list[Row] = [(_BLANK, styled(" " * width + scale, _MUTED))]
    for axis in bar["axes"].values():
        lead = Content(f"{axis['title']:<{width}}")
        if axis["seen"]:
            value = styled(f"  {interval(axis['low'], axis['high'])}", "bold")
            rows.append((lead, row(axis_bar(axis["low"], axis["high"]), value)))
        else:
            rows.append((lead, styled("not asked enough to score", _MUTED)))
    return rows


def card_groups(document: Mapping[str, Any]) -> list[list[Row]]:
    """Everything on the scorecard, a group a part."""
    card = document["scorecard"]
    own = card["bars"][card["level"]]
    band = row(
        styled(f"{card['level']} bar: ", "bold"), styled(band_words(own), "bold $text-accent")
    )
    groups: list[list[Row]] = [
        [(_BLANK, band), (_BLANK, styled(document["calibration"], _MUTED))],
        axis_rows(own),
    ]
    if any(axis["seen"] and axis["high"] - axis["low"] >= 0.05 for axis in own["axes"].values()):
        says = "━ what was found in your answers   ╍ what your own ticks add, or take away"
        groups[-1].append((_BLANK, styled(says, _MUTED)))
    bars = [title("The same answers against the three bars")]
    for level, bar in card["bars"].items():
        missing = bar["missing"]
        gap = f"{counted(missing, 'expected point')} missing" if missing else ""
        gap = gap or "nothing missing"
        here = "bold" if level == card["level"] else ""
        said = row(styled(band_words(bar), here), styled(f"; {gap}", _MUTED))
        bars.append((styled(f"  {level:<8}", here), said))
    groups.append(bars)
    groups.append(_listed("Missing at your level", [m["statement"] for m in card["missing"]]))
    later = [m["statement"] for m in card["next_missing"]]
    groups.append(_listed("And for the next level", later))
    entries = {entry["item"]: entry for entry in document["transcript"]}
    for axis, found in card["evidence"].items():
        groups.append(_evidence(own["axes"][axis]["title"], found, entries))
    groups.append(_beliefs(card["beliefs"]))
    facts = [(styled("· ", _MUTED), Content(line)) for line in facts_words(document["facts"])]
    groups.append([title("How you answered: counted, not scored"), *facts])
    if document["lacks"]:
        groups.append(_listed("What this interview lacked", document["lacks"]))
    groups.append(_due(document))
    groups.append(_where(document))
    return [group for group in groups if group]


def _listed(heading: str, texts: list[str]) -> list[Row]:
    return [title(heading), *listed(texts)] if texts else []


_IN_WORDS = ("explain", "number", "short", "formula", "shape", "output")
"""Answers that are typed in words or signs; others are told by how they came out."""


def _evidence(
    axis: str, found: list[Mapping[str, Any]], entries: Mapping[str, Mapping[str, Any]]
) -> list[Row]:
    """What the learner said of an axis, each under the statement that it earned."""
    if not found:
        return []
    rows = [title(f"{axis}, in your words")]
    for each in found:
        entry = entries.get(each["item_id"], {})
        whole = entry.get("score")
        how = HOW[each["how"]] if whole is None else f"{whole:.0%}"
        said = row(spans(each["statement"]), styled(f"  {how}", _MUTED))
        rows.append((styled("✓ ", "$text-success"), said))
        if whole is None or entry.get("type") in _IN_WORDS:
            rows.append((Content("  "), Content(f"“{each['quote']}”")))
        elif entry.get("summary"):
            rows.append((Content("  "), spans(entry["summary"])))
    return rows


def _beliefs(found: list[Mapping[str, Any]]) -> list[Row]:
    rows = [title("Beliefs to mend")] if found else []
    for each in found:
        rows.append((styled("✗ ", "$text-error"), spans(each["statement"])))
        if each["quote"]:
            rows.append((Content("  "), Content(f"“{each['quote']}”")))
    return rows


def _due(document: Mapping[str, Any]) -> list[Row]:
    """The questions with missed points, which practice asks tomorrow."""
    due = document.get("due_tomorrow") or ()
    if not due:
        return []
    prompts = {entry["item"]: entry["prompt"] for entry in document["transcript"]}
    rows = [title(f"Due tomorrow: {counted(len(due), 'question')} with what was missed")]
    for item in due[:MOST_DUE]:
        text = prose(" ".join(prompts.get(item, item).split()))
        rows.append((styled("· ", _MUTED), text.truncate(74, ellipsis=True)))
    if len(due) > MOST_DUE:
        rows.append((styled("· ", _MUTED), styled(f"and {len(due) - MOST_DUE} more", _MUTED)))
    return rows


def _where(document: Mapping[str, Any]) -> list[Row]:
    prints = f"drill mock show {str(document['id'])[:8]} --transcript"
    says = f"t shows the transcript; `{prints}` prints it. {settings_words(document['settings'])}."
    return [(_BLANK, spans(says).stylize_before(_MUTED))]
