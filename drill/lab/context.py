"""What a running experiment is given: its parameters, its device and the way to report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from drill.lab.loading import load_module
from drill.worker.protocol import Event, Image, Log, Metric, Plot, Progress

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline

PROGRESS_EVERY = 0.05
"""Seconds between two progress events of one label; those in between are dropped."""


class Stopped(BaseException):
    """The run is to end now. No `Exception`, so that no experiment swallows it."""


class Cancelled(Stopped):
    """The learner cancelled the run."""


class TimeLimit(Stopped):
    """The run took longer than its budget."""


def never() -> bool:
    return False


class Context:
    """A run of an experiment, as the experiment sees it.

    Every report is an event given to `emit`, and every report of progress is a place where a
    cancelled or overdue run stops (it raises `Stopped`).
    """

    def __init__(
        self,
        *,
        params: Mapping[str, Any],
        pack: Path,
        emit: Callable[[Event], None],
        device: str = "cpu",
        seed: int = 0,
        model: str = "",
        models: Path | None = None,
        budget: float = 0.0,
        run: str = "",
        cancelled: Callable[[], bool] = never,
    ) -> None:
        self.params = params
        self.pack = pack
        self.device = device
        """A torch device: `cpu`, `cuda:0`, `mps`."""
        self.seed = seed
        self.model = model
        """Folder or hub id of the learner's own pipeline; empty for the bundled model."""
        self.models = models or pack / "labs" / "models"
        """Folder of the bundled models."""
        self.budget = budget
        self.started = time.monotonic()
        self.images: list[str] = []
        """Names of the pictures sent, in order."""
        self._emit = emit
        self._run = run
        self._cancelled = cancelled
        self._label: str | None = None
        self._label_started = self.started
        self._reported = 0.0

    @property
    def bundled(self) -> bool:
        """Whether the run uses the bundled model, which the bundled judge can judge."""
        return not self.model

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    def check(self) -> None:
        """Stop here if the run was cancelled or is over its budget (raises `Stopped`)."""
        if self._cancelled():
            raise Cancelled
        if self.budget and self.elapsed > self.budget:
            raise TimeLimit

    def progress(self, done: float, total: float, label: str = "") -> None:
        """Report that `done` of `total` of what `label` names is done; then `check`."""
        now = time.monotonic()
        fresh = label != self._label
        if fresh:
            self._label, self._label_started = label, now
        if fresh or done >= total or now - self._reported >= PROGRESS_EVERY:
            self._reported = now
            spent = now - self._label_started
            eta = spent * (total - done) / done if done > 0 and not fresh else None
            self._emit(Progress(done, total, label, eta, self._run))
        self.check()

    def metric(self, name: str, value: float, step: float | None = None) -> None:
        """Report a number as soon as it is measured."""
        self._emit(Metric(name, float(value), step, self._run))

    def image(self, name: str, png: bytes, caption: str = "") -> None:
        """Show a picture; a later one of the same name replaces it."""
        if name not in self.images:
            self.images.append(name)
        self._emit(Image(name, png, caption, self._run))

    def plot(
        self,
        name: str,
        series: Mapping[str, Sequence[tuple[float, float]]],
        x_label: str = "",
        y_label: str = "",
    ) -> None:
        """Show curves: label to points (x, y)."""
        points = {label: [[float(x), float(y)] for x, y in each] for label, each in series.items()}
        self._emit(Plot(name, points, x_label, y_label, self._run))

    def log(self, text: str) -> None:
        """Say something that belongs in the run's log."""
        self._emit(Log(text, self._run))

    def module(self, relative: str) -> ModuleType:
        """Another Python file of the pack, by its path from the pack's root."""
        return load_module(self.pack / relative)

    def pipeline(self) -> StableDiffusionPipeline:
        """The pipeline of the run on its device, kept warm between runs; see `drill.lab.models`."""
        from drill.lab.models import load_pipeline

        return load_pipeline(self.model or str(self.models / "shapes"), self.device, self.bundled)
