"""Looking at the broken pipeline of a `diagnose` question: in the child, else in a recording."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.services.finding import MEND, Finding, Shown, finding_of
from drill.worker.launcher import COMMAND_VARIABLE
from drill.worker.protocol import Done, Error, Event, Image, Log, Plot, Progress

if TYPE_CHECKING:
    from drill.domain.questions import Question
    from drill.services.app import Drill
    from drill.services.experiments import ExperimentService, RunSpec

_WORDS = {
    "crash": "the experiment's process died",
    "oom": "it ran out of memory",
    "timeout": "it ran over its time limit",
    "cancelled": "it was cancelled",
    "unavailable": "it cannot run here",
    "params": "the experiment does not know it",
    "lost": "the connection was lost",
}
BUSY_WAIT = 0.05


class NoFindingError(Exception):
    """Nothing was seen, and nothing is to be paid; the message says why."""

    def __init__(self, error: Error) -> None:
        words = _WORDS.get(error.error, "it failed")
        super().__init__(f"{words}: {error.message}" if error.message else words)
        self.kind = error.error


class Looking:
    """Takes in the events of one look and makes the finding of them."""

    def __init__(self, look: str) -> None:
        self.look = look
        self.done: Done | None = None
        self.error = Error("crash", "it ended without a word")
        self._captions: dict[str, str] = {}
        self._plots: dict[str, Any] = {}

    def take(self, event: Event) -> str:
        """Take in an event; returns what the run is doing, empty where the event does not say."""
        if isinstance(event, Image):
            self._captions[event.name] = event.caption
        elif isinstance(event, Plot):
            self._plots[event.name] = {
                "series": event.series, "x_label": event.x_label, "y_label": event.y_label
            }  # fmt: skip
        elif isinstance(event, Done):
            self.done = event
        elif isinstance(event, Error):
            self.error = event
        if isinstance(event, Progress):
            return event.label
        return event.text if isinstance(event, Log) else ""

    @property
    def finding(self) -> Finding | None:
        """What was seen; None where the run did not end well."""
        if self.done is None:
            return None
        # The run's pictures stand in the order of their first appearance, as the captions do.
        captions = [*self._captions.values(), *([""] * len(self.done.artefacts))]
        pictures = [
            Shown("/".join(Path(path).parts[-2:]), caption)
            for path, caption in zip(self.done.artefacts, captions, strict=False)
        ]
        return finding_of(self.look, self.done, pictures, self._plots)


def spec_of(drill: Drill, question: Question, look: str) -> RunSpec:
    """What the child is asked for; raises KeyError or ParamError."""
    from drill.services.labs import run_spec

    return run_spec(drill, _link(question).name, _params(question, look))


def can_run(drill: Drill) -> bool:
    """Whether there is a child to ask: the packages are here, or another place is configured."""
    from drill.services import labs_packages

    config = drill.config
    elsewhere = config.worker or config.host or os.environ.get(COMMAND_VARIABLE)
    return bool(elsewhere) or labs_packages.present()


def why_not() -> Error:
    """Why nothing runs here."""
    from drill.services import labs_packages

    return Error("unavailable", labs_packages.standing().line())


def shipped(drill: Drill, question: Question, look: str, note: str = "") -> Finding | None:
    """The recording of a look that a pack ships; reads files."""
    from drill.services.recorded import recorded_run

    for name, root in drill.bank.roots.items():
        found = recorded_run(root, _link(question).name, _params(question, look))
        if found is not None:
            captions = [*found.captions, *([""] * len(found.pictures))]
            pictures = [
                Shown(f"{name}:{path.relative_to(root).as_posix()}", caption)
                for path, caption in zip(found.pictures, captions, strict=False)
            ]
            return finding_of(look, found.event, pictures, found.plots, note)
    return None


async def look_at(
    drill: Drill,
    experiments: Callable[[], ExperimentService],
    question: Question,
    look: str,
    tell: Callable[[str], None],
    *,
    else_recorded: bool = False,
) -> Finding:
    """Look live, without ever blocking the event loop.

    Where nothing can run here a recording is taken; with `else_recorded` also where a run failed.
    `experiments` gives the owner of the child, `tell` is told what the run is doing.

    Raises NoFindingError.
    """
    error = why_not()
    if await asyncio.to_thread(can_run, drill):
        looking = await _live(drill, experiments(), question, look, tell)
        finding = _seen(drill, looking)
        if finding is not None:
            return finding
        error = looking.error
    if _falls_back(error, else_recorded):
        found = await asyncio.to_thread(shipped, drill, question, look, _note(error))
        if found is not None:
            return found
    raise NoFindingError(error)


async def _live(
    drill: Drill,
    experiments: ExperimentService,
    question: Question,
    look: str,
    tell: Callable[[str], None],
) -> Looking:
    from drill.services.experiments import BusyError
    from drill.services.worker_process import WorkerError

    looking = Looking(look)
    try:
        spec = await asyncio.to_thread(spec_of, drill, question, look)
        await _free(experiments)
        async with aclosing(experiments.run(spec)) as events:
            async for event in events:
                doing = looking.take(event)
                if doing:
                    tell(doing)
    except (KeyError, ValueError, BusyError, WorkerError) as error:
        looking.error = Error("crash", str(error))
    return looking


async def _free(experiments: ExperimentService) -> None:
    """Wait for a run that was left and is still being stopped."""
    while experiments.running:  # noqa: ASYNC110  (the service has no event to wait for)
        await asyncio.sleep(BUSY_WAIT)


def look_in(
    drill: Drill,
    run: Callable[[RunSpec], Iterator[Event]],
    question: Question,
    look: str,
    tell: Callable[[str], None],
    *,
    else_recorded: bool = False,
) -> Finding:
    """As `look_at`, for a caller without an event loop; `run` gives the events of a run.

    Raises NoFindingError.
    """
    error = why_not()
    if can_run(drill):
        looking = Looking(look)
        try:
            for event in run(spec_of(drill, question, look)):
                doing = looking.take(event)
                if doing:
                    tell(doing)
        except (KeyError, ValueError) as wrong:
            looking.error = Error("crash", str(wrong))
        finding = _seen(drill, looking)
        if finding is not None:
            return finding
        error = looking.error
    found = None
    if _falls_back(error, else_recorded):
        found = shipped(drill, question, look, _note(error))
    if found is None:
        raise NoFindingError(error)
    return found


def _falls_back(error: Error, else_recorded: bool) -> bool:
    return error.error == "unavailable" or (else_recorded and error.error != "cancelled")


def _note(error: Error) -> str:
    return str(NoFindingError(error))


def _seen(drill: Drill, looking: Looking) -> Finding | None:
    """What a live run showed; the one of the mend is kept, as the review names it."""
    if looking.done is not None and looking.look == MEND:
        from drill.services.labs import keep

        keep(drill, looking.done)
    return looking.finding


def _link(question: Question) -> Any:
    assert question.experiment is not None  # the schema requires it for diagnose
    return question.experiment


def _params(question: Question, look: str) -> dict[str, Any]:
    return {**_link(question).params, "look": look}
