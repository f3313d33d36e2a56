"""One child process that speaks the worker protocol: starting it, reading it, ending it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from drill.worker.launcher import worker_environment
from drill.worker.protocol import (
    LINE_LIMIT,
    PROTOCOL_VERSION,
    Event,
    Exit,
    Hello,
    Log,
    ProtocolError,
    Ready,
    Request,
    decode_event,
    encode,
)

EVENT = b'{"event":'
"""How the line of an event begins."""
LOG_LIMIT = 1_000_000
"""Bytes from which a log is begun anew when a child starts."""


class WorkerError(Exception):
    """The child could not be started; the message says why and names the log."""


class Ended:
    """Put into the queue once, after the last event: the child is gone."""


class Nudge:
    """Put into the queue to wake whoever waits for an event."""


Item = Event | Ended | Nudge


class WorkerProcess:
    """A running child. Its events arrive in `queue`, an `Ended` last."""

    def __init__(
        self, process: asyncio.subprocess.Process, log: Path, log_from: int = 0, host: str = ""
    ) -> None:
        self.process = process
        self.log = log
        self.host = host
        """The machine that ssh reaches; empty for this one."""
        self._log_from = log_from
        self.queue: asyncio.Queue[Item] = asyncio.Queue()
        self.hello: Hello | None = None
        self.ready: Ready | None = None
        self._greeted = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls, command: Sequence[str], log: Path, hello_seconds: float = 60.0, host: str = ""
    ) -> WorkerProcess:
        """Start a child and wait for its `hello`; raises WorkerError.

        `host` is the machine that `command` reaches by ssh; empty for a child of this one.
        """
        with _open_log(log, command) as stderr:
            log_from = stderr.tell()
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    env=worker_environment(),
                    limit=LINE_LIMIT,
                    start_new_session=True,  # a Ctrl+C in the terminal is not the child's
                )
            except OSError as error:
                raise WorkerError(f"cannot start {command[0]}: {error.strerror}") from error
        worker = cls(process, log, log_from, host)
        try:
            await asyncio.wait_for(worker._greeted.wait(), hello_seconds)
        except TimeoutError:
            await worker.stop(0.0)
            raise WorkerError(
                f"{_shown(command)} did not say hello within {hello_seconds:g} s; see {log}"
            ) from None
        except asyncio.CancelledError:
            await worker.stop(0.0)
            raise
        if worker.hello is None:
            await worker.stop(0.0)
            raise WorkerError(worker.why_no_hello(_shown(command)))
        if worker.hello.protocol != PROTOCOL_VERSION:
            await worker.stop(0.0)
            raise WorkerError(
                f"{_shown(command)} speaks protocol {worker.hello.protocol}, this drill "
                f"{PROTOCOL_VERSION}; install the same version of drill on both sides"
            )
        return worker

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def send(self, request: Request) -> None:
        """Send a request; a child that is gone takes none, which its `Ended` will tell."""
        if self.process.stdin is not None and self.alive:
            with contextlib.suppress(OSError, RuntimeError):
                self.process.stdin.write(encode(request))

    def signal(self, number: signal.Signals) -> None:
        """Signal the child's whole process group."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    async def stop(self, grace: float = 2.0) -> None:
        """End the child: by request, then TERM, then KILL, `grace` seconds after each."""
        self.send(Exit())
        for number in (signal.SIGTERM, signal.SIGKILL):
            if await self._gone_within(grace):
                break
            self.signal(number)
        await self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        # A grandchild may hold stdout open; what it writes is nobody's.
        await asyncio.wait({self._reader}, timeout=1.0)
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader

    def why_no_hello(self, shown: str) -> str:
        """Why a child ended before it spoke, and the way out."""
        said = self.last_words()
        if not self.host:
            return f"{shown} {self.how_it_ended()}; see {self.log}"
        told = f" ({said})" if said else ""
        if self.process.returncode == 255:
            return f"{self.host} cannot be reached{told}; try: ssh {self.host} true"
        if self.process.returncode == 127:
            return (
                f"there is no drill on {self.host}{told}; install it there, or give its full path "
                "as `remote` in config.toml"
            )
        return f"drill on {self.host} {self.how_it_ended()}{told}; see {self.log}"

    def last_words(self) -> str:
        """The last line that the child, or ssh, wrote to stderr; empty when it wrote none."""
        try:
            with self.log.open("rb") as file:
                file.seek(self._log_from)
                lines = file.read().decode("utf-8", "replace").split("\n")
        except OSError:
            return ""
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")

    def how_it_ended(self) -> str:
        """`ended with exit status 3`, `was ended by SIGSEGV`."""
        code = self.process.returncode
        if code is None:
            return "is still running"
        if code >= 0:
            return f"ended with exit status {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"was ended by {name}"

    async def _gone_within(self, seconds: float) -> bool:
        if seconds <= 0:
            return not self.alive
        try:
            await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _read(self) -> None:
        try:
            await self._read_lines()
        except Exception as error:  # noqa: BLE001  (whoever waits must learn that nothing comes)
            self.queue.put_nowait(Log(f"what the worker sent cannot be read: {error!r}"))
            self.signal(signal.SIGKILL)
        await self.process.wait()
        self.queue.put_nowait(Ended())
        self._greeted.set()

    async def _read_lines(self) -> None:
        assert self.process.stdout is not None
        while True:
            try:
                line = await self.process.stdout.readline()
            except ValueError:
                self.queue.put_nowait(Log(f"a line of over {LINE_LIMIT} bytes was dropped"))
                continue
            if not line:
                break
            try:
                event = decode_event(line)
                at = line.rfind(EVENT)
                if event is None and at > 0:  # it hangs on what something else wrote before it
                    event = decode_event(line[at:])
            except ProtocolError as error:
                event = Log(f"an event was dropped: {error}") if self.hello else None
            if isinstance(event, Hello):
                self.hello = event
                self._greeted.set()
            if event is None or self.hello is None:
                continue  # noise, such as what a shell prints at login
            if isinstance(event, Ready):
                self.ready = event
            self.queue.put_nowait(event)


def _open_log(log: Path, command: Sequence[str]) -> IO[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    fresh = not log.exists() or log.stat().st_size > LOG_LIMIT
    stream = log.open("wb" if fresh else "ab", buffering=0)
    date = time.strftime("%Y-%m-%d %H:%M:%S")
    stream.write(f"=== {date} {_shown(command)}\n".encode())
    return stream


def _shown(command: Sequence[str]) -> str:
    """The command in one short line; of this package's own child only the interpreter."""
    if "-c" in command:
        return f"the worker of {command[0] or sys.executable}"
    text = " ".join(command)
    return text if len(text) <= 100 else text[:97] + "..."
