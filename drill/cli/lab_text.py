"""Labs, experiments and runs as plain text and as JSON, for `drill lab`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from drill.cli.show import WIDTH, wrapped
from drill.domain.counted import counted

if TYPE_CHECKING:
    from drill.lab.manifest import ExperimentInfo, Lab
    from drill.lab.places import Shown
    from drill.services.lab_reading import LabText
    from drill.services.past_runs import PastRun
    from drill.worker.protocol import Done

HOLDS = {True: "holds", False: "DOES NOT HOLD", None: "not applicable"}
_SET = re.compile(r"\||#|>|<|    ")
"""The beginning of a line that stays as it is set."""
_ITEM = re.compile(r"\s{0,3}([-*+]|\d+[.)]) ")
CONTEXT = 8
"""Lines shown above and below the one line that a section points at."""


def lab_document(lab: Lab, questions: Sequence[str], why_not: str = "") -> dict[str, Any]:
    """A lab for `drill lab list --json`; `why_not` it does not run, where it does not."""
    return {
        "id": lab.id,
        "title": lab.title,
        "topic": lab.topic,
        "order": lab.order,
        "reading": lab.reading is not None,
        "starter": lab.starter is not None,
        "questions": list(questions),
        "runs": not why_not,
        "why_not": why_not,
        "experiments": [experiment_document(each, lab.topic) for each in lab.experiments],
    }


def experiment_document(info: ExperimentInfo, topic: str) -> dict[str, Any]:
    """An experiment with its parameters (by name their defaults, and each in full) and claims.

    `budget` is its time limit in seconds with the default parameters, `seconds` the same.
    """
    return {
        "name": info.name,
        "title": info.title,
        "lab": info.lab,
        "topic": topic,
        "summary": info.summary,
        "budget": info.seconds,
        "seconds": info.seconds,
        "needs": list(info.needs),
        "params": {p.name: p.default for p in info.params},
        "parameters": [
            {
                "name": p.name,
                "kind": p.kind,
                "default": p.default,
                "help": p.help,
                "accepts": p.accepted(),
                "low": p.low,
                "high": p.high,
                "choices": list(p.choices),
            }
            for p in info.params
        ],
        "claims": [{"name": c.name, "says": c.says} for c in info.claims],
        "outcomes": list(info.outcomes),
    }


def lab_lines(lab: Lab, questions: int) -> Iterator[str]:
    """A lab in the list: what it has, and its experiments."""
    has = [name for name in ("reading", "starter") if getattr(lab, name) is not None]
    has.append(counted(questions, "question"))
    yield f"{lab.order:g}  {lab.title}"
    yield f"   {lab.id}; topic {lab.topic}; {', '.join(has)}"
    for each in lab.experiments:
        needs = f", needs {', '.join(each.needs)}" if each.needs else ""
        yield f"   {each.name}"
        yield _hung("       ", f"{each.title}; at most {each.seconds:g} s{needs}", 7)
        claims = ", ".join(claim.name for claim in each.claims) or "none"
        yield _hung("       claims ", claims, 14)


def experiment_lines(info: ExperimentInfo) -> Iterator[str]:
    """An experiment in full."""
    yield f"{info.title}  ({info.name}; lab {info.lab})"
    needs = f"; needs {', '.join(info.needs)}" if info.needs else ""
    yield f"at most {info.seconds:g} s with the default parameters{needs}"
    yield ""
    yield wrapped(info.summary)
    yield "\nParameters"
    for param in info.params:
        yield _hung(f"  --set {param.name}={param.written(param.default)}  ", param.help)
        yield f"      takes {param.accepted()}"
    if not info.params:
        yield "  none"
    yield "\nClaims"
    for claim in info.claims:
        yield _hung(f"  {claim.name}: ", claim.says)
    yield _hung("\nOutcomes for predictions: ", ", ".join(info.outcomes) or "none")


def _hung(lead: str, text: str, indent: int = 10) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def reading_document(text: LabText) -> dict[str, Any]:
    """A reading with the code of each section."""
    return {
        "title": text.title,
        "sections": [
            {
                "title": part.section.title,
                "text": part.section.text,
                "line": part.section.line,
                "at": str(part.section.place) if part.section.place is not None else "",
                "code": _code(part.shown) if part.shown is not None else None,
                "missing": part.missing,
            }
            for part in text.parts
        ],
        "starter": text.starter.code.text if text.starter is not None else None,
        "problems": list(text.problems),
    }


def _code(shown: Shown) -> dict[str, Any]:
    first, last = shown.lines
    return {
        "origin": shown.code.origin,
        "file": str(shown.file),
        "text": shown.code.text,
        "first": shown.first,
        "lines": [shown.first + first - 1, shown.first + last - 1] if first else [],
    }


def reading_lines(text: LabText) -> Iterator[str]:
    """A reading as plain text: under each section its code, with the file's own line numbers."""
    yield f"# {text.title}"
    for part in text.parts:
        if part.section.title != text.title:
            yield f"\n## {part.section.title}"
        yield ""
        yield folded(part.section.text)
        if part.shown is not None:
            yield ""
            yield from code_lines(part.shown)
        elif part.missing:
            yield f"\n    {part.missing}"


def folded(text: str) -> str:
    """Paragraphs and list items of a reading in the width of a terminal; the rest as it is."""
    blocks, fenced = [], False
    for block in text.split("\n\n"):
        lines = block.split("\n")
        if fenced or "```" in block or any(_SET.match(line) for line in lines):
            blocks.append(block)
        elif _ITEM.match(block):
            blocks.append("\n".join(_items(lines)))
        else:
            blocks.append(wrapped(block))
        fenced ^= block.count("```") % 2 == 1
    return "\n\n".join(blocks)


def _items(lines: Sequence[str]) -> Iterator[str]:
    """List items, each folded under its own mark."""
    items: list[list[str]] = []
    for line in lines:
        if _ITEM.match(line):
            items.append([])
        items[-1].append(line)
    for item in items:
        found = _ITEM.match(item[0])
        assert found is not None
        told = " ".join(" ".join(item)[found.end() :].split())
        yield _hung(found[0], told, found.end())


def code_lines(shown: Shown) -> Iterator[str]:
    """Code with line numbers: a marked block alone, a single line with what surrounds it."""
    lines = shown.code.text.split("\n")
    first, last = shown.lines
    around = CONTEXT if first and first == last and shown.code.origin != shown.file.name else 0
    begin, end = (max(1, first - around), min(len(lines), last + around)) if first else (1, 0)
    yield f"    {shown.code.origin}"
    for number in range(begin, (end or len(lines)) + 1):
        mark = ">" if around and first <= number <= last else " "
        yield f"  {mark} {shown.first + number - 1:>5} | {lines[number - 1]}".rstrip()


def claim_lines(claims: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Claims with what was found."""
    for claim in claims:
        says = str(claim.get("says") or claim["name"])
        found = f"measured {claim.get('measured')}; expected {claim.get('expected')}"
        yield _hung(f"  {HOLDS[claim.get('holds')]:<14}  ", says, 18)
        yield _hung(" " * 18, found, 18)


def done_lines(done: Done) -> Iterator[str]:
    """A finished run."""
    yield wrapped(done.sentence)
    yield from claim_lines(done.claims)
    answer, reason = done.transfers.get("answer"), done.transfers.get("reason", "")
    yield wrapped(f"Transfers to real models: {answer}. {reason}")
    when = f"recorded {done.recorded}" if done.recorded else "live"
    yield f"{when}, {done.device}, {done.seconds:.1f} s, seed {done.seed}, run {done.run}"
    for path in done.artefacts:
        yield f"  {path}"


def run_line(past: PastRun) -> str:
    """A kept run in a list: its id, and the beginning of what happened."""
    device = "" if past.error else f"  {past.run.device.partition(' ')[0]}"
    told = textwrap.shorten(past.sentence, 2 * (WIDTH - 4), placeholder=" …")
    return f"{past.run.id}{device}\n{_hung('    ', told, 4)}"


def run_lines(past: PastRun) -> Iterator[str]:
    """A kept run in full."""
    run = past.run
    yield f"{run.name}  {past.when}  {run.device}  {run.seconds:.1f} s  seed {run.seed}"
    yield wrapped(f"It did not finish: {past.sentence}" if past.error else past.sentence)
    if past.error:
        for name, points in run.metrics.items():
            shown = ", ".join(f"{v:.4g}" if s is None else f"{v:.4g} at {s:g}" for s, v in points)
            yield _hung(f"  {name}: ", shown)
    yield from claim_lines(run.claims)
    for name, value in run.outcomes.items():
        yield _hung(f"  outcome {name}: ", str(value))
    if run.params:
        given = ", ".join(f"{name}={value}" for name, value in run.params.items())
        yield _hung("  params: ", given)
    yield _hung("  versions: ", ", ".join(f"{name} {v}" for name, v in run.versions.items()))
    for path in past.pictures:
        yield f"  {path}"
