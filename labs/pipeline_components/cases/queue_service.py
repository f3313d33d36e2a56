"""An image service with a queue and worker threads before one device, as it should be.

Cases of `diagnose` break a line of this text; the mend is the line as it stands here.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

DEVICE = threading.Lock()
MAX_WAIT = 0.01
MAX_BATCH = 8
BOUND = 4


@dataclass
class Job:
    """A request on its way; times are of `time.perf_counter`."""

    number: int
    arrived: float = 0.0
    taken: float = 0.0
    """When a worker took it out of the queue."""
    started: float = 0.0
    """When its work on the device began."""
    left: float = 0.0
    """When its work on the device ended."""
    done: float = 0.0
    batch: int = 0
    """Jobs that ran with it."""
    depth: int = 0
    """Length of the queue when it arrived."""
    refused: bool = False
    trace: list[str] = field(default_factory=list)


class Server:
    """Workers that take jobs from one queue. Leaving the `with` block lets them finish."""

    def __init__(
        self, denoise: Callable[[int], Any], upload: Callable[[], Any], workers: int = 1
    ) -> None:
        self.jobs: queue.Queue[Job | None] = queue.Queue(BOUND)
        self.denoise, self.upload = denoise, upload
        self.waiting_for_device = 0
        self.threads = [threading.Thread(target=self._serve) for _ in range(workers)]

    def __enter__(self) -> Server:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        for _ in self.threads:
            self.jobs.put(None)
        for thread in self.threads:
            thread.join()

    def submit(self, job: Job) -> None:
        """Take a job in, or refuse it where the queue is full."""
        job.arrived, job.depth = time.perf_counter(), self.jobs.qsize()
        try:
            self.jobs.put_nowait(job)
        except queue.Full:
            job.refused, job.done = True, time.perf_counter()

    def _batch(self) -> tuple[list[Job], bool]:
        """The next jobs that run together, and whether there will be more."""
        first = self.jobs.get()
        if first is None:
            return [], False
        batch, deadline = [first], time.perf_counter() + MAX_WAIT
        first.taken = time.perf_counter()
        while len(batch) < MAX_BATCH:
            try:
                job = self.jobs.get(timeout=max(0.0, deadline - time.perf_counter()))
            except queue.Empty:
                break
            if job is None:
                return batch, False
            job.taken = time.perf_counter()
            batch.append(job)
        return batch, True

    def _serve(self) -> None:
        more = True
        while more:
            batch, more = self._batch()
            if not batch:
                return
            with DEVICE:
                started = time.perf_counter()
                self.denoise(len(batch))
                left = time.perf_counter()
            self.upload()
            for job in batch:
                job.started, job.left, job.batch = started, left, len(batch)
                job.done = time.perf_counter()
