"""From process start to the first painted question, and of the quick commands, over floors.

Measured as installed: drill's modules are compiled first, as pip does it and as those of the floors
are; a checkout under PYTHONDONTWRITEBYTECODE would be compiled at every start. Every session is a
new one, planned from all the past reviews, as on the first start of a day.
"""

from __future__ import annotations

import compileall
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from msgspec.structs import replace

import drill
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


def forget_sessions(home: Path) -> None:
    """Leave no session to go on with."""
    connection = sqlite3.connect(home / "drill.db")
    with connection:
        connection.execute("DELETE FROM sessions")
    connection.close()


def first_painted(home: Path) -> float:
    """Seconds from the start of `drill session` until the first question of a new session."""
    forget_sessions(home)
    return painted([sys.executable, "-m", "drill", "session"], FIRST_QUESTION, home)


def paired(one: Callable[[], float], floor: Callable[[], float], pairs: int) -> tuple[float, float]:
    """Medians of both, taken in turn after one uncounted pair."""
    compileall.compile_dir(Path(drill.__file__).parent, quiet=1)
    one()
    floor()
    times = [(one(), floor()) for _ in range(pairs)]
    return median(t for t, _ in times), median(f for _, f in times)


def first_question(home: Path, pairs: int = 15) -> tuple[float, float]:
    """(drill, empty Textual app) in seconds."""
    return paired(
        lambda: first_painted(home),
        lambda: painted([sys.executable, "-c", EMPTY_APP], b"hello there", home),
        pairs,
    )


def first_dated_question(home: Path, ahead: bool, pairs: int = 15) -> tuple[float, float]:
    """The same with an interview in three weeks; `ahead`: today's session was planned yesterday."""
    from datetime import timedelta

    from drill import paths
    from drill.config import Config
    from drill.services import planning
    from drill.services.app import Drill
    from drill.store.store import local_now

    def opened(days: int = 0) -> Drill:
        return Drill(
            home=home,
            packs=[paths.builtin_pack(), *sorted((home / "packs").iterdir())],
            config=Config(),
            clock=lambda: local_now() - timedelta(days=days),
        )

    with opened() as drill:
        before = drill.profile
        day = (local_now() + timedelta(days=21)).date().isoformat()
        drill.keep_profile(replace(before, interview=day))
        drill.store.settings.delete(planning.PLANS)
    if ahead:
        with opened(days=1) as drill:
            planning.keep_tomorrow(drill)
    try:
        return first_question(home, pairs)
    finally:
        with opened() as drill:
            drill.keep_profile(before)


def quick_command(arguments: list[str], home: Path, pairs: int = 15) -> tuple[float, float]:
    """(drill ARGUMENTS, `python -c pass`) in seconds."""
    python = sys.executable
    return paired(
        lambda: ended([python, "-m", "drill", *arguments], home),
        lambda: ended([python, "-c", "pass"], home),
        pairs,
    )
