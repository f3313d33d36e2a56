"""Lines from stdin, with a call once a second while none comes, on pipes and on terminals."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TextIO


class LineInput:
    """Reads the descriptor below a stream; one without a descriptor is read without the calls."""

    def __init__(self, stream: TextIO, every: float) -> None:
        self._stream = stream
        self._every = every
        self._buffer = b""
        self._ended = False
        self._called = time.monotonic()
        try:
            self._fd = stream.fileno()
        except (OSError, AttributeError):
            self._fd = -1

    @property
    def is_terminal(self) -> bool:
        """Whether a person types there, whose terminal shows what they type."""
        return self._fd >= 0 and os.isatty(self._fd)

    def line(self, waiting: Callable[[str], None]) -> str:
        """The next line without its end.

        `waiting` is called every so many seconds with what of the line has come so far (a terminal
        gives whole lines only); it may raise to interrupt the waiting.

        Raises EOFError at the end of the input.
        """
        if self._fd < 0:
            waiting("")
            line = self._stream.readline()
            if not line:
                raise EOFError
            return line.rstrip("\r\n")
        while b"\n" not in self._buffer:
            if self._ended:
                if not self._buffer:
                    raise EOFError
                self._buffer += b"\n"
                break
            self._wait(waiting)
        line_bytes, _, self._buffer = self._buffer.partition(b"\n")
        return line_bytes.decode(errors="replace").rstrip("\r")

    def _wait(self, waiting: Callable[[str], None]) -> None:
        import select

        rest = self._called + self._every - time.monotonic()
        if rest <= 0:
            self._called = time.monotonic()
            waiting(self._buffer.decode(errors="ignore"))
            return
        ready, _, _ = select.select([self._fd], [], [], rest)
        if ready:
            try:
                data = os.read(self._fd, 65536)
            except OSError:  # the terminal was closed
                data = b""
            self._buffer += data
            self._ended = not data

    def unfinished(self) -> str:
        """Take what was typed of a line that was not ended, also out of a terminal's own buffer."""
        if self.is_terminal:
            self._buffer += _typed(self._fd)
        partial, self._buffer = self._buffer, b""
        return partial.decode(errors="replace").replace("\r", "\n")


def _typed(fd: int) -> bytes:
    """What stands on a terminal's line without an enter: it is readable out of line mode."""
    import select
    import termios

    data = b""
    try:
        modes = termios.tcgetattr(fd)
        raw = [*modes[:3], modes[3] & ~termios.ICANON, *modes[4:6], list(modes[6])]
        raw[6][termios.VMIN], raw[6][termios.VTIME] = 0, 0
        termios.tcsetattr(fd, termios.TCSANOW, raw)
        try:
            while select.select([fd], [], [], 0)[0] and (more := os.read(fd, 65536)):
                data += more
        finally:
            termios.tcsetattr(fd, termios.TCSANOW, modes)
    except (OSError, termios.error):
        pass
    return data
