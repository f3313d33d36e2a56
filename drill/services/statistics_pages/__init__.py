"""The statistics as pages of text, the same in the app and on the command line."""

from __future__ import annotations

from collections.abc import Callable

from drill.domain.statistics.model import Statistics
from drill.services.statistics_pages.beliefs import beliefs
from drill.services.statistics_pages.calibration import calibration
from drill.services.statistics_pages.memory import memory
from drill.services.statistics_pages.mocks import mocks
from drill.services.statistics_pages.overview import overview
from drill.services.statistics_pages.parts import NARROW, WIDEST, Group
from drill.services.statistics_pages.times import times

PAGES: dict[str, tuple[str, Callable[[Statistics, int], list[Group]]]] = {
    "overview": ("Overview", overview),
    "memory": ("Memory", memory),
    "calibration": ("Calibration", calibration),
    "beliefs": ("Beliefs", beliefs),
    "time": ("Time, labs", times),
    "interviews": ("Interviews", mocks),
}
"""Name to title and what draws it."""


def page(found: Statistics, name: str, width: int = WIDEST) -> list[Group]:
    """The groups of a page, drawn for `width` columns within `NARROW` to `WIDEST`."""
    drawn = PAGES[name][1](found, max(NARROW, min(width, WIDEST)))
    return [group for group in drawn if group]
