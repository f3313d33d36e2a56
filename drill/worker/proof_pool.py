"""Proof children that share a list of jobs; one that hangs or dies costs its item, not the rest."""

from __future__ import annotations

import queue
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from drill.worker.json_child import Inbox, JsonChild, Message
from drill.worker.launcher import module_command

MODULE = "drill.worker.proof_child"
ITEM_SECONDS = 60.0
"""For all variants of an item, after its libraries are imported."""
START_SECONDS = 180.0
"""For starting a child and importing torch and diffusers on a busy machine."""


@dataclass(slots=True)
class ProofRun:
    """What a child said about one item."""

    id: str
    values: dict[int, Any] = field(default_factory=dict)
    """Variant number to what its proof returned."""
    error: str = ""
    """Why the item was left: an exception, no time left, a crash."""
    trace: str = ""
    variant: int = 0
    """The variant that ran last."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PoolEvent:
    """An item was begun or ended."""

    kind: Literal["begun", "ended"]
    run: ProofRun


@dataclass(slots=True)
class _Worker:
    child: JsonChild
    run: ProofRun
    deadline: float
    began: float = 0.0
    """Time at which the proof proper began; 0 while libraries are loaded."""


def run_jobs(
    jobs: Sequence[Message],
    workers: int = 1,
    seconds: float = ITEM_SECONDS,
    child_command: Sequence[str] = (),
) -> Iterator[PoolEvent]:
    """Run all jobs (see `drill.worker.proof_child`) in at most `workers` children.

    Events come as items are begun and ended, in whatever order they are. Closing the iterator ends
    the children.
    """
    command = list(child_command) or module_command(sys.executable, MODULE)
    inbox: Inbox = queue.SimpleQueue()
    waiting = deque(jobs)
    busy: dict[JsonChild, _Worker] = {}
    children: list[JsonChild] = []

    def give(child: JsonChild) -> PoolEvent:
        job = waiting.popleft()
        run = ProofRun(job["id"])
        busy[child] = _Worker(child, run, time.monotonic() + START_SECONDS)
        child.send(job)
        return PoolEvent("begun", run)

    try:
        while waiting or busy:
            while waiting and len(busy) < max(1, workers):
                child = JsonChild(command, inbox)
                children.append(child)
                yield give(child)
            nearest = min(worker.deadline for worker in busy.values())
            try:
                child, message = inbox.get(timeout=max(0.0, nearest - time.monotonic()))
            except queue.Empty:
                for worker in [w for w in busy.values() if w.deadline <= time.monotonic()]:
                    del busy[worker.child]
                    worker.child.kill()
                    yield _ended(worker, _overdue(worker, seconds))
                continue
            current = busy.get(child)
            if current is None:  # the last words of a child that was ended
                continue
            if message is None:
                del busy[child]
                yield _ended(current, f"the proof ended its child: {child.how_it_ended()}")
            elif message.get("id") == current.run.id and _take(current, message, seconds):
                del busy[child]
                yield _ended(current, "")
                if waiting:
                    yield give(child)
    finally:
        for child in children:
            child.kill()


def _take(worker: _Worker, message: Message, seconds: float) -> bool:
    """Note what a child says of its item; True at the item's end."""
    run = worker.run
    event = message.get("event")
    if event == "begin":
        worker.began = time.monotonic()
        worker.deadline = worker.began + seconds
    elif event == "variant":
        run.variant = message["index"]
    elif event == "value":
        run.values[message["index"]] = message["value"]
    elif event == "failed":
        run.error, run.trace, run.variant = message["error"], message["trace"], message["index"]
    return event == "end"


def _ended(worker: _Worker, error: str) -> PoolEvent:
    run = worker.run
    run.error = run.error or error
    run.seconds = round(time.monotonic() - worker.began, 3) if worker.began else 0.0
    return PoolEvent("ended", run)


def _overdue(worker: _Worker, seconds: float) -> str:
    if worker.began:
        return f"the proof took longer than {seconds:g} s and was ended"
    return f"the proof's libraries did not load in {START_SECONDS:g} s"
