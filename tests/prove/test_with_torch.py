"""Proofs and excerpts against the installed torch and diffusers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from drill.packs import ledger
from drill.packs.bank import open_bank
from drill.packs.verify import ProofOutcome, verify

pytestmark = pytest.mark.labs
DATA = Path(__file__).parent / "data" / "torch_pack"
IDS = ("cfg.calls", "cfg.combination", "cfg.shape")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(DATA, tmp_path / "pack", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "pack"


def prove(root: Path) -> list[ProofOutcome]:
    bank = open_bank([root], root.parent / "cache")
    return verify(bank, IDS, jobs=1, trusted=[root])


def test_items_hold_and_are_recorded_with_their_versions(root: Path) -> None:
    calls, combination, shape = prove(root)
    assert [o.error for o in (calls, combination, shape)] == ["", "", ""]
    assert calls.values == ("10", "25", "10", "25", "19", "49")
    assert set(calls.versions) == {"torch", "diffusers", "transformers", "numpy"}
    assert set(shape.versions) == {"torch", "numpy"}
    assert combination.kind == "source" and "diffusers" in combination.recomputed

    bank, cache = open_bank([root], root.parent / "cache"), root.parent / "cache"
    ledger.record(bank, [calls, combination, shape], cache)
    assert set(ledger.standings(bank, cache).values()) == {"proven"}
    file = root / ledger.COMMITTED
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(calls.versions["diffusers"], "0.1.0"), encoding="utf-8")
    assert ledger.standings(bank, cache) == {
        "pack:cfg.calls": "stale",
        "pack:cfg.combination": "stale",
        "pack:cfg.shape": "proven",
    }


def test_keys_that_no_longer_hold_are_named(root: Path) -> None:
    file = root / "questions" / "cfg" / "core.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace('"2*steps - 1"', '"2*steps"')
    text = text.replace("[4, 4, 64, 64]", "[2, 8, 64, 64]")
    text = text.replace('{pattern: "noise_pred.chunk(2)", says', '{pattern: "noise_pred", says')
    file.write_text(text, encoding="utf-8")
    calls, combination, shape = prove(root)
    assert "the key is 20 but the proof gives 19" in calls.error
    assert "HeunDiscreteScheduler" in str(calls)
    assert "fault pattern `noise_pred` stands in lines" in combination.error
    assert "the key is [2, 8, 64, 64] but the proof gives [4, 4, 64, 64]" in shape.error


def test_an_anchor_that_went_away_is_named(root: Path) -> None:
    file = root / "questions" / "cfg" / "core.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace('around: "noise_pred.chunk(2)"', 'around: "noise_pred.chunk(3)"')
    file.write_text(text, encoding="utf-8")
    _, combination, _ = prove(root)
    assert not combination.ok
    assert "`noise_pred.chunk(3)` stands in no line" in combination.error
