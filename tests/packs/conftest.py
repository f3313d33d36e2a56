"""A pack made of texts, and the valid one that holds an item of each type."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

VALID = Path(__file__).parent / "data" / "valid"
EXAMPLES = "questions/scheduler/one_of_each.yaml"

MakePack = Callable[..., Path]

CHOICE = """\
- id: sc.one
  topic: scheduler
  level: junior
  relevance: core
  type: choice
  prompt: What is trained again?
  options:
    - {id: nothing, text: Nothing at all, right: true}
    - {id: denoiser, text: The denoiser, says: No.}
    - {id: decoder, text: The decoder, says: No.}
  explanation: Only the walk differs.
  sources: [{text: Known.}]
"""

NUMBER = """\
- id: sc.two
  topic: scheduler
  level: mid
  relevance: core
  type: number
  prompt: How many calls make {steps} steps of {scheduler}?
  variants:
    scheduler: [Euler, Heun]
    steps: [10, 20]
  key: {by: scheduler, Euler: steps, Heun: 2*steps - 1}
  tolerance: 0
  faults:
    - {value: steps, when: key != steps, says: "It makes {key}."}
  explanation: "{scheduler} makes {key} calls."
  sources: [{text: Known.}]
  proof: calls
"""


@pytest.fixture
def make_pack(tmp_path: Path) -> MakePack:
    """Write question files (path below `questions/` to text) beside the valid pack's reference."""

    def make(text: str = "", *, name: str = "pack", **files: str) -> Path:
        root = tmp_path / name
        shutil.copytree(VALID, root, dirs_exist_ok=True)
        (root / EXAMPLES).unlink(missing_ok=True)
        (root / "pack.yaml").write_text(f"name: {name}\n", encoding="utf-8")
        if text:
            files["scheduler/items"] = text
        for path, content in files.items():
            file = root / "questions" / f"{path}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        return root

    return make


@pytest.fixture
def valid(tmp_path: Path) -> Path:
    """A copy of the valid pack that a test may change."""
    root = tmp_path / "valid"
    shutil.copytree(VALID, root)
    return root
