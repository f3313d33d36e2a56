"""What every test shares: state in a temporary folder, a fixed clock, and the sample pack."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drill.config import Config
from drill.services.app import Drill

SAMPLE = Path(__file__).parent / "packs" / "data" / "valid"


def pytest_configure() -> None:
    """Property tests try the same examples every time; with `DRILL_RANDOM_TESTS=1` new ones."""
    from hypothesis import settings

    settings.register_profile("repeatable", derandomize=True)
    if not os.environ.get("DRILL_RANDOM_TESTS"):
        settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the state of the person who runs it."""
    monkeypatch.setenv("DRILL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    for name in ("DRILL_WORKER", "DRILL_INSTALL_LABS", "VISUAL", "EDITOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


class Clock:
    """A clock that moves only when told to; UTC+1."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC).astimezone()

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def forward(self, **time: float) -> None:
        """Move on by a timedelta's arguments."""
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def drill(tmp_path: Path, clock: Clock) -> Iterator[Drill]:
    """The services over the sample pack, with every item asked as if proven."""
    opened = Drill(
        home=tmp_path / "home", packs=[SAMPLE], clock=clock, config=Config(new_per_day=50)
    )
    opened._standings = dict.fromkeys(opened.bank.heads, "proven")
    with opened:
        yield opened
