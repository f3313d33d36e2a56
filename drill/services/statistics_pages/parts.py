"""What the pages of the statistics are made of: rows of spans, and plots drawn in characters.

A span is a text with a tone, which the app turns into a colour and the command leaves out: nothing
is said by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from drill.domain.statistics.model import Share

Tone: TypeAlias = Literal["", "muted", "bold", "accent", "good", "bad", "faint", "prose", "dim"]
"""`prose` is text of a pack with `code spans`, `dim` the same in the background."""
Span: TypeAlias = tuple[str, Tone]
Spans: TypeAlias = tuple[Span, ...]
Line: TypeAlias = tuple[Spans, Spans]
"""A lead and a text, which wraps under its own start."""
Group: TypeAlias = list[Line]
"""Lines that belong together; a blank line stands between groups."""

NARROW, WIDEST = 54, 76
"""Columns that a page may have."""
EIGHTHS = " ▁▂▃▄▅▆▇█"
SHADES = "·░▒▓█"
"""The heat map's levels, from no answer to a busy day."""


def line(*spans: Span) -> Line:
    """A line without a lead."""
    return (), spans


def title(text: str, about: str = "") -> Line:
    """The heading of a group."""
    return line((text, "bold"), (f"  {about}" if about else "", "muted"))


def said(text: str) -> Line:
    """A sentence in the background."""
    return line((text, "muted"))


def width_of(spans: Spans) -> int:
    """Columns of spans, all of whose characters are one column wide."""
    return sum(len(text) for text, _ in spans)


def percent(value: float | None) -> str:
    """A share as a whole percentage; a dash where there is none."""
    return "–" if value is None else f"{value:.0%}"


def bounds(share: Share) -> str:
    """The interval of a share in percent, empty without answers."""
    return f"{100 * share.low:.0f}–{100 * share.high:.0f}%" if share.answers else ""


def duration(minutes: float) -> str:
    """Minutes, or hours from two on."""
    if minutes < 1:
        return "under a minute" if minutes > 0 else "0 min"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def interval_bar(
    low: float,
    high: float,
    at: float | None,
    cells: int,
    mark: float | None = None,
    start: float = 0.0,
) -> Spans:
    """An interval on the scale from `start` to 1: `━` within it, `●` the value, `┊` a mark, `◉`
    both in one cell."""

    def cell(value: float) -> int:
        share = (value - start) / (1.0 - start)
        return min(cells - 1, max(0, math.floor(share * cells)))

    first, last = cell(low), cell(high)
    spans: list[Span] = []
    for n in range(cells):
        if at is not None and n == cell(at):
            spans.append(("◉" if mark is not None and n == cell(mark) else "●", "accent"))
        elif mark is not None and n == cell(mark):
            spans.append(("┊", "bold"))
        elif at is not None and first <= n <= last:
            spans.append(("━", "accent"))
        else:
            spans.append(("─", "faint"))
    return joined(spans)


def scale(lows: Iterable[float], cells: int) -> tuple[float, str]:
    """Where a scale of shares begins, half-way where nothing is lower, and its two ends."""
    start = 0.5 if all(low >= 0.5 for low in lows) else 0.0
    begin = f"{start:.0%}"
    return start, f"{begin}{'100%':>{cells - len(begin)}}" if cells >= 8 else " " * cells


def cut(text: str, width: int) -> str:
    """A text that takes at most `width` columns."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def bar(share: float, cells: int) -> Spans:
    """A bar from 0 to 1 in whole cells; anything above nothing shows at least one."""
    full = min(cells, max(math.ceil(share * cells - 0.5), 1 if share > 0 else 0))
    return (("━" * full, "accent"), ("─" * (cells - full), "faint"))


def columns(
    values: Sequence[float], rows: int, wide: int = 1, gap: int = 0, top: float = 0.0
) -> list[Spans]:
    """A column a value, `rows` high in eighths of a row; anything above 0 is seen.

    `top` is the value that reaches the top, by default the largest one.
    """
    top = top or max(values, default=0.0)
    heights = [
        0 if value <= 0 or top <= 0 else max(1, round(min(1.0, value / top) * rows * 8))
        for value in values
    ]
    drawn: list[Spans] = []
    for row in reversed(range(rows)):
        cells = (EIGHTHS[min(8, max(0, height - 8 * row))] * wide + " " * gap for height in heights)
        drawn.append((("".join(cells), "accent"),))
    return drawn


def chart(values: Sequence[float], labels: Spans, rows: int, wide: int, gap: int) -> Group:
    """Columns with their scale on the left and `labels`, if there are any, below them."""
    top = max(values, default=0.0)
    lead = max(4, len(f"{top:.0f}") + 1)
    group: Group = []
    for n, spans in enumerate(columns(values, rows, wide, gap)):
        scale = f"{top:.0f}" if n == 0 else ""
        group.append(line((f"{scale:>{lead}} ", "muted"), *spans))
    if labels:
        group.append(line(("0".rjust(lead) + " ", "muted"), *labels))
    return group


def joined(spans: Sequence[Span]) -> Spans:
    """The same with neighbours of one tone put together."""
    found: list[Span] = []
    for text, tone in spans:
        if found and found[-1][1] == tone:
            found[-1] = (found[-1][0] + text, tone)
        else:
            found.append((text, tone))
    return tuple(found)
