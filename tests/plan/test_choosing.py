"""What a day's plan takes and leaves: budget, order, retests, siblings, and the edges of time."""

from __future__ import annotations

import time
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from drill.domain.memory import fsrs_memory
from drill.domain.memory.state import AGAIN, GOOD, MemoryState, ParameterSet, retrievability
from drill.domain.plan import Candidate, Choice, choose, model_of
from drill.domain.plan.choosing import TRUSTED, WARM_UP_SECONDS
from drill.domain.plan.market import Market, Prospect

DAY = 20_000
SET = ParameterSet()


def new(item: str, **changes: Any) -> Candidate:
    return replace(Candidate(item, 1.0, 60.0, 100.0), **changes)


def seen(item: str, stability: float, ago: int, **changes: Any) -> Candidate:
    return new(item, stability=stability, difficulty=5.0, last_day=DAY - ago, **changes)


def plan(items: list[Candidate], left: int, seconds: float, **more: Any) -> list[Choice]:
    return choose(items, day=DAY, date=DAY + left, seconds=seconds, parameters=SET, **more)


def bank(count: int, seed: int = 1) -> list[Candidate]:
    rng = Random(seed)
    found = []
    for k in range(count):
        seconds = 20.0 * 30.0 ** rng.random()
        item = new(f"i{k:05}", weight=rng.uniform(0.2, 1.0), seconds_right=seconds)
        item = replace(item, seconds_wrong=1.7 * seconds)
        if rng.random() < 0.7:
            item = replace(
                item,
                stability=0.2 * 500.0 ** rng.random(),
                difficulty=rng.uniform(1, 10),
                last_day=DAY - rng.randint(1, 30),
            )
        found.append(item)
    return found


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 60),
    left=st.integers(0, 100),
    seconds=st.floats(1.0, 4_000.0),
)
def test_it_fits_into_the_time_and_takes_nothing_twice(
    seed: int, count: int, left: int, seconds: float
) -> None:
    chosen = plan(bank(count, seed), left, seconds)
    assert len({c.item_id for c in chosen}) == len(chosen)
    assert sum(c.seconds for c in chosen) <= seconds + 1e-6 or len(chosen) == 1
    for c in chosen:
        assert 0.0 <= c.without <= 1.0
        assert 0.0 <= c.at_date <= 1.0


def test_the_same_whatever_the_order_of_the_candidates() -> None:
    items = bank(300)
    mixed = list(items)
    Random(5).shuffle(mixed)
    assert plan(items, 20, 1800) == plan(items, 20, 1800) == plan(mixed, 20, 1800)


@pytest.mark.parametrize("left", [1, 2, 5, 12])
def test_where_time_is_short_the_heavier_and_the_shorter_are_asked(left: int) -> None:
    for known in ({}, {"stability": 2.0, "difficulty": 5.0, "last_day": DAY - 9}):
        light = [new(f"a{k:03}", weight=0.4, **known) for k in range(150)]
        heavy = [new(f"b{k:03}", weight=0.9, **known) for k in range(150)]
        assert {c.item_id[0] for c in plan([*light, *heavy], left, 300.0)} == {"b"}
        short = [replace(c, weight=0.4, seconds_right=25.0, seconds_wrong=40.0) for c in heavy]
        assert {c.item_id[0] for c in plan([*light, *short], left, 300.0)} == {"b"}


def test_no_time_no_items_no_plan() -> None:
    assert plan([new("a")], 5, 0.0) == []
    assert plan([], 5, 600.0) == []
    assert plan([new("a", weight=0.0)], 5, 600.0) == []


def test_one_item_that_is_longer_than_the_day_is_still_taken() -> None:
    for left in (1, 9):
        assert [c.item_id for c in plan([new("a")], left, 10.0)] == ["a"]


def test_what_is_known_for_good_is_not_asked() -> None:
    items = [seen(f"i{k}", 20_000.0, 3) for k in range(5)]
    for left in (2, 10, 40):
        assert plan(items, left, 3600.0) == []


def test_on_the_day_a_short_warm_up_of_the_weakest_of_what_was_seen() -> None:
    items = [new("new"), seen("strong", 50.0, 3), seen("weak", 1.0, 9), seen("light", 1.0, 9)]
    items[3] = replace(items[3], weight=0.1)
    chosen = plan(items, 0, 7200.0)
    assert chosen[0].item_id == "weak"
    assert "new" not in {c.item_id for c in chosen}
    many = [seen(f"i{k}", 1.0, 9) for k in range(100)]
    assert 0 < sum(c.seconds for c in plan(many, 0, 7200.0)) <= WARM_UP_SECONDS
    assert chosen[0].at_date == pytest.approx(1.0)


def test_after_the_day_there_is_no_plan_to_it() -> None:
    with pytest.raises(ValueError, match="study day 20001 is after the day of the interview"):
        choose([new("a")], day=DAY + 1, date=DAY, seconds=60, parameters=SET)


def test_an_answer_that_takes_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="a: an answer takes some time"):
        plan([new("a", seconds_right=0.0)], 5, 60)


def test_a_retest_comes_first_whatever_it_gains() -> None:
    items = [*(new(f"i{k}") for k in range(9)), seen("must", 300.0, 1, weight=0.1, must=True)]
    for left in (0, 1, 12):
        chosen = plan(items, left, 200.0)
        assert chosen[0].item_id == "must"
    assert len(plan(items, 12, 200.0)) > 1


def test_siblings_are_not_asked_on_one_day_whoever_names_whom() -> None:
    items = [new("a"), new("b"), new("c")]
    for bonds in ({"a": ["b"]}, {"b": ["a"]}):
        ids = {c.item_id for c in plan(items, 10, 3600.0, siblings=bonds)}
        assert "c" in ids
        assert len(ids & {"a", "b"}) == 1


def test_what_it_says_of_an_item_is_what_the_scheduler_computes() -> None:
    state = MemoryState("x")
    for day, grade in ((DAY - 20, AGAIN), (DAY - 12, GOOD)):
        state = fsrs_memory.review(state, grade, day, SET)
    item = Candidate("x", 0.5, 40.0, 90.0, 0.3, state.stability, state.difficulty, DAY - 12)
    date = DAY + 11
    recall = retrievability(state, DAY)
    right = fsrs_memory.review(state, GOOD, DAY, SET)
    failed = fsrs_memory.review(state, AGAIN, DAY, SET)
    wrong = fsrs_memory.review(failed, GOOD, DAY, SET, retry=True)
    at_date = recall * retrievability(right, date) + (1 - recall) * retrievability(wrong, date)
    (chosen,) = plan([item], 11, 600.0)
    assert chosen.recall == pytest.approx(recall)
    assert chosen.at_date == pytest.approx(at_date)
    assert chosen.without == pytest.approx(retrievability(state, date))
    assert chosen.gain == pytest.approx(0.5 * (at_date - retrievability(state, date)))
    assert chosen.seconds == pytest.approx(recall * 40.0 + (1 - recall) * 90.0)


def test_the_lazy_order_is_the_order_by_loss_per_second() -> None:
    items = bank(200, 3)
    model = model_of(())
    prospects = [Prospect(c, model, DAY, DAY + 25) for c in items]
    daily = 1500.0 * TRUSTED
    market = Market(prospects, model, left=25, seconds=1500.0, daily=daily)
    loss = {
        p.candidate.item_id: (market.asked(p) - market.waiting(p)) * p.candidate.weight / p.seconds
        for p in prospects
    }
    chosen = [c.item_id for c in plan(items, 25, 1500.0)]
    losses = [loss[i] for i in chosen]
    assert losses == sorted(losses, reverse=True)
    skipped = max(v for i, v in loss.items() if i not in chosen)
    assert losses[len(losses) // 2] >= skipped


def test_what_was_right_yesterday_waits_while_there_is_much_that_is_new() -> None:
    fresh = [new(f"n{k:03}") for k in range(100)]
    just = [seen(f"s{k:03}", 2.3, 1) for k in range(20)]
    assert {c.item_id[0] for c in plan([*just, *fresh], 30, 1200.0)} == {"n"}


def test_less_time_on_later_days_makes_today_dearer_not_emptier() -> None:
    items = bank(200, 4)
    usual = plan(items, 20, 900.0, daily_seconds=3600.0)
    rare = plan(items, 20, 900.0, daily_seconds=60.0)
    assert {c.item_id for c in usual} != {c.item_id for c in rare}
    for chosen in (usual, rare):
        assert 700.0 < sum(c.seconds for c in chosen) <= 900.0


def test_five_thousand_items_are_planned_in_a_moment() -> None:
    items = bank(5_000)
    plan(items, 30, 1800.0)
    started = time.process_time()
    assert plan(items, 30, 1800.0)
    assert time.process_time() - started < 1.0
