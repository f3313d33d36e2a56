"""Owner's side of a child that speaks JSON lines: start it, talk to it, end it, tell its end."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from drill.worker.launcher import worker_environment

Message: TypeAlias = dict[str, Any]
Inbox: TypeAlias = "queue.SimpleQueue[tuple[JsonChild, Message | None]]"
"""What children say; None when one has ended."""

TAIL = 16 * 1024
"""Bytes of a child's stderr that are kept."""
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",  # a pack's folder may be read-only, and need not be littered
    "HF_HUB_OFFLINE": "1",  # a proof that downloads proves nothing
    "TRANSFORMERS_VERBOSITY": "error",
    "DIFFUSERS_VERBOSITY": "error",
}
"""Environment of proofs and of judged code: one thread, the same hashes, no network."""


class JsonChild:
    """A running child; what it says goes to `inbox` as (child, message)."""

    def __init__(
        self, command: Sequence[str], inbox: Inbox, env: Mapping[str, str] = ONE_THREAD
    ) -> None:
        self.inbox = inbox
        self._stderr: deque[bytes] = deque()
        self._stderr_size = 0
        self.process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**worker_environment(), **env},
            start_new_session=True,  # its own children end with it
        )
        threads = [threading.Thread(target=t, daemon=True) for t in (self._read, self._drain)]
        for thread in threads:
            thread.start()
        self._drainer = threads[1]

    def send(self, message: Message) -> None:
        """Send one message; to a child that has ended it goes nowhere (the inbox says None)."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return

    def kill(self) -> None:
        """End the child and whatever it started, at once."""
        if self.process.returncode is None:  # once waited for, its id may be another process's
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self.process.kill()
            self.process.wait()
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self._drainer.join(timeout=2)

    def how_it_ended(self) -> str:
        """The end of the child in words: exit code or signal, and the last lines of its stderr."""
        code = self.process.wait()
        self._drainer.join(timeout=2)
        said = self.stderr_tail()
        return end_in_words(code) + (f"\n{said}" if said else "")

    def stderr_tail(self, lines: int = 12) -> str:
        """The last lines that the child wrote to stderr."""
        text = b"".join(self._stderr)[-TAIL:].decode(errors="replace").strip()
        return "\n".join(text.splitlines()[-lines:])

    def _read(self) -> None:
        assert self.process.stdout is not None
        heard = False
        for line in self.process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if not isinstance(message, dict):
                continue
            heard = heard or message.get("event") == "hello"
            if heard:  # what comes before `hello` is noise of the interpreter's start
                self.inbox.put((self, message))
        self.process.stdout.close()
        self.inbox.put((self, None))

    def _drain(self) -> None:
        assert self.process.stderr is not None
        while chunk := self.process.stderr.read1(TAIL):  # type: ignore[attr-defined]
            self._stderr.append(chunk)
            self._stderr_size += len(chunk)
            while self._stderr_size - len(self._stderr[0]) >= TAIL:
                self._stderr_size -= len(self._stderr.popleft())
        self.process.stderr.close()


def end_in_words(code: int) -> str:
    """`Popen.returncode` in words."""
    if code >= 0:
        return f"its process ended itself with exit code {code} (os._exit?)"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    meaning = {
        "SIGSEGV": "a segmentation fault: native code read memory that is not its own",
        "SIGABRT": "native code gave up (abort)",
        "SIGXCPU": "the processor time ran out",
        "SIGKILL": "killed from outside, as the system does when memory runs out",
        "SIGBUS": "a bus error in native code",
        "SIGFPE": "an arithmetic fault in native code",
        "SIGILL": "an instruction that this processor lacks",
    }.get(name, "")
    return f"its process was ended by {name}" + (f" ({meaning})" if meaning else "")
