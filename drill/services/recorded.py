"""Recorded runs: what an experiment gave elsewhere, for machines that cannot run it.

A recorded run is a file `reference/runs/NAME.json`; `@PARAMETERS` follows the name for others than
the defaults, then `+cuda` or `+mps` where it was made on an accelerator. A picture of the same name
stands beside it, further ones after `--`. Its event always carries the date of the recording, so
that it is never shown as live.

    python -m drill.services.recorded NAME... [--asked] [--set k=v]... [--device D] [--seed N]
    python -m drill.services.recorded --all [--asked]

runs experiments of the built-in pack and writes these files; with `--asked` also for every set of
parameters with which an item of the bank runs one. What needs an accelerator is left out without
one. Ends with 1 where a run failed or a claim did not hold; such a run is not written.
"""

from __future__ import annotations

import argparse
import dataclasses
import glob
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.worker.protocol import Done, Error, Progress, ProtocolError, from_dict, to_dict

if TYPE_CHECKING:
    from drill.services.experiments import RunSpec

FOLDER = Path("reference") / "runs"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded run of an experiment."""

    event: Done
    """With `recorded` set to the date, and `artefacts` to the picture's path if there is one."""
    picture: Path | None
    file: Path
    pictures: tuple[Path, ...] = ()
    """All of its pictures, the first one first."""
    plots: Mapping[str, Any] = field(default_factory=dict)
    """Name to {series, x_label, y_label}."""

    @property
    def accelerator(self) -> str:
        """`cuda` or `mps`; empty for one made on a CPU."""
        return self.file.stem.partition("+")[2]


def recorded_runs(pack: Path, name: str) -> tuple[Recorded, ...]:
    """All recordings of an experiment: those with the default parameters first, accelerators first.

    A file that is no recording is left out.
    """
    found = []
    for path in sorted((pack / FOLDER).glob(f"{name}*.json")):
        if path.stem.partition("+")[0].partition("@")[0] != name:
            continue
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            event = from_dict(Done, document)
        except (OSError, ValueError, TypeError, ProtocolError):
            continue
        if not event.recorded:
            continue
        first = path.with_suffix(".png")
        pictures = [first] if first.is_file() else []
        pictures += sorted(path.parent.glob(f"{glob.escape(path.stem)}--*.png"))
        event = dataclasses.replace(event, artefacts=[str(each) for each in pictures])
        shown = pictures[0] if pictures else None
        found.append(Recorded(event, shown, path, tuple(pictures), document.get("plots", {})))
    return tuple(sorted(found, key=_order))


def _order(each: Recorded) -> tuple[bool, str, bool]:
    words, _, accelerator = each.file.stem.partition("+")
    return "@" in words, words, not accelerator


def recorded_run(pack: Path, name: str, params: Mapping[str, Any] | None = None) -> Recorded | None:
    """The recording made with the values of `params` and the defaults for the rest, if any.

    One made on an accelerator comes before one made on a CPU. The defaults are those of the
    recording without a variant.
    """
    every = recorded_runs(pack, name)
    if not every:
        return None
    base = every[0].event.params if "@" not in every[0].file.stem else {}
    wanted = {key: _plain(value) for key, value in {**base, **(params or {})}.items()}
    for each in every:
        if all(_plain(each.event.params.get(key)) == value for key, value in wanted.items()):
            return each
    return None


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def write_recording(
    done: Done, folder: Path, variant: str = "", plots: Mapping[str, Any] | None = None
) -> Path:
    """Write a finished live run with its pictures as a recording; returns the JSON file."""
    if done.recorded:
        raise ValueError("a recording of a recording")
    folder.mkdir(parents=True, exist_ok=True)
    device = re.match(r"[a-z]+", done.device)
    accelerator = f"+{device[0]}" if device and device[0] != "cpu" else ""
    path = folder / f"{done.experiment}{'@' + variant if variant else ''}{accelerator}.json"
    stamped = dataclasses.replace(done, recorded=time.strftime("%Y-%m-%d"), artefacts=[], run="")
    document = {**to_dict(stamped), **({"plots": plots} if plots else {})}
    text = json.dumps(_rounded(document), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    for old in (path.with_suffix(".png"), *folder.glob(f"{glob.escape(path.stem)}--*.png")):
        old.unlink(missing_ok=True)
    for n, picture in enumerate(map(Path, done.artefacts)):
        name = f"{path.stem}--{picture.stem}.png" if n else f"{path.stem}.png"
        shutil.copyfile(picture, folder / name)
    return path


def _rounded(value: Any) -> Any:
    """Numbers to six significant digits, which is more than any of them is good for."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(each) for each in value]
    return value


def asked_params(pack: Path, name: str) -> list[dict[str, Any]]:
    """Every set of parameters with which the pack's `predict` items run an experiment."""
    from drill import paths
    from drill.domain.questions import PredictBody
    from drill.packs.bank import open_bank

    bank = open_bank([pack], paths.cache_dir())
    found: list[dict[str, Any]] = []
    for item, head in bank.heads.items():
        for question in bank.variants(item) if head.type == "predict" else ():
            link = question.experiment
            if isinstance(question.body, PredictBody) and link and link.name == name:
                given = {key: _plain(value) for key, value in link.params.items()}
                if given not in found:
                    found.append(given)
    return found


def variant_of(params: Mapping[str, Any]) -> str:
    """A file-name for a set of parameters: `scales-1-5-20_seeds-32`; empty for the defaults."""
    parts = []
    for key, value in sorted(params.items()):
        values = value if isinstance(value, (list, tuple)) else [value]
        shown = [f"{each:g}" if isinstance(each, float) else str(each) for each in values]
        parts.append("-".join([key, *shown]))
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "_".join(parts))


def record(spec: RunSpec, folder: Path, runs: Path) -> str:
    """Run one experiment and write its recording, telling how it goes; `runs` keeps the run.

    Returns what became of it: `recorded`, `left out: why`, or `failed: why`. A run whose claims do
    not hold is not written.
    """
    from drill.services.experiments import run_experiment
    from drill.services.runs import load_run

    for event in run_experiment(spec, runs=runs, logs=runs):
        if isinstance(event, Progress) and sys.stderr.isatty():
            sys.stderr.write(f"\r{event.label[:60]:<60} {event.done:g}/{event.total:g} ")
        elif isinstance(event, Error):
            if event.error == "unavailable" and "accelerator" in event.message:
                return f"left out: {event.message}"
            return f"failed: {event.error}: {event.message}"
        elif isinstance(event, Done):
            for claim in event.claims:
                sys.stdout.write(f"  {claim['holds']!s:<6} {claim['name']}: {claim['measured']}\n")
            wrong = [claim["name"] for claim in event.claims if claim["holds"] is False]
            if wrong:
                return f"failed: not so here: {', '.join(wrong)}"
            plots = load_run(runs, event.run).document.get("plots")
            path = write_recording(event, folder, variant_of(spec.params), plots)
            sys.stdout.write(f"  {event.sentence}\n  {event.device}, {event.seconds:.1f} s\n")
            return f"recorded: {path.name}"
    return "failed: it ended without a word"


def main(arguments: Sequence[str] | None = None) -> int:
    """Record experiments of the built-in pack; 0 when every run went well and no claim fails."""
    from drill import paths
    from drill.lab.manifest import find_experiment, read_labs
    from drill.lab.params import parse_settings
    from drill.services.experiments import RunSpec

    parser = argparse.ArgumentParser(prog="python -m drill.services.recorded", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME", help="experiments")
    parser.add_argument("--all", action="store_true", help="every experiment")
    parser.add_argument("--set", action="append", default=[], metavar="K=V", dest="settings")
    parser.add_argument("--asked", action="store_true", help="also as the predict items run it")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pack", type=Path, default=None, help="folder of a pack of your own")
    given = parser.parse_args(arguments)
    if bool(given.names) == given.all or (given.settings and len(given.names) != 1):
        parser.error("give NAMEs or --all; --set goes with one NAME")
    pack = given.pack or paths.builtin_pack()
    labs = read_labs(pack)
    try:
        chosen = [find_experiment(labs, name) for name in given.names] or [*labs.experiments()]
    except KeyError as error:
        parser.error(str(error.args[0]))
    wanted: dict[str, RunSpec] = {}
    for info in chosen:
        sets: list[dict[str, Any]] = [dict(parse_settings(info.params, given.settings))]
        sets += asked_params(pack, info.name) if given.asked else []
        for params in sets:
            spec = RunSpec(info.name, info.file, given.pack, params, given.device, seed=given.seed)
            wanted.setdefault(f"{info.name} {variant_of(params)}".strip(), spec)
    ends: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="drill-record-") as runs:
        for label, spec in wanted.items():
            sys.stdout.write(f"{label}\n")
            ends[label] = record(spec, pack / FOLDER, Path(runs))
            sys.stdout.write(f"  {ends[label]}\n")
            sys.stdout.flush()
    bad = [label for label, end in ends.items() if end.startswith("failed")]
    recorded = sum(end.startswith("recorded") for end in ends.values())
    left = len(ends) - recorded - len(bad)
    sys.stdout.write(f"{recorded} recorded, {left} left out, {len(bad)} failed\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
