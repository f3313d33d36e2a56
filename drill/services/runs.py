"""The folders of experiment runs: pictures, the request, and `result.json` when it is over."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from drill.worker.protocol import (
    Done,
    Error,
    Event,
    Image,
    Log,
    Metric,
    Plot,
    Progress,
    Run,
    to_dict,
)

State = Literal["running", "done", "error", "interrupted"]
RESULT = "result.json"
SAID = 40
"""Log lines of a run that are kept where it does not finish."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A run as it lies on disk."""

    id: str
    folder: Path
    state: State
    document: Mapping[str, Any]
    """The whole of `result.json`: the `done` or the `error` event, with `date` and `plots`.

    With an error stands what the run had come to: `metrics` (name to [step, value]), `said` (its
    last log lines), `stage` (what it was doing), `artefacts`, `seconds`.
    """

    @property
    def pictures(self) -> tuple[Path, ...]:
        return tuple(sorted(self.folder.glob("*.png")))


def new_run_id(experiment: str) -> str:
    """A name that sorts by time and is a safe folder name."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{_safe(experiment)}-{uuid4().hex[:4]}"


class RunFolder:
    """Where one run's files go; written as the run goes on."""

    def __init__(self, root: Path, request: Run) -> None:
        self.path = root / request.run
        self.path.mkdir(parents=True)
        self._request = request
        self._started = time.monotonic()
        self._pictures: dict[str, Path] = {}
        self._metrics: dict[str, list[list[float | None]]] = {}
        self._plots: dict[str, Mapping[str, Any]] = {}
        self._said: list[str] = []
        self._stage = ""
        self.versions: Mapping[str, str] = {}
        """Of the child's packages, once it has told them."""
        self._write("running", to_dict(request) | {"pid": os.getpid()})

    def note(self, event: Event) -> None:
        """Remember an event, for the case that the run does not finish; pictures are written."""
        if isinstance(event, Image):
            self.save_image(event)
        elif isinstance(event, Progress):
            self._stage = event.label or self._stage
        elif isinstance(event, Metric):
            self._metrics.setdefault(event.name, []).append([event.step, event.value])
        elif isinstance(event, Plot):
            self._plots[event.name] = {
                "series": event.series, "x_label": event.x_label, "y_label": event.y_label
            }  # fmt: skip
        elif isinstance(event, Log):
            self._said = [*self._said, event.text][-SAID:]

    def save_image(self, image: Image) -> Path:
        """Keep a picture; a later one of the same name replaces it."""
        path = self.path / f"{_safe(image.name)}.png"
        path.write_bytes(image.png)
        self._pictures[image.name] = path
        return path

    def artefacts(self) -> list[str]:
        """Paths of the pictures kept so far, in the order of their first appearance."""
        return [str(path) for path in self._pictures.values()]

    def finish(self, event: Done | Error) -> None:
        """Write how the run ended; with an error, what it had come to."""
        if isinstance(event, Done):
            self._write("done", {**to_dict(event), "plots": self._plots})
            return
        so_far = {
            "experiment": self._request.name,
            "params": self._request.params,
            "device": self._request.device,
            "model": self._request.model,
            "seed": self._request.seed,
            "seconds": round(time.monotonic() - self._started, 3),
            "metrics": self._metrics,
            "plots": self._plots,
            "said": self._said,
            "stage": self._stage,
            "versions": self.versions,
            "artefacts": self.artefacts(),
        }
        self._write("error", {**to_dict(event), **so_far})

    def _write(self, state: State, document: Mapping[str, Any]) -> None:
        whole = {"state": state, "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **document}
        partial = self.path / f"{RESULT}.partial"
        partial.write_text(json.dumps(whole, indent=1, ensure_ascii=False), encoding="utf-8")
        partial.replace(self.path / RESULT)


def load_run(root: Path, run: str) -> SavedRun:
    """One run by its id or an unambiguous beginning of it; raises KeyError naming the latest."""
    found = [each for each in saved_runs(root) if each.id.startswith(run)] if run else []
    exact = [each for each in found if each.id == run]
    if exact or len(found) == 1:
        return (exact or found)[0]
    latest = ", ".join(each.id for each in list(saved_runs(root))[:3]) or "none yet"
    says = "names several runs" if found else "is no run"
    raise KeyError(f"{run!r} {says}; the latest: {latest}")


def saved_runs(root: Path) -> Iterator[SavedRun]:
    """Every run on disk, the latest first; folders without a readable result are left out."""
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir(), key=lambda path: path.name, reverse=True):
        try:
            document = json.loads((folder / RESULT).read_text(encoding="utf-8"))
            state = document["state"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        yield SavedRun(folder.name, folder, state, document)


def mark_interrupted(root: Path) -> list[str]:
    """Mark runs whose process is gone as interrupted; returns their ids.

    Their child needs no ending: it ends with its stdin, which closed with its owner.
    """
    marked = []
    for run in saved_runs(root):
        if run.state != "running" or _alive(int(run.document.get("pid", 0))):
            continue
        document = {**run.document, "state": "interrupted"}
        text = json.dumps(document, indent=1, ensure_ascii=False)
        (run.folder / RESULT).write_text(text, encoding="utf-8")
        marked.append(run.id)
    return marked


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _safe(name: str) -> str:
    return _UNSAFE.sub("-", name).strip("-.") or "picture"
