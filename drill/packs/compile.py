"""Question files to compiled items: validated, variants expanded, texts filled, keys evaluated."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drill.domain import questions as run
from drill.packs import schema
from drill.packs.bodies import body
from drill.packs.cases import Cases, with_scenario
from drill.packs.fields import PREFIXES
from drill.packs.files import MANIFEST, QUESTIONS, REGISTRY, PackFiles
from drill.packs.problems import Loc, Problem
from drill.packs.proof_site import ProofSite
from drill.packs.records import SECONDS, Compiled, CompiledPack
from drill.packs.registry import read_manifest, read_registry
from drill.packs.render import RenderError, grid, names_in
from drill.packs.renderer import Renderer
from drill.packs.validate import Reporter, validate
from drill.packs.yaml_source import parse


@dataclass(slots=True)
class Entry:
    """One item of a file: its model and place, kept for the checks that need more than one item."""

    item: schema.Item
    report: Reporter
    compiled: Compiled


@dataclass(slots=True)
class Loaded:
    """A pack with its models; what `check` works on."""

    root: Path
    pack: CompiledPack
    entries: list[Entry] = field(default_factory=list)
    ids: dict[str, Problem] = field(default_factory=dict)
    """Every id that stands in a file, of broken items too, with a problem that gives its place."""


def load_pack(found_pack: PackFiles) -> Loaded:
    """Compile one pack; the problems name files relative to its folder."""
    files, name = found_pack.files, found_pack.name
    manifest = files.get(MANIFEST)
    title = name
    problems: list[Problem] = []
    if manifest is not None:
        name, title, problems = read_manifest(manifest, MANIFEST, name)
    if found_pack.own and name != found_pack.name:
        return Loaded(found_pack.root, _renamed(found_pack, name, title, problems))
    pack = CompiledPack(name, title, problems=problems)
    registry = files.get(REGISTRY)
    if registry is not None:
        pack.misconceptions, found = read_registry(registry, REGISTRY)
        problems += found
    loaded = Loaded(found_pack.root, pack)
    for file, raw in files.items():
        if file not in (MANIFEST, REGISTRY):
            _file(loaded, file, raw)
    if not any(file.startswith(f"{QUESTIONS}/") for file in files):
        said = f"there is no question file below {QUESTIONS}/"
        problems.append(Problem(QUESTIONS, 1, 1, "", said, f"{QUESTIONS}/<topic>/*.yaml"))
    return loaded


def _renamed(found: PackFiles, name: str, title: str, problems: list[Problem]) -> CompiledPack:
    """A learner's pack whose manifest has another name by now: none of its items.

    Under either name answers could be logged to ids that are not those of its history.
    """
    marks = parse(found.files[MANIFEST], MANIFEST).marks
    said = (
        f"the pack was added as `{found.name}` and calls itself `{name}` now, so that none of its "
        "items is asked"
    )
    way = f"`name: {found.name}`; for a pack of the new name remove this one and add it again"
    problem = Reporter(MANIFEST, marks, (), "").problem(("name",), said, way)
    return CompiledPack(found.name, title, problems=[*problems, problem])


def _file(loaded: Loaded, file: str, raw: bytes) -> None:
    document = parse(raw, file)
    problems = loaded.pack.problems
    problems += document.problems
    if not document.readable or document.data is None:
        return
    if not isinstance(document.data, list):
        problems.append(
            Problem(file, 1, 1, "", "the file is no list", "items, each begun with `-`")
        )
        return
    spoiled = {problem.line for problem in document.problems}
    cases = Cases()
    for n, raw_item in enumerate(document.data):
        name = raw_item.get("id") if isinstance(raw_item, Mapping) else None
        item_id = name if isinstance(name, str) else ""
        report = Reporter(file, document.marks, (n,), item_id)
        item, found = validate(raw_item, report)
        problems += found
        if item_id:
            here = report.problem(("id",), "")
            if item_id in loaded.ids:
                first = loaded.ids[item_id]
                problems.append(
                    report.problem(
                        ("id",),
                        f"the id `{item_id}` is taken: {first.file}:{first.line}",
                        "an id of its own",
                    )
                )
                continue
            loaded.ids[item_id] = here
        own = _lines(document.marks.values, n, len(document.data))
        if item is None or any(line in own for line in spoiled):
            continue
        cases, found = with_scenario(item, cases, report)
        problems += found
        compiled, found = compile_item(item, report, loaded.pack.name, cases.scenario)
        problems += found
        if compiled is not None:
            loaded.pack.items.append(compiled)
            loaded.entries.append(Entry(item, report, compiled))


def _lines(values: Mapping[Loc, tuple[int, int]], n: int, count: int) -> range:
    """The lines of the n-th item of a file."""
    first = values.get((n,), (1, 1))[0]
    last = values[(n + 1,)][0] if n + 1 < count and (n + 1,) in values else 1 << 60
    return range(first, last)


def compile_item(
    item: schema.Item, report: Reporter, pack: str, scenario: str = ""
) -> tuple[Compiled | None, list[Problem]]:
    """Compile one item; `scenario` is that of the case that it belongs to.

    Returns:
        The compiled item, or None after an error, and the problems (each named once, for the first
        variant that shows it).
    """
    found: dict[tuple[Loc, bool], Problem] = {}

    def note(loc: Loc, message: str, expected: str, warning: bool) -> None:
        found.setdefault((loc, warning), report.problem(loc, message, expected, warning=warning))

    _check_params(item, note)
    head = _head(item, report, pack)
    questions = tuple(
        _question(item, head, number, params, note, scenario)
        for number, params in enumerate(grid(item.variants))
    )
    problems = list(found.values())
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    excerpt = None
    if item.source is not None:
        source = item.source
        excerpt = run.Excerpt(source.symbol, source.around, source.before, source.after)
    site = proof_site(item, report.file)
    return Compiled(head, questions, site, excerpt, item.lab), problems


def _question(
    item: schema.Item,
    head: run.Head,
    number: int,
    params: dict[str, run.Param],
    note: Any,
    scenario: str,
) -> run.Question:
    render = Renderer(params, note)
    code = None if item.code is None else render.text(item.code, ("code",))
    made = body(item, code, render)  # sets `{key}` for the texts below
    experiment = None
    if item.experiment is not None:
        link = item.experiment
        experiment = run.ExperimentLink(link.name, link.claim, _params(link.params, params, render))
    return run.Question(
        head=head,
        variant=number,
        params=params,
        prompt=render.text(item.prompt, ("prompt",)),
        body=made,
        explanation=render.text(item.explanation, ("explanation",), key=True),
        scenario=render.text(scenario, ("scenario",)),
        code=None if code is None else run.Code(code, item.lang),
        hints=render.texts(item.hints, ("hints",)),
        sources=tuple(run.Source(**source.model_dump()) for source in item.sources),
        experiment=experiment,
        follow_up=render.texts(item.follow_up, ("follow_up",)),
    )


def _params(
    given: Mapping[str, Any], params: Mapping[str, run.Param], render: Renderer
) -> dict[str, object]:
    """Params of an experiment: a text that is `{name}` alone takes the variant's value itself."""
    made: dict[str, object] = {}
    for name, value in given.items():
        loc: Loc = ("experiment", "params", name)
        if isinstance(value, str) and value[:1] == "{" and value[1:-1] in params:
            made[name] = params[value[1:-1]]
        else:
            made[name] = render.text(value, loc) if isinstance(value, str) else value
    return made


def _check_params(item: schema.Item, note: Any) -> None:
    """A param that the learner never sees would give one text several keys."""
    used: set[str] = set()
    for _, text in visible_texts(item):
        try:
            used |= names_in(text)
        except RenderError:
            return  # reported where the text is filled
    for name in item.variants:
        if name not in used:
            note(
                ("variants", name),
                f"no text that the learner sees before the answer uses `{{{name}}}`",
                "it in the prompt, the code or the options",
                False,
            )


def visible_texts(item: schema.Item) -> Iterator[tuple[Loc, str]]:
    """What the learner reads before answering, hints left out."""
    yield ("prompt",), item.prompt
    yield ("scenario",), item.scenario
    if item.code is not None:
        yield ("code",), item.code
    if isinstance(item, schema.NumberItem):
        yield ("given",), item.given
    for name in ("options", "effects", "steps"):
        for n, part in enumerate(getattr(item, name, ())):
            yield (name, n, "text"), part.text
    if isinstance(item, schema.PredictItem):
        for n, part in enumerate(item.fields):
            yield ("fields", n, "label"), part.label
            for kind in ("choose", "choose_many"):
                for m, option in enumerate(getattr(part, kind) or ()):
                    yield ("fields", n, kind, m), option
    if isinstance(item, schema.DiagnoseItem):
        for n, probe in enumerate(item.probes):
            yield ("probes", n, "label"), probe.label
        for n, cause in enumerate(item.causes):
            yield ("causes", n, "text"), cause.text


def proof_site(item: schema.Item, file: str) -> ProofSite:
    """What is executed to prove the item; empty names where nothing is."""
    proof = item.proof or ""
    if not proof:
        shows_code = item.code is not None
        if isinstance(item, schema.OutputItem) or (
            isinstance(item, schema.ShapeItem) and shows_code
        ):
            proof = "code"
        elif item.source is not None:
            proof = "source"
    tested = getattr(item, "property", "") or getattr(item, "properties", "")
    folder = file.rpartition("/")[0]
    return ProofSite(f"{folder}/proofs.py" if folder else "proofs.py", proof, tested)


def misconceptions_of(item: schema.Item) -> Iterator[tuple[Loc, str]]:
    """Every belief that the item names, with its place."""
    if item.misconception:
        yield ("misconception",), item.misconception
    for name in ("options", "effects", "steps", "faults", "others", "causes"):
        for n, part in enumerate(getattr(item, name, ())):
            if part.misconception:
                yield (name, n, "misconception"), part.misconception
    if isinstance(item, schema.ExplainItem):
        for n, belief in enumerate(item.misconceptions):
            yield ("misconceptions", n, "id"), belief.id


def _head(item: schema.Item, report: Reporter, pack: str) -> run.Head:
    site = proof_site(item, report.file)
    line, _ = report.marks.at(report.base)
    return run.Head(
        id=f"{pack}:{item.id}",
        topic=item.topic,
        level=item.level,
        relevance=item.relevance,
        roles=tuple(item.roles),
        type=item.type,
        seconds=item.seconds or SECONDS[item.type],
        content_hash=content_hash(item),
        proof=site.property or site.proof,
        needs_labs=item.source is not None,
        variants=math.prod(len(values) for values in item.variants.values()),
        siblings=tuple(_qualified(other, pack) for other in item.siblings),
        confusable=tuple(
            other if other in PREFIXES else _qualified(other, pack) for other in item.confusable
        ),
        misconceptions=tuple(dict.fromkeys(name for _, name in misconceptions_of(item))),
        file=report.file,
        line=line,
        reserve=item.reserve,
        round=item.round or "",
        axis=item.axis or "",
        case=_qualified(item.case, pack) if item.case else "",
        stage=item.stage or 0,
    )


def _qualified(item_id: str, pack: str) -> str:
    return item_id if ":" in item_id else f"{pack}:{item_id}"


def content_hash(item: schema.Item) -> str:
    """Hash of all that the item says, blind to layout, key order, comments and spelled defaults.

    The lab in which it is listed is no part of what it says.
    """
    meaning = item.model_dump(mode="json", exclude_defaults=True, exclude={"lab"})
    text = json.dumps(meaning, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def load_packs(packs: Sequence[PackFiles]) -> list[Loaded]:
    """Compile several packs; one whose name is taken gives a problem and no items."""
    made: list[Loaded] = []
    taken: dict[str, Path] = {}
    for found in packs:
        loaded = load_pack(found)
        name = loaded.pack.name
        if name in taken:
            said = f"the pack's name `{name}` is taken by {taken[name]}"
            wanted = f"another `name` in {MANIFEST}"
            number = 2
            while f"{name}-{number}" in taken:
                number += 1
            name = f"{name}-{number}"
            problem = Problem(MANIFEST, 1, 1, "name", said, wanted)
            loaded = Loaded(found.root, CompiledPack(name, name, problems=[problem]))
        taken[name] = found.root
        made.append(loaded)
    return made
