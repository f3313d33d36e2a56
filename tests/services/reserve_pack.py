"""A pack with a reserve: the sample pack, and a question of every type that only interviews ask."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.conftest import SAMPLE

RESERVE = SAMPLE.parent / "reserve"


def make_pack(root: Path) -> Path:
    """Write the pack, called `sample`, to a folder that is not there yet."""
    shutil.copytree(SAMPLE, root)
    for file in RESERVE.glob("*.yaml"):
        folder = root / "questions" / file.stem
        folder.mkdir(exist_ok=True)
        shutil.copy(file, folder / "reserve.yaml")
    return root
