"""Geometry of the plots: round axes, everything inside the frame, words for who cannot see it."""

from __future__ import annotations

import math
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.domain.statistics.interval import jeffreys
from drill.domain.statistics.model import Calibration, Confidence, Day, Share
from drill.services.report.answers import binned
from drill.services.report.document import Bin, Curves
from drill.services.report.plots import (
    Plot,
    activity,
    calibration,
    curves,
    number,
    scaled,
    ticks,
    topic_bar,
)

finite = st.floats(-1e12, 1e12, allow_nan=False)


@given(finite, finite, st.integers(2, 8))
def test_ticks_are_round_and_hold_the_values(low: float, high: float, most: int) -> None:
    found = ticks(low, high, most)
    low, high = min(low, high), max(low, high)
    room = 1e-6 * max(abs(low), abs(high), high - low, 1e-12)
    assert found[0] <= low + room and found[-1] >= high - room
    assert 2 <= len(found) <= most + 3
    steps = [b - a for a, b in pairwise(found)]
    assert all(step > 0 for step in steps)
    leading = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-9)
    assert min(abs(leading - n) for n in (1, 2, 5, 10)) < 1e-3 or room > steps[0] * 1e-6


def test_ticks_of_known_ranges() -> None:
    assert ticks(0, 23, 4) == [0, 10, 20, 30]
    assert ticks(0, 1, 5) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(-0.3, 0.31, 4) == [-0.4, -0.2, 0, 0.2, 0.4]
    assert ticks(7, 7, 4)[0] < 7 < ticks(7, 7, 4)[-1]
    assert ticks(0, 0, 4)[0] < 0 < ticks(0, 0, 4)[-1]
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="axis"):
            ticks(0, bad)


def test_numbers_of_axes() -> None:
    shown = [number(v) for v in (0, 0.25, 1, 1500, 2e6, 0.00002, -0.5, -10)]
    assert shown == ["0", "0.25", "1", "1,500", "2e+06", "2e-05", "-0.5", "-10"]


def _inside(plot: Plot) -> None:
    xs = [x for line in plot.lines for x, _ in _pairs(line.points)]
    xs += [b.x for b in plot.bars] + [b.x + b.width for b in plot.bars]
    xs += [m.x for m in plot.intervals] + [t.at for t in plot.x_ticks]
    ys = [y for line in plot.lines for _, y in _pairs(line.points)]
    ys += [b.y for b in plot.bars] + [m.top for m in plot.intervals]
    ys += [m.bottom for m in plot.intervals] + [t.at for t in plot.y_ticks]
    assert all(plot.left - 0.02 <= x <= plot.right + 0.02 for x in xs)
    assert all(plot.top - 0.02 <= y <= plot.bottom + 0.02 for y in ys)


def _pairs(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (p.split(",") for p in points.split())]


def _bins(days: int, answers: int = 10, right: int = 7) -> list[Bin]:
    first = date(2026, 1, 1)
    return [Bin((first + timedelta(days=n)).isoformat(), answers, right, 5.0) for n in range(days)]


@pytest.mark.parametrize("days", [1, 2, 30, 62, 400])
def test_bars_stand_in_the_frame_and_dates_do_not_touch(days: int) -> None:
    plot = activity(_bins(days), "day")
    assert plot is not None and len(plot.bars) == days
    _inside(plot)
    gaps = [b.at - a.at for a, b in pairwise(plot.x_ticks)]
    assert all(gap >= 40 for gap in gaps)
    assert f"{10 * days:,} answers" in plot.desc and f"{7 * days:,} of them right" in plot.desc


def test_the_dark_part_of_a_bar_is_the_share_that_was_right() -> None:
    plot = activity([Bin("2026-01-01", 20, 5, 1.0)], "day")
    assert plot is not None
    (bar,) = plot.bars
    assert bar.part == pytest.approx(bar.height / 4, abs=0.02)
    zero, top = plot.y_ticks[0], plot.y_ticks[-1]
    assert zero.label == "0" and float(top.label) >= 20
    assert bar.height == pytest.approx((zero.at - top.at) * 20 / float(top.label), abs=0.02)
    assert activity([Bin("2026-01-01", 0, 0, 0.0)], "day") is None


def _share(right: int, answers: int) -> Share:
    low, high = jeffreys(right, answers)
    return Share(right, answers, right / answers if answers else None, low, high)


def test_calibration_draws_shares_with_their_intervals() -> None:
    names = (("guess", 0.33), ("think", 0.66), ("sure", 0.95))
    counts = ((1, 4), (0, 0), (18, 20))
    levels = tuple(
        Confidence(n + 1, name, stated, _share(*counts[n]))
        for n, (name, stated) in enumerate(names)
    )
    plot = calibration(Calibration(24, levels, (), 0.1, 0.2))
    assert plot is not None
    _inside(plot)
    assert [m.label for m in plot.intervals] == ["25%", "90%"]
    for mark, (right, of) in zip(plot.intervals, ((1, 4), (18, 20)), strict=True):
        assert mark.top < mark.y < mark.bottom
        assert mark.y == scaled(right / of, 0, 1, plot.bottom, plot.top)
    assert [t.label for t in plot.x_ticks] == ["guess (4)", "think (0)", "sure (20)"]
    assert "sure 90% of 20" in plot.desc
    nothing = tuple(Confidence(n + 1, "x", 0.5, _share(0, 0)) for n in range(3))
    assert calibration(Calibration(0, nothing, (), None, None)) is None


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), max_size=30),
        max_size=8,
    )
)
def test_any_finite_curve_is_drawn_in_the_frame(
    series: dict[str, list[tuple[float, float]]],
) -> None:
    found = curves(Curves("n", "x", "y", {k: tuple(sorted(v)) for k, v in series.items()}))
    if not any(series.values()):
        assert found is None
        return
    assert found is not None
    _inside(found)
    assert len(found.lines) == sum(bool(points) for points in series.values())
    assert len({line.style for line in found.lines}) == len(found.lines)


def test_long_words_below_an_axis_are_wrapped() -> None:
    found = curves(
        Curves("n", "control in: " + "0 no step, 1 the first steps, " * 3, "y", {"a": ((0, 1),)})
    )
    assert found is not None and 2 <= len(found.x_label) <= 3
    assert found.height > 208 and all(len(line) <= 52 for line in found.x_label)


def test_places_on_a_line() -> None:
    assert topic_bar(0.5, 0.25, 1.0) == (50.0, 25.0, 100.0)
    assert topic_bar(0.5, None, None) == (50.0, 50.0, 50.0)
    assert topic_bar(None, None, None) == (0.0, 0.0, 0.0)


def _day(day: int, answers: int) -> Day:
    return Day(day, (date(1970, 1, 1) + timedelta(days=day)).isoformat(), answers, 1, 0, 2.0)


def test_bins_have_no_gaps_and_lose_no_answer() -> None:
    today = 20_780
    for first, unit in ((today - 10, "day"), (today - 200, "week"), (today - 900, "month")):
        days = [_day(first, 3), _day(first + 5, 4), _day(today, 2)]
        found, bins = binned(days, None, today)
        assert found == unit
        assert sum(b.answers for b in bins) == 9 and sum(b.right for b in bins) == 3
        starts = [date.fromisoformat(b.start) for b in bins]
        gaps = {(b - a).days for a, b in pairwise(starts)}
        assert gaps <= {"day": {1}, "week": {7}, "month": {28, 29, 30, 31}}[unit]
        if unit == "week":
            assert {start.weekday() for start in starts} == {0}
    assert binned([], None, today) == ("day", ())
    _, bins = binned([_day(today, 2)], today - 6, today)
    assert len(bins) == 7 and bins[0].answers == 0
