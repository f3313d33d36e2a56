"""Textual's driver on a terminal that may go away: a closed window, a cut line."""

from __future__ import annotations

import asyncio
import contextlib
import select
from threading import Thread
from typing import IO, TYPE_CHECKING, cast

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from io import TextIOWrapper

    from textual.app import App

    from drill.tui.app import DrillApp


class _Forgiving:
    """A terminal to write to, or nobody: what cannot be written is dropped.

    Textual's writing thread would end with the first error, and the app would then wait for it
    for ever once thirty writes stand in its queue.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


class TerminalDriver(LinuxDriver):
    """Tells the app when the terminal is gone.

    A signal (SIGHUP) says so only to a process that does not ignore it and still belongs to the
    terminal. Otherwise reading gives nothing, at once, for ever: Textual takes this for a pause
    and asks again without end.
    """

    _watching = False

    def __init__(
        self,
        app: App[int],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = cast("TextIOWrapper", _Forgiving(cast("IO[str]", self._file)))

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if not self._watching and self.input_tty:
            self._watching = True
            watch = (asyncio.get_running_loop(),)
            Thread(target=self._watch, args=watch, daemon=True, name="terminal-watch").start()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Sleep until the terminal hangs up."""
        hung_up = select.poll()
        hung_up.register(self.fileno, 0)  # neither reading nor writing: only the end of it
        while not hung_up.poll():
            pass
        self.exit_event.set()  # ends the reading thread
        with contextlib.suppress(RuntimeError):  # the app has ended by itself
            loop.call_soon_threadsafe(cast("DrillApp", self._app).terminal_gone)
