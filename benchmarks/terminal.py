"""Starts a command on a pseudo-terminal and times how long a text takes to appear."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence


class Terminal:
    """One command on its own pseudo-terminal."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        columns: int = 120,
        rows: int = 36,
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})},
            start_new_session=True,
        )
        os.close(slave)
        self.seen = b""

    def wait_for(self, text: bytes, seconds: float = 60.0) -> float:
        """Seconds since the start until `text` has appeared.

        Raises:
            TimeoutError: it did not; the message ends with what was seen last.
        """
        end = time.perf_counter() + seconds
        while text not in self.seen:
            left = end - time.perf_counter()
            ready, _, _ = select.select([self._master], [], [], max(0.0, left))
            if not ready:
                raise TimeoutError(f"no {text!r} in {seconds} s: ...{self.seen[-400:]!r}")
            try:
                self.seen += os.read(self._master, 65536)
            except OSError as error:
                raise TimeoutError(f"it ended: ...{self.seen[-800:]!r}") from error
        return time.perf_counter() - self.begun

    def wait_for_end(self, seconds: float) -> bytes:
        """Read until the command has ended; returns the end of what it showed.

        Raises:
            TimeoutError: it did not end.
        """
        end = time.perf_counter() + seconds
        while True:
            ready, _, _ = select.select([self._master], [], [], max(0.0, end - time.perf_counter()))
            if not ready:
                raise TimeoutError(f"it did not end in {seconds} s: ...{self.seen[-400:]!r}")
            try:
                self.seen = (self.seen + os.read(self._master, 65536))[-4000:]
            except OSError:
                return self.seen[-800:]

    def send(self, keys: bytes) -> None:
        """Type."""
        os.write(self._master, keys)

    def forget(self) -> None:
        """What was seen so far no longer counts."""
        self.seen = b""

    def close(self) -> None:
        """Kill the command and everything that it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)
