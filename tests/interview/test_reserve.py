"""The built-in reserve is large enough: every length and level twice, over all topics."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from drill.domain.interview.choosing import Settings, choose
from drill.domain.interview.rounds import LENGTHS, ROUNDS, round_of
from drill.domain.questions import BARS, TOPICS, Bar, ExplainBody
from drill.packs.bank import Bank, open_bank

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return open_bank([ROOT], tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("level", BARS)
@pytest.mark.parametrize("minutes", LENGTHS)
def test_it_holds_two_interviews_of_every_kind_without_a_repeat(
    bank: Bank, minutes: int, level: Bar
) -> None:
    used: Counter[str] = Counter()
    for seed in (1, 2):
        course = choose(bank.heads, Settings(minutes, level, seed), used)
        assert course.lacks == ()
        used.update(item for slot in course.slots for item in slot.items)
    assert max(used.values()) == 1


def test_every_topic_round_and_level_is_there(bank: Bank) -> None:
    reserve = [head for head in bank.heads.values() if head.reserve]
    assert len(reserve) >= 60
    assert {head.topic for head in reserve} == set(TOPICS)
    assert {head.level for head in reserve} == set(BARS)
    assert {round_of(head) for head in reserve} == set(ROUNDS)


def test_every_axis_is_asked_about_on_every_level(bank: Bank) -> None:
    asked: dict[str, Counter[str]] = {level: Counter() for level in BARS}
    for item, head in bank.heads.items():
        body = bank.variants(item)[0].body
        if head.reserve and isinstance(body, ExplainBody):
            asked[head.level].update(point.axis for point in body.points)
    for level, counts in asked.items():
        assert set(counts) >= {"mechanism", "code", "tradeoff", "debugging"}, (level, counts)
        assert min(counts[a] for a in ("mechanism", "code", "tradeoff", "debugging")) >= 2, level
