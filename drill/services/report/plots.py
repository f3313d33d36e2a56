"""Geometry of the report's plots: numbers in, coordinates of an SVG out. Pure; draws nothing.

Coordinates are units of a view box that is about as wide as a phone, so that the letters of a plot
have the same size on every screen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import wrap

from msgspec import Struct

from drill.domain.counted import counted
from drill.domain.statistics.model import Calibration
from drill.services.report.document import Bin, Curves
from drill.services.report.scope import long_date, short_date
from drill.services.report.words import percent

WIDTH, HEIGHT = 360.0, 208.0
LEFT, RIGHT, TOP, BOTTOM = 42.0, 16.0, 14.0, 36.0
"""Margins around the axes."""
LETTER = 6.2
"""Width of a letter of the ticks, about."""
LABEL_LETTERS, MOST_LABEL_LINES, LINE_HEIGHT = 52, 3, 13.0
"""Of the words below an axis."""
STYLES = 8
"""Series that can be told apart by colour and dash."""


class Tick(Struct, frozen=True):
    """A mark of an axis."""

    at: float
    label: str


class Bar(Struct, frozen=True):
    """A bar; `part` is the height of its lower, darker part."""

    x: float
    y: float
    width: float
    height: float
    part: float


class Interval(Struct, frozen=True):
    """A point with the interval around it."""

    x: float
    y: float
    top: float
    bottom: float
    label: str


class Line(Struct, frozen=True):
    """A curve: the points of an SVG polyline, and its style from 0."""

    name: str
    points: str
    dots: tuple[tuple[float, float], ...]
    """Empty where there are many."""
    style: int


class Plot(Struct, frozen=True):
    """One plot; what does not apply is empty."""

    title: str
    desc: str
    """What it shows, in words."""
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    """Of the axes, as coordinates."""
    x_label: tuple[str, ...] = ()
    """In lines that fit below the axis."""
    y_label: str = ""
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    bars: tuple[Bar, ...] = ()
    intervals: tuple[Interval, ...] = ()
    lines: tuple[Line, ...] = ()


def _frame(title: str, desc: str, left: float = LEFT) -> Plot:
    return Plot(title, desc, WIDTH, HEIGHT, left, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM)


# -- axes -----------------------------------------------------------------------------


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values from at or under `low` to at or over `high`, at most `most + 1` steps apart.

    Steps are 1, 2 or 5 times a power of ten. Equal ends are spread by a twentieth or by 1.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"an axis from {low!r} to {high!r}")
    if high < low:
        low, high = high, low
    span = high - low
    if span <= max(abs(low), abs(high)) * 1e-9:
        room = max(abs(low) * 0.05, 1e-12) if low else 1.0
        low, high = low - room, high + room
        span = high - low
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [_tidy(n * step) for n in range(first, last + 1)]


def _tidy(value: float) -> float:
    return float(f"{value:.12g}") + 0.0


def number(value: float) -> str:
    """A tick's label: `0.5`, `1,000`, `2e-05`."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e6 or size < 1e-4:
        return f"{value:.3g}"
    return f"{value:,.0f}" if value == int(value) else f"{value:.4g}"


def scaled(value: float, low: float, high: float, start: float, end: float) -> float:
    """`value` between `low` and `high` as a coordinate between `start` and `end`."""
    return round(start + (value - low) / (high - low) * (end - start), 2)


# -- plots ----------------------------------------------------------------------------


def activity(bins: Sequence[Bin], unit: str) -> Plot | None:
    """Answers by day, week or month, the right ones set apart; None without answers."""
    if not any(each.answers for each in bins):
        return None
    total, right = sum(b.answers for b in bins), sum(b.right for b in bins)
    busiest = max(bins, key=lambda b: b.answers)
    desc = (
        f"Bars for {counted(len(bins), unit)} from {long_date(bins[0].start)}: "
        f"{counted(total, 'answer')}, {right:,} of them right; most, {busiest.answers:,}, in the "
        f"{unit} of {long_date(busiest.start)}."
    )
    frame = _frame(f"Answers by {unit}", desc)
    top = ticks(0, max(busiest.answers, 4), 4)
    slot = (frame.right - frame.left) / len(bins)
    width = min(26.0, slot * (0.82 if slot > 4 else 0.9))
    bars = []
    for n, each in enumerate(bins):
        if not each.answers:
            continue
        y = scaled(each.answers, 0, top[-1], frame.bottom, frame.top)
        part = frame.bottom - scaled(each.right, 0, top[-1], frame.bottom, frame.top)
        x = frame.left + slot * (n + 0.5) - width / 2
        bars.append(Bar(_r(x), y, _r(width), _r(frame.bottom - y), _r(part)))
    return _with(
        frame,
        x_ticks=_dates([b.start for b in bins], unit, frame.left, slot),
        y_ticks=_y_ticks(top, frame),
        y_label="answers",
        bars=tuple(bars),
    )


def _dates(starts: Sequence[str], unit: str, left: float, slot: float) -> tuple[Tick, ...]:
    """Some dates below the bars, so far apart that they do not touch; the first one always."""
    labels = [start[:7] if unit == "month" else short_date(start) for start in starts]
    widest = max(map(len, labels)) * LETTER + 10
    every = max(1, math.ceil(widest / slot))
    kept = range(0, len(labels), every)
    return tuple(Tick(_r(left + slot * (n + 0.5)), labels[n]) for n in kept)


def calibration(found: Calibration) -> Plot | None:
    """Share right by confidence with 95 % intervals; None without answers."""
    levels = [level for level in found.levels if level.right.answers]
    if not levels:
        return None
    desc = "Share of right answers by confidence: " + "; ".join(
        f"{level.name} {percent(level.right.share)} of {level.right.answers:,}, "
        f"between {percent(level.right.low)} and {percent(level.right.high)}"
        for level in levels
    )
    frame = _frame("Right by confidence", desc + ".")
    slot = (frame.right - frame.left) / 3
    marks, names = [], []
    for n, level in enumerate(found.levels):
        x = _r(frame.left + slot * (n + 0.5))
        names.append(Tick(x, f"{level.name} ({level.right.answers:,})"))
        if level.right.share is None:
            continue
        y, top, bottom = (
            scaled(value, 0, 1, frame.bottom, frame.top)
            for value in (level.right.share, level.right.high, level.right.low)
        )
        marks.append(Interval(x, y, top, bottom, percent(level.right.share)))
    return _with(
        frame,
        x_ticks=tuple(names),
        y_ticks=tuple(
            Tick(scaled(share, 0, 1, frame.bottom, frame.top), percent(share))
            for share in (0, 0.25, 0.5, 0.75, 1)
        ),
        y_label="right",
        intervals=tuple(marks),
    )


def curves(found: Curves) -> Plot | None:
    """The curves of an experiment; None where no point can be drawn."""
    series = {name: points for name, points in found.series.items() if points}
    if not series:
        return None
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    across, up = ticks(min(xs), max(xs), 4), ticks(min(ys), max(ys), 4)
    widest = max(len(number(value)) for value in up)
    frame = _frame(found.name, _desc(found, series), max(LEFT - 6, 14 + widest * LETTER))
    drawn = []
    for n, (name, points) in enumerate(series.items()):
        placed = tuple(
            (
                scaled(x, across[0], across[-1], frame.left, frame.right),
                scaled(y, up[0], up[-1], frame.bottom, frame.top),
            )
            for x, y in points
        )
        text = " ".join(f"{x:g},{y:g}" for x, y in placed)
        drawn.append(Line(name, text, placed if len(placed) <= 16 else (), n % STYLES))
    label = tuple(wrap(found.x_label.replace("_", " "), LABEL_LETTERS)[:MOST_LABEL_LINES])
    return _with(
        frame,
        height=frame.height + LINE_HEIGHT * max(0, len(label) - 1),
        x_label=label,
        y_label=found.y_label.replace("_", " "),
        x_ticks=tuple(
            Tick(scaled(v, across[0], across[-1], frame.left, frame.right), number(v))
            for v in across
        ),
        y_ticks=_y_ticks(up, frame),
        lines=tuple(drawn),
    )


def _desc(found: Curves, series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    along = f" along {found.x_label.replace('_', ' ')}" if found.x_label else ""
    parts = [
        f"{name} from {number(points[0][1])} to {number(points[-1][1])}"
        for name, points in series.items()
    ]
    return f"{counted(len(series), 'curve')}{along}: " + "; ".join(parts) + "."


def topic_bar(now: float | None, low: float | None, high: float | None) -> tuple[float, ...]:
    """Places of three shares on a line from 0 to 100; the first one where one is missing."""
    known = [100 * value for value in (now, low, high) if value is not None]
    first = known[0] if known else 0.0
    return tuple(_r(100 * value) if value is not None else _r(first) for value in (now, low, high))


def _y_ticks(values: Sequence[float], frame: Plot) -> tuple[Tick, ...]:
    low, high = values[0], values[-1]
    return tuple(Tick(scaled(v, low, high, frame.bottom, frame.top), number(v)) for v in values)


def _with(plot: Plot, **changes: object) -> Plot:
    from msgspec.structs import replace

    return replace(plot, **changes)


def _r(value: float) -> float:
    return round(value, 2)
