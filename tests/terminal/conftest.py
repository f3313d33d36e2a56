"""Starting `drill` on pseudo-terminals that are closed whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terminal.screen import Screen


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., Screen]]:
    """`start("session", ...)` opens a terminal of 80x24 on the home of the test."""
    opened: list[Screen] = []

    def begin(*arguments: str, **env: str) -> Screen:
        opened.append(Screen(*arguments, home=home, **env))  # type: ignore[arg-type]
        return opened[-1]

    yield begin
    for screen in opened:
        screen.close()
