"""Written candidates land in the bands that a reader gave them before the scorer ran on them.

`dev` was there to be tuned on. `held_out` was run first with 10 of 14 right; its stuffed candidate
led to stricter guards. `held_out_2` was written after that, by another hand, and run once: 12 of 14
right, and one whose own ticks straddle two bands. Both ends of the count are asserted, so that a
change for the worse is seen, and one for the better is written down.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drill.domain.interview.scorecard import BANDS, BarScore, scorecard
from drill.packs.bank import Bank, open_bank
from tests.interview.players import played, transcripts

ROOT = Path(__file__).resolve().parents[2]
RIGHT = {"dev": (6, 6), "held_out": (11, 14), "held_out_2": (12, 14)}
"""Transcripts whose named band is the one deserved, of all."""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return open_bank([ROOT], tmp_path_factory.mktemp("cache"))


def scored(transcript: dict[str, Any], bank: Bank) -> BarScore:
    return scorecard(played(transcript, bank), transcript["level"]).own


@pytest.mark.parametrize("name", RIGHT)
def test_bands_are_those_that_were_deserved(name: str, bank: Bank) -> None:
    every = transcripts(name)
    bands = {t["id"]: (t["band"], scored(t, bank)) for t in every}
    right = [i for i, (deserved, got) in bands.items() if got.band == deserved]
    wrong = {i: (d, got.low, got.high) for i, (d, got) in bands.items() if i not in right}
    assert (len(right), len(every)) == RIGHT[name], wrong


@pytest.mark.parametrize("name", RIGHT)
def test_no_band_is_off_by_more_than_one(name: str, bank: Bank) -> None:
    for transcript in transcripts(name):
        got, deserved = scored(transcript, bank), BANDS.index(transcript["band"])
        assert got.low is not None and got.high is not None
        ends = [BANDS.index(got.low), BANDS.index(got.high)]
        off = min(abs(end - deserved) for end in ends)
        assert off <= 1, (transcript["id"], got.low, got.high)


@pytest.mark.parametrize("name", RIGHT)
def test_words_without_statements_do_not_pass(name: str, bank: Bank) -> None:
    for transcript in transcripts(name):
        if transcript["band"] == "strong no hire":
            assert scored(transcript, bank).low == "strong no hire", transcript["id"]


def test_the_sets_hold_every_level_and_band() -> None:
    for name in ("held_out", "held_out_2"):
        every = transcripts(name)
        assert len(every) >= 12
        assert {t["level"] for t in every} == {"mid", "senior", "staff"}
        assert {t["band"] for t in every} == set(BANDS)
