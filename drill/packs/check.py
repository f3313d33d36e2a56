"""All that can be said about packs without running them: `check`, and a small command of its own.

`python -m drill.packs.check [PATH ...]` checks a pack, a folder or a file of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from drill.packs.compile import Entry, load_packs
from drill.packs.files import QUESTIONS, gather
from drill.packs.lab_check import lab_problems
from drill.packs.links import experiments, link_problems
from drill.packs.lint import lint
from drill.packs.problems import Problem
from drill.packs.selfgrade import self_grade


def check(packs: Sequence[Path], only: Path | None = None) -> list[Problem]:
    """Every problem of the packs, by file and line: what cannot be loaded, and the lint.

    `only`: the one of `packs` whose problems are wanted; it may lean on the others.
    """
    everything = load_packs([gather(root) for root in packs])
    beliefs = {name: b for loaded in everything for name, b in loaded.pack.misconceptions.items()}
    ids = [f"{loaded.pack.name}:{name}" for loaded in everything for name in loaded.ids]
    labs = experiments(packs)
    found: list[Problem] = list(lab_problems(packs if only is None else [only], beliefs))
    for loaded in everything:
        if only is not None and loaded.root != only:
            continue
        own = [
            *loaded.pack.problems,
            *link_problems(loaded, beliefs, ids, labs),
            *(problem for entry in loaded.entries for problem in _entry(entry)),
        ]
        found += (replace(p, file=str(loaded.root / p.file)) for p in own)
    return sorted(set(found), key=lambda p: (p.file, p.line, p.column, p.field, p.message))


def _entry(entry: Entry) -> Iterator[Problem]:
    yield from lint(entry)
    yield from self_grade(entry)
    yield from _excerpt(entry)


def _excerpt(entry: Entry) -> Iterator[Problem]:
    """Whether installed source holds what a `source:` item shows; silent where it is missing."""
    if entry.compiled.excerpt is None:
        return
    from drill.packs.excerpt import ExcerptError, cut, place

    for question in entry.compiled.questions:
        try:
            code = cut(entry.compiled.excerpt)
        except ExcerptError as error:
            if error.kind != "missing-package":
                yield entry.report.problem(("source",), str(error))
            return
        try:
            place(question.body, code)
        except ExcerptError as error:
            yield entry.report.problem(("key",), str(error))
            return


def pack_of(path: Path) -> Path:
    """The pack that a file or folder belongs to: the nearest folder above with `questions/`."""
    for folder in (path, *path.parents):
        if (folder / QUESTIONS).is_dir():
            return folder
    return path


def main(arguments: Sequence[str]) -> int:
    """Check what is named, or the built-in pack; 0 when there is no error."""
    from drill import paths

    wanted = [Path(a).resolve() for a in arguments] or [paths.builtin_pack()]
    for path in wanted:
        if not path.exists():
            print(f"{path}: there is no such file or folder", file=sys.stderr)  # noqa: T201
            return 2
    packs = list(dict.fromkeys(pack_of(path) for path in wanted))
    problems = [p for p in check(packs) if _inside(Path(p.file), wanted)]
    for problem in problems:
        near = os.path.relpath(problem.file)
        shown = problem.file if near.startswith("..") else near
        print(replace(problem, file=shown))  # noqa: T201
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    print(f"{errors} errors, {warnings} warnings", file=sys.stderr)  # noqa: T201
    return 1 if errors else 0


def _inside(file: Path, wanted: Sequence[Path]) -> bool:
    full = file.resolve()
    return any(path == full or path in full.parents for path in wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
