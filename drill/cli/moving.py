"""`drill export` and `drill import`."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from drill.cli.output import NO, emit, json_option, opened, say, stop
from drill.domain.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drill.services.app import Drill
    from drill.services.moving.importing import Came, Imported


@click.command()
@click.option("--out", "-o", default=None, help="File to write, or `-` for standard output.")
@click.option(
    "--days",
    type=click.IntRange(1, 36_500),
    help="Only the last N days, for a machine that has the rest.",
)
@click.option("--pictures", is_flag=True, help="With the pictures of experiment runs.")
@click.option(
    "--anki", default=None, metavar="FILE.apkg", help="The questions as an Anki package instead."
)
@click.option("--topic", default=None, help="With --anki: only this topic.")
@click.option(
    "--reserve/--no-reserve", default=False, help="With --anki: also what is kept for interviews."
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
def export(
    out: str | None,
    days: int | None,
    pictures: bool,
    anki: str | None,
    topic: str | None,
    reserve: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write your history to a file, to be merged on another machine with `drill import`.

    One JSON object a line: answers, undos and marks as they were logged, mock interviews with
    their transcripts, results of experiments, your profile. A closing line proves that the file is
    whole. By default drill-export-DATE.jsonl in this folder; a file that is there is never
    replaced without --force. Not in it: your packs and cards and the drafts of `drill after`; they
    are in the folder `home` of `drill paths`.

    With --anki the questions become an Anki package: one deck a topic, and importing a later
    package updates the cards in place. What is kept for mock interviews is left out.

    Exit codes: 0 written, 2 nothing was written.
    """
    if anki is None and (topic or reserve):
        stop("--topic and --reserve belong to --anki; an export holds everything")
    if anki is not None:
        if out or days or pictures:
            stop("--anki names its file itself and takes no --out, --days or --pictures")
        _anki(Path(anki), topic, reserve, force, as_json)
        return
    if out == "-" and as_json:
        stop("`--out -` writes the export itself to standard output; leave --json out")
    from drill.services.moving.exporting import default_name
    from drill.services.moving.exporting import export as write
    from drill.services.moving.lines import ExportError

    with opened() as drill:
        target = sys.stdout.buffer if out == "-" else Path(out or default_name(drill))
        try:
            made = write(drill, target, days=days, pictures=pictures, force=force)
            if out == "-":
                sys.stdout.flush()
        except BrokenPipeError:
            raise  # a reader that has enough: click ends it quietly
        except ExportError as error:
            stop(str(error))
        except OSError as error:
            stop(f"standard output: {error.strerror or error}")
    if as_json:
        emit(made)
        return
    since = f" since {made.since}" if made.since else ""
    say(
        f"{counted(made.events, 'log entry', 'log entries')}, {counted(made.sessions, 'session')} "
        f"and {counted(made.runs, 'run')}{since}: "
        f"{made.path or 'standard output'} ({_size(made.bytes)})"
    )


def _anki(path: Path, topic: str | None, reserve: bool, force: bool, as_json: bool) -> None:
    from drill.services.moving.anki import AnkiError, write_package

    with opened() as drill:
        try:
            made = write_package(drill, path, topic=topic or "", reserve=reserve, force=force)
        except AnkiError as error:
            stop(str(error))
    if as_json:
        emit(made)
        return
    cards = f"{counted(made.cards, 'card')} in {counted(made.decks, 'deck')}"
    say(f"{cards}: {made.path} ({_size(made.bytes)})")
    if made.reserved:
        say(f"{made.reserved} kept for mock interviews are left out; --reserve takes them in")
    if made.left_out:
        say(f"{made.left_out} cannot be shown here: {made.reason}")


@click.command("import")
@click.argument("files", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Say what would come, and change nothing.")
@click.option(
    "--pack", default=None, metavar="NAME", help="For cards: the pack they go to (`mine`)."
)
@click.option("--topic", default="", help="For cards: the topic of those that name none.")
@click.option("--keep-file", is_flag=True, help="For cards: do not write ids into the file.")
@json_option
def import_(
    files: tuple[str, ...],
    dry_run: bool,
    pack: str | None,
    topic: str,
    keep_file: bool,
    as_json: bool,
) -> None:
    """Merge exports of other machines, or make questions from Markdown or CSV.

    EXPORTS (`drill export`; `-` reads standard input) are merged, all of them or none: in any
    order, and twice has the effect of once. Answers are never lost or counted double. What is
    here under the same id with other content stays and is named. A backup is made before; to
    undo the import, `drill restore` that backup.

    \b
    CARDS (*.md, *.csv) become a file of a pack of yours; import again to update:
      # cfg                                   a topic
      ## How often is the UNet called in 50 steps with guidance?
      id: cfg.my-calls                        optional; written in when missing
      = 50 calls                              a number, or a term
      != 100 calls => They are one batch.     wrong => reply
      Both predictions are made in one call.  the explanation

    \b
      ## Which of these is trained?
      - [x] The UNet.                         several [x]: any number of them
      - [ ] The scheduler. => It has no weights.
      - [ ] The tokenizer. => It is a table.
      Only the UNet learns to predict noise.

    \b
      ## Why two predictions?
      * Guidance needs the **unconditional|empty** one, too.
      + Both fit in one **batch**.            a bonus point
      The difference is what guidance scales.

    An answer makes a point when it says its bold words; a bar (|) stands between words of which
    one is enough. Several `=` lines are spellings of one term. Fields below the question: id,
    level, relevance, type, source, tolerance, hint. Code stands between ``` lines, before the
    answer. A table (CSV) has the columns question, answer, wrong, explanation, topic, id, level,
    relevance, type, source, tolerance, hint, code; only the first two are needed, and a bar
    stands between several answers.

    Exit codes: 0 done; 1 conflicts were left out, or cards have errors; 2 nothing can be read.
    """
    from drill.services.moving.cards_import import is_cards

    named = [Path(file) for file in files if file != "-"]
    for path in named:
        if path.is_dir():
            stop(f"{path}: is a folder; name the files in it")
        if not path.exists():
            stop(f"{path}: no such file")
    cards = [is_cards(path) for path in named]
    if any(cards) and not (all(cards) and len(named) == len(files)):
        stop("exports and cards are two things: import them one after the other")
    if any(cards):
        _cards(named, pack or "mine", topic, dry_run, keep_file, as_json)
        return
    if pack or topic or keep_file:
        stop("--pack, --topic and --keep-file are for cards (*.md, *.csv)")
    with _spooled(files) as spooled, opened() as drill:
        _logs(drill, spooled, dry_run, as_json)


def _logs(drill: Drill, spooled: dict[Path, str], dry_run: bool, as_json: bool) -> None:
    from drill.services.moving.importing import merge
    from drill.services.moving.lines import ExportError

    def named(text: str) -> str:
        for path, name in spooled.items():
            text = text.replace(str(path), name)
        return text

    try:
        with _progress() as tell:
            made = merge(drill, list(spooled), dry_run=dry_run, tell=tell)
    except ExportError as error:
        stop(named(str(error)))
    made = replace(
        made,
        files=tuple(map(named, made.files)),
        conflicts=tuple(replace(each, place=named(each.place)) for each in made.conflicts),
    )
    if as_json:
        emit(made)
    else:
        _report(made)
    sys.exit(NO if made.conflicts else 0)


def _report(made: Imported) -> None:
    for conflict in made.conflicts:
        say(f"left out: {conflict.place}: {conflict.message}")
    items = f", of {counted(made.items, 'item')}" if made.items else ""
    print(f"{_count(made.events, 'log entry', 'log entries')}{items}")
    for came, one, many in (
        (made.sessions, "session", "sessions"),
        (made.runs, "run", "runs"),
        (made.pictures, "picture", "pictures"),
    ):
        if came.new or came.known or came.updated or came.conflicts:
            print(_count(came, one, many))
    for note in made.notes:
        print(note)
    if made.backup:
        print(
            f"before it: {made.backup}\n"
            f"  to undo this import: drill restore {Path(made.backup).name}"
        )
    elif not made.changed:
        print("nothing of it is new; nothing was changed")
    elif made.dry_run:
        print("this is what would come; nothing was changed (--dry-run)")


def _count(came: Came, one: str, many: str) -> str:
    parts = [f"{came.new} new {one if came.new == 1 else many}"]
    if came.updated:
        parts.append(f"{came.updated} further than here")
    if came.known:
        parts.append(f"{came.known} here already")
    if came.conflicts:
        parts.append(f"{came.conflicts} left out")
    return ", ".join(parts)


def _cards(
    files: list[Path], pack: str, topic: str, dry_run: bool, keep_file: bool, as_json: bool
) -> None:
    from drill.services.moving.cards_import import CardsError, import_cards

    try:
        made = import_cards(files, pack, topic=topic, dry_run=dry_run, write_ids=not keep_file)
    except CardsError as error:
        stop(str(error))
    if as_json:
        emit(made)
    else:
        for problem in made.problems:
            print(problem)
        for line in made.said:
            print(line)
    sys.exit(0 if made.ok else NO)


@contextmanager
def _spooled(files: tuple[str, ...]) -> Iterator[dict[Path, str]]:
    """The files to read, and what each is called; an export is read twice, so that what can be
    read only once (standard input, a pipe) is kept in a file of its own."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="drill-import-") as folder:
        found: dict[Path, str] = {}
        for file in files:
            if file != "-" and Path(file).is_file():
                found[Path(file)] = str(Path(file))
                continue
            name = "standard input" if file == "-" else file
            if name in found.values():
                stop(f"{name} can be read once; name it once")
            path = Path(folder) / f"spooled-{len(found)}"
            try:
                _spool(file, path)
            except OSError as error:
                stop(f"{name}: {error.strerror or error}")
            if not path.stat().st_size:
                stop(f"{name}: is empty; did the command before the pipe fail?")
            found[path] = name
        yield found


def _spool(file: str, target: Path) -> None:
    import shutil

    with target.open("wb") as spool:
        if file == "-":
            shutil.copyfileobj(sys.stdin.buffer, spool)
        else:
            with Path(file).open("rb") as source:
                shutil.copyfileobj(source, spool)


@contextmanager
def _progress() -> Iterator[Callable[[float], None] | None]:
    """A bar on stderr where a person looks at it."""
    if not sys.stderr.isatty():
        yield None
        return
    width = 30

    def tell(share: float) -> None:
        full = round(width * min(1.0, share))
        bar = "█" * full + "·" * (width - full)
        print(f"\r{bar} {share:>4.0%}", end="", file=sys.stderr, flush=True)

    try:
        yield tell
    finally:
        print(f"\r{'':<{width + 6}}\r", end="", file=sys.stderr, flush=True)


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def __getattr__(name: str) -> Any:
    """`import` is a keyword of Python, and the table of commands finds them by name."""
    if name == "import":
        return import_
    raise AttributeError(name)
