"""Interviews that were held: band, axes and how they went from one to the next."""

from __future__ import annotations

from drill.domain.counted import counted
from drill.domain.statistics.model import Mock, MockAxis, Statistics
from drill.services.mock_words import interval
from drill.services.statistics_pages.parts import (
    Group,
    Span,
    Tone,
    line,
    said,
    title,
)

CELLS = 7
"""Cells of an axis from 1 to 4: two for each whole number."""


def mocks(found: Statistics, width: int) -> list[Group]:
    """The groups of the page in `width` columns, the newest interview first."""
    if found.topic:
        return [
            [title("Mock interviews"), said("An interview spans topics; without one it is shown.")]
        ]
    if not found.mocks:
        return [
            [
                title("Mock interviews"),
                said(
                    "Each finished mock interview (m at home, or `drill mock`) stands here with "
                    "its band, where one can be named, and its four axes."
                ),
            ]
        ]
    bands = "bands are drill's own, calibrated to no employer"
    groups: list[Group] = [[title(counted(len(found.mocks), "interview"), bands)]]
    groups += [_mock(mock) for mock in reversed(found.mocks)]
    groups.append([said("━ what was found in your answers   ╍ what your own ticks add")])
    return groups


def _mock(mock: Mock) -> Group:
    tone: Tone = "bold" if mock.band else ""
    facts = f"  {mock.level}, {mock.minutes} min ({mock.used:.0f} used), {mock.mode} mode"
    rows: Group = [
        line((mock.date, "bold"), (facts, "muted")),
        (
            (("  ", ""),),
            (
                (mock.band or mock.why_none, tone),
                (f"; {counted(mock.missing, 'expected point')} missing", "muted"),
            ),
        ),
    ]
    for axis in mock.axes:
        rows.append(line((f"  {axis.title:<28}", ""), *_axis(axis)))
    return rows


def _axis(axis: MockAxis) -> tuple[Span, ...]:
    if not axis.seen:
        return (("not asked enough to score", "muted"),)
    ends = [round((value - 1) / 3 * (3 * CELLS)) for value in (axis.low, axis.high)]
    return (
        ("━" * ends[0], "accent"),
        ("╍" * (ends[1] - ends[0]), "accent"),
        ("─" * (3 * CELLS - ends[1]), "faint"),
        (f"  {interval(axis.low, axis.high)}", "bold"),
    )
