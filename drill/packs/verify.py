"""Prove keys again by execution, in parallel child processes.

    python -m drill.packs.verify [--pack FOLDER] [--jobs N] [--write] [ID or TOPIC ...]

Exit code 0 when all hold, 1 when one does not, 2 when nothing could be run. `--write` records what
held in the pack's `reference/proofs.json`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.domain.questions import CodeBody, MutantBody, Question
from drill.packs import keys
from drill.packs.installed import needed_by, stamp, versions
from drill.packs.key_text import key_text
from drill.packs.outcome import Progress, ProofKind, ProofOutcome
from drill.packs.proof_site import ProofSite

if TYPE_CHECKING:
    from drill.packs.bank import Bank
    from drill.worker.proof_pool import ProofRun

__all__ = ["Progress", "ProofOutcome", "main", "processors", "reprove", "verify"]
ITEM_SECONDS = 60.0


def verify(
    bank: Bank,
    ids: Iterable[str] | None = None,
    jobs: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    seconds: float = ITEM_SECONDS,
    trusted: Collection[Path] | None = None,
    child_command: Sequence[str] = (),
) -> list[ProofOutcome]:
    """Recompute the keys of items and compare them with what is written.

    `ids` (qualified or not; default: every item that executes something) keep their order in the
    result. `seconds` is the limit for all variants of an item. The Python of a pack is run only
    when its folder is among `trusted` (default: the built-in pack alone). Raises KeyError for an
    unknown id.
    """
    from drill.worker.proof_pool import run_jobs

    wanted = list(bank.sites) if ids is None else [bank.resolve(each) for each in ids]
    wanted = list(dict.fromkeys(wanted))
    installed = versions()
    outcomes: dict[str, ProofOutcome] = {}
    asked: dict[str, tuple[Question, ...]] = {}
    running: list[str] = []

    def tell(last: ProofOutcome | None = None) -> None:
        if on_progress is not None:
            failed = sum(not each.ok for each in outcomes.values())
            on_progress(Progress(len(outcomes), len(wanted), tuple(running), failed, last))

    def ended(outcome: ProofOutcome) -> None:
        head = bank.heads[outcome.id]
        file = str(bank.roots[outcome.id.partition(":")[0]] / head.file)
        outcomes[outcome.id] = replace(outcome, file=file, line=head.line)
        tell(outcomes[outcome.id])

    tell()
    allowed = _resolved(trusted)
    for name in wanted:
        found = _without_child(bank, name, installed, allowed)
        if isinstance(found, ProofOutcome):
            ended(found)
        else:
            asked[name] = found
    messages = [_job(name, bank.sites[name], asked[name]) for name in asked]
    workers = min(jobs or processors(), max(1, len(messages)))
    for event in run_jobs(messages, workers, seconds, child_command):
        name = event.run.id
        if event.kind == "begun":
            running.append(name)
            tell()
        else:
            running.remove(name)
            ended(_outcome(event.run, bank.sites[name], asked[name], installed))
    return [outcomes[name] for name in wanted]


def reprove(
    bank: Bank,
    ids: Iterable[str],
    local: Path,
    cache_dir: Path,
    jobs: int = 1,
    on_progress: Callable[[Progress], None] | None = None,
    trusted: Collection[Path] | None = None,
) -> list[ProofOutcome]:
    """`verify`, kept in the local ledger `local` as each item ends; the pack is not touched."""
    from drill.packs.ledger import record_local

    def keep(progress: Progress) -> None:
        if progress.last is not None:
            record_local(bank, [progress.last], local, cache_dir)
        if on_progress is not None:
            on_progress(progress)

    return verify(bank, ids, jobs, keep, trusted=trusted)


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _resolved(trusted: Collection[Path] | None) -> set[Path]:
    from drill import paths

    return {path.resolve() for path in (trusted or ())} | {paths.builtin_pack().resolve()}


def _without_child(
    bank: Bank, name: str, installed: Mapping[str, str], trusted: Collection[Path]
) -> ProofOutcome | tuple[Question, ...]:
    """The outcome where no process is needed, else the item's variants."""
    from drill.packs.excerpt import ExcerptError

    site = bank.sites.get(name)
    if site is None:
        return ProofOutcome(name, True, "none", recomputed="nothing is executed for this item")
    kind = _kind(bank.heads[name].type, site)
    root = bank.roots[name.partition(":")[0]]
    if kind != "source" and root.resolve() not in trusted:
        pack = name.partition(":")[0]
        return ProofOutcome(
            name,
            False,
            kind,
            error=f"the pack `{pack}` is not trusted, so that its code is not run; "
            f"read it, then: drill pack trust {pack}",
        )
    try:
        questions = bank.variants(name)
    except ExcerptError as error:
        return ProofOutcome(name, False, "source", error=str(error))
    if kind != "source":
        return questions
    of = _versions(site, questions, installed)
    texts = tuple(f"{q.code.origin}: {key_text(q)}" if q.code else "" for q in questions)
    return ProofOutcome(
        name,
        True,
        kind,
        key=key_text(questions[0]),
        recomputed=texts[0],
        stamp=stamp(of),
        versions=of,
        values=texts,
    )


def _kind(item_type: str, site: ProofSite) -> ProofKind:
    if site.property:
        return "mutant" if item_type == "mutant" else "solution"
    return site.proof if site.proof in ("code", "source") else "function"  # type: ignore[return-value]


def _job(name: str, site: ProofSite, questions: Sequence[Question]) -> dict[str, Any]:
    """The job of `drill.worker.proof_child` for one item."""
    return {
        "id": name,
        "type": questions[0].head.type,
        "file": site.file,
        "proof": site.proof,
        "property": site.property,
        "variants": [_variant(question) for question in questions],
    }


def _variant(question: Question) -> dict[str, Any]:
    variant: dict[str, Any] = {
        "params": dict(question.params),
        "code": question.code.text if question.code else None,
    }
    body = question.body
    if isinstance(body, MutantBody):
        variant |= {"line": body.line, "was": body.was}
    elif isinstance(body, CodeBody):
        variant |= {"function": body.function, "starter": body.starter, "solution": body.solution}
    return variant


def _outcome(
    run: ProofRun, site: ProofSite, questions: Sequence[Question], installed: Mapping[str, str]
) -> ProofOutcome:
    kind = _kind(questions[0].head.type, site)
    of = _versions(site, questions, installed)
    outcome = ProofOutcome(
        run.id, True, kind, seconds=run.seconds, stamp=stamp(of), versions=of, trace=run.trace
    )
    if run.error:
        at = questions[min(run.variant, len(questions) - 1)]
        return replace(outcome, ok=False, key=key_text(at), params=dict(at.params), error=run.error)
    texts: list[str] = []
    for number, question in enumerate(questions):
        made = _compared(question, run.values.get(number), kind, site)
        if made.error:
            return replace(
                outcome,
                ok=False,
                key=made.key,
                recomputed=made.recomputed,
                params=dict(question.params),
                error=made.error,
            )
        texts.append(made.recomputed)
    return replace(outcome, key=key_text(questions[0]), recomputed=texts[0], values=tuple(texts))


def _compared(question: Question, value: Any, kind: ProofKind, site: ProofSite) -> keys.Comparison:
    if kind == "solution":
        return keys.Comparison("", str(value))
    if kind == "mutant" and not site.proof:
        return keys.Comparison(key_text(question), f"only the mutant fails {site.property}")
    return keys.compare(question, value)


def _versions(
    site: ProofSite, questions: Sequence[Question], installed: Mapping[str, str]
) -> dict[str, str]:
    """Versions of the libraries that an item's proof depends on."""
    import ast

    from drill.packs.proof_hash import packages_of, reach

    packages: set[str] = set()
    if site.functions() and site.file:
        try:
            packages |= set(reach(Path(site.file).read_text("utf-8"), site.functions()).packages)
        except (OSError, SyntaxError, ValueError):
            packages |= {"drill"}
    texts = [q.code.text for q in questions if q.code and not q.code.origin]
    texts += [q.body.solution for q in questions if isinstance(q.body, CodeBody)]
    for text in texts:
        try:
            packages |= packages_of(ast.parse(text))
        except SyntaxError:  # code that is only shown need not be whole
            continue
    packages |= {q.code.origin.partition(" ")[0] for q in questions if q.code and q.code.origin}
    return {name: installed[name] for name in needed_by(packages) if name in installed}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command of the module's docstring; returns its exit code."""
    import argparse
    import sys

    from drill import paths
    from drill.packs.bank import open_bank
    from drill.packs.ledger import record

    parser = argparse.ArgumentParser(prog="python -m drill.packs.verify")
    parser.add_argument("ids", nargs="*", help="items, or topics; default: everything")
    parser.add_argument("--pack", type=Path, default=None, help="its Python is run")
    parser.add_argument("--jobs", type=int, default=None, help="children; default: processors")
    parser.add_argument("--seconds", type=float, default=ITEM_SECONDS, help="limit for an item")
    parser.add_argument("--write", action="store_true", help="record in reference/proofs.json")
    given = parser.parse_args(arguments)
    pack = given.pack or paths.builtin_pack()
    bank = open_bank([pack], paths.cache_dir())

    def show(progress: Progress) -> None:
        last = progress.last
        if last is not None:
            counted = f"[{progress.done}/{progress.total}]"
            mark = "ok  " if last.ok else "FAIL"
            sys.stdout.write(f"{counted} {mark} {last.seconds:6.2f} s  {last}\n")
            if not last.ok and last.trace:
                sys.stdout.write(last.trace.rstrip() + "\n")
            sys.stdout.flush()

    try:
        ids = _expanded(bank, given.ids)
    except KeyError as error:
        sys.stderr.write(f"{error.args[0]}\n")
        return 2
    if not ids:
        sys.stderr.write(f"{pack}: no item executes a proof\n")
        return 2
    outcomes = verify(bank, ids, given.jobs, show, given.seconds, [pack])
    failed = sum(not outcome.ok for outcome in outcomes)
    sys.stdout.write(f"{len(outcomes) - failed} hold, {failed} do not\n")
    if given.write:
        for file in record(bank, outcomes, paths.cache_dir()):
            sys.stdout.write(f"wrote {file}\n")
    return 1 if failed else 0


def _expanded(bank: Bank, names: Sequence[str]) -> list[str]:
    """Item ids, and for a topic's name all items of the topic that execute something."""
    if not names:
        return list(bank.sites)
    topics = {head.topic for head in bank.heads.values()}
    found: list[str] = []
    for name in names:
        if name in topics:
            found += [i for i in bank.sites if bank.heads[i].topic == name]
        else:
            found.append(bank.resolve(name))
    return found


if __name__ == "__main__":
    raise SystemExit(main())
