"""A pack whose every Python file leaves a mark when it is run, to see that it is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.conftest import SAMPLE

MARK = """\
import os as _os, pathlib as _pathlib
with _pathlib.Path(_os.environ["DRILL_MARK"]).open("a") as _opened:
    _opened.write(__file__ + chr(10))
"""
TRAPS = (
    "__init__.py",
    "conftest.py",
    "setup.py",
    "sitecustomize.py",
    "msgspec.py",
    "torch.py",
    "questions/__init__.py",
    "questions/scheduler/__init__.py",
    "questions/scheduler/yaml.py",
    "labs/__init__.py",
    "labs/step_size/__init__.py",
    "labs/step_size/torch.py",
    "labs/broken_walk/starter.py",
    "reference/hook.py",
)
"""Files that something might import by accident."""
NAME = "marked"
CODE_ITEM = f"{NAME}:sc.sample-code"
ANSWER = "def x0_from_eps(x_t, eps, ab):\n    return x_t\n"


def make_marked(root: Path) -> Path:
    """The pack, at `root`: the sample's items and labs, under another name."""
    shutil.copytree(SAMPLE, root)
    for name in TRAPS:
        (root / name).write_text("", encoding="utf-8")
    for file in sorted(root.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        future = "from __future__ import annotations\n"
        before, found, after = text.partition(future)
        text = f"{before}{found}{MARK}{after}" if found else MARK + text
        file.write_text(text, encoding="utf-8")
    (root / "pack.yaml").write_text(f"name: {NAME}\ntitle: Leaves marks\n", encoding="utf-8")
    reading = "# Steps\n\n## One\n<!-- at: starter#walk -->\nText.\n"
    (root / "labs" / "step_size" / "reading.md").write_text(reading, encoding="utf-8")
    starter = root / "labs" / "step_size" / "starter.py"
    starter.write_text(f"{MARK}# @walk\nprint('walked')\n", encoding="utf-8")
    (root / "reference" / "proofs.json").write_text(json.dumps({}), encoding="utf-8")
    return root
