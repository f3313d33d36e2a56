"""Recorded runs: what an experiment gave elsewhere, for machines that cannot run it.

A recorded run is a file `reference/runs/NAME.json`; `@PARAMETERS` follows the name for others than
the defaults, then `+cuda` or `+mps` where it was made on an accelerator. A picture of the same name
stands beside it, further ones after `--`. Its event always carries the date of the recording, so
that it is never shown as live. The looks at the cases of an experiment that `diagnose` items ask
(`look` among the parameters) stand in a folder of their own, `reference/runs/NAME/`.

    python -m drill.services.recorded NAME... [--asked] [--set k=v]... [--device D] [--seed N]
    python -m drill.services.recorded --all [--asked]

runs experiments of the built-in pack and writes these files; with `--asked` also for every set of
parameters with which an item of the bank runs one: for a `diagnose` item the symptom, every probe
and the mend, whose cause must be the one that the item calls right. What needs an accelerator is
left out without one. Ends with 1 where a run failed or a claim did not hold; such a run is not
written.
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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.domain.questions import DiagnoseBody
from drill.services.finding import MEND, SYMPTOM
from drill.worker.protocol import Done, Error, Image, Progress, ProtocolError, from_dict, to_dict

if TYPE_CHECKING:
    from drill.domain.questions import Question
    from drill.services.experiment_loop import ExperimentLoop
    from drill.services.experiments import RunSpec

FOLDER = Path("reference") / "runs"
LOOK = "look"
"""The parameter by which the experiment of `diagnose` items is told what to look at."""


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
    captions: tuple[str, ...] = ()
    """Of the pictures, as far as there are any."""

    @property
    def accelerator(self) -> str:
        """`cuda` or `mps`; empty for one made on a CPU."""
        return self.file.stem.partition("+")[2]


def recorded_runs(pack: Path, name: str) -> tuple[Recorded, ...]:
    """All recordings of an experiment: those with the default parameters first, accelerators first.

    A file that is no recording is left out.
    """
    paths = sorted((pack / FOLDER).glob(f"{name}*.json"))
    named = [p for p in paths if p.stem.partition("+")[0].partition("@")[0] == name]
    found = [recording for path in named if (recording := _read(path)) is not None]
    return tuple(sorted(found, key=_order))


def _read(path: Path) -> Recorded | None:
    """The recording of a file; None where it is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        event = from_dict(Done, document)
    except (OSError, ValueError, TypeError, ProtocolError):
        return None
    if not event.recorded:
        return None
    first = path.with_suffix(".png")
    pictures = [first] if first.is_file() else []
    pictures += sorted(path.parent.glob(f"{glob.escape(path.stem)}--*.png"))
    event = dataclasses.replace(event, artefacts=[str(each) for each in pictures])
    shown = pictures[0] if pictures else None
    captions = document.get("captions")
    said = tuple(map(str, captions)) if isinstance(captions, list) else ()
    return Recorded(event, shown, path, tuple(pictures), document.get("plots", {}), said)


def _order(each: Recorded) -> tuple[bool, str, bool]:
    words, _, accelerator = each.file.stem.partition("+")
    return "@" in words, words, not accelerator


def recorded_run(pack: Path, name: str, params: Mapping[str, Any] | None = None) -> Recorded | None:
    """The recording made with the values of `params` and the defaults for the rest, if any.

    One made on an accelerator comes before one made on a CPU. The defaults are those of the
    recording without a variant.
    """
    if LOOK in (params or {}):
        return _recorded_look(pack, name, params or {})
    every = recorded_runs(pack, name)
    if not every:
        return None
    base = every[0].event.params if "@" not in every[0].file.stem else {}
    wanted = {key: _plain(value) for key, value in {**base, **(params or {})}.items()}
    for each in every:
        if all(_plain(each.event.params.get(key)) == value for key, value in wanted.items()):
            return each
    return None


def _recorded_look(pack: Path, name: str, params: Mapping[str, Any]) -> Recorded | None:
    """A look is found by the name of its file alone: there are a hundred of them."""
    folder = folder_of(pack, name, params)
    stem = f"{name}@{variant_of(params)}"
    for path in (*sorted(folder.glob(f"{glob.escape(stem)}+*.json")), folder / f"{stem}.json"):
        found = _read(path)
        if found is not None and all(
            _plain(found.event.params.get(key)) == _plain(value) for key, value in params.items()
        ):
            return found
    return None


def folder_of(pack: Path, name: str, params: Mapping[str, Any]) -> Path:
    """Where the recording of an experiment with these parameters stands."""
    return pack / FOLDER / name if LOOK in params else pack / FOLDER


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def write_recording(
    done: Done,
    folder: Path,
    variant: str = "",
    plots: Mapping[str, Any] | None = None,
    captions: Sequence[str] = (),
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
    if any(captions):
        document["captions"] = list(captions)
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
    """Every set of parameters with which the pack's items run an experiment.

    A `predict` item runs it once; a `diagnose` item for its symptom, its probes and its mend.
    """
    found: list[dict[str, Any]] = []
    for question in _asking(pack, name):
        link = question.experiment
        assert link is not None
        given = {key: _plain(value) for key, value in link.params.items()}
        sets = [given]
        if isinstance(question.body, DiagnoseBody):
            looks = (SYMPTOM, *(probe.id for probe in question.body.probes), MEND)
            sets = [{**given, LOOK: look} for look in looks]
        found += [each for each in sets if each not in found]
    return found


def wanted_causes(pack: Path, name: str) -> dict[str, str]:
    """What the pack's `diagnose` items call the cause, by the variant of the mend's run."""
    return {
        variant_of({**question.experiment.params, LOOK: MEND}): question.body.cause.id
        for question in _asking(pack, name)
        if isinstance(question.body, DiagnoseBody) and question.experiment is not None
    }


def _asking(pack: Path, name: str) -> Iterator[Question]:
    """The variants of the items that rest on an experiment."""
    from drill import paths
    from drill.packs.bank import open_bank

    bank = open_bank([pack], paths.cache_dir())
    for item, head in bank.heads.items():
        for question in bank.variants(item) if head.type in ("predict", "diagnose") else ():
            if question.experiment is not None and question.experiment.name == name:
                yield question


def variant_of(params: Mapping[str, Any]) -> str:
    """A file-name for a set of parameters: `scales-1-5-20_seeds-32`; empty for the defaults."""
    parts = []
    for key, value in sorted(params.items()):
        values = value if isinstance(value, (list, tuple)) else [value]
        shown = [f"{each:g}" if isinstance(each, float) else str(each) for each in values]
        parts.append("-".join([key, *shown]))
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "_".join(parts))


def record(spec: RunSpec, folder: Path, runs: Path, child: ExperimentLoop, cause: str = "") -> str:
    """Run one experiment and write its recording, telling how it goes; `runs` keeps the run.

    Returns what became of it: `recorded`, `left out: why`, or `failed: why`. A run whose claims do
    not hold, or that mends another thing than `cause`, is not written.
    """
    from drill.services.runs import load_run

    captions: dict[str, str] = {}
    for event in child.run(spec):
        if isinstance(event, Image):
            captions[event.name] = event.caption
        elif isinstance(event, Progress) and sys.stderr.isatty():
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
            if cause and event.outcomes.get("cause") != cause:
                return f"failed: it mends {event.outcomes.get('cause')!r}, the item says {cause!r}"
            plots = load_run(runs, event.run).document.get("plots")
            variant = variant_of(spec.params)
            path = write_recording(event, folder, variant, plots, list(captions.values()))
            sys.stdout.write(f"  {event.sentence}\n  {event.device}, {event.seconds:.1f} s\n")
            return f"recorded: {path.name}"
    return "failed: it ended without a word"


def main(arguments: Sequence[str] | None = None) -> int:
    """Record experiments of the built-in pack; 0 when every run went well and no claim fails."""
    from drill import paths
    from drill.lab.manifest import find_experiment, read_labs
    from drill.lab.params import parse_settings
    from drill.services.experiment_loop import ExperimentLoop
    from drill.services.experiments import RunSpec

    parser = argparse.ArgumentParser(prog="python -m drill.services.recorded", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME", help="experiments")
    parser.add_argument("--all", action="store_true", help="every experiment")
    parser.add_argument("--set", action="append", default=[], metavar="K=V", dest="settings")
    parser.add_argument("--asked", action="store_true", help="also as the items run it")
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
    causes = {info.name: wanted_causes(pack, info.name) if given.asked else {} for info in chosen}
    ends: dict[str, str] = {}
    with (
        tempfile.TemporaryDirectory(prefix="drill-record-") as runs,
        ExperimentLoop(runs=Path(runs), logs=Path(runs)) as child,
    ):
        for label, spec in wanted.items():
            sys.stdout.write(f"{label}\n")
            folder = folder_of(pack, spec.name, spec.params)
            cause = causes[spec.name].get(variant_of(spec.params), "")
            ends[label] = record(spec, folder, Path(runs), child, cause)
            sys.stdout.write(f"  {ends[label]}\n")
            sys.stdout.flush()
    bad = [label for label, end in ends.items() if end.startswith("failed")]
    recorded = sum(end.startswith("recorded") for end in ends.values())
    left = len(ends) - recorded - len(bad)
    sys.stdout.write(f"{recorded} recorded, {left} left out, {len(bad)} failed\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
