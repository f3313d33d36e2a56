"""The terminal goes away: its window is closed, or the line to it is lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from drill.services.app import Drill
from drill.services.runs import saved_runs
from tests.conftest import SAMPLE
from tests.terminal.screen import Screen
from tests.tui.test_run_endings import CODE, MANIFEST
from tests.user_packs.trusting import trust
from tests.worker.packs import make_stubs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
SECONDS = 20.0
STARTER = "import os, time\nprint('pid', os.getpid(), 'end', flush=True)\ntime.sleep(100)\n"
VALUE = re.compile(r"value at (\d+) =")
PID = re.compile(r"pid (\d+) end")


@pytest.fixture(autouse=True)
def pack(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner past the first run, with a pack of their own: one lab that takes long."""
    monkeypatch.setenv("PYTHONPATH", str(make_stubs(tmp_path / "stubs")))
    root = home / "packs" / "sample"
    shutil.copytree(SAMPLE, root)
    shutil.rmtree(root / "labs")
    folder = root / "labs" / "ends"
    folder.mkdir(parents=True)
    (folder / "experiment.py").write_text(CODE)
    (folder / "lab.yaml").write_text(MANIFEST)
    (folder / "starter.py").write_text(STARTER)
    with Drill(home=home) as drill:
        drill.keep_profile(replace(drill.profile, done=True))
    trust(home, "sample")
    return root


def ends(screen: Screen) -> int:
    """The exit code, once the process has ended; what it uses of the processor until then."""
    end = time.monotonic() + SECONDS
    before = used(screen.process.pid)
    while screen.process.poll() is None:
        if time.monotonic() > end:
            share = (used(screen.process.pid) - before) / SECONDS
            raise AssertionError(f"it goes on, at {share:.0%} of a core")
        time.sleep(0.1)
    return int(screen.process.returncode)


def used(pid: int) -> float:
    """Seconds of processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_gone(pid: int) -> bool:
    """Whether a process has ended, within a moment."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def into_lab(screen: Screen) -> None:
    """From home to the lab of the learner's own pack, the last in the list."""
    screen.wait("today's session")
    screen.press("l")
    screen.wait("Forward noise")
    screen.press("end")
    screen.wait("Ways to end")
    screen.press("enter")
    screen.wait("no reading")


@pytest.mark.parametrize("controlling", [True, False], ids=["with SIGHUP", "without a signal"])
def test_the_app_ends(start: Callable[..., Screen], controlling: bool) -> None:
    screen = start(controlling=controlling)
    screen.wait("today's session")
    screen.hang_up()
    assert ends(screen) == 0


@pytest.mark.parametrize("controlling", [True, False], ids=["with SIGHUP", "without a signal"])
def test_a_run_is_stopped_and_kept(
    start: Callable[..., Screen], home: Path, controlling: bool
) -> None:
    screen = start(controlling=controlling)
    into_lab(screen)
    screen.press("e")
    screen.wait("Former runs")
    screen.press("ctrl+u", *"running", "ctrl+r")
    screen.wait_until(lambda: any(int(k) > 3 for k in VALUE.findall(screen.words)), "values")
    screen.hang_up()
    assert ends(screen) == 0
    (row,) = sqlite3.connect(home / "drill.db").execute("select metrics, extra from runs")
    assert json.loads(row[1])["error"] == "cancelled"
    assert json.loads(row[0])["value"][3] == [3, 9]
    (run,) = saved_runs(home / "runs")
    assert run.state == "error" and run.pictures
    log = (home / "logs" / "worker.log").read_text()
    assert "Traceback" not in log


def test_a_starter_ends_too(start: Callable[..., Screen]) -> None:
    screen = start()
    into_lab(screen)
    screen.press("s")
    screen.wait_until(lambda: PID.search(screen.words) is not None, "its output")
    found = PID.search(screen.words)
    assert found is not None
    screen.hang_up()
    assert ends(screen) == 0
    assert is_gone(int(found[1]))


def test_a_polite_kill_leaves_the_terminal_as_it_was(start: Callable[..., Screen]) -> None:
    screen = start()
    screen.wait("today's session")
    screen.process.send_signal(signal.SIGTERM)
    assert screen.ended() == 0
    assert not screen.in_alternate_screen and screen.modes_restored


def test_the_plain_session_ends(start: Callable[..., Screen], home: Path) -> None:
    screen = start("session", "--plain", "--limit", "3")
    screen.wait("> ")
    screen.hang_up()
    assert ends(screen) == 1
    with Drill(home=home) as drill:
        assert drill.store.sessions.unfinished() is not None
