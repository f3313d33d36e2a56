"""A plot that can be read as a table: one row an x value, one bar a series, numbers beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from drill.tui.text import styled

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_STYLES = ("$text-accent", "$text-primary", "$foreground 60%", "$text-secondary")


def bar(share: float, width: int) -> str:
    """A horizontal bar in eighths of a cell."""
    share = min(1.0, max(0.0, share))
    eighths = round(share * width * 8)
    full, rest = divmod(eighths, 8)
    drawn = "█" * full + (_EIGHTHS[rest] if rest and full < width else "")
    return drawn.ljust(width)


def bars(
    label: str, xs: Sequence[object], series: Mapping[str, Sequence[float | None]], width: int = 78
) -> Content:
    """Bars of every series against `xs`; each series is scaled to its own largest value.

    A value that is not there (None) leaves its place empty.
    """
    names = list(series)
    lead = max([len(label), *(len(_short(x)) for x in xs)]) + 1
    numbers = {n: ["" if v is None else f"{v:.3g}" for v in series[n]] for n in names}
    digits = max([5, *(len(text) for texts in numbers.values() for text in texts)])
    room = max(3, (width - lead) // max(1, len(names)) - digits - 3)
    head = styled(label.rjust(lead), "$foreground 60%")
    titles = [
        styled("  " + _cut(name, room + digits).ljust(room + digits + 1), _STYLES[i % len(_STYLES)])
        for i, name in enumerate(names)
    ]
    drawn = [Content("").join([head, *titles])]
    for at, x in enumerate(xs):
        cells = [styled(_short(x).rjust(lead), "$foreground 60%")]
        for i, name in enumerate(names):
            values = series[name]
            top = max((abs(v) for v in values if v is not None), default=0.0) or 1.0
            value = values[at]
            if value is None:
                cells.append(Content(" " * (room + digits + 3)))
                continue
            cells.append(styled("  " + bar(abs(value) / top, room), _STYLES[i % len(_STYLES)]))
            cells.append(Content(f" {numbers[name][at]:>{digits}}"))
        drawn.append(Content("").join(cells))
    return Content("\n").join(drawn)


def plot_bars(
    label: str, series: Mapping[str, Sequence[tuple[float, float]]], width: int = 78
) -> Content:
    """`bars` of series given as points; x values are taken from all of them."""
    xs = sorted({x for points in series.values() for x, _ in points})
    tables = {name: dict(points) for name, points in series.items()}
    return bars(label, xs, {n: [t.get(x) for x in xs] for n, t in tables.items()}, width)


class Bars(Widget):
    """`plot_bars` in the width that there is."""

    DEFAULT_CSS = "Bars { height: auto; width: 1fr; max-width: 80; }"

    def __init__(self, label: str, series: Mapping[str, Sequence[tuple[float, float]]]) -> None:
        super().__init__()
        self.label, self.series = label, series

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1 + len({x for points in self.series.values() for x, _ in points})

    def render(self) -> Content:
        return plot_bars(self.label, self.series, min(78, self.size.width))


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 1] + "…"


def _short(x: object) -> str:
    return f"{x:g}" if isinstance(x, int | float) else str(x)
