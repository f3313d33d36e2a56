"""The services over the pack that has a reserve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from drill.services.app import Drill
from tests.conftest import Clock
from tests.services.interviews import Timer, open_drill
from tests.services.reserve_pack import make_pack


@pytest.fixture
def reserve(tmp_path: Path, clock: Clock) -> Iterator[Drill]:
    """A learner whose bank has a reserve."""
    with open_drill(tmp_path / "home", make_pack(tmp_path / "pack"), clock) as opened:
        yield opened


@pytest.fixture
def timer() -> Timer:
    return Timer()
