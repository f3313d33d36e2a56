"""Two machines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.moving.machines import Machine


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path, "laptop")
    yield machine
    machine.close()


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path, "desktop")
    yield machine
    machine.close()
