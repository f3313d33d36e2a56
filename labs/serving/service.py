"""A small image service: stages with bounded queues, a limit on what is in flight, cancelling."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Stage = Callable[["Request", Any], Any]
"""Takes a request and what the stage before made of it; gives what the next one gets."""
DONE, REJECTED, CANCELLED, FAILED = "done", "rejected", "cancelled", "failed"


class CancelledError(Exception):
    """The request was cancelled; raised between two steps."""


@dataclass
class Request:
    """One picture asked for, and everything that is measured about it."""

    number: int
    due: float = 0.0
    """When it arrives, on the service's clock; waiting counts from here."""
    state: str = "waiting"
    ended: float = 0.0
    waited: dict[str, float] = field(default_factory=dict)
    """Seconds in the queue before each stage."""
    worked: dict[str, float] = field(default_factory=dict)
    """Seconds in each stage."""
    steps: int = 0
    """Denoising steps done."""
    steps_at_cancel: int | None = None
    decoded: bool = False
    error: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Ask for it to end; it does so before its next step or stage."""
        if not self._stop.is_set():
            self.steps_at_cancel = self.steps
            self._stop.set()

    def check(self) -> None:
        """Between steps: raises CancelledError where the request is not wanted any more."""
        if self._stop.is_set():
            raise CancelledError

    @property
    def total_wait(self) -> float:
        return sum(self.waited.values())

    @property
    def total_work(self) -> float:
        return sum(self.worked.values())


class Slots:
    """How many requests may hold memory at once. Taken at admission, given back at every end."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.used = 0
        self.most = 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one, if there is one."""
        with self._lock:
            if self.used >= self.count:
                return False
            self.used += 1
            self.most = max(self.most, self.used)
            return True

    def give_back(self) -> None:
        with self._lock:
            self.used -= 1


class Line:
    """A bounded queue that knows how long it ever was."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.longest = 0
        self._queue: queue.Queue[tuple[Request, Any, float] | None] = queue.Queue(bound)

    def offer(self, entry: tuple[Request, Any, float]) -> bool:
        """Put it in if there is room."""
        try:
            self._queue.put_nowait(entry)
        except queue.Full:
            return False
        self.longest = max(self.longest, self._queue.qsize())
        return True

    def put(self, entry: tuple[Request, Any, float] | None) -> None:
        """Put it in; wait for room, which holds up the stage before."""
        self._queue.put(entry)
        self.longest = max(self.longest, min(self._queue.qsize(), self.bound))

    def get(self) -> tuple[Request, Any, float] | None:
        return self._queue.get()

    def __len__(self) -> int:
        return self._queue.qsize()


class Service:
    """Runs each stage in a thread of its own, in order. Use as a context manager.

    A request is rejected at the door when the first queue is full or no slot is free. Leaving the
    `with` block lets the requests inside finish.
    """

    def __init__(self, stages: Mapping[str, Stage], *, bound: int, slots: int) -> None:
        self.stages = dict(stages)
        self.lines = {name: Line(bound) for name in self.stages}
        self.slots = Slots(slots)
        self.busy = dict.fromkeys(self.stages, 0.0)
        """Seconds in which each stage worked."""
        self.threads: list[threading.Thread] = []
        self.clock = time.perf_counter

    def __enter__(self) -> Service:
        names = list(self.stages)
        for name, following in zip(names, [*names[1:], None], strict=True):
            thread = threading.Thread(target=self._serve, args=(name, following), daemon=True)
            thread.start()
            self.threads.append(thread)
        return self

    def __exit__(self, *error: object) -> None:
        self.lines[next(iter(self.stages))].put(None)
        for thread in self.threads:
            thread.join()

    def submit(self, request: Request, payload: Any) -> bool:
        """Take a request in, or reject it."""
        if not self.slots.take():
            self._end(request, REJECTED, held=False)
            return False
        if not self.lines[next(iter(self.stages))].offer((request, payload, request.due)):
            self._end(request, REJECTED, held=True)
            return False
        return True

    def _end(self, request: Request, state: str, held: bool) -> None:
        """The one place where a request ends: no way out forgets its slot."""
        request.state, request.ended = state, self.clock()
        if held:
            self.slots.give_back()

    def _serve(self, name: str, following: str | None) -> None:
        while (entry := self.lines[name].get()) is not None:
            request, payload, since = entry
            started = self.clock()
            request.waited[name] = started - since
            try:
                request.check()
                payload = self.stages[name](request, payload)
            except CancelledError:
                self._end(request, CANCELLED, held=True)
                continue
            except Exception as error:  # noqa: BLE001  (one request's fault is not the service's)
                request.error = f"{type(error).__name__}: {error}"
                self._end(request, FAILED, held=True)
                continue
            finally:
                request.worked[name] = self.clock() - started
                self.busy[name] += request.worked[name]
                del entry
            if following is None:
                self._end(request, DONE, held=True)
            else:
                self.lines[following].put((request, payload, self.clock()))
            del payload  # the last reference of a finished request goes now, not with the next one
        if following is not None:
            self.lines[following].put(None)


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that at least `percent` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-percent * len(ordered) // 100)  # rounded up
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]


def mean_wait(gaps: Iterable[float], services: Iterable[float]) -> float:
    """Mean wait of one worker with an unbounded queue: W' = max(0, W + S - A) (Lindley)."""
    wait = total = 0.0
    count = 0
    for gap, service in zip(gaps, services, strict=True):
        total += wait
        count += 1
        wait = max(0.0, wait + service - gap)
    return total / count


def pollaczek_khinchine(load: float, services: list[float]) -> float:
    """Mean wait for Poisson arrivals: load/(1 - load) * S * (1 + CV^2)/2."""
    mean = sum(services) / len(services)
    square = sum(each * each for each in services) / len(services)
    return load / (1 - load) * square / (2 * mean)
