"""Names that one file uses and another defines: beliefs, items, experiments, proofs, source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drill.packs import schema
from drill.packs.beliefs import Misconception
from drill.packs.compile import Entry, Loaded, misconceptions_of
from drill.packs.problems import Loc, Problem, did_you_mean
from drill.packs.proof_site import SELF_PROVING, top_level_names
from drill.packs.yaml_source import parse


@dataclass(frozen=True, slots=True)
class Experiment:
    """What a lab.yaml says of one experiment, as far as items refer to it."""

    name: str
    claims: frozenset[str] = field(default_factory=frozenset)
    params: frozenset[str] = field(default_factory=frozenset)
    outcomes: frozenset[str] = field(default_factory=frozenset)
    lab: str = ""
    """Its lab's folder."""


def experiments(roots: Sequence[Path]) -> dict[str, Experiment]:
    """The experiments of all labs of the packs, by name; broken manifests say nothing here."""
    found: dict[str, Experiment] = {}
    for root in roots:
        for file in sorted(root.glob("labs/*/lab.yaml")):
            data = parse(file.read_bytes(), str(file)).data
            listed = data.get("experiments") if isinstance(data, dict) else None
            for entry in listed if isinstance(listed, list) else ():
                if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                    found[entry["name"]] = Experiment(
                        entry["name"],
                        _names(entry.get("claims")),
                        _names(entry.get("params")),
                        _names(entry.get("outcomes")),
                        file.parent.name,
                    )
    return found


def _names(value: Any) -> frozenset[str]:
    """Names in a list of names, a list of `{name: ...}` or the keys of a mapping."""
    if isinstance(value, dict):
        return frozenset(value)
    names = (v.get("name") if isinstance(v, dict) else v for v in value or ())
    return frozenset(name for name in names if isinstance(name, str))


def link_problems(
    loaded: Loaded,
    beliefs: Mapping[str, Misconception],
    ids: Sequence[str],
    labs: Mapping[str, Experiment],
) -> Iterator[Problem]:
    """Names in one pack that lead nowhere.

    Args:
        beliefs: the registries of all packs.
        ids: the qualified ids of all packs, those of broken items too.
        labs: the experiments of all packs; names are not checked while there is none.
    """
    for entry in loaded.entries:
        for loc, name in misconceptions_of(entry.item):
            if name not in beliefs:
                said = f"`{name}` is not in the registry; {did_you_mean(name, beliefs)}"
                yield entry.report.problem(loc, said, "an id of reference/misconceptions.yaml")
        yield from _items(entry, loaded.pack.name, ids)
        if labs:
            yield from _experiment(entry, labs)
            yield from _lab(entry, sorted({each.lab for each in labs.values()}))
    yield from _proofs(loaded)


def _items(entry: Entry, pack: str, ids: Sequence[str]) -> Iterator[Problem]:
    known = set(ids)
    own = [name.partition(":")[2] for name in ids if name.partition(":")[0] == pack]
    for field_name in ("siblings", "confusable"):
        for n, other in enumerate(getattr(entry.item, field_name)):
            if "." not in other:
                continue
            qualified = other if ":" in other else f"{pack}:{other}"
            if qualified not in known:
                hint = did_you_mean(other, ids if ":" in other else own)
                said = f"there is no item `{other}`; {hint}"
                yield entry.report.problem((field_name, n), said)


def _experiment(entry: Entry, labs: Mapping[str, Experiment]) -> Iterator[Problem]:
    link = entry.item.experiment
    if link is None:
        return
    report = entry.report
    found = labs.get(link.name)
    if found is None:
        said = f"there is no experiment `{link.name}`; {did_you_mean(link.name, labs)}"
        yield report.problem(("experiment", "name"), said, "one of labs/*/lab.yaml")
        return
    if link.claim not in found.claims:
        hint = did_you_mean(link.claim, sorted(found.claims))
        said = f"{link.name} makes no claim `{link.claim}`; {hint}"
        yield report.problem(("experiment", "claim"), said, "a claim of its lab.yaml")
    for name in link.params:
        if name not in found.params:
            hint = did_you_mean(name, sorted(found.params))
            said = f"{link.name} has no param `{name}`; {hint}"
            yield report.problem(("experiment", "params", name), said, "a param", key=True)
    if isinstance(entry.item, schema.DiagnoseItem):
        yield from _looks(entry, found)
    if isinstance(entry.item, schema.PredictItem):
        for n, part in enumerate(entry.item.fields):
            outcome = part.outcome or part.id
            if outcome not in found.outcomes:
                hint = did_you_mean(outcome, sorted(found.outcomes))
                said = f"{link.name} has no outcome `{outcome}`; {hint}"
                loc: Loc = ("fields", n, "outcome") if part.outcome else ("fields", n, "id")
                yield report.problem(loc, said, "an outcome of its lab.yaml")


def _looks(entry: Entry, found: Experiment) -> Iterator[Problem]:
    """A case is looked at through the param `look`, and its mend tells the outcomes."""
    if "look" not in found.params:
        said = f"{found.name} has no param `look`, so nothing of the case can be measured"
        yield entry.report.problem(("experiment", "name"), said, "an experiment of cases")
    for outcome in ("cause", "mended"):
        if outcome not in found.outcomes:
            said = f"{found.name} has no outcome `{outcome}`"
            yield entry.report.problem(("experiment", "name"), said, "outcomes `cause`, `mended`")


def _lab(entry: Entry, folders: Sequence[str]) -> Iterator[Problem]:
    name = entry.item.lab
    if name and name not in folders:
        said = f"there is no lab `{name}`; {did_you_mean(name, folders)}"
        yield entry.report.problem(("lab",), said, "a folder of labs/ with a lab.yaml")


def _proofs(loaded: Loaded) -> Iterator[Problem]:
    defined: dict[str, set[str] | str] = {}
    for entry in loaded.entries:
        site = entry.compiled.site
        if not site.functions():
            continue
        if site.file not in defined:
            defined[site.file] = _defined(loaded.root / site.file, site.file)
        names = defined[site.file]
        wanted: list[tuple[Loc, str]] = []
        if site.proof and site.proof not in SELF_PROVING:
            wanted.append((("proof",), site.proof))
        if site.property:
            kind = "properties" if entry.item.type == "code" else "property"
            wanted.append(((kind,), site.property))
        for loc, name in wanted:
            if isinstance(names, str):
                yield entry.report.problem(loc, names, f"{site.file} with `def {name}(...)`")
            elif name not in names:
                hint = did_you_mean(name, sorted(names))
                said = f"{site.file} defines no `{name}`; {hint}"
                yield entry.report.problem(loc, said, f"`def {name}(...)` at module level")


def _defined(file: Path, shown: str) -> set[str] | str:
    """The functions of a proofs.py, or what is wrong with it."""
    try:
        return top_level_names(file)
    except FileNotFoundError:
        return f"there is no {shown}"
    except (OSError, UnicodeDecodeError) as error:
        return f"{shown} cannot be read: {error}"
    except SyntaxError as error:
        return f"{shown}:{error.lineno}: not Python: {error.msg}"
