"""Curves in braille dots: two across and four down in each cell, a letter at each curve's end."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from drill.tui.text import styled
from drill.tui.widgets.bars import Bars
from drill.worker.protocol import Plot

FEW_VALUES, FEW_SERIES = 12, 3
"""Up to these a plot is a table of bars."""

STYLES = ("$text-accent", "$text-primary", "$foreground", "$text-secondary", "$foreground 60%")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WIDEST, ROWS = 78, 12
_MUTED = "$foreground 60%"
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of the dots of a braille cell: four rows of two."""

Points = Sequence[tuple[float, float]]


class LinePlot(Widget):
    """Series against one x axis; colours help, letters tell the curves apart."""

    DEFAULT_CSS = "LinePlot { height: auto; width: 1fr; max-width: 80; margin: 0 0 1 0; }"

    def __init__(
        self, title: str, series: Mapping[str, Points], x_label: str = "", y_label: str = ""
    ) -> None:
        super().__init__()
        self.title = title
        self.show(series, x_label, y_label)

    def show(self, series: Mapping[str, Points], x_label: str = "", y_label: str = "") -> None:
        """Show these curves; points that are no finite numbers are left out."""
        self.series = series
        self.labels = x_label, y_label
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        return plot_lines(self.title, self.series, *self.labels, width)


def plot_lines(
    title: str, series: Mapping[str, Points], x_label: str, y_label: str, width: int
) -> list[Content]:
    """The lines of a plot: what is plotted, the curves with their axes, and the legend."""
    width = max(24, min(width, WIDEST))
    said = " · ".join(part for part in (title.replace("_", " "), y_label) if part)
    lines = [styled(said, _MUTED)] if said else []
    finite = {
        name: sorted((x, y) for x, y in points if math.isfinite(x) and math.isfinite(y))
        for name, points in series.items()
    }
    drawn = {name: points for name, points in finite.items() if points}
    if not drawn:
        return [*lines, styled("nothing to plot", _MUTED)]
    xs = [x for points in drawn.values() for x, _ in points]
    ys = [y for points in drawn.values() for _, y in points]
    (left, right), (low, high) = _room(min(xs), max(xs)), _room(min(ys), max(ys))
    marks = {0: f"{high:.3g}", ROWS // 2: f"{(low + high) / 2:.3g}", ROWS - 1: f"{low:.3g}"}
    gutter = max(map(len, marks.values())) + 1
    across = width - gutter - 1
    cells: list[list[tuple[int, int]]] = [[(0, 0)] * across for _ in range(ROWS)]
    letters: dict[tuple[int, int], int] = {}
    for n, points in enumerate(drawn.values()):
        dots = [
            (
                round((x - left) / (right - left) * (2 * across - 1)),
                round((high - y) / (high - low) * (4 * ROWS - 1)),
            )
            for x, y in points
        ]
        for column, row in _joined(dots):
            bits, _ = cells[row // 4][column // 2]
            cells[row // 4][column // 2] = bits | _DOTS[row % 4][column % 2], n
        _place(letters, dots[-1][1] // 4, dots[-1][0] // 2, n)
    for row in range(ROWS):
        parts = [styled(marks.get(row, "").rjust(gutter), _MUTED), styled("│", _MUTED)]
        for column, (bits, n) in enumerate(cells[row]):
            letter = letters.get((row, column))
            if letter is not None:
                style = f"bold {STYLES[letter % len(STYLES)]}"
                parts.append(styled(LETTERS[letter % len(LETTERS)], style))
            elif bits:
                parts.append(styled(chr(0x2800 + bits), STYLES[n % len(STYLES)]))
            else:
                parts.append(Content(" "))
        lines.append(Content("").join(parts))
    lines.append(_x_axis(left, right, x_label, gutter, across))
    lines += _legend(list(drawn), width)
    return lines


def _room(low: float, high: float) -> tuple[float, float]:
    """The ends of an axis; one value alone stands in the middle."""
    if high > low:
        return low, high
    room = abs(low) * 0.1 or 1.0
    return low - room, high + room


def _joined(dots: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """All dots on the straight lines between neighbours."""
    found = set(dots)
    for (x0, y0), (x1, y1) in itertools.pairwise(dots):
        steps = max(abs(x1 - x0), abs(y1 - y0))
        for k in range(1, steps):
            found.add((x0 + round((x1 - x0) * k / steps), y0 + round((y1 - y0) * k / steps)))
    return found


def _place(letters: dict[tuple[int, int], int], row: int, column: int, series: int) -> None:
    """The letter of a curve at its end, moved to the left where another one stands."""
    while (row, column) in letters and column > 0:
        column -= 1
    letters[row, column] = series


def _x_axis(left: float, right: float, label: str, gutter: int, across: int) -> Content:
    first, last = f"{left:.4g}", f"{right:.4g}"
    middle = label[: max(0, across - len(first) - len(last) - 2)]
    space = across - len(first) - len(last) - len(middle)
    before = max(1, space // 2)
    after = max(1, space - before)
    text = f"{first}{' ' * before}{middle}{' ' * after}{last}"
    return styled(" " * (gutter + 1) + text, _MUTED)


def _legend(names: Sequence[str], width: int) -> list[Content]:
    """Letter and name of each curve, as many on a line as fit."""
    lines: list[list[Content]] = [[]]
    used = 0
    for n, name in enumerate(names):
        shown = f"{LETTERS[n % len(LETTERS)]} {name}"[: width - 1]
        if used and used + len(shown) + 3 > width:
            lines.append([])
            used = 0
        style = STYLES[n % len(STYLES)]
        lead = styled(f"{'   ' if used else ''}{shown[0]}", f"bold {style}")
        lines[-1] += [lead, Content(shown[1:])]
        used += len(shown) + 3
    return [Content("").join(line) for line in lines]


def plot(event: Plot) -> Widget:
    """A few values as bars with their numbers, more of them as curves."""
    series = {name: [(p[0], p[1]) for p in points] for name, points in event.series.items()}
    values = {x for points in series.values() for x, _ in points}
    if len(values) <= FEW_VALUES and len(series) <= FEW_SERIES:
        return Bars(event.x_label, series)
    return LinePlot(event.name, series, event.x_label, event.y_label)
