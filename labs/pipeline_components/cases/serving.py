"""Cases of latency. Queue, threads and lock are real; the work on the device and the upload of a
picture are sleeps, so that a busy machine does not change what is compared."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, ClassVar

from drill.lab.loading import load_module

base = load_module(Path(__file__).with_name("case.py"))
percentile = load_module(Path(__file__).parents[2] / "serving" / "service.py").percentile
Bound, Seen, Curves = base.Bound, base.Seen, base.Curves
Case: Any = base.Case
Change, Service = base.patched.Change, base.patched.Service

ON_DEVICE = 0.02
BINS = (2, 4, 8, 16, 32, 64)
"""Upper ends of the histogram's bins, in times of a picture alone on the device."""
STAND_INS = "device and upload are sleeps; queue, threads and lock are real"


class TimedLock:
    """A lock that adds up how long it is held."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held = 0.0

    def __enter__(self) -> None:
        self.lock.acquire()
        self.since = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        self.held += time.perf_counter() - self.since
        self.lock.release()


@dataclass(frozen=True)
class Load:
    """A stretch of traffic."""

    jobs: list[Any]
    span: float
    """Seconds from the first arrival to the last end."""
    held: float
    """Seconds in which the device's lock was held."""
    stacks: Counter[tuple[str, ...]]
    """What the workers were at, sampled: a line of the service for each worker."""

    @property
    def answered(self) -> list[Any]:
        return [job for job in self.jobs if not job.refused]

    @property
    def device(self) -> float:
        """Median seconds of a batch on the device."""
        return median(left - started for started, left in self.batches)

    @property
    def batches(self) -> list[tuple[float, float]]:
        return sorted({(job.started, job.left) for job in self.answered})

    @property
    def latencies(self) -> list[float]:
        """In times of the device's work on a batch."""
        return [(job.done - job.arrived) / self.device for job in self.answered]


class Latency(Case):
    """Requests that arrive at a steady pace and do not wait for one another."""

    gap: ClassVar[float]
    """Seconds between two arrivals."""
    count: ClassVar[int]
    workers: ClassVar[int] = 1
    upload: ClassVar[float] = 0.0

    def run(self, state: str) -> Load:
        service = self.service.load(state)
        lock = TimedLock()
        service.DEVICE = lock
        jobs = [service.Job(n) for n in range(self.count)]
        server = service.Server(
            lambda n: time.sleep(ON_DEVICE), lambda: time.sleep(self.upload), self.workers
        )
        stacks: Counter[tuple[str, ...]] = Counter()
        with server:
            started = time.perf_counter()
            for n, job in enumerate(jobs):
                time.sleep(max(0.0, started + n * self.gap - time.perf_counter()))
                server.submit(job)
                stacks[_lines_of(server.threads)] += 1
                self.context.check()
        ended = max(job.done for job in jobs)
        return Load(jobs, ended - started, lock.held, stacks)

    def view(self, ran: Load) -> Any:
        times = ran.latencies
        edges = list(pairwise((0, *BINS)))
        counts = [sum(low < each <= high for each in times) for low, high in edges]
        counts[-1] += sum(each > BINS[-1] for each in times)
        rows = [
            (f"{low:>3} to {high}", count, "#" * count)
            for (low, high), count in zip(edges, counts, strict=True)
        ]
        tails = {each: percentile(times, each) for each in (50, 95, 99)}
        told = ", ".join(f"p{each} {value:.1f}" for each, value in tails.items())
        refused = len(ran.jobs) - len(times)
        return Seen(
            lines=[
                "latency, in times of one picture on the idle device",
                *base.table(("times", "requests", ""), rows),
                f"{told}; {refused} of {len(ran.jobs)} refused",
                f"({STAND_INS})",
            ],
            says=f"Of {len(ran.jobs)} requests {len(times)} are answered and {refused} refused; "
            f"in times of one picture on the idle device: {told}.",
            plots={
                "latency": Curves(
                    {"requests": [(high, n) for (_, high), n in zip(edges, counts, strict=True)]},
                    "latency up to so many times a picture alone",
                    "requests",
                )
            },
            numbers=tails,
        )

    def probe_arrivals(self) -> Any:
        """What arrives, against what one device can do without batches."""
        ran = self.broken
        gaps = [b.arrived - a.arrived for a, b in pairwise(ran.jobs)]
        load = ran.device / (sum(gaps) / len(gaps))
        return Seen(
            lines=[
                f"one arrival every {sum(gaps) / len(gaps) * 1000:.0f} ms",
                f"device, one batch: {ran.device * 1000:.0f} ms",
                f"offered load without batches: {load:.2f}",
            ],
            says=f"The offered load is {load:.2f} of what the device can do picture by picture.",
            numbers={"load": load},
        )

    def probe_queue_depth(self) -> Any:
        depths = [job.depth for job in self.broken.jobs]
        size = max(1, len(depths) // 6)
        parts = [depths[n : n + size] for n in range(0, len(depths), size)]
        rows = [(n * size, max(part), sum(part) / len(part)) for n, part in enumerate(parts)]
        return Seen(
            lines=base.table(("from request", "longest", "mean"), rows),
            says=f"The queue is up to {max(depths)} long, {rows[0][2]:.1f} on average in the first "
            f"sixth of the traffic and {rows[-1][2]:.1f} in the last.",
            numbers={"longest": max(depths)},
        )

    def probe_stage_times(self) -> Any:
        """Medians over requests, in times of a picture on the device."""
        ran = self.broken
        stages = {
            "in the queue": lambda job: job.taken - job.arrived,
            "with a worker, before the device": lambda job: job.started - job.taken,
            "on the device": lambda job: job.left - job.started,
            "after the device": lambda job: job.done - job.left,
        }
        rows = [
            (name, median(of(job) for job in ran.answered) / ran.device)
            for name, of in stages.items()
        ]
        return Seen(
            lines=base.table(("stage", "median, in times of one picture"), rows),
            says="Medians: " + "; ".join(f"{name} {value:.1f}" for name, value in rows)
            + " times a picture on the device.",
            numbers={"queue": rows[0][1], "before_device": rows[1][1]},
        )  # fmt: skip

    def probe_device_busy(self) -> Any:
        """Share of the time in which the device worked, and in which its lock was held."""
        ran = self.broken
        busy = sum(left - started for started, left in ran.batches) / ran.span
        held = ran.held / ran.span
        return Seen(
            lines=[f"device working   {busy:6.0%}", f"device lock held {held:6.0%}"],
            says=f"The device works for {busy:.0%} of the time; its lock is held for {held:.0%}.",
            numbers={"busy": busy, "held": held},
        )

    def probe_batch_sizes(self) -> Any:
        sizes = Counter(
            next(job.batch for job in self.broken.answered if job.started == started)
            for started, _ in self.broken.batches
        )
        rows = sorted(sizes.items())
        return Seen(
            lines=base.table(("pictures in a batch", "batches"), rows),
            says="Batches ran with "
            + ", ".join(f"{size} ({count} times)" for size, count in rows) + " pictures.",
            numbers={"largest": max(sizes)},
        )  # fmt: skip

    def probe_thread_dump(self) -> Any:
        """Where the workers stand, sampled at each arrival; the most frequent pictures."""
        total = sum(self.broken.stacks.values())
        lines = []
        for stack, count in self.broken.stacks.most_common(3):
            lines.append(f"{count} of {total} samples:")
            lines += [f"  {n} x {line}" for line, n in Counter(stack).most_common()]
        first, count = self.broken.stacks.most_common(1)[0]
        told = ", ".join(f"{n} at `{line}`" for line, n in Counter(first).most_common())
        return Seen(
            lines=lines, says=f"Most often ({count} of {total} samples) the workers stand: {told}."
        )


class WaitsForBatch(Latency):
    name = "waits-for-batch"
    cause = "batch-window"
    service = Service(
        "queue_service.py",
        (Change("MAX_WAIT = 0.01\n", "MAX_WAIT = 0.4\n"),),
        (Change("BOUND = 4\n", "BOUND = 64\n"),),
    )
    bound = Bound("median latency in times of one picture", 6, at_least=False)
    mended_by = "The worker waits for company only half as long as a picture takes"
    gap, count = 0.06, 16

    def measure(self, ran: Load) -> float:
        return median(ran.latencies)


class LockHeld(Latency):
    name = "lock-held"
    cause = "upload-under-lock"
    service = Service(
        "queue_service.py",
        (
            Change(
                "                left = time.perf_counter()\n            self.upload()\n",
                "                left = time.perf_counter()\n                self.upload()\n",
            ),
        ),
        (
            Change("MAX_BATCH = 8\n", "MAX_BATCH = 1\n"),
            Change("BOUND = 4\n", "BOUND = 64\n"),
        ),
    )
    bound = Bound("p95 latency in times of one picture", 10, at_least=False)
    mended_by = "The picture is uploaded after the device's lock is given back"
    gap, count, workers, upload = 0.04, 20, 4, 0.06

    def measure(self, ran: Load) -> float:
        return float(percentile(ran.latencies, 95))


class QueueUnbounded(Latency):
    name = "queue-unbounded"
    cause = "overload-accepted"
    service = Service(
        "queue_service.py",
        (Change("= queue.Queue(BOUND)", "= queue.Queue()"),),
        (Change("MAX_BATCH = 8\n", "MAX_BATCH = 1\n"),),
    )
    bound = Bound("p95 latency in times of one picture", 10, at_least=False)
    mended_by = "The queue has a bound, and what does not fit is refused at once"
    gap, count = 0.01, 40

    def measure(self, ran: Load) -> float:
        return float(percentile(ran.latencies, 95))


def _lines_of(threads: list[threading.Thread]) -> tuple[str, ...]:
    """The line of the service at which each thread stands."""
    import linecache

    frames = sys._current_frames()
    lines = []
    for thread in threads:
        frame = frames.get(thread.ident or 0)
        while frame is not None and not frame.f_code.co_filename.startswith("<"):
            frame = frame.f_back
        if frame is not None:
            lines.append(linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip())
    return tuple(sorted(lines))


CASES = (WaitsForBatch, LockHeld, QueueUnbounded)
