"""How a run is brought to an end: a message, then TERM, then KILL; and how its end is told."""

from __future__ import annotations

import dataclasses
import signal
import time

from drill.services.worker_process import WorkerProcess
from drill.worker.protocol import Cancel, Error, ErrorKind, Event, Run

CANCEL_GRACE = 5.0
"""Seconds that a child has to answer a cancel message before it is sent TERM."""
TERM_GRACE = 2.0
"""Seconds between TERM and KILL."""
LIMIT_GRACE = 2.0
"""Seconds over the time limit after which the child is no longer trusted to keep it."""
START_GRACE = 180.0
"""Seconds that a child may take to import torch before a run's time limit begins."""


KILLED = "the experiment's process was killed"
"""How the message begins where nobody knows who did it; the system does it for want of memory."""
SSH_LOST = 255
"""Exit status of ssh where the line, not the command, failed."""


class Ending:
    """The end of one run: when it is due, the next step towards it, and how it is told."""

    def __init__(
        self, worker: WorkerProcess, request: Run, cancel_grace: float, term_grace: float
    ) -> None:
        self.reason: ErrorKind | None = None
        self._worker = worker
        self._request = request
        self._graces = [cancel_grace, term_grace, term_grace]
        self._rung = 0
        self._limit = request.budget + LIMIT_GRACE if request.budget else 0.0
        self._due = time.monotonic() + START_GRACE + self._limit if self._limit else None

    def started(self) -> None:
        """The run's first event: from here on its time is counted."""
        if self._limit and self.reason is None:
            self._due = time.monotonic() + self._limit
            self._limit = 0.0

    def begin(self, reason: ErrorKind) -> None:
        """Send the cancel message, once."""
        if self.reason is None:
            self.reason = reason
            self.climb()

    def wait(self) -> float | None:
        """Seconds until the next rung; None while nothing presses."""
        return None if self._due is None else max(0.0, self._due - time.monotonic())

    def climb(self) -> None:
        """Take the next step and set the time of the one after it."""
        if self.reason is None:
            self.reason = "timeout"
        if self._rung == 0:
            self._worker.send(Cancel(self._request.run))
        else:
            self._worker.signal(signal.SIGTERM if self._rung == 1 else signal.SIGKILL)
        self._due = time.monotonic() + self._graces[min(self._rung, 2)]
        self._rung += 1

    def told(self, event: Event) -> Event:
        """An event of the run, with what only its owner knows."""
        if not isinstance(event, Error):
            return event
        if event.error == "cancelled" and self.reason == "timeout":
            return dataclasses.replace(event, error="timeout", message=self._overdue())
        if event.error in ("crash", "oom", "unavailable"):
            return dataclasses.replace(event, log=str(self._worker.log))
        return event

    def ended(self) -> Error:
        """The last event of a run whose child is gone."""
        log = str(self._worker.log)
        if self.reason == "cancelled":
            says = "the run was cancelled, and its process ended"
            if self._worker.process.returncode != 0:
                says = "the run was cancelled; its process did not answer and was ended"
            return Error("cancelled", says, log, self._request.run)
        if self.reason is not None:
            says = f"{self._overdue()}; its process was ended"
            return Error("timeout", says, log, self._request.run)
        host, code = self._worker.host, self._worker.process.returncode
        if host and code == SSH_LOST:
            said = self._worker.last_words()
            says = (
                f"the connection to {host} was lost{f' ({said})' if said else ''}; what had "
                "arrived is kept. Run it again, or on this machine: without --host, and without "
                "`host` in config.toml"
            )
            return Error("lost", says, log, self._request.run)
        if code == -signal.SIGKILL or (host and code == 128 + signal.SIGKILL):
            where = f" on {host}" if host else ""
            says = f"{KILLED}{where} from outside, most likely because memory ran out"
            return Error("oom", says, log, self._request.run)
        how = self._worker.how_it_ended()
        says = f"the experiment's process {how}; see {log}"
        return Error("crash", says, log, self._request.run)

    def _overdue(self) -> str:
        return f"the run took longer than its {self._request.budget:g} s"
