"""Adding a pack of the learner's own: checked, then copied or linked. Nothing of it runs."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from drill import paths
from drill.domain.counted import counted
from drill.packs.problems import Problem
from drill.packs.survey import PackFolderError, Survey, shown, survey
from drill.packs.trust import Trust
from drill.services.user_packs import FaultyPackError, PackError, PackFacts, checked_name, one


def add(source: Path, name: str = "", *, link: bool = False) -> PackFacts:
    """Check a pack and copy it into the learner's packs, or link it there.

    Nothing of it runs before `trust`, also where a pack of the same code was trusted before.

    Args:
        source: the folder; it needs questions/.
        name: what it is called here; by default what its `pack.yaml` says.
        link: keep the files where they are, for those who write them.

    Raises:
        PackError: nothing was added. FaultyPackError where `bank check` finds errors.
    """
    source = source.expanduser()
    if not source.is_dir():
        raise PackError(f"{shown(str(source))}: there is no such folder")
    source = source.resolve()
    folder = paths.user_packs_dir()
    if source == paths.builtin_pack().resolve() or folder.resolve() in (source, *source.parents):
        raise PackError(f"{source} is among drill's packs already; `drill pack list`")
    try:
        found = survey(source)
    except PackFolderError as error:
        raise PackError(str(error)) from error
    if not any(file.name.startswith("questions/") for file in found.files):
        raise PackError(
            f"{shown(str(source))} is no pack: it has no questions/; docs/authoring.md says how "
            "one is written"
        )
    named = _named(source, name, link)
    target = folder / named
    if target.exists() or target.is_symlink():
        raise PackError(
            f"there is a pack `{named}` already ({target}); choose another with --name, or take "
            f"that one away first: drill pack remove {named} (what you learned of it is kept)"
        )
    part = folder / f".adding-{named}-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if link:
            part.symlink_to(source, target_is_directory=True)
        else:
            _copy(found, part)
            if name:
                _rename(part, name)
        _refuse_faults(part, source, named)
        Trust(paths.trust_file()).revoke(named)
        part.replace(target)
    except OSError as error:
        raise PackError(f"{target}: it cannot be written: {error}") from error
    finally:
        if part.is_symlink():
            part.unlink()
        else:
            shutil.rmtree(part, ignore_errors=True)
    return one(named)


def _named(source: Path, name: str, link: bool) -> str:
    from drill.packs.files import MANIFEST
    from drill.packs.registry import read_manifest

    file = source / MANIFEST
    if not file.is_file():
        if link or not name:
            raise PackError(
                f"{shown(str(source))} has no {MANIFEST}; write one with two lines, such as\n"
                "  name: team-questions\n  title: Questions of our team\n"
                + ("" if link else "or name it: --name team-questions")
            )
        return checked_name(name)
    own, _, problems = read_manifest(file.read_bytes(), str(file), "")
    if problems:
        raise FaultyPackError(f"{file} cannot be read", problems)
    if name and link and name != own:
        raise PackError(f"a linked pack keeps its own name: change `name:` in {file}")
    return checked_name(name or own)


def _copy(found: Survey, target: Path) -> None:
    """Copy the files that were surveyed, none through a link that was put there meanwhile."""
    for file in found.files:
        where = target / file.name
        where.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found.root / file.name, where, follow_symlinks=False)
    survey(target)


def _rename(pack: Path, name: str) -> None:
    from drill.packs.files import MANIFEST

    file = pack / MANIFEST
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    text, count = re.subn(r"(?m)^name:.*$", f"name: {name}", text, count=1)
    file.write_text(text if count else f"name: {name}\n{text}", encoding="utf-8")


def _refuse_faults(pack: Path, source: Path, name: str) -> None:
    """Refuse what `bank check` calls an error, and what would stand in the way of other packs."""
    from drill.lab.manifest import read_labs
    from drill.packs.check import check

    others = paths.packs()
    told = [
        _moved(problem, pack, source)
        for problem in check([*others, pack], only=pack)
        if problem.severity == "error"
    ]
    if told:
        count = counted(len(told), "error")
        raise FaultyPackError(f"{shown(str(source))} has {count}; nothing was added", told)
    labs = read_labs(pack)
    for root in others:
        there = read_labs(root)
        for what, own, theirs in (
            ("lab", [lab.id for lab in labs.labs], [lab.id for lab in there.labs]),
            (
                "experiment",
                [e.name for e in labs.experiments()],
                [e.name for e in there.experiments()],
            ),
        ):
            both = sorted(set(own).intersection(theirs))
            if both:
                raise PackError(
                    f"the {what} `{both[0]}` is in the pack at {root} already; rename it in "
                    f"{shown(str(source))} (such as `{name}-{both[0]}`)"
                )


def _moved(problem: Problem, pack: Path, source: Path) -> Problem:
    from msgspec.structs import replace

    return replace(problem, file=str(source / Path(problem.file).relative_to(pack)))
