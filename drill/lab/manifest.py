"""Labs of a pack as `lab.yaml` describes them: names, parameters, claims, without any torch.

One lab is a folder `labs/<identifier>/` with `lab.yaml`, `experiment.py` and, where there are any,
`reading.md` and `starter.py`. A faulty file is left out and becomes a problem `file:line: ...`.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drill.lab.experiment import NEEDS
from drill.lab.params import Param, ParamError

FILE = "lab.yaml"
CACHE_VERSION = 2
TICK = 2_000_000_000
"""Nanoseconds: the coarsest clock of a file system."""
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FILE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\.py")


@dataclass(frozen=True, slots=True)
class ClaimInfo:
    name: str
    says: str


@dataclass(frozen=True, slots=True)
class ExperimentInfo:
    name: str
    title: str
    summary: str
    file: str
    """Relative to the pack's root, as a run names it."""
    params: tuple[Param, ...]
    claims: tuple[ClaimInfo, ...]
    outcomes: tuple[str, ...]
    seconds: float
    """Time limit with the default parameters."""
    needs: tuple[str, ...]
    lab: str


@dataclass(frozen=True, slots=True)
class Lab:
    id: str
    title: str
    topic: str
    order: float
    folder: Path
    experiments: tuple[ExperimentInfo, ...]

    @property
    def reading(self) -> Path | None:
        """The lab's text, if it has one."""
        return self._file("reading.md")

    @property
    def starter(self) -> Path | None:
        """The code to start from, if there is one."""
        return self._file("starter.py")

    def _file(self, name: str) -> Path | None:
        path = self.folder / name
        return path if path.is_file() else None


@dataclass(frozen=True, slots=True)
class Labs:
    """The labs of one pack in their order, and what is wrong with the others."""

    labs: tuple[Lab, ...]
    problems: tuple[str, ...]

    def experiments(self) -> Iterator[ExperimentInfo]:
        for lab in self.labs:
            yield from lab.experiments


def find_experiment(labs: Labs, name: str) -> ExperimentInfo:
    """An experiment by name, of the first pack that has it; raises KeyError with the nearest."""
    known: dict[str, ExperimentInfo] = {}
    for each in labs.experiments():
        known.setdefault(each.name, each)
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
    raise KeyError(f"no experiment {name!r}; {hint}")


def find_lab(labs: Labs, name: str) -> Lab:
    """A lab by its folder, of the first pack that has it; raises KeyError with the nearest."""
    known: dict[str, Lab] = {}
    for each in labs.labs:
        known.setdefault(each.id, each)
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
    raise KeyError(f"no lab {name!r}; {hint}")


def read_labs(pack: Path, cache_dir: Path | None = None) -> Labs:
    """All labs of a pack, in order.

    With `cache_dir` what was read is kept, and neither YAML nor a file of the pack is opened while
    the `lab.yaml` files are unchanged (size, file and both times: that of the change tells what
    was put back with its old time).
    """
    files = sorted((pack / "labs").glob(f"*/{FILE}"))
    stamp = [_stamp(path) for path in files]
    cache = _cache_file(pack, cache_dir) if cache_dir is not None else None
    documents, problems = _cached(cache, stamp) if cache is not None else (None, [])
    if documents is None:
        documents, problems = {}, []
        for path in files:
            document, faults = _read(path)
            problems += faults
            if not faults:
                documents[str(path)] = document
        problems += _repeated(documents)
        # A fault may be mended elsewhere (a file that was missing), which no stamp would tell.
        if cache is not None and not problems and not _fresh(stamp):
            _keep(cache, stamp, documents, problems)
    labs = [_lab(Path(path), pack, document) for path, document in documents.items()]
    return Labs(tuple(sorted(labs, key=lambda lab: (lab.order, lab.id))), tuple(problems))


_LAB_FIELDS: Mapping[str, tuple[type, ...]] = {
    "title": (str,), "topic": (str,), "order": (int, float), "experiments": (list,),
}  # fmt: skip
_EXPERIMENT_FIELDS: Mapping[str, tuple[type, ...]] = {
    "name": (str,), "title": (str,), "file": (str,), "summary": (str,), "params": (dict,),
    "claims": (list,), "outcomes": (list,), "seconds": (int, float), "needs": (list,),
}  # fmt: skip
_OPTIONAL = frozenset({"params", "claims", "outcomes", "needs"})
_CLAIM_FIELDS: Mapping[str, tuple[type, ...]] = {"name": (str,), "says": (str,)}
_PARAM_FIELDS = tuple(each.name for each in dataclasses.fields(Param) if each.name != "name")


class _Checker:
    """Walks one document and notes each fault with its line."""

    def __init__(self, path: Path, document: Any, marks: Any) -> None:
        self.path, self.marks = path, marks
        self.problems: list[str] = []
        self._lab(document)

    def fault(self, loc: tuple[str | int, ...], message: str) -> None:
        self.problems.append(f"{self.path}:{self.marks.at(loc)[0]}: {message}")

    def _lab(self, document: Any) -> None:
        if not self.path.parent.name.isidentifier():
            self.fault((), f"the folder {self.path.parent.name!r} is no identifier (a-z, 0-9, _)")
        if not self._fields((), document, _LAB_FIELDS, frozenset()):
            return
        if not document["experiments"]:
            self.fault(("experiments",), "a lab has at least one experiment")
        for n, each in enumerate(document["experiments"]):
            self._experiment(("experiments", n), each)

    def _experiment(self, loc: tuple[str | int, ...], each: Any) -> None:
        if not self._fields(loc, each, _EXPERIMENT_FIELDS, _OPTIONAL):
            return
        if not _NAME.fullmatch(each["name"]):
            self.fault((*loc, "name"), f"name {each['name']!r} is not of the form cfg-sweep")
        if not _FILE.fullmatch(each["file"]):
            self.fault((*loc, "file"), f"file {each['file']!r} is no name such as experiment.py")
        elif not (self.path.parent / each["file"]).is_file():
            self.fault((*loc, "file"), f"there is no file {each['file']} beside {FILE}")
        if each["seconds"] <= 0:
            self.fault((*loc, "seconds"), "seconds must be above 0")
        for name, param in each.get("params", {}).items():
            self._param((*loc, "params", name), name, param)
        for n, claim in enumerate(each.get("claims", [])):
            self._fields((*loc, "claims", n), claim, _CLAIM_FIELDS, frozenset())
        for key in ("outcomes", "needs"):
            for n, word in enumerate(each.get(key, [])):
                if not isinstance(word, str):
                    self.fault((*loc, key, n), f"{word!r} is no name")
                elif key == "needs" and word not in NEEDS:
                    self.fault((*loc, key, n), f"needs {word!r}; known: {', '.join(NEEDS)}")

    def _param(self, loc: tuple[str | int, ...], name: str, param: Any) -> None:
        if not isinstance(param, dict):
            self.fault(loc, f"{name}: expected kind, default and help")
            return
        for key in param:
            if key not in _PARAM_FIELDS:
                self.fault((*loc, key), f"{name}: unknown key {key!r}{_near(key, _PARAM_FIELDS)}")
                return
        try:
            _param_of(name, param)
        except (ParamError, TypeError) as error:
            self.fault(loc, str(error).replace("Param.__init__()", name))

    def _fields(
        self,
        loc: tuple[str | int, ...],
        each: Any,
        fields: Mapping[str, tuple[type, ...]],
        optional: frozenset[str],
    ) -> bool:
        before = len(self.problems)
        if not isinstance(each, dict):
            self.fault(loc, f"expected the keys {', '.join(fields)}")
            return False
        for key, value in each.items():
            if key not in fields:
                self.fault((*loc, key), f"unknown key {key!r}{_near(key, fields)}")
            elif not isinstance(value, fields[key]) or isinstance(value, bool):
                wanted = " or ".join(kind.__name__ for kind in fields[key])
                self.fault((*loc, key), f"{key} is {type(value).__name__}, expected {wanted}")
        for key in fields:
            if key not in each and key not in optional:
                self.fault(loc, f"{key} is missing")
        return len(self.problems) == before


def _near(key: str, known: Any) -> str:
    near = difflib.get_close_matches(key, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"


def _read(path: Path) -> tuple[Any, list[str]]:
    """The plain data of one file, and what is wrong with it."""
    from drill.packs.yaml_source import parse  # YAML costs 30 ms

    try:
        raw = path.read_bytes()
    except OSError as error:
        return None, [f"{path}:1: {error.strerror or error}"]
    document = parse(raw, str(path))
    faults = [f"{each.file}:{each.line}: {each.message}" for each in document.problems]
    if not faults:
        faults = _Checker(path, document.data, document.marks).problems
    return document.data, faults


def _repeated(documents: Mapping[str, Any]) -> list[str]:
    """An experiment's name stands once in a pack."""
    seen: dict[str, str] = {}
    problems = []
    for path, document in documents.items():
        for each in document["experiments"]:
            if each["name"] in seen:
                problems.append(
                    f"{path}:1: the experiment {each['name']} is in {seen[each['name']]} already"
                )
            seen.setdefault(each["name"], path)
    return problems


def _param_of(name: str, data: Mapping[str, Any]) -> Param:
    lists = {"choices": tuple(data["choices"])} if "choices" in data else {}
    default = data.get("default")
    given = {**data, "default": tuple(default) if isinstance(default, list) else default, **lists}
    return Param(name=name, **given)


def _lab(path: Path, pack: Path, document: Mapping[str, Any]) -> Lab:
    folder = path.parent
    experiments = tuple(
        ExperimentInfo(
            name=each["name"],
            title=each["title"],
            summary=" ".join(each["summary"].split()),
            file=(folder / each["file"]).relative_to(pack).as_posix(),
            params=tuple(_param_of(k, v) for k, v in each.get("params", {}).items()),
            claims=tuple(ClaimInfo(c["name"], c["says"]) for c in each.get("claims", [])),
            outcomes=tuple(each.get("outcomes", [])),
            seconds=float(each["seconds"]),
            needs=tuple(each.get("needs", [])),
            lab=folder.name,
        )
        for each in document["experiments"]
    )
    return Lab(
        folder.name, document["title"], document["topic"], document["order"], folder, experiments
    )


def _cache_file(pack: Path, cache_dir: Path) -> Path:
    import hashlib

    return cache_dir / f"labs-{hashlib.sha256(str(pack).encode()).hexdigest()[:12]}.json"


def _stamp(path: Path) -> list[Any]:
    """What is not the same any more once the file has changed."""
    stat = path.stat()
    return [str(path), stat.st_mtime_ns, stat.st_size, stat.st_ctime_ns, stat.st_ino]


def _fresh(stamp: list[Any]) -> bool:
    """Whether a file was written so lately that another write could leave the same stamp.

    Clocks of file systems tick every 4 ms to 2 s; what is read within a tick is not kept.
    """
    now = time.time_ns()
    return any(abs(now - when) < TICK for each in stamp for when in (each[1], each[3]))


def _cached(cache: Path, stamp: list[Any]) -> tuple[dict[str, Any] | None, list[str]]:
    try:
        kept = json.loads(cache.read_text(encoding="utf-8"))
        if kept["version"] == CACHE_VERSION and kept["stamp"] == stamp:
            return kept["documents"], kept["problems"]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None, []


def _keep(cache: Path, stamp: list[Any], documents: Any, problems: list[str]) -> None:
    whole = {
        "version": CACHE_VERSION,
        "stamp": stamp,
        "documents": documents,
        "problems": problems,
    }
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        partial = cache.with_suffix(".partial")
        partial.write_text(json.dumps(whole), encoding="utf-8")
        partial.replace(cache)
    except OSError:  # a cache that cannot be written costs time, nothing else
        return


def disagreements(info: ExperimentInfo, experiment: Any) -> list[str]:
    """Where `lab.yaml` and the code differ; empty when they agree."""
    said = []
    for name in ("name", "params", "outcomes", "seconds", "needs"):
        stands, coded = getattr(info, name), getattr(experiment, name)
        if stands != coded:
            said.append(f"{info.name}: {name} in {FILE} is {stands!r}, in the code {coded!r}")
    claims = tuple(ClaimInfo(each.name, each.says) for each in experiment.claims)
    if info.claims != claims:
        said.append(f"{info.name}: claims in {FILE} are {info.claims!r}, in the code {claims!r}")
    return said
