"""The registry of misconceptions and a pack's name: two small YAML files."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drill.packs.beliefs import Misconception
from drill.packs.fields import PREFIXES, BeliefId, Text, Topic
from drill.packs.problems import Problem, did_you_mean
from drill.packs.validate import Reporter, translated
from drill.packs.yaml_source import Document, parse

PACK_NAME = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"


class BeliefEntry(BaseModel):
    """One entry of `reference/misconceptions.yaml`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    id: BeliefId
    belief: Text = Field(description="The wrong belief, as a full sentence.")
    correction: Text = Field(description="What is right, as full sentences that stand alone.")
    topic: Topic


class Manifest(BaseModel):
    """`pack.yaml`, at the root of a pack."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: str = Field(pattern=PACK_NAME, description="Short name: lower case, digits, hyphens.")
    title: Text = Field("", description="Name as people read it.")


def read_registry(raw: bytes, file: str) -> tuple[dict[str, Misconception], list[Problem]]:
    """The registry by id; a broken entry never hides the others."""
    document = parse(raw, file)
    problems = list(document.problems)
    made: dict[str, Misconception] = {}
    if not document.readable or document.data is None:
        return made, problems
    if not isinstance(document.data, list):
        problems.append(Problem(file, 1, 1, "", "the file is no list", "entries begun with `-`"))
        return made, problems
    for n, entry in enumerate(document.data):
        name = entry.get("id") if isinstance(entry, dict) else None
        report = Reporter(file, document.marks, (n,), name if isinstance(name, str) else "")
        belief, found = _validated(BeliefEntry, entry, report)
        problems += found
        if not isinstance(belief, BeliefEntry):
            continue
        prefix = belief.id.split(".")[0]
        if prefix != PREFIXES[belief.topic]:
            wanted = PREFIXES[belief.topic]
            problems.append(
                report.problem(
                    ("id",), f"does not begin with the prefix of {belief.topic}", f"`{wanted}.`"
                )
            )
        if belief.id in made:
            problems.append(report.problem(("id",), f"`{belief.id}` stands twice", "it once"))
            continue
        made[belief.id] = Misconception(belief.id, belief.belief, belief.correction, belief.topic)
    return made, problems


def read_manifest(raw: bytes, file: str, name: str) -> tuple[str, str, list[Problem]]:
    """Name and title of a pack; `name` is what it is called when the file is broken."""
    document: Document = parse(raw, file)
    if not document.readable:
        return name, name, document.problems
    report = Reporter(file, document.marks, (), "")
    manifest, found = _validated(Manifest, document.data, report)
    if not isinstance(manifest, Manifest):
        return name, name, [*document.problems, *found]
    return manifest.name, manifest.title or manifest.name, document.problems


def _validated(
    model: type[BaseModel], raw: Any, report: Reporter
) -> tuple[BaseModel | None, list[Problem]]:
    if not isinstance(raw, dict):
        return None, [report.problem((), "not a mapping of fields", ", ".join(model.model_fields))]
    try:
        return model.model_validate(raw), []
    except ValidationError as error:
        faults = error.errors(include_url=False)
        return None, [translated(fault, raw, model, report) for fault in faults]


def unknown_belief(name: str, known: dict[str, Misconception]) -> str:
    """The message for an id that the registry does not hold."""
    return f"`{name}` is not in the registry; {did_you_mean(name, known)}"
