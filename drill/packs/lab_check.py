"""What `check` says of the labs of packs: their manifests, readings and starters."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from drill.lab.manifest import read_labs
from drill.lab.reading_check import lab_faults
from drill.packs.fields import PREFIXES
from drill.packs.problems import Problem

_PLACED = re.compile(r"(?P<file>.+?):(?P<line>\d+): (?P<says>.*)", re.DOTALL)


def lab_problems(roots: Sequence[Path], beliefs: Collection[str]) -> Iterator[Problem]:
    """Every problem of the packs' labs; `beliefs` are the keys of all registries."""
    for root in roots:
        labs = read_labs(root)
        for told in labs.problems:
            placed = _PLACED.fullmatch(told)
            assert placed is not None, told
            yield Problem(placed["file"], int(placed["line"]), 1, "", placed["says"])
        for lab in labs.labs:
            for file, line, says in lab_faults(lab, beliefs, PREFIXES.values()):
                yield Problem(str(file), line, 1, "", says)
