"""Experiments for callers without an event loop: several runs in one child, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from drill.services.experiments import ExperimentService, RunSpec
from drill.worker.protocol import Event


class ExperimentLoop:
    """Owns an event loop with an `ExperimentService`; the child starts with the first run.

    It stays warm until `close`, which leaving the `with` does too.
    """

    def __init__(
        self,
        command: str | Sequence[str] = "",
        *,
        host: str = "",
        runs: Path | None = None,
        logs: Path | None = None,
    ) -> None:
        self._loop = asyncio.new_event_loop()

        async def make() -> ExperimentService:
            return ExperimentService(command, host=host, runs=runs, logs=logs)

        self._service = self._loop.run_until_complete(make())

    def __enter__(self) -> ExperimentLoop:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run(self, spec: RunSpec) -> Iterator[Event]:
        """The events of a run; the last one is `Done` or `Error`.

        An exception thrown into the waiting (Ctrl+C) cancels the run and passes through, as does
        closing the iterator.
        """
        loop = self._loop
        events = self._service.run(spec)
        try:
            while True:
                step: asyncio.Task[Event] = loop.create_task(anext(events))
                try:
                    yield loop.run_until_complete(step)
                except StopAsyncIteration:
                    return
                finally:
                    if not step.done():
                        step.cancel()
                        loop.run_until_complete(asyncio.gather(step, return_exceptions=True))
        finally:
            loop.run_until_complete(events.aclose())

    def close(self) -> None:
        """End the child and the loop; closing twice does nothing."""
        if self._loop.is_closed():
            return
        try:
            self._loop.run_until_complete(self._service.close())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()
