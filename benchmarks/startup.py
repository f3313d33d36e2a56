"""From process start to the first painted question, and of the quick commands, over floors."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.terminal import Terminal

EMPTY_APP = (
    "from textual.app import App\nfrom textual.widgets import Static\n"
    "class A(App):\n    def compose(self):\n        yield Static('hello there')\nA().run()\n"
)
FIRST_QUESTION = b"min left"
"""Stands in the header, which is painted together with the prompt."""


def painted(command: list[str], text: bytes, home: Path) -> float:
    """Seconds from process start until `text` is on the screen."""
    terminal = Terminal(command, {"DRILL_HOME": str(home)})
    try:
        return terminal.wait_for(text)
    finally:
        terminal.close()


def ended(command: list[str], home: Path) -> float:
    """Seconds that a command takes."""
    import os

    begun = time.perf_counter()
    subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, "DRILL_HOME": str(home)}
    )
    return time.perf_counter() - begun


def paired(one: Callable[[], float], floor: Callable[[], float], pairs: int) -> tuple[float, float]:
    """Medians of both, taken in turn after one uncounted pair."""
    one()
    floor()
    times = [(one(), floor()) for _ in range(pairs)]
    return median(t for t, _ in times), median(f for _, f in times)


def first_question(home: Path, pairs: int = 9) -> tuple[float, float]:
    """(drill, empty Textual app) in seconds."""
    python = sys.executable
    return paired(
        lambda: painted([python, "-m", "drill", "session"], FIRST_QUESTION, home),
        lambda: painted([python, "-c", EMPTY_APP], b"hello there", home),
        pairs,
    )


def quick_command(arguments: list[str], home: Path, pairs: int = 11) -> tuple[float, float]:
    """(drill ARGUMENTS, `python -c pass`) in seconds."""
    python = sys.executable
    return paired(
        lambda: ended([python, "-m", "drill", *arguments], home),
        lambda: ended([python, "-c", "pass"], home),
        pairs,
    )
