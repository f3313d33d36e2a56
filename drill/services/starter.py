"""Running a lab's starter: a child process whose output is streamed, with a limit and a way out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from drill.lab.devices import worker_threads
from drill.lab.manifest import Lab
from drill.worker.launcher import module_command, worker_environment

LIMIT = 120.0
"""Seconds after which a starter is ended; one takes under 10 on a quiet machine."""
GRACE = 2.0
"""Seconds between TERM and KILL."""
LONGEST_LINE = 100_000
"""Bytes of a line beyond which the rest of it is shown as the next."""

if TYPE_CHECKING:
    from drill.config import Config
    from drill.services.app import Drill

How = Literal["done", "failed", "timeout", "cancelled"]


@dataclass(frozen=True, slots=True)
class StarterEnd:
    """How a starter ended; the last thing that is told of it."""

    how: How
    seconds: float
    status: int
    """Exit status; negative for a signal."""
    message: str = ""


class NotTrustedError(Exception):
    """The pack is not trusted; the message says the way out."""


def command_for(drill: Drill, lab: Lab, host: str = "") -> list[str]:
    """The command that runs a lab's starter, if its pack is trusted.

    Raises NotTrustedError and drill.services.remote.HostError.
    """
    from drill.services.labs import why_not_run

    why = why_not_run(drill, lab)
    if why:
        raise NotTrustedError(why)
    return starter_command(lab, drill.config, host)


def starter_command(lab: Lab, config: Config, host: str = "") -> list[str]:
    """The command that runs a lab's starter: where its experiments run.

    That is `host`, or the configured one, where `drill lab run LAB` does it; else this machine,
    under the worker's interpreter where one is configured.

    Raises drill.services.remote.HostError.
    """
    from drill.services.remote import on_host

    chosen = host or config.host
    if chosen:
        return on_host(config, chosen, "lab", "run", lab.id)
    words = config.worker
    own = len(words) == 1 and Path(words[0]).name.lower().startswith("python")
    python = words[0] if own else sys.executable
    return [*module_command(python, "drill.worker.run_starter"), str(lab.starter)]


class StarterRun:
    """One run of a starter. Iterate `lines` to its end; the last thing is a `StarterEnd`."""

    def __init__(self, command: Sequence[str], limit: float = LIMIT, grace: float = GRACE) -> None:
        self.command = list(command)
        self.limit = limit
        self._grace = grace
        self._stop: How | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._wake = asyncio.Event()

    def cancel(self) -> None:
        """End it; `lines` then ends with `cancelled`."""
        self._stop = self._stop or "cancelled"
        self._wake.set()

    async def lines(self) -> AsyncGenerator[str | StarterEnd, None]:
        """Its output, stdout and stderr together, line by line without line ends.

        Closing the iterator ends the process.
        """
        started = time.monotonic()
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_environment(),
                limit=LONGEST_LINE,
                start_new_session=True,  # a Ctrl+C in the terminal is for drill to act on
            )
        except OSError as error:
            yield StarterEnd("failed", 0.0, 127, f"cannot start {self.command[0]}: {error}")
            return
        self._process = process
        ending = asyncio.create_task(self._end_in_time(process))
        try:
            assert process.stdout is not None
            while line := await _line(process.stdout):
                yield line.decode("utf-8", "replace").rstrip("\r\n")
            status = await process.wait()
            yield self._end(status, time.monotonic() - started)
        finally:
            ending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ending
            if process.returncode is None:
                _signal(process, signal.SIGKILL)
                await process.wait()

    async def _end_in_time(self, process: asyncio.subprocess.Process) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), self.limit or None)
        except TimeoutError:
            self._stop = "timeout"
        for number in (signal.SIGTERM, signal.SIGKILL):
            _signal(process, number)
            await asyncio.sleep(self._grace)

    def _end(self, status: int, seconds: float) -> StarterEnd:
        if self._stop == "cancelled":
            return StarterEnd("cancelled", seconds, status, "it was cancelled")
        if self._stop == "timeout":
            says = f"it took longer than {self.limit:g} s and was ended"
            return StarterEnd("timeout", seconds, status, says)
        if status == 0:
            return StarterEnd("done", seconds, 0)
        if status < 0:
            with contextlib.suppress(ValueError):
                name = signal.Signals(-status).name
                return StarterEnd("failed", seconds, status, f"it was ended by {name}")
        return StarterEnd("failed", seconds, status, f"it ended with exit status {status}")


def _environment() -> dict[str, str]:
    environment = worker_environment()
    # Every core, beside a terminal that needs one too, makes torch many times slower.
    environment.setdefault("OMP_NUM_THREADS", str(worker_threads()))
    return environment


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The next line, or so much of it as is held at once; empty at the end."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        return error.partial
    except asyncio.LimitOverrunError as error:
        return await stream.readexactly(error.consumed or LONGEST_LINE)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Signal the whole process group: a starter may have started processes."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
