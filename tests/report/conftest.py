"""Learners over the built-in pack, made once for all tests of a process, and their reports."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from drill.config import Config
from drill.services.app import Drill
from drill.services.report.document import Report
from drill.services.report.gather import gather
from drill.services.report.rendering import Format, rendered
from drill.services.report.scope import Wanted
from tests.conftest import Clock
from tests.report import learners


@dataclass(frozen=True)
class Seeded:
    """A learner's data folder with the report on everything."""

    home: Path
    report: Report

    def text(self, form: Format = "html") -> str:
        """The report in a format, by drill's own templates."""
        return rendered(self.report, form, self.home)


@contextmanager
def at_home(home: Path) -> Iterator[Drill]:
    """The services of a data folder, with the runs below it."""
    before = os.environ.get("DRILL_HOME")
    os.environ["DRILL_HOME"] = str(home)
    try:
        with Drill(home=home, clock=Clock(), config=Config()) as opened:
            yield opened
    finally:
        if before is None:
            del os.environ["DRILL_HOME"]
        else:
            os.environ["DRILL_HOME"] = before


def _seeded(home: Path, fill: Callable[[Drill], None]) -> Seeded:
    shared = home.parent / "bank-cache"  # the bank is compiled once
    shared.mkdir(exist_ok=True)
    (home / "cache").symlink_to(shared)
    with at_home(home) as drill:
        fill(drill)
        return Seeded(home, gather(drill, Wanted()))


@pytest.fixture(scope="session")
def new(tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    """Somebody who has answered nothing yet."""
    return _seeded(tmp_path_factory.mktemp("new"), lambda drill: None)


@pytest.fixture(scope="session")
def one(tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    """Somebody after a first session."""
    return _seeded(tmp_path_factory.mktemp("one"), learners.one_session)


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    """Somebody with weeks behind them, an interview held and another ahead."""
    home = tmp_path_factory.mktemp("long")

    def fill(drill: Drill) -> None:
        learners.long_history(drill, 32, 16, new=4)
        learners.experiment_runs(drill, home, 3)
        learners.interview(drill)

    return _seeded(home, fill)
