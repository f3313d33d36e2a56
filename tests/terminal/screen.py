"""A command on a pseudo-terminal, what its screen shows, and keys as a person presses them."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    "enter": "\r", "escape": "\x1b", "tab": "\t", "space": " ", "backspace": "\x7f",
    "up": "\x1b[A", "down": "\x1b[B", "end": "\x1b[F", "ctrl+r": "\x12",
    "ctrl+q": "\x11", "ctrl+s": "\x13", "ctrl+u": "\x15", "f1": "\x1bOP", "f2": "\x1bOQ",
    "f3": "\x1bOR", "f6": "\x1b[17~", "f7": "\x1b[18~",
}  # fmt: skip


class Screen:
    """`python -m drill ARGUMENTS` on its own pseudo-terminal."""

    def __init__(
        self, *arguments: str, home: Path, term: str = "xterm-256color", columns: int = 80,
        rows: int = 24, controlling: bool = False, **env: str,
    ) -> None:  # fmt: skip
        """`controlling`: closing the terminal sends SIGHUP, which `nohup` and others keep away."""
        self._master, self._slave = pty.openpty()
        self._open = True
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._modes = termios.tcgetattr(self._slave)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        given = {"DRILL_HOME": str(home), "TERM": term, "TEXTUAL_ANIMATIONS": "none", **env}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "drill", *arguments],
            cwd=ROOT,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env={**os.environ, **given},
            start_new_session=True,
            preexec_fn=_control if controlling else None,
        )

    # -- what is shown ---------------------------------------------------------------

    @property
    def text(self) -> str:
        """The screen, row by row."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def words(self) -> str:
        """The screen with every run of blanks and line ends as one blank."""
        return " ".join(self.text.split())

    def _read(self, seconds: float) -> bool:
        """Take in what was written, waiting for it; False at the end of the process."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return self.process.poll() is None
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.written += data
        self._stream.feed(data)
        return bool(data)

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        """Read until something holds.

        Raises:
            AssertionError: it did not in time; the message shows the screen.
        """
        end = time.monotonic() + seconds
        alive = True
        while not holds():
            if not alive or time.monotonic() > end:
                state = "" if alive else f" (the process ended: {self.process.poll()})"
                raise AssertionError(f"waited for {what}{state}; the screen:\n{self.text}")
            alive = self._read(0.1)

    def wait(self, *texts: str, seconds: float = 60.0) -> None:
        """Wait until all of these stand on the screen, whatever the line breaks."""
        wanted = [" ".join(text.split()) for text in texts]
        self.wait_until(lambda: all(text in self.words for text in wanted), repr(texts), seconds)

    # -- keys ------------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Press keys one after the other, by name or character.

        Escape is followed by a moment, as under a finger: right before another key it would be
        read as one sequence with it.
        """
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())
            if key == "escape":
                end = time.monotonic() + 0.3
                while time.monotonic() < end:
                    self._read(0.05)

    def paste(self, text: str) -> None:
        """Paste a text as terminals do."""
        os.write(self._master, b"\x1b[200~" + text.encode() + b"\x1b[201~")

    # -- the end ---------------------------------------------------------------------

    def ended(self, seconds: float = 30.0) -> int:
        """Wait for the process to end by itself; its exit code."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it goes on; the screen:\n{self.text}"
            self._read(0.1)
        while select.select([self._master], [], [], 0)[0] and self._read(0):
            pass
        return self.process.returncode

    @property
    def in_alternate_screen(self) -> bool:
        """Whether the last switch of screens was to the alternate one."""
        return self.written.rfind(b"\x1b[?1049h") > self.written.rfind(b"\x1b[?1049l")

    @property
    def modes_restored(self) -> bool:
        """Whether echo, line mode and the rest are as they were before the start."""
        return termios.tcgetattr(self._slave) == self._modes

    def kill(self) -> None:
        """As `kill -9`, with everything in its process group."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def hang_up(self) -> None:
        """Close the terminal, as closing its window or losing the line does."""
        for end in (self._master, self._slave):
            os.close(end)
        self._open = False

    def close(self) -> None:
        """Kill what still runs and close the terminal."""
        self.kill()
        if self._open:
            self.hang_up()


def _control() -> None:
    """Make the terminal on stdin the one that controls this process."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
