"""The learner's own runs of experiments, with their pictures and curves."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.services.report.document import Claim, Curves, Picture, RunRow, Runs
from drill.services.report.pictures import picture

if TYPE_CHECKING:
    from drill.lab.manifest import ExperimentInfo
    from drill.services.app import Drill
    from drill.store.runs import Run

MOST_RUNS = 12
"""Runs that are shown with pictures and curves."""
MOST_PICTURES = 2
"""Pictures of a run."""
MOST_CURVES = 2
MOST_SERIES = 8
MOST_POINTS = 120
MOST_KEPT = 5_000


def runs(drill: Drill, since: date | None, ids: Sequence[str] | None = None) -> Runs | None:
    """Runs since a date, or those of `ids`; None where there are none."""
    if ids is None:
        found = drill.store.runs.list(limit=MOST_KEPT)
        if since is not None:
            found = [run for run in found if _day(run.started) >= since]
    else:
        found = _named(drill, ids)
    if not found:
        return None
    infos = _infos(drill)
    judged = [claim["holds"] for run in found for claim in run.claims if _applies(claim)]
    return Runs(
        count=len(found),
        experiments=len({run.name for run in found}),
        holds=sum(judged),
        claims=len(judged),
        shown=tuple(_row(run, infos.get(run.name)) for run in _chosen(found)),
    )


def _named(drill: Drill, ids: Sequence[str]) -> list[Run]:
    found = []
    for run_id in dict.fromkeys(ids):
        try:
            found.append(drill.store.runs.get(run_id))
        except KeyError:
            continue  # the run of a recording, or one that was made on another machine
    return found


def _chosen(found: Sequence[Run]) -> list[Run]:
    """The newest finished run of each experiment, then further ones; in the order of `found`."""
    newest: dict[str, str] = {}
    for run in found:
        if not run.extra.get("error"):
            newest.setdefault(run.name, run.id)
    kept = set(newest.values())
    ranked = sorted(
        range(len(found)),
        key=lambda n: (found[n].id not in kept, bool(found[n].extra.get("error")), n),
    )
    return [found[n] for n in sorted(ranked[:MOST_RUNS])]


def _infos(drill: Drill) -> dict[str, ExperimentInfo]:
    from drill.services.labs import all_labs

    return {info.name: info for info in all_labs(drill).experiments()}


def _row(run: Run, info: ExperimentInfo | None) -> RunRow:
    from drill.services.past_runs import of_run

    past = of_run(run)
    title = info.title if info else run.name
    pictures = _pictures(run, past.pictures, title)
    return RunRow(
        id=run.id,
        name=run.name,
        title=title,
        when=past.when,
        sentence=past.sentence,
        error=past.error,
        holds=sum(bool(claim["holds"]) for claim in run.claims if _applies(claim)),
        applied=sum(map(_applies, run.claims)),
        claims=tuple(_claim(claim) for claim in run.claims),
        params=_params(run, info),
        device=run.device,
        seconds=run.seconds,
        pictures=pictures,
        left_out=len(past.pictures) - len(pictures),
        plots=_curves(run),
    )


def _applies(claim: Mapping[str, Any]) -> bool:
    """Whether the run's parameters let it be judged."""
    return claim.get("holds") is not None


def _claim(claim: Mapping[str, Any]) -> Claim:
    return Claim(
        says=str(claim.get("says") or claim.get("name") or ""),
        holds=claim.get("holds"),
        measured=str(claim.get("measured", "")),
        expected=str(claim.get("expected", "")),
    )


def _params(run: Run, info: ExperimentInfo | None) -> str:
    """Parameters that are not at their defaults."""
    from drill.services.past_runs import plain

    defaults = {p.name: plain(p.default) for p in info.params} if info else {}
    changed = {n: plain(v) for n, v in run.params.items() if plain(v) != defaults.get(n)}
    return ", ".join(f"{name}={value}" for name, value in changed.items())


def _pictures(run: Run, paths: Sequence[Path], title: str) -> tuple[Picture, ...]:
    from drill.paths import runs_dir

    root = runs_dir()
    found: list[Picture] = []
    for path in paths[:MOST_PICTURES]:
        caption = path.stem.replace("-", " ").replace("_", " ")
        made = picture(path, root, f"{title}: picture {caption} of the run")
        if made is not None:
            found.append(made)
    return tuple(found)


def _curves(run: Run) -> tuple[Curves, ...]:
    """The curves that stand in the run's folder, in the order in which they came."""
    from drill.paths import runs_dir
    from drill.services.runs import RESULT

    root = runs_dir()
    file = root / run.id / RESULT
    try:
        if not file.resolve(strict=True).is_relative_to(root.resolve()):
            return ()
        plots = json.loads(file.read_text(encoding="utf-8")).get("plots")
    except (OSError, ValueError, AttributeError):
        return ()
    if not isinstance(plots, dict):
        return ()
    made = (_curve(name, body) for name, body in plots.items() if isinstance(body, dict))
    return tuple(curve for curve in made if curve.series)[:MOST_CURVES]


def _curve(name: str, body: Mapping[str, Any]) -> Curves:
    raw = body.get("series")
    series: dict[str, tuple[tuple[float, float], ...]] = {}
    for label, points in raw.items() if isinstance(raw, dict) else ():
        kept = _points(points)
        if kept and len(series) < MOST_SERIES:
            series[str(label)] = kept
    x, y = body.get("x_label", ""), body.get("y_label", "")
    return Curves(name.replace("_", " "), str(x), str(y), series)


def _points(points: Any) -> tuple[tuple[float, float], ...]:
    """Finite points by x, thinned out evenly where there are many."""
    if not isinstance(points, list):
        return ()
    kept: list[tuple[float, float]] = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            continue
        x, y = point
        numbers = isinstance(x, int | float) and isinstance(y, int | float)
        if numbers and math.isfinite(x) and math.isfinite(y):
            kept.append((float(x), float(y)))
    kept.sort()
    if len(kept) > MOST_POINTS:
        last = len(kept) - 1
        kept = [kept[round(n * last / (MOST_POINTS - 1))] for n in range(MOST_POINTS)]
    return tuple((float(f"{x:.6g}"), float(f"{y:.6g}")) for x, y in kept)


def _day(started: str) -> date:
    from datetime import datetime

    try:
        return datetime.fromisoformat(started).astimezone().date()
    except ValueError:
        return date.min
