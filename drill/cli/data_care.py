"""`drill doctor`, `drill backup` and `drill restore`; they work where the data cannot be opened."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from drill.cli.output import NO, emit, json_option, say, stop
from drill.cli.show import wrapped
from drill.domain.counted import counted

if TYPE_CHECKING:
    from drill.services.care import BackupFacts, Difference, Preview, Salvaged


@click.command()
@click.option("--mend", is_flag=True, help="Put right what can be, after a copy of the data.")
@click.option(
    "--salvage", is_flag=True, help="Of damaged data: save what can be read, and the newest backup."
)
@json_option
def doctor(mend: bool, salvage: bool, as_json: bool) -> None:
    """Check the data: integrity, replay against state, orphans, clock, backups, packs, settings.

    Says of each finding what it means and the way out. --mend derives states again from the log,
    and makes indexes, protection and what is torn whole; --salvage makes a new file of a damaged
    one and keeps the damaged one. Exits 1 where there are errors, 2 where neither is possible.
    """
    from drill.services import examining
    from drill.services.care import StoreError, local_now

    _enter_home()
    if mend and salvage:
        stop("--mend is for data that can be read, --salvage for those that cannot; give one")
    done: list[str] = []
    try:
        if mend:
            mended = examining.mend(local_now())
            done = [*mended.changes, f"the data as they were: {mended.backup}"]
            if not mended.changes:
                done.insert(0, f"nothing had to be mended; {mended.states} states are as the log")
        if salvage:
            saved = examining.salvage(local_now())
            done = _salvaged(saved)
    except StoreError as error:
        stop(str(error))
    findings = examining.examine()
    errors = any(finding.level == "error" for finding in findings)
    if as_json:
        emit({"ok": not errors, "findings": findings, "mended": done})
    else:
        for line in done:
            print(line)
        for finding in findings:
            print(wrapped(f"{finding.level}: {finding.message}"))
            if finding.remedy:
                print(wrapped(finding.remedy, "  "))
        if not findings:
            print("the new data are in order" if salvage else "everything is in order")
    sys.exit(NO if errors else 0)


@click.command()
@click.option("--list", "listing", is_flag=True, help="List the backups there are.")
@json_option
def backup(listing: bool, as_json: bool) -> None:
    """Make a verified copy of the data now, or list the copies.

    One is made each day that you practise; the newest seven days and one of each of four weeks are
    kept. Of the copies made before an import, a restore or a mend the newest five of each kind are
    kept; those that you make stay until you remove them.

    The data are the history: your packs and cards, drafts of `drill after`, pictures of runs and
    config.toml are not in a backup. Copy the folder `home` of `drill paths` to have them too.
    """
    from drill.services.care import BackupError, back_up, listed, local_now

    _enter_home()
    if listing:
        found = listed(local_now())
        if as_json:
            emit({"backups": found})
            return
        for each in found:
            print(_line(each))
        if not found:
            say("no backups yet; `drill backup` makes one")
        return
    try:
        made = back_up(local_now())
    except BackupError as error:
        stop(str(error))
    if as_json:
        emit(made)
    else:
        print(made.path)


@click.command()
@click.argument("which", required=False, default="")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be lost, and change nothing.")
@json_option
def restore(which: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Bring a backup back; without WHICH the newest good one.

    WHICH is a name as `drill backup --list` shows it, the beginning of one such as a day, or a
    path. Says what would be lost and asks; without a terminal it needs --yes. What is there now is
    kept as a backup: restoring that undoes it. Exits 1 where it was answered with no.
    """
    from drill.services import care
    from drill.services.care import BackupError, local_now

    _enter_home()
    now = local_now()
    try:
        chosen = care.find(which, now)
        seen = care.preview(chosen)
        if not as_json:
            print("\n".join(_preview(seen)))
        if dry_run:
            if as_json:
                emit({"restored": False, "preview": seen})
            return
        if not yes:
            if as_json or not sys.stdin.isatty():
                stop("nothing was changed; --yes restores it")
            if not click.confirm("Restore it?", err=True):
                stop("nothing was changed", NO)
        made = care.restore(chosen, now)
    except BackupError as error:
        stop(str(error))
    undo = ""
    if made.kept is not None and made.present == "good":
        undo = f"drill restore {made.kept.stem.removeprefix('drill-')}"
    if as_json:
        emit({"restored": True, "preview": seen, "kept": made.kept, "undo": undo})
        return
    print(f"restored: {counted(made.contents.answers, 'answer')}")
    if undo:
        print(f"what was there is kept; this brings it back:\n  {undo}")
    elif made.kept is not None:
        was = "is damaged and" if made.present == "damaged" else "held no data and"
        print(f"what was there {was} kept as {made.kept}")


def _enter_home() -> None:
    """End the command where the folder of all data is another user's."""
    from drill import paths

    home = paths.home()
    if os.access(home, os.F_OK) and not os.access(home, os.R_OK | os.X_OK):
        stop(
            f"{home} cannot be read by this user; change its owner or rights, or set DRILL_HOME to "
            "a folder of yours"
        )


def _salvaged(saved: Salvaged) -> list[str]:
    missing = "unknown" if saved.gaps is None else counted(saved.gaps, "event")
    newest = f"{saved.newest[:19].replace('T', ' ')} UTC"
    return [
        f"read from the damaged file: {counted(saved.events, 'event')}, "
        f"{counted(saved.sessions, 'session')} and {counted(saved.runs, 'run')}",
        f"{saved.from_backup} more came from {saved.backup or 'no backup: there is none'}",
        f"missing between: {missing}; unreadable: {saved.refused}",
        f"the newest event saved is of {newest}: what came after it is lost, as far as there was "
        "any",
        f"the damaged file is kept: {saved.aside}",
    ]


def _line(each: BackupFacts) -> str:
    age = "today" if each.age_days == 0 else f"{counted(each.age_days, 'day')} old"
    size = f"{each.bytes / 1e6:.1f} MB"
    if not each.good:
        return f"{each.name:<34} {age:>12} {size:>9}  NO GOOD: {each.problem}"
    return f"{each.name:<34} {age:>12} {size:>9} {each.answers:>7} answers"


def _preview(seen: Preview) -> list[str]:
    each = seen.backup
    newest = f", the newest of {each.latest[:16].replace('T', ' ')} UTC" if each.latest else ""
    lines = [
        f"backup {each.name}: {counted(each.answers, 'answer')}{newest}, "
        f"{counted(each.interviews, 'interview')}, {counted(each.runs, 'run')}"
    ]
    if seen.present == "none":
        return [*lines, "There are no data now: nothing would be lost."]
    if seen.lost is None:
        return [*lines, "The data are damaged: what they hold since the backup cannot be told."]
    lines.append(
        f"Lost would be {_counts(seen.lost)}." if seen.lost.anything else "Nothing would be lost."
    )
    if seen.back is not None and seen.back.anything:
        lines.append(f"Back would come {_counts(seen.back)}.")
    return [wrapped(line) for line in lines]


def _counts(there: Difference) -> str:
    names = [
        (there.answers, "answer"),
        (there.interviews, "interview"),
        (there.runs, "run"),
        (there.events, "mark"),
    ]
    told = [counted(count, name) for count, name in names if count]
    if there.answers:
        first, last = there.first[:16].replace("T", " "), there.last[:16].replace("T", " ")
        days = counted(there.days, "day")
        told[0] += f" of {days} ({first} to {last} UTC)"
    return ", ".join(told)
