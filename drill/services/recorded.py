"""Recorded runs: what an experiment gave elsewhere, for machines that cannot run it.

A recorded run is a file `reference/runs/NAME.json` (`NAME@PARAMETERS.json` for others than
the defaults) with a picture of the same name beside it. Its event always carries the date of the
recording, so that it is never shown as live.

    python -m drill.services.recorded NAME [--asked] [--set k=v]... [--seed N]

runs an experiment of the built-in pack and writes these files; with `--asked` also for every set of
parameters with which an item of the bank runs it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


def recorded_runs(pack: Path, name: str) -> tuple[Recorded, ...]:
    """All recordings of an experiment, that with the default parameters first.

    A file that is no recording is left out.
    """
    found = []
    for path in sorted((pack / FOLDER).glob(f"{name}*.json")):
        if path.stem.partition("@")[0] != name:
            continue
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            event = from_dict(Done, document)
        except (OSError, ValueError, TypeError, ProtocolError):
            continue
        if not event.recorded:
            continue
        picture = path.with_suffix(".png")
        shown = picture if picture.is_file() else None
        event = dataclasses.replace(event, artefacts=[str(picture)] if shown else [])
        found.append(Recorded(event, shown, path))
    return tuple(sorted(found, key=lambda each: ("@" in each.file.stem, each.file.stem)))


def recorded_run(pack: Path, name: str, params: Mapping[str, Any] | None = None) -> Recorded | None:
    """The recording made with the values of `params` and the defaults for the rest, if any.

    The defaults are those of the recording without a variant.
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


def write_recording(done: Done, folder: Path, variant: str = "") -> Path:
    """Write a finished live run as a recording; returns the JSON file."""
    if done.recorded:
        raise ValueError("a recording of a recording")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{done.experiment}{'@' + variant if variant else ''}.json"
    stamped = dataclasses.replace(done, recorded=time.strftime("%Y-%m-%d"), artefacts=[], run="")
    text = json.dumps(_rounded(to_dict(stamped)), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    if done.artefacts:
        shutil.copyfile(done.artefacts[0], path.with_suffix(".png"))
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


def record(spec: RunSpec, folder: Path) -> bool:
    """Run and write one recording, telling how it goes; whether no claim failed."""
    from drill.services.experiments import run_experiment

    for event in run_experiment(spec):
        if isinstance(event, Progress):
            sys.stderr.write(f"\r{event.label[:60]:<60} {event.done:g}/{event.total:g} ")
        elif isinstance(event, Error):
            sys.stderr.write(f"\n{event.error}: {event.message}\n")
        elif isinstance(event, Done):
            path = write_recording(event, folder, variant_of(spec.params))
            sys.stdout.write(f"\n{path}\n{event.sentence}\n")
            for claim in event.claims:
                sys.stdout.write(f"{claim['holds']!s:<6} {claim['name']}: {claim['measured']}\n")
            return not any(claim["holds"] is False for claim in event.claims)
    return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Record an experiment of the built-in pack; 0 when no claim fails."""
    from drill import paths
    from drill.lab.manifest import find_experiment, read_labs
    from drill.lab.params import parse_settings
    from drill.services.experiments import RunSpec

    parser = argparse.ArgumentParser(prog="python -m drill.services.recorded", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("name")
    parser.add_argument("--set", action="append", default=[], metavar="K=V", dest="settings")
    parser.add_argument("--asked", action="store_true", help="also as the predict items run it")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    pack = paths.builtin_pack()
    info = find_experiment(read_labs(pack), given.name)
    wanted: list[dict[str, Any]] = [dict(parse_settings(info.params, given.settings))]
    wanted += asked_params(pack, info.name) if given.asked else []
    held = [
        record(
            RunSpec(info.name, info.file, None, params, given.device, seed=given.seed),
            pack / FOLDER,
        )
        for params in wanted
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
