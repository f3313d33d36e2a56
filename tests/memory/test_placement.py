"""The placement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from drill.domain.memory.placement import (
    MOST_ITEMS,
    Placed,
    cleared_levels,
    known_items,
    next_placement,
)
from drill.domain.questions import LEVELS, TOPICS, Head, Level
from tests.memory.bank import bank, head

ALL = tuple(TOPICS)


def run(
    heads: dict[str, Head],
    answer: Callable[[Head], tuple[float, int]],
    stated: Level = "mid",
    minutes: float = 10.0,
    seconds: float = 20.0,
) -> list[Placed]:
    placed: list[Placed] = []
    while (item := next_placement(heads, placed, stated, 3, minutes)) is not None:
        h = heads[item]
        score, confidence = answer(h)
        placed.append(Placed(item, h.topic, h.level, score, confidence, seconds))
        assert len(placed) < 200
    return placed


def expert(h: Head) -> tuple[float, int]:
    return 1.0, 3


def novice(h: Head) -> tuple[float, int]:
    return 0.0, 2


def test_every_topic_gets_its_first_item_before_any_gets_its_second() -> None:
    placed = run(bank(ALL), expert, minutes=60)
    assert {p.topic for p in placed[: len(ALL)]} == set(ALL)
    assert {p.level for p in placed[: len(ALL)]} == {"mid"}


def test_ten_minutes_hold() -> None:
    placed = run(bank(ALL), expert)
    assert 500 <= sum(p.seconds for p in placed) <= 600
    slow = run(bank(ALL), expert, seconds=70.0)
    assert sum(p.seconds for p in slow) <= 600 + 40


def test_right_and_sure_climbs_and_marks_what_is_below() -> None:
    heads = bank(("cfg",), each=3)
    placed = run(heads, expert, minutes=60)
    assert [p.level for p in placed] == ["mid", "senior", "staff"]
    known = known_items(heads, placed, 100)
    assert {heads[i].level for i in known} == {"junior", "mid", "senior"}
    assert not {p.item_id for p in placed} & set(known)


def test_wrong_goes_down_and_marks_nothing_at_or_above() -> None:
    heads = bank(("cfg",), each=3)
    placed = run(heads, novice, minutes=60, stated="senior")
    assert [p.level for p in placed] == ["senior", "mid", "junior"]
    assert known_items(heads, placed, 100) == {}
    falls = run(heads, lambda h: (1.0, 3) if h.level == "mid" else (0.0, 3), "senior", 60)
    assert [p.level for p in falls] == ["senior", "mid"], "between two answers it is settled"
    assert {heads[i].level for i in known_items(heads, falls, 100)} == {"junior"}


def test_unsure_stays_and_a_guess_counts_as_wrong() -> None:
    heads = bank(("cfg",), each=3)
    assert [p.level for p in run(heads, lambda h: (1.0, 2), minutes=60)] == ["mid"]
    assert cleared_levels(run(heads, lambda h: (1.0, 2), minutes=60)) == {}
    guesses = run(heads, lambda h: (1.0, 1), minutes=60)
    assert [p.level for p in guesses] == ["mid", "junior"]
    assert known_items(heads, guesses, 100) == {}


def test_a_failure_below_outweighs_a_success_above() -> None:
    placed = [
        Placed("x", "cfg", "staff", 1.0, 3, 10),
        Placed("y", "cfg", "mid", 0.0, 3, 10),
    ]
    assert cleared_levels(placed) == {"cfg": LEVELS.index("mid")}


def test_only_quick_relevant_items_are_asked_and_quirks_are_never_known() -> None:
    heads = {
        "slow": head("slow", seconds=200.0),
        "explain": head("explain", type="explain"),
        "quirk": head("quirk", relevance="quirk"),
        "quick": head("quick"),
        "low": head("low", level="junior"),
        "odd": head("odd", level="junior", relevance="quirk"),
    }
    placed = run(heads, expert, minutes=60)
    assert [p.item_id for p in placed] == ["quick"]
    assert set(known_items(heads, placed, 100)) == {"low"}


def test_siblings_are_not_asked_together_and_topics_get_three_at_most() -> None:
    heads = bank(ALL, each=4)
    counts = Counter(p.topic for p in run(heads, expert, "junior", minutes=120))
    assert max(counts.values()) == MOST_ITEMS
    pair = {"a": head("a", siblings=("b",)), "b": head("b", level="senior")}
    assert len(run(pair, expert, minutes=60)) == 1


def test_a_topic_without_items_at_the_level_starts_below() -> None:
    heads = {"j": head("j", level="junior")}
    assert [p.item_id for p in run(heads, expert, "staff")] == ["j"]


def test_retests_are_spread_and_end_before_the_interview() -> None:
    heads = bank(("cfg", "vae"), each=20)
    placed = run(heads, expert, minutes=60)
    far = known_items(heads, placed, 100)
    assert max(Counter(far.values()).values()) <= len(far) / 26 + 1
    assert min(far.values()) == 103
    near = known_items(heads, placed, 100, interview_day=106)
    assert set(near.values()) == {103, 104, 105}
    assert set(known_items(heads, placed, 100, interview_day=101).values()) == {101}
    assert known_items(heads, [], 100) == {}
