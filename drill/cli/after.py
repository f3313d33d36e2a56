"""`drill after`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

import click

from drill.cli.output import NO, emit, json_option, opened, say, stop

if TYPE_CHECKING:
    from drill.services.after import Log
    from drill.services.app import Drill

WIDTH = 78


@click.group(invoke_without_command=True)
@click.option("--file", "file", type=click.File(encoding="utf-8"), help="Questions; `-`: stdin.")
@click.option("--date", "day", default="", help="2026-11-20, 20.11.2026, today or yesterday.")
@click.option("--company", default="", help="Any words.")
@click.option("--dry-run", is_flag=True, help="Say what would become of it, and change nothing.")
@click.option("--again", is_flag=True, help="Log questions that are logged already once more.")
@json_option
@click.pass_context
def after(
    context: click.Context,
    file: TextIO | None,
    day: str,
    company: str,
    dry_run: bool,
    again: bool,
    as_json: bool,
) -> None:
    """Log what a real interview asked: one question a line.

    What the bank has is brought forward to tomorrow; what it lacks is drafted as a question file
    of your own to fill in. In a terminal each question is asked for, and you choose among the
    three nearest items; otherwise the nearest one is taken only where it is likely, and a question
    that it is only near to is drafted. `drill after remove` takes a log back.
    """
    if context.invoked_subcommand is not None:
        return
    from drill.services import after as service
    from drill.services.after_text import AfterError, day_of

    with opened() as drill:
        try:
            day = day_of(day, drill.clock().date()) if day else ""
            if file is None and sys.stdin.isatty() and sys.stderr.isatty():
                log = _asked(drill, day, company, dry_run)
            else:
                log = _read(drill, file, day, company, dry_run=dry_run, again=again)
            if log is None:
                stop("there was no question; give one a line")
            document = service.shown(drill, log.finish())
        except AfterError as error:
            stop(str(error))
        except UnicodeDecodeError:
            stop("the questions are not UTF-8 text; save the file as UTF-8")
        except OSError as error:
            stop(f"the drafts cannot be written: {error}. The log is kept; `drill after` goes on")
        except KeyboardInterrupt:
            say("")
            left = None if dry_run else service.unfinished(drill)
            if left is None or not left.entries:
                stop("nothing was logged", NO)
            stop("the log is kept; `drill after` goes on with it", NO)
    if as_json:
        emit({**document, "dry_run": True} if dry_run else document)
        return
    if dry_run:
        print("Nothing is stored. Without --dry-run this would become of it:\n")
    print(_told(document, dry_run))


@after.command("list")
@json_option
def listed(as_json: bool) -> None:
    """Everything that was logged, newest first."""
    from drill.services.after import logs

    with opened() as drill:
        found = logs(drill)
    if as_json:
        emit({"logs": found})
        return
    if not found:
        print("Nothing is logged yet; `drill after` logs what an interview asked.")
    for document in found:
        company = f"  {document['company']}" if document["company"] else ""
        left = "" if document["finished"] else "  (left in the middle; `drill after` goes on)"
        print(f"{document['id'][:8]}  {document['date']}{company}{left}")
        for each in document["questions"]:
            print(f"  {_cut(each['question'], WIDTH - 2)}")
            print(f"    {_became(each)}")


@after.command()
@click.argument("log_id", metavar="ID|last")
@json_option
def remove(log_id: str, as_json: bool) -> None:
    """Take a log back; ID is the beginning of its id in `drill after list`, or `last`.

    What it brought forward is due again as if it had not been. Its drafts stay where they are.
    Nothing is deleted: the history keeps both the log and its taking back.
    """
    from drill.services import after_kept
    from drill.services.after_text import removal

    with opened() as drill:
        try:
            removed = after_kept.remove(drill, after_kept.find(drill, log_id))
        except KeyError as error:
            stop(str(error.args[0]), NO)
    if as_json:
        emit(removed)
        return
    print(f"taken back: {removal(removed)}")


def _asked(drill: Drill, day: str, company: str, dry_run: bool) -> Log | None:
    """A log of questions that are typed; one that was left in the middle goes on."""
    from drill.services import after as service

    left = None if dry_run else service.unfinished(drill)
    if left is not None and left.entries:
        if not day and not company:
            say(f"Going on with the log of {left.date}: {len(left.entries)} so far.")
            for at, entry in enumerate(left.entries):
                if not entry.decided and entry.near:
                    _choose(drill, left, at)
            return _typed(drill, left, day, company)
        _end(left)
    return _typed(drill, None, day, company, dry_run)


def _read(
    drill: Drill, file: TextIO | None, day: str, company: str, *, dry_run: bool, again: bool
) -> Log | None:
    """A log of the questions of a file; None without any."""
    from drill.services import after as service
    from drill.services.after_kept import same_log
    from drill.services.after_text import AfterError, questions_of, refuse_other_files

    given = (sys.stdin if file is None else file).read()
    name = "<stdin>" if file is None else file.name
    refuse_other_files(given, "standard input" if name.startswith("<") else name)
    texts = questions_of(given.split("\n"))
    left = None if dry_run else service.unfinished(drill)
    if left is not None and left.entries:
        _end(left)
    same = same_log(drill, texts, day, company) if texts and not again else ""
    if same:
        raise AfterError(
            f"these questions are logged already ({same[:8]} in `drill after list`). For another "
            "interview that asked the same give its --date or --company, or --again; "
            f"`drill after remove {same[:8]}` takes that log back"
        )
    log = service.begin(drill, day, company, rehearsal=dry_run) if texts else None
    asks = sys.stdin.isatty() and sys.stderr.isatty()
    for text in texts:
        assert log is not None
        place = log.add(text)
        if place is not None and asks:
            say(f"{place + 1}  {_cut(text, WIDTH - 4)}")
            _choose(drill, log, place)
    return log


def _end(left: Log) -> None:
    from drill.services.after_text import summary

    say(f"First the log of {left.date}, which was left in the middle.")
    say(summary(left.finish()))


def _typed(
    drill: Drill, log: Log | None, day: str, company: str, dry_run: bool = False
) -> Log | None:
    """Questions as they are typed; each is kept at once."""
    from drill.services import after as service
    from drill.services.after_text import AfterError, question_of

    say("What did they ask? One question a line; an empty line ends.")
    while True:
        line = _line(f"{len(log.entries) + 1 if log else 1}> ")
        if not line.strip():
            return log
        try:
            text = question_of(line)
        except AfterError as error:
            say(str(error))
            continue
        if not text:
            say("   That is no question; write what they asked.")
            continue
        log = log or service.begin(drill, day, company, rehearsal=dry_run)
        at = log.add(text)
        if at is None:
            say("   That one is there already.")
        else:
            _choose(drill, log, at)


def _choose(drill: Drill, log: Log, at: int) -> None:
    """Let the learner say which item it was."""
    from drill.services.browse import titles

    near = log.entries[at].near
    if not near:
        say("   The bank has nothing like it; it is drafted.")
        log.choose(at, "")
        return
    for number, match in enumerate(near, start=1):
        title = "kept for interviews" if match.kept else titles(drill, [match.item], 60)[0]
        say(f"   {number}  {match.confidence:<9} {title}")
    likely = near[0].confidence == "likely"
    numbers = "1" if len(near) == 1 else f"1-{len(near)}"
    enter = "Enter: 1" if likely else "Enter: n"
    while True:
        given = _line(f"   which one? {numbers}, n: none of these ({enter}) ", ended="\n")
        word = given.strip().lower() or ("1" if likely else "n")
        if word in ("n", "no", "none", "0"):
            log.choose(at, "")
            return
        if word.isdecimal() and 1 <= int(word) <= len(near):
            log.choose(at, near[int(word) - 1].item)
            return
        say(f"   {numbers} or n")


def _line(prompt: str, ended: str = "") -> str:
    """One line from the terminal; `ended` at its end. Prompts go to stderr, beside `--json`."""
    print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        say("")
    return line or ended


def _told(document: dict[str, Any], dry_run: bool) -> str:
    from drill.services.after_text import summary

    lines = []
    for number, each in enumerate(document["questions"], start=1):
        lines.append(f"{number:>2}  {_cut(each['question'], WIDTH - 4)}")
        lines.append(f"    {_became(each)}")
    lines += ["", summary(document)]
    if document["counts"]["drafted"]:
        lines += [f"  {file}" for file in document["files"]] if len(document["files"]) > 1 else []
        if not dry_run:
            lines.append(
                "Fill in what says TODO there; `drill bank check` on it names what is left."
            )
    return "\n".join(lines)


def _became(each: dict[str, Any]) -> str:
    if each["outcome"] == "kept":
        return "kept for interviews" + (f": {each['item']}" if each["item"] else "")
    words = {"due": "due tomorrow: ", "waiting": "in the bank, not asked now: "}
    if each["outcome"] in words:
        return words[each["outcome"]] + str(each["item"])
    if each["outcome"] == "drafted":
        near = [m["item"] for m in each["near"] if m["item"] and m["confidence"] != "unlikely"]
        return f"drafted: {each['draft']}" + (f"; near it in the bank: {near[0]}" if near else "")
    return "not looked up yet"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
