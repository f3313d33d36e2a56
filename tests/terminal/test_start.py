"""Starting and leaving: on a terminal, without one, without colours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from drill.services.app import Drill
from drill.store import Review
from tests.terminal.screen import ROOT, Screen

COLOUR = re.compile(rb"[34]8;5;(\d+)[;m]")
GREYS = {0, 7, 8, 15, 16, 59, 102, 145, 188, 231, *range(232, 256)}
"""Of the 256 colours of a terminal, those without a hue."""


def _piped(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drill", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "DRILL_HOME": str(home), "TERM": "xterm-256color"},
    )


@pytest.mark.parametrize("arguments", [(), ("session",)], ids=["drill", "session"])
def test_without_a_terminal_it_says_so(home: Path, arguments: tuple[str, ...]) -> None:
    done = _piped(home, *arguments)
    assert done.returncode == 2
    assert "not a terminal" in done.stderr and "--plain" in done.stderr
    assert done.stdout == "" and "\x1b" not in done.stderr


def test_help_needs_no_terminal(home: Path) -> None:
    done = _piped(home, "--help")
    assert done.returncode == 0
    assert "session" in done.stdout and "Exit codes" in done.stdout and done.stderr == ""


def test_a_dumb_terminal_is_refused(start: Callable[..., Screen]) -> None:
    screen = start(term="dumb")
    assert screen.ended() == 2
    assert "TERM names no capable terminal" in screen.words and "--plain" in screen.words
    assert b"\x1b" not in screen.written


@pytest.mark.parametrize("colours", [True, False], ids=["xterm-256color", "NO_COLOR"])
def test_it_starts_and_leaves_the_terminal_as_it_was(
    start: Callable[..., Screen], colours: bool
) -> None:
    screen = start() if colours else start(NO_COLOR="1")
    screen.wait("When is your interview?")
    assert screen.in_alternate_screen and not screen.modes_restored
    used = {int(number) for number in COLOUR.findall(screen.written)}
    assert bool(used - GREYS) is colours, used - GREYS
    screen.press("ctrl+q")
    assert screen.ended() == 0
    assert not screen.in_alternate_screen and screen.modes_restored
    left = screen.written[screen.written.rfind(b"\x1b[?1049h") :]
    for mode in (b"1000", b"1003", b"1006", b"2004"):  # mouse reports and bracketed paste
        assert left.rfind(b"\x1b[?" + mode + b"l") > left.rfind(b"\x1b[?" + mode + b"h"), mode
    assert left.rfind(b"\x1b[?25h") > left.rfind(b"\x1b[?25l"), "the cursor is still hidden"


def test_damaged_data_end_the_app_with_a_line(home: Path, start: Callable[..., Screen]) -> None:
    with Drill(home=home) as drill:
        drill.keep_profile(replace(drill.profile, done=True))
        drill.store.record(Review("drill:cfg.x", "choice", "h", 0, "a", 1.0, 3, 3))
        rows = drill.store.access.rows("SELECT pageno FROM dbstat WHERE name = 'reviews'")
    database = home / "drill.db"
    raw = bytearray(database.read_bytes())
    for (page,) in rows:
        raw[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    database.write_bytes(bytes(raw))
    for arguments in ((), ("session",)):
        screen = start(*arguments)
        assert screen.ended() == 2
        assert b"Traceback" not in screen.written and b"is damaged" in screen.written
        assert b"drill doctor" in screen.written
