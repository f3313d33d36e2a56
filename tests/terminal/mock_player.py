"""`drill mock --plain` as a process on pipes or a terminal, and a learner who answers it.

The learner looks up in the database which item is asked (the screen does not tell), and types what
answers its type; everything else is read off the screen.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import random
import re
import select
import signal
import sqlite3
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

from tests.terminal.screen import ROOT

PLACE = re.compile(r"\[([A-Z][^\[\]]*?) · (\d+):(\d\d)\] > \Z")
DRAFT = re.compile(r"Your draft \([^)]*\):\n((?:\| .*\n)+)")
ANSWERS = {
    "sc.r-warm-number": "40",
    "sc.r-warm-choice": "nothing",
    "sc.r-warm-choices": "timesteps, sigmas",
    "sc.r-warm-shape": "[2, 4, 64, 64]",
    "sc.r-warm-short": "init_noise_sigma",
    "sc.r-warm-formula": "sqrt((1 - ab) / ab)",
    "sc.r-warm-order": "scale predict step",
    "sc.r-read-mutant": "3; too-clean",
    "sc.r-read-line": "2",
    "sc.r-read-output": "10 900",
    "sc.r-run-1": "best=20",
    "sc.r-diagnose": "cause=sign",
    "sv.r-estimate-1": "1.0 s",
    "sv.r-estimate-2": "27.8 %",
}
"""Right answers on one line; what is not here takes several lines."""
CODE = "def x0_from_eps(x_t, eps, ab):\n    return (x_t - (1 - ab) ** 0.5 * eps) / ab ** 0.5"


def plan_of(home: Path) -> dict[str, Any]:
    """The newest interview as it is stored: its plan, and `beat` with what came after it.

    Empty where there is none yet, nor a finished database.
    """
    if not (home / "drill.db").exists():
        return {}
    with contextlib.closing(sqlite3.connect(home / "drill.db")) as raw:
        if not raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'sessions'").fetchall():
            return {}
        row = raw.execute(
            "SELECT id, plan, draft, ended FROM sessions WHERE kind = 'mock' "
            "ORDER BY rowid DESC LIMIT 1"
        ).fetchone()
    if row is None:
        return {}
    beat = json.loads(row[2]) if row[2] else {}
    return {**json.loads(row[1]), "id": row[0], "beat": beat, "ended": row[3]}


def item_of(plan: dict[str, Any]) -> str:
    """The item that is asked, without its pack."""
    slot = plan["slots"][plan.get("slot", 0)]
    return str(slot["items"][plan.get("stage", 0)]).partition(":")[2]


def draft_of(plan: dict[str, Any]) -> str:
    """What was typed, as the next process must show it."""
    return str(plan["beat"].get("text", plan.get("draft", "")))


def left_of(plan: dict[str, Any]) -> float:
    """Seconds that a process that starts now has left."""
    beat = plan["beat"]
    seconds = max(plan.get("seconds", 0.0), beat.get("seconds", 0.0))
    running = beat.get("running", plan.get("running", False))
    return float(plan["settings"]["minutes"] * 60 - seconds - (1.0 if running else 0.0))


class MockProcess:
    """One process; `read` takes in what it writes."""

    def __init__(
        self,
        home: Path,
        pack: Path,
        *arguments: str,
        terminal: bool = False,
        plain: bool = True,
    ) -> None:
        self.home = home
        self.terminal = terminal
        command = [sys.executable, "-m", "tests.services.reserve_main", str(pack)]
        self._ours, theirs = pty.openpty() if terminal else (-1, subprocess.PIPE)
        if terminal:
            modes = termios.tcgetattr(theirs)
            modes[3] &= ~termios.ECHO
            termios.tcsetattr(theirs, termios.TCSANOW, modes)
        self.process = subprocess.Popen(
            [*command, "mock", *arguments, *(["--plain"] if plain else [])],
            cwd=ROOT,
            env={**os.environ, "DRILL_HOME": str(home), "PYTHONUNBUFFERED": "1"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs if terminal else subprocess.STDOUT,
            start_new_session=True,
        )
        if terminal:
            os.close(theirs)
        self._raw = b""
        self.text = ""
        """Everything that was written."""
        self.ended = self._closed = False

    @property
    def words(self) -> str:
        """Everything that was written, with every run of blanks and line ends as one blank."""
        return " ".join(self.text.split())

    def read(self, seconds: float) -> bool:
        """Take in what is written within so many seconds; whether there was anything."""
        if self.ended:
            return False
        fd = self._ours if self.terminal else self.process.stdout.fileno()  # type: ignore[union-attr]
        if not select.select([fd], [], [], max(0.0, seconds))[0]:
            return False
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b""
        self.ended = not data
        self._raw += data
        self.text = self._raw.decode(errors="ignore").replace("\r\n", "\n")
        return bool(data)

    def send(self, text: str) -> None:
        """Type a text as it is."""
        with contextlib.suppress(OSError, ValueError):
            if self.terminal:
                os.write(self._ours, text.encode())
            else:
                self.process.stdin.write(text.encode())  # type: ignore[union-attr]
                self.process.stdin.flush()  # type: ignore[union-attr]

    def wait_for(self, *endings: str, seconds: float = 60.0) -> str:
        """Read until the screen ends with one of these; which one it was."""
        end = time.monotonic() + seconds
        while True:
            for ending in endings:
                if re.search(ending + r"\Z", self.text):
                    return ending
            assert time.monotonic() < end and not self.ended, self.text[-3000:]
            self.read(0.2)

    def wait(self, seconds: float = 60.0) -> int:
        """Read to the end of the process; its exit code."""
        end = time.monotonic() + seconds
        while not self.ended:
            assert time.monotonic() < end, self.text[-3000:]
            self.read(0.2)
        return self.process.wait()

    def kill(self) -> None:
        """As `kill -9`, with the child that measures."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        while self.read(0.0):
            pass
        self.close()

    def close(self) -> None:
        """Let go of the streams; closing twice does nothing."""
        if self._closed:
            return
        self._closed = self.ended = True
        if self.terminal:
            with contextlib.suppress(OSError):
                os.close(self._ours)
        else:
            for stream in (self.process.stdin, self.process.stdout):
                with contextlib.suppress(OSError, BrokenPipeError):
                    stream.close()  # type: ignore[union-attr]


class Learner:
    """Answers what a process asks, and remembers what was acknowledged."""

    def __init__(self, process: MockProcess, seed: int, *, strong: bool = False) -> None:
        self.process = process
        self.random = random.Random(seed)
        self.strong = strong
        """Whether everything is answered in full and nothing is left half typed."""
        self.said: list[tuple[str, str]] = []
        """Item and text of every acknowledged answer."""
        self.ticked: list[int] = []
        self.place = self.probe = ""
        """What the last fresh prompt said, and the probe above it."""
        self.left = -1
        """Whole seconds left by the last fresh prompt, and when that was read."""
        self.left_at = 0.0
        self.first: tuple[str, str, int, str] | None = None
        """Place, probe, seconds left and draft of the first prompt of this process."""
        self._pending: tuple[str, str] | None = None
        self._sent = 0
        """How much was on the screen when it was sent."""
        self._typed: list[str] = []
        self.calm = strong
        """Whether nothing is left half typed."""
        self._seen = 0
        self.waiting = False
        """Whether something stands half typed on purpose."""
        self.half, self.half_at = "", 0.0
        """The end of what was half typed, and when."""
        self.count = 0

    @property
    def unsure(self) -> bool:
        """Whether something was sent whose effect was not seen yet."""
        return self._pending is not None

    def look(self, seconds: float) -> None:
        """Read for so many seconds and react to every prompt."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.process.ended:
            self.react()
            self.process.read(min(0.05, end - time.monotonic()))

    def react(self) -> None:
        text = self.process.text
        if len(text) == self._seen:
            return
        if found := PLACE.search(text):
            self._seen = len(text)
            self._fresh(found)
        elif text.endswith(("\n| ", " | ")):
            self._seen = len(text)
            if self.first is None:
                self._first(self.place, -1)
            self._more()
        elif text.endswith("done] > "):
            self._seen = len(text)
            self._confirm()
            self._debrief()
        elif text.endswith(" > "):
            self._seen = len(text)
            self._confirm()
            self.process.send("\n")

    def _fresh(self, found: re.Match[str]) -> None:
        self.left_at = time.monotonic()
        self._confirm()
        place, left = found[1], int(found[2]) * 60 + int(found[3])
        self.place, self.left = place, left
        self.probe = self._last_probe()
        self._first(place, left)
        if not self.waiting:
            self._answer()

    def _first(self, place: str, left: int) -> None:
        if self.first is None:
            drafts = DRAFT.findall(self.process.text)
            lines = [line[2:] for line in drafts[-1].rstrip("\n").split("\n")] if drafts else []
            self._typed = lines
            since = self.process.text.rpartition("\n---")[2]
            heads = re.findall(r"^ ?([A-Z].*?) · about .* · (\d+):(\d\d) left", since)
            if left < 0 and heads:
                place, left = heads[-1][0], int(heads[-1][1]) * 60 + int(heads[-1][2])
                self.probe = self._last_probe()
                self.place, self.left, self.left_at = place, left, time.monotonic()
            self.first = (place, self.probe, left, "\n".join(lines))

    def _last_probe(self) -> str:
        """What the interviewer said last about the question on the screen."""
        since = self.process.text.rpartition("\n---")[2]
        probes = re.findall(r"\nThey: ((?:(?!\[|They:).+\n)+)", since)
        return probes[-1] if probes else ""

    def _send(self, item: str, text: str, typed: str) -> None:
        """Type what answers the prompt; `text` is the answer as it will be stored."""
        self._pending = (item, text)
        self._sent = len(self.process.text)
        self.process.send(typed)

    def _confirm(self) -> None:
        """What was sent before this prompt was taken."""
        if self._pending is not None:
            if "\nnot counted: " not in self.process.text[self._sent :]:
                self.said.append(self._pending)
            self._pending = None
            self._typed = []

    def _answer(self) -> None:
        item = item_of(plan_of(self.process.home))
        self.count += 1
        chance = 1.0 if self.strong else self.random.random()
        if chance < 0.15 and not self.calm:
            self._half_typed(item)
        elif item in ANSWERS:
            self._typed = []
            self._send(item, ANSWERS[item], ANSWERS[item] + "\n")
        elif chance < 0.25 and self.probe:
            self._send(item, "", ":said\n" if self.random.random() < 0.5 else ":pass\n")
        else:
            self._more()

    def _half_typed(self, item: str) -> None:
        """Stop in the middle of a line; on a terminal after a whole one, where there is one."""
        self.waiting = True
        half = f"# half typed {self.random.randrange(1_000_000)}"
        if item not in ANSWERS:
            self.half = half
            self.process.send(f"{half}\n")
        if not self.process.terminal:
            self.half = f"{half} and"
            self.process.send(self.half)
        self.half_at = time.monotonic()

    def _more(self) -> None:
        """Type an answer of several lines."""
        if self.waiting or self.unsure:
            return
        item = item_of(plan_of(self.process.home))
        if item in ANSWERS:
            return
        if not self.strong and len(self._typed) < 4 and self.random.random() < 0.5:
            if self.random.random() < 0.3 and not self.calm:
                self._half_typed(item)
                return
            line = f"# line {self.random.randrange(1_000_000)}"
            self._typed.append(line)
            self.process.send(line + "\n")
            return
        text = self._whole(item)
        whole = "\n".join([*self._typed, *text.split("\n")])
        self._send(item, whole, text + "\n.\n")

    def _whole(self, item: str) -> str:
        if item == "sc.r-code":
            return CODE
        if self.strong:
            return STRONG[item]
        return f"answer {self.random.randrange(1_000_000)} to it"

    def _debrief(self) -> None:
        if len(self.ticked) < 3 and not self.strong:
            self.ticked.append(self.random.randint(1, 12))
            self._send("tick", str(self.ticked[-1]), f"t {self.ticked[-1]}\n")
        else:
            self.process.send("done\n")


STRONG = {
    "sc.r-theory-guidance": "Guidance takes two predictions at each step. The evaluations double.\n"
    "Both go in one batch. It may be left out in the late steps.",
    "sc.r-theory-noise": "The denoiser stays the same. Samplers are solvers of the same equation.\n"
    "Compare them at equal evaluations.",
    "sc.r-run-2": "The error of a step shrinks faster than the step.",
    "sv.r-estimate-3": "I would measure the waiting time in the queue.",
    "sv.r-design-1": "I ask for the requests at the peak.",
    "sv.r-design-2": "I split the latency into waiting and computing.",
}
