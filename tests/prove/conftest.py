"""A small pack whose proofs are plain Python, copied so that a test may break it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drill.packs.bank import Bank, open_bank
from drill.packs.verify import ProofOutcome, verify

DATA = Path(__file__).parent / "data" / "pack"


@dataclass
class Pack:
    """A copy of the pack in `data`, in a folder of its own."""

    root: Path
    cache: Path

    @property
    def yaml(self) -> Path:
        return self.root / "questions" / "scheduler" / "core.yaml"

    @property
    def proofs(self) -> Path:
        return self.root / "questions" / "scheduler" / "proofs.py"

    def edit(self, old: str, new: str, file: Path | None = None) -> None:
        """Replace text that stands exactly once."""
        target = file or self.yaml
        text = target.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {target.name}"
        target.write_text(text.replace(old, new), encoding="utf-8")

    def bank(self) -> Bank:
        return open_bank([self.root], self.cache)

    def prove(self, *ids: str, **options: Any) -> dict[str, ProofOutcome]:
        """Outcomes by unqualified id."""
        options.setdefault("jobs", 1)
        outcomes = verify(self.bank(), ids or None, trusted=[self.root], **options)
        return {outcome.id.partition(":")[2]: outcome for outcome in outcomes}


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pack:
    monkeypatch.setenv("DRILL_HOME", str(tmp_path / "home"))
    root = tmp_path / "pack"
    shutil.copytree(DATA, root, ignore=shutil.ignore_patterns("__pycache__"))
    return Pack(root, tmp_path / "cache")
