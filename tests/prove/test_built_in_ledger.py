"""The proofs that ship with drill are of the items as they ship."""

from __future__ import annotations

from pathlib import Path

from drill.config import Config
from drill.services.app import Drill
from tests.conftest import Clock


def test_no_item_is_held_back_on_a_fresh_machine(tmp_path: Path, clock: Clock) -> None:
    """An item edited after it was proven is asked of nobody: `make verify` proves it again."""
    with Drill(home=tmp_path, clock=clock, config=Config()) as drill:
        standings = drill.standings
        held = {i for i, standing in standings.items() if standing in ("stale", "unproven")}
        assert len(standings) > 300 and held == set()
