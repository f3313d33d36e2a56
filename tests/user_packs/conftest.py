"""A home of the learner's with a pack that leaves marks when its code runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from drill import paths
from drill.services import user_packs
from drill.services.pack_adding import add
from tests.user_packs.marked import make_marked
from tests.worker.packs import make_stubs

ITEM = """\
- id: cfg.small
  topic: cfg
  level: mid
  relevance: core
  type: short
  prompt: What pushes the prediction away from the unconditional one?
  accept: [guidance]
  explanation: The guidance scale multiplies the difference of the two.
  sources: [{text: Known.}]
"""


@pytest.fixture(autouse=True)
def _small_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A built-in pack of one lab: compiling all of it for each test takes seconds."""
    root = tmp_path / "built-in"
    (root / "questions" / "cfg").mkdir(parents=True)
    (root / "questions" / "cfg" / "one.yaml").write_text(ITEM, encoding="utf-8")
    lab = paths.builtin_pack() / "labs" / "forward_noise"
    shutil.copytree(lab, root / "labs" / lab.name, ignore=shutil.ignore_patterns("*.md"))
    monkeypatch.setattr(paths, "builtin_pack", lambda: root)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The pack where its author keeps it."""
    return make_marked(tmp_path / "from" / "marked")


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Names of the files that have run, since this was last asked; torch is a stand-in."""
    file = tmp_path / "marks"
    monkeypatch.setenv("DRILL_MARK", str(file))
    monkeypatch.setenv("PYTHONPATH", str(make_stubs(tmp_path / "stubs")))

    def told() -> list[str]:
        found = file.read_text(encoding="utf-8").split() if file.exists() else []
        file.unlink(missing_ok=True)
        return sorted({Path(name).name for name in found})

    return told


@pytest.fixture
def added(source: Path) -> Path:
    """The pack, added and not trusted."""
    add(source)
    return Path(os.environ["DRILL_HOME"]) / "packs" / "marked"


@pytest.fixture
def trusted(added: Path) -> Path:
    user_packs.trust(user_packs.one("marked"))
    return added
