"""Curves in braille: where points fall, letters at the ends, widths, and odd series."""

from __future__ import annotations

import math

import pytest

from drill.tui.widgets.bars import plot_bars
from drill.tui.widgets.line_plot import FEW_VALUES, ROWS, LinePlot, plot, plot_lines
from drill.worker.protocol import Plot


def rows(lines: list[str]) -> list[str]:
    """The rows between the axes, without the gutter."""
    return [line.partition("│")[2] for line in lines if "│" in line]


def drawn(series: dict[str, list[tuple[float, float]]], width: int = 78) -> list[str]:
    return [line.plain for line in plot_lines("snr", series, "t", "log10", width)]


def test_a_rising_curve_rises_to_its_letter() -> None:
    lines = drawn({"up": [(x, x) for x in range(50)]})
    inside = rows(lines)
    assert len(inside) == ROWS
    assert inside[0].rstrip().endswith("a") and inside[-1].lstrip() == inside[-1]
    first = [next(i for i, ch in enumerate(row) if ch.strip()) for row in inside]
    assert first == sorted(first, reverse=True) and len(set(first)) == ROWS
    assert lines[0] == "snr · log10" and lines[-1] == "a up"
    assert lines[-2].split() == ["0", "t", "49"]


def test_ends_of_the_axes_are_named() -> None:
    lines = drawn({"a": [(0, -2.5), (10, 7.25)]})
    labels = [line.split("│")[0].strip() for line in lines if "│" in line]
    assert (labels[0], labels[ROWS // 2], labels[-1]) == ("7.25", "2.38", "-2.5")


def test_letters_of_curves_that_end_together_stand_side_by_side() -> None:
    series = {name: [(0.0, 0.0), (1.0, 1.0)] for name in ("one", "two", "three")}
    assert rows(drawn(series))[0].rstrip().endswith("cba")


@pytest.mark.parametrize("width", [24, 40, 57, 78, 200])
def test_nothing_is_wider_than_the_room(width: int) -> None:
    series = {f"a series with a long name {n}": [(0.0, n), (9.0, 2.0 * n)] for n in range(7)}
    lines = plot_lines("a_name", series, "an axis", "a quantity", width)
    assert max(line.cell_length for line in lines) <= min(width, 78)
    shown = " ".join(line.plain for line in lines)
    assert all(letter in shown for letter in "abcdefg")


@pytest.mark.parametrize(
    "points",
    [
        [],
        [(1.0, math.nan), (math.inf, 2.0)],
        [(1.0, 5.0)],
        [(0.0, 3.0), (1.0, 3.0)],
        [(0.0, 0.0)],
        [(2.0, 1.0), (2.0, 4.0)],
        [(0.0, 1e300), (1.0, -1e300)],
    ],
)
def test_odd_series_are_drawn_or_left_out(points: list[tuple[float, float]]) -> None:
    lines = drawn({"odd": points, "[red]": []})
    finite = [p for p in points if all(map(math.isfinite, p))]
    assert ("nothing to plot" in lines[-1]) == (not finite)


def test_few_values_are_bars_and_many_are_curves() -> None:
    few = Plot("x", {"a": [[n, n] for n in range(FEW_VALUES)]}, "t")
    many = Plot("x", {"a": [[n, n] for n in range(FEW_VALUES + 1)]}, "t")
    assert not isinstance(plot(few), LinePlot) and isinstance(plot(many), LinePlot)


def test_a_value_that_is_missing_is_no_zero() -> None:
    lines = plot_bars("t", {"a": [(0, 1.0), (1, 2.0)], "b": [(1, 4.0)]}).plain.split("\n")
    assert lines[1].split()[-1] == "1" and lines[2].split()[-1] == "4"


@pytest.mark.parametrize("width", [44, 60, 77, 78])
def test_a_table_of_bars_has_every_digit_and_keeps_its_width(width: int) -> None:
    series = {
        "share out of range": [(0, 1.234e-05), (7.5, -0.284), (20, 0.0184)],
        "a name that is longer than the room there is": [(0, 123456.0), (7.5, 1.0), (20, -2.5)],
    }
    lines = plot_bars("guidance scale", series, width).plain.split("\n")
    assert all(len(line) <= width for line in lines)
    assert [line.split()[-1] for line in lines[1:]] == ["1.23e+05", "1", "-2.5"]
    for number, line in zip(("1.23e-05", "-0.284", "0.0184"), lines[1:], strict=True):
        assert number in line.split()
