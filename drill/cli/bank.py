"""`drill bank`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from drill.cli.output import NO, emit, json_option, opened, say, stop
from drill.domain.counted import counted


@click.group()
def bank() -> None:
    """Check, verify and count the questions."""


@bank.command()
@json_option
def stats(as_json: bool) -> None:
    """Counts by topic, type, level and proof."""
    from drill.packs.stats import stats as count

    with opened() as drill:
        document = count(drill.bank, drill.standings)
    if as_json:
        emit(document)
        return
    print(f"{counted(document['total'], 'item')}, {document['proven']} proven by execution")
    for name in ("topics", "types", "levels"):
        print(f"\n{name}")
        for key, value in document[name].items():
            print(f"  {key:<16} {value:>4}")


@bank.command()
def schema() -> None:
    """JSON Schema of a question file, for editors that complete and check."""
    from drill.packs.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@bank.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@json_option
def check(path: Path | None, as_json: bool) -> None:
    """Validate question files: every problem with file, line and column. Exits 1 on errors."""
    from drill import paths
    from drill.packs.check import check as look
    from drill.packs.check import pack_of

    packs = [pack_of(path)] if path is not None else paths.packs()
    if path is not None and not path.exists():
        stop(f"{path}: no such file or folder")
    problems = look(packs)
    if path is not None and path.is_file():
        problems = [p for p in problems if Path(p.file).resolve() == path.resolve()]
    if as_json:
        emit({"problems": problems, "ok": not any(p.severity == "error" for p in problems)})
    else:
        for problem in problems:
            print(problem)
    errors = sum(p.severity == "error" for p in problems)
    say(f"{counted(errors, 'error')}, {counted(len(problems) - errors, 'warning')}")
    sys.exit(NO if errors else 0)


@bank.command()
@click.argument("ids", nargs=-1)
@click.option(
    "--jobs", type=click.IntRange(1), default=None, help="Processes; all cores by default."
)
@click.option("--no-ledger", is_flag=True, help="Do not write the packs' reference/proofs.json.")
@json_option
def verify(ids: tuple[str, ...], jobs: int | None, no_ledger: bool, as_json: bool) -> None:
    """Prove keys again by running them with the installed libraries.

    Exits 1 when a recomputed key differs; names the item, its key and the recomputed value. The
    code of a pack that is not trusted is not run: `drill pack trust NAME`.
    """
    from drill.packs.installed import has_labs, versions
    from drill.packs.ledger import record
    from drill.packs.verify import Progress
    from drill.packs.verify import verify as prove

    with opened() as drill:
        if not has_labs(versions()):
            stop("proofs need torch and diffusers: pip install 'diffusion-drill[labs]'")
        if any(p.severity == "error" for p in drill.bank.problems):
            for problem in drill.bank.problems:
                say(str(problem))
            stop("question files have problems; `drill bank check` lists them", NO)

        def tell(progress: Progress) -> None:
            last = progress.last
            if last is not None and not last.ok:
                say(f"{chr(13) if sys.stderr.isatty() else ''}FAILED {last}")
            if sys.stderr.isatty():
                width = 30
                full = round(width * progress.done / max(1, progress.total))
                running = progress.running[0] if progress.running else ""
                bar = "█" * full + "·" * (width - full)
                line = f"\r{bar} {progress.done}/{progress.total} {running:<40.40}"
                print(line, end="", file=sys.stderr, flush=True)

        untrusted = drill.untrusted()
        wanted = list(ids)
        if not wanted:
            wanted = [i for i in drill.bank.sites if i.partition(":")[0] not in untrusted]
            for pack in sorted(untrusted):
                left = sum(i.partition(":")[0] == pack for i in drill.bank.sites)
                if left:
                    say(f"left out, {counted(left, 'item')}: {drill.why_not_run(pack)}")
        try:
            outcomes = prove(drill.bank, wanted, jobs, tell, trusted=drill.trusted_roots())
        except KeyError as error:
            stop(str(error.args[0]))
        failed = [o for o in outcomes if not o.ok]
        if not no_ledger:
            # What was not run says nothing against what the ledger holds.
            ran = [o for o in outcomes if o.ok or o.id.partition(":")[0] not in untrusted]
            record(drill.bank, ran, drill.cache_dir)
    if sys.stderr.isatty():
        say("")
    if as_json:
        emit({"proven": len(outcomes) - len(failed), "failed": failed, "outcomes": outcomes})
    else:
        slowest = max((o.seconds for o in outcomes), default=0.0)
        print(
            f"{len(outcomes) - len(failed)} proven, {len(failed)} failed; slowest {slowest:.1f} s"
        )
    sys.exit(NO if failed else 0)
