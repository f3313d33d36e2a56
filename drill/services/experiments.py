"""The one owner of the experiment child: it starts, runs, cancels, saves and ends.

For the TUI an `ExperimentService` in its event loop; for the CLI `run_experiment`, an iterator.
Neither raises for what happens in a run: a run's last event is `Done` or `Error`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drill import paths
from drill.lab.pack_hash import pack_hash
from drill.services.compatibility import Difference, differences
from drill.services.run_ending import CANCEL_GRACE, START_GRACE, TERM_GRACE, Ending
from drill.services.runs import RunFolder, mark_interrupted, new_run_id
from drill.services.worker_process import Ended, Nudge, WorkerError, WorkerProcess
from drill.worker.child import installed_versions
from drill.worker.launcher import worker_command
from drill.worker.protocol import (
    Cancel,
    Done,
    Error,
    ErrorKind,
    Event,
    Hello,
    Image,
    Log,
    Ready,
    Run,
    Warm,
    Warmed,
)

UNSAVED = "the run cannot be saved"
"""How the message begins where the disk takes nothing more."""


class BusyError(RuntimeError):
    """A run is going on already."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What to run."""

    name: str
    file: str
    """experiment.py, relative to the pack's root: `labs/cfg_reading/experiment.py`."""
    pack: Path | None = None
    """Root of the pack; None for the built-in one, wherever the child runs."""
    params: Mapping[str, Any] = field(default_factory=dict)
    device: str = "auto"
    model: str = ""
    """Folder or hub id of the learner's own pipeline; empty for the bundled model."""
    seed: int = 0
    budget: float = 0.0
    """Time limit in seconds; 0 for none."""
    refused: str = ""
    """Why it is not run, with the way out: its pack is not trusted. Empty where it may."""


class ExperimentService:
    """Owns one child at a time, in the running event loop."""

    def __init__(
        self,
        command: str | Sequence[str] = "",
        *,
        host: str = "",
        runs: Path | None = None,
        logs: Path | None = None,
        cancel_grace: float = CANCEL_GRACE,
        term_grace: float = TERM_GRACE,
        hello_seconds: float = 60.0,
    ) -> None:
        """`command` starts the child; empty: this interpreter. `host`: where, if not here.

        Both come from `drill.services.remote.worker_command_of`.
        """
        self.command = list(command) if host else worker_command(command)
        self.host = host
        self.runs = runs or paths.runs_dir()
        self.log = (logs or paths.log_dir()) / "worker.log"
        self._cancel_grace = cancel_grace
        self._term_grace = term_grace
        self._hello_seconds = hello_seconds
        self._worker: WorkerProcess | None = None
        self._starting = asyncio.Lock()
        self._run: str = ""
        self._stop: ErrorKind | None = None
        self._differences: list[Difference] = []

    @property
    def running(self) -> str:
        """Id of the run that is going on; empty when none is."""
        return self._run

    @property
    def hello(self) -> Hello | None:
        """What the living child said of itself; None without one."""
        return self._worker.hello if self._worker and self._worker.alive else None

    @property
    def ready(self) -> Ready | None:
        """Set once the living child has imported torch (or found that it cannot)."""
        return self._worker.ready if self._worker and self._worker.alive else None

    async def start(self, warm: RunSpec | None = None) -> Hello:
        """Start the child if none lives, and let it load what `warm` would need.

        Returns as soon as the child speaks, before torch is imported. Raises WorkerError.
        """
        async with self._starting:
            if self._worker is None or not self._worker.alive:
                if self._worker is not None:
                    await self._worker.stop(0.0)
                self._worker = None
                self._worker = await WorkerProcess.start(
                    self.command, self.log, self._hello_seconds, self.host
                )
                await asyncio.to_thread(self._look_around, self._worker.hello)
            worker = self._worker
        if warm is not None and not warm.refused and not self._run:
            pack = str(warm.pack or "")
            worker.send(Warm(warm.name, warm.file, pack, warm.device, warm.model))
        assert worker.hello is not None
        return worker.hello

    async def load(self, spec: RunSpec, limit: float = START_GRACE) -> Warmed:
        """Wait until the child has loaded what a run of `spec` needs.

        Raises WorkerError where it does not within `limit` seconds, BusyError while a run goes on.
        """
        if self._run:
            raise BusyError(f"the run {self._run} is still going on")
        if spec.refused:
            raise WorkerError(spec.refused)
        await self.start(warm=spec)
        worker = self._worker
        assert worker is not None
        end = time.monotonic() + limit
        try:
            while True:
                item = await asyncio.wait_for(worker.queue.get(), end - time.monotonic())
                if isinstance(item, Warmed) and item.name == spec.name:
                    return item
                if isinstance(item, Ended):
                    worker.queue.put_nowait(item)
                    raise WorkerError(f"{spec.name}: the worker {worker.how_it_ended()}")
        except TimeoutError:
            says = f"{spec.name}: it had not loaded within {limit:g} s; see {self.log}"
            raise WorkerError(says) from None

    async def run(self, spec: RunSpec) -> AsyncGenerator[Event, None]:
        """Run an experiment; the last event is `Done` or `Error`.

        Pictures and the result are saved under `runs/<run id>/`, and `Done.artefacts` are the
        paths. Closing the iterator cancels the run. Raises BusyError while another run goes on.
        """
        if self._run:
            raise BusyError(f"the run {self._run} is still going on")
        run = new_run_id(spec.name)
        if spec.refused:
            yield Error("unavailable", spec.refused, run=run)
            return
        request = Run(
            run, spec.name, spec.file, str(spec.pack or ""), dict(spec.params), spec.device,
            spec.model, spec.seed, spec.budget,
        )  # fmt: skip
        self._run, self._stop = run, None
        events = self._events(request)
        folder: RunFolder | None = None
        over = False
        try:
            folder = await asyncio.to_thread(RunFolder, self.runs, request)
            async for event in events:
                if isinstance(event, Image):
                    await asyncio.to_thread(folder.save_image, event)
                else:
                    folder.note(event)
                if isinstance(event, Done):
                    event = dataclasses.replace(event, artefacts=folder.artefacts())
                if isinstance(event, (Done, Error)):
                    over = True
                    if self._worker is not None and self._worker.hello is not None:
                        folder.versions = self._worker.hello.versions
                    await asyncio.to_thread(folder.finish, event)
                yield event
        except OSError as error:
            unsaved = Error("crash", f"{UNSAVED}: {error}", run=run)
            if folder is not None:
                with contextlib.suppress(OSError):  # a small file may still find room
                    folder.finish(unsaved)
                over = True
            yield unsaved
        finally:
            try:
                await events.aclose()
                if folder is not None and not over:
                    left = Error("cancelled", "nobody waited for the run any more", run=run)
                    with contextlib.suppress(OSError):
                        folder.finish(left)
            finally:
                self._run = ""

    async def cancel(self) -> None:
        """Ask the run to stop; its iterator ends with an `Error` of kind `cancelled`.

        The child stays warm if it answers within the grace; else it is sent TERM, then KILL.
        """
        if self._run and self._stop is None:
            self._stop = "cancelled"
            if self._worker is not None:
                self._worker.queue.put_nowait(Nudge())

    async def close(self) -> None:
        """End the child; a run that goes on ends with it, as cancelled."""
        await self.cancel()
        async with self._starting:
            if self._worker is not None:
                await self._worker.stop(self._term_grace)
                self._worker = None

    def _look_around(self, hello: Hello | None) -> None:
        """What needs the disk when a child has started."""
        mark_interrupted(self.runs)
        own = Hello(installed_versions(), [], pack_hash(paths.builtin_pack()))
        self._differences = []
        if hello is not None and self.host:
            self._differences = differences(own, hello, self.host)
        elif hello is not None and hello.pack_hash != own.pack_hash:
            says = (
                "the worker has another version of the built-in labs than this drill: its results "
                "may differ from what the questions expect"
            )
            self._differences = [Difference(says)]

    async def _events(self, request: Run) -> AsyncGenerator[Event, None]:
        """The run's events up to the last one, whatever becomes of the child."""
        fresh = self.hello is None
        try:
            hello = await self.start()
        except WorkerError as error:
            yield Error("unavailable", str(error), str(self.log), request.run)
            return
        worker = self._worker
        assert worker is not None
        _drain(worker)
        if fresh:
            yield hello
            if worker.ready is not None:  # it came before the queue was emptied
                yield worker.ready
        for each in self._differences:
            if each.stops:
                yield Error("unavailable", each.says, str(self.log), request.run)
                return
            yield Log(each.says, request.run)
        worker.send(request)
        ending = Ending(worker, request, self._cancel_grace, self._term_grace)
        finished = False
        try:
            while not finished:
                if self._stop is not None:
                    ending.begin(self._stop)
                try:
                    item = await asyncio.wait_for(worker.queue.get(), ending.wait())
                except TimeoutError:
                    ending.climb()
                    continue
                if isinstance(item, Nudge):
                    continue
                if isinstance(item, Ended):
                    finished = True
                    yield ending.ended()
                elif isinstance(item, Ready) or getattr(item, "run", None) == request.run:
                    if not isinstance(item, Ready):
                        ending.started()
                    finished = isinstance(item, (Done, Error))
                    yield ending.told(item)
                elif isinstance(item, Log):
                    yield item
        finally:
            if not finished:
                await self._abandon(worker, request)

    async def _abandon(self, worker: WorkerProcess, request: Run) -> None:
        """Nobody listens any more: cancel the run, or end a child that does not answer."""
        worker.send(Cancel(request.run))
        end = time.monotonic() + self._cancel_grace
        while worker.alive and (left := end - time.monotonic()) > 0:
            try:
                item = await asyncio.wait_for(worker.queue.get(), left)
            except TimeoutError:
                break
            if isinstance(item, Ended):
                return
            if isinstance(item, (Done, Error)) and item.run == request.run:
                return
        await worker.stop(0.0)


def _drain(worker: WorkerProcess) -> None:
    """Forget what arrived between two runs, unless the child has ended."""
    ended = False
    with contextlib.suppress(asyncio.QueueEmpty):
        while True:
            ended = isinstance(worker.queue.get_nowait(), Ended) or ended
    if ended:
        worker.queue.put_nowait(Ended())


def run_experiment(
    spec: RunSpec,
    command: str | Sequence[str] = "",
    *,
    host: str = "",
    runs: Path | None = None,
    logs: Path | None = None,
) -> Iterator[Event]:
    """The events of one run, for callers without an event loop; the child ends with the iterator.

    An exception thrown into the waiting (Ctrl+C) cancels the run and passes through.
    """
    from drill.services.experiment_loop import ExperimentLoop

    with ExperimentLoop(command, host=host, runs=runs, logs=logs) as child:
        yield from child.run(spec)
