"""`drill pack`: questions and labs of the learner's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill.cli.output import NO, emit, json_option, say, stop
from drill.domain.counted import counted

if TYPE_CHECKING:
    from drill.services.user_packs import PackFacts

_STANDING = {
    "built-in": "built in",
    "no code": "no code, nothing to trust",
    "trusted": "trusted",
    "changed": "CHANGED since it was trusted: its code does not run",
    "not trusted": "not trusted: its code does not run",
    "refused": "refused",
}


@click.group()
def pack() -> None:
    """Questions and labs of your own: add, list, trust and remove packs.

    The code of a pack (proofs, labs) runs only after `drill pack trust NAME`.
    """


@pack.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", default="", help="What it is called here; by default as in its pack.yaml.")
@click.option("--link", is_flag=True, help="Keep the files there, for a pack that you write.")
@json_option
def add(path: Path, name: str, link: bool, as_json: bool) -> None:
    """Check the pack in the folder PATH and copy it to your packs.

    Exits 1 where its questions or labs have errors: nothing is added then.
    """
    from drill.services.pack_adding import add as take
    from drill.services.user_packs import FaultyPackError, PackError

    try:
        made = take(path, name, link=link)
    except FaultyPackError as error:
        for problem in error.problems:
            say(str(problem))
        stop(str(error), NO)
    except PackError as error:
        stop(str(error))
    if as_json:
        emit(made)
        return
    print(f"{'linked' if link else 'added'}: {made.name}")
    print("\n".join(_lines(made)))
    if made.why_not:
        print("\nIts code does not run before you trust it. Read it, then:")
        print(f"  drill pack trust {made.name}")


@pack.command("list")
@json_option
def list_packs(as_json: bool) -> None:
    """Every pack: items, labs, and whether its code may run. Exits 1 where one is refused."""
    from drill.services.user_packs import all_packs

    found = all_packs()
    if as_json:
        emit({"packs": found})
    else:
        for n, each in enumerate(found):
            print(f"{'' if n == 0 else chr(10)}{each.name}")
            print("\n".join(_lines(each)))
    sys.exit(NO if any(each.standing == "refused" for each in found) else 0)


@pack.command()
@click.argument("name")
@click.option("--revoke", is_flag=True, help="Trust it no more.")
@click.option("--show", is_flag=True, help="Show its code files and their digest only.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def trust(name: str, revoke: bool, show: bool, yes: bool, as_json: bool) -> None:
    """Let the code of a pack run: its proofs, tests, labs and experiments.

    Shows every file that may be executed. On a terminal it asks. Once one of them changes the pack
    needs trust again. Exits 1 where it was answered with no.
    """
    from drill.services import user_packs

    try:
        found = user_packs.one(name)
        if revoke:
            was = user_packs.revoke(name)
            if as_json:
                emit({"name": name, "revoked": was})
            else:
                print(f"{name}: {'trusted no more' if was else 'was not trusted'}")
            return
        if not as_json:
            for line in _code(found):
                print(line)
        if show:
            if as_json:
                emit(found)
            return
        asks = not yes and not as_json and sys.stdin.isatty() and found.standing != "trusted"
        if (
            asks
            and found.digest
            and not click.confirm("It can do all that you can. Trust it?", err=True)
        ):
            stop("nothing was changed", NO)
        found = user_packs.trust(found)
    except user_packs.PackError as error:
        stop(str(error))
    if as_json:
        emit(found)
    else:
        print(f"{name}: trusted until its code changes")


@pack.command()
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Take a pack away. Its files are moved aside, your history of its items is kept."""
    from drill.services.user_packs import PackError
    from drill.services.user_packs import remove as take_away

    try:
        where = take_away(name)
    except PackError as error:
        stop(str(error))
    if as_json:
        emit({"name": name, "files": where})
    elif where:
        print(f"{name}: removed; its files are in {where}")
    else:
        print(f"{name}: removed; it was a link to a folder that is gone")


def _lines(each: PackFacts) -> list[str]:
    labs = counted(len(each.labs), "lab")
    items = counted(each.items, "item")
    lines = [f"  {each.title}"] if each.title and each.title != each.name else []
    topics = counted(len(each.topics), "topic")
    lines.append(f"  {items} in {topics}, {each.proofs} with code; {labs}")
    lines.append(f"  {_STANDING[each.standing]}")
    lines.append(f"  {f'linked to {each.linked}' if each.linked else each.folder}")
    return [*lines, *(f"  ! {problem}" for problem in each.problems)]


def _code(each: PackFacts) -> list[str]:
    if not each.digest:
        return []
    lines = [f"code of {each.name}, in {each.linked or each.folder}"]
    lines += [f"  {file.bytes:>9,} bytes  {file.file}" for file in each.code]
    if each.snippets:
        lines.append(
            f"  {counted(each.snippets, 'item')} with code in the question that is run to prove it"
        )
    return [*lines, f"  SHA-256 {each.digest}"]
