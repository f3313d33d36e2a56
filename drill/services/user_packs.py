"""Packs of the learner's own: listing, trusting and removing them.

Nothing here imports or runs what a pack holds.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from drill import paths
from drill.packs.problems import Problem
from drill.packs.survey import PackFolderError, Survey, shown
from drill.packs.trust import Standing, Trust, code_of, why_not

if TYPE_CHECKING:
    from drill.packs.bank import Bank
    from drill.packs.trust import Code

BUILT_IN = "drill"
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_NAME = 40


class PackError(Exception):
    """A pack that is not added, trusted or removed; the message says why and the way out."""


class FaultyPackError(PackError):
    """Its questions or labs have errors; `problems` are all of them."""

    def __init__(self, message: str, problems: list[Problem]) -> None:
        super().__init__(message)
        self.problems = problems


class CodeFile(Struct, frozen=True):
    """A file that may be executed."""

    file: str
    bytes: int


class PackFacts(Struct, frozen=True):
    """What is in a pack."""

    name: str
    title: str
    folder: str
    linked: str
    """The folder that is linked; empty for a copy."""
    items: int
    proofs: int
    """Items that code proves or judges."""
    topics: dict[str, int]
    labs: tuple[str, ...]
    experiments: tuple[str, ...]
    files: int
    bytes: int
    code: tuple[CodeFile, ...]
    snippets: int
    """Items whose question holds code that proving them runs."""
    digest: str
    standing: Standing
    why_not: str
    """Why its code does not run, and the way out; empty where it runs or there is none."""
    problems: tuple[str, ...] = ()
    """Why the folder is refused, or what of it cannot be loaded."""


def checked_name(name: str) -> str:
    """The name; raises PackError for one that cannot be a pack's."""
    if len(name) > MAX_NAME or not NAME.fullmatch(name):
        raise PackError(
            f"`{shown(name)}` is no name for a pack: lower case, digits and hyphens, at most "
            f"{MAX_NAME} signs, such as `team-questions`"
        )
    if name == BUILT_IN:
        raise PackError(f"`{BUILT_IN}` is the built-in pack; choose another name")
    return name


def all_packs() -> list[PackFacts]:
    """Every pack, the built-in one first; folders that cannot be opened are told too."""
    from drill.packs.bank import open_bank

    roots = paths.packs()
    bank = open_bank(roots, paths.cache_dir())
    found = [facts(bank, pack) for pack in bank.roots]
    return [*found, *_unopened(roots)]


def facts(bank: Bank, pack: str) -> PackFacts:
    """What a pack of a bank holds, and whether its code may run."""
    from drill.lab.manifest import read_labs

    root = bank.roots[pack]
    standing = Trust(paths.trust_file()).standing(bank, pack)
    problems = [str(p) for p in bank.problems if Path(p.file).is_relative_to(root)]
    code: Code | None = None
    if standing != "built-in":
        try:
            code = code_of(bank, pack)
        except PackFolderError as error:
            problems.append(str(error))
            standing = "refused"
    labs = read_labs(root)
    topics: dict[str, int] = {}
    own = [item for item in bank.heads if item.partition(":")[0] == pack]
    for item in own:
        topic = bank.heads[item].topic
        topics[topic] = topics.get(topic, 0) + 1
    files = code.survey if code is not None else Survey(root, ())
    return PackFacts(
        name=pack,
        title=bank.titles[pack],
        folder=str(root),
        linked=str(root.resolve()) if root.is_symlink() else "",
        items=len(own),
        proofs=sum(item in bank.sites for item in own),
        topics=topics,
        labs=tuple(lab.id for lab in labs.labs),
        experiments=tuple(each.name for each in labs.experiments()),
        files=len(files.files),
        bytes=files.bytes,
        code=tuple(CodeFile(file.name, file.bytes) for file in files.code),
        snippets=code.snippets if code is not None else 0,
        digest=code.digest if code is not None else "",
        standing=standing,
        why_not=why_not(standing, pack),
        problems=tuple(problems + list(labs.problems)),
    )


def _unopened(opened: list[Path]) -> list[PackFacts]:
    """Folders among the learner's packs that hold no pack, such as links that lead nowhere."""
    folder = paths.user_packs_dir()
    found: list[PackFacts] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path in opened or path.name.startswith("."):
            continue
        linked = str(path.readlink()) if path.is_symlink() else ""
        if linked and not path.exists():
            says = f"{path}: it links to {linked}, which is gone; `drill pack remove` takes it away"
        elif path.is_dir():
            says = f"{path}: it has no questions/, so that it is not opened"
        else:
            continue
        found.append(
            PackFacts(
                name=path.name, title="", folder=str(path), linked=linked, items=0, proofs=0,
                topics={}, labs=(), experiments=(), files=0, bytes=0, code=(), snippets=0,
                digest="", standing="refused", why_not="", problems=(says,),
            )
        )  # fmt: skip
    return found


def one(name: str) -> PackFacts:
    """The facts of one of the learner's packs.

    Raises:
        PackError: none of that name; the nearest are named.
    """
    found = {pack.name: pack for pack in all_packs()}
    if name in found:
        return found[name]
    from drill.packs.problems import nearest

    near = nearest(name, list(found))
    hint = f"did you mean {near}?" if near else "`drill pack list` names them"
    raise PackError(f"there is no pack `{shown(name)}`; {hint}")


def trust(pack: PackFacts) -> PackFacts:
    """Let the code of a pack run, as it stands in these facts.

    Raises:
        PackError: it is the built-in pack, has no code, or its folder is refused.
    """
    if pack.standing == "built-in":
        raise PackError("the built-in pack needs no trust")
    if pack.standing == "refused":
        raise PackError("\n".join(pack.problems) or f"`{pack.name}` is refused")
    if not pack.digest:
        raise PackError(f"`{pack.name}` has no code: there is nothing to trust")
    try:
        Trust(paths.trust_file()).keep(pack.name, pack.digest)
    except OSError as error:
        raise PackError(f"{paths.trust_file()}: it cannot be written: {error}") from error
    return one(pack.name)


def revoke(name: str) -> bool:
    """Trust a pack no more; whether it was trusted. PackError where there is none of that name."""
    one(name)
    try:
        return Trust(paths.trust_file()).revoke(name)
    except OSError as error:
        raise PackError(f"{paths.trust_file()}: it cannot be written: {error}") from error


def remove(name: str, now: datetime | None = None) -> str:
    """Take a pack away; what was learned of its items stays in the log.

    A link is taken away and the files stay where they are; a copy is moved aside, since it may hold
    questions that were written there. Gives where the files are now, empty where a link led to
    nothing. Raises PackError.
    """
    from drill.store.store import local_now

    now = now or local_now()
    pack = one(name)
    if pack.standing == "built-in":
        raise PackError("the built-in pack stays")
    folder = Path(pack.folder)
    if folder.parent != paths.user_packs_dir():
        raise PackError(f"{folder} is not among the learner's packs")
    try:
        Trust(paths.trust_file()).revoke(name)
        if folder.is_symlink():
            there = folder.exists()
            folder.unlink()
            return pack.linked if there else ""
        aside = paths.home() / "removed-packs" / f"{folder.name}-{now:%Y-%m-%dT%H%M%S}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        folder.replace(aside)
    except OSError as error:
        raise PackError(f"{folder}: it cannot be taken away: {error}") from error
    return str(aside)
