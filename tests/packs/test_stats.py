"""Counts of the bank."""

from __future__ import annotations

import json
from pathlib import Path

from drill.domain.questions import ANSWER_TYPES, LEVELS, TOPICS
from drill.packs.bank import open_bank
from drill.packs.stats import stats
from tests.packs.conftest import CHOICE, VALID, MakePack


def test_counts_of_the_valid_pack(tmp_path: Path) -> None:
    bank = open_bank([VALID], tmp_path)
    made = stats(bank)
    assert json.loads(json.dumps(made)) == made
    assert made["total"] == 15
    assert made["proven"] == made["executed"] == 6
    assert made["variants"] == 15 + 3 + 1
    assert list(made["topics"]) == list(TOPICS)
    assert made["topics"]["scheduler"] == 15
    assert list(made["types"]) == list(ANSWER_TYPES)
    assert made["types"]["line"] == 2
    assert sum(made["levels"][level] for level in LEVELS) == 15
    assert made["experiments"] == {"broken-walk": 1, "step-size": 2}
    assert made["misconceptions"] == {"registered": 3, "tested": 3, "untested": []}
    assert made["packs"] == {"sample": 15}


def test_with_standings_only_what_holds_is_proven(tmp_path: Path) -> None:
    bank = open_bank([VALID], tmp_path)
    standings = {"sample:sc.sample-number": "proven", "sample:sc.sample-shape": "stale"}
    made = stats(bank, standings)
    assert (made["proven"], made["executed"]) == (1, 6)
    assert made["standings"] == {"n/a": 13, "proven": 1, "stale": 1}


def test_source_alone_proves_only_lines(make_pack: MakePack, tmp_path: Path) -> None:
    shown = "  source: {symbol: diffusers.DDIMScheduler.step, around: x}\n  options:"
    bank = open_bank([make_pack(CHOICE.replace("  options:", shown))], tmp_path / "c")
    assert "pack:sc.one" in bank.sites
    assert stats(bank)["proven"] == 0
