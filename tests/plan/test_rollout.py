"""A drawn future of the plan, and the plan against plain FSRS at a small size."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import pytest

from benchmarks.planner import CONDITIONS, Row, many, rows
from benchmarks.planner_world import START, Condition, Setting, World
from drill.domain.memory.state import ParameterSet
from drill.domain.plan import Candidate, Rollout, choosing
from drill.domain.plan.rollout import spans

SET = ParameterSet()
DAY = 20_000
ITEMS = [Candidate(f"i{k:03}", 1.0, 60.0, 120.0) for k in range(40)]
TRUE = CONDITIONS[0]


def rollout(seed: int = 1, left: int = 10, seconds: float = 600.0, **more: Any) -> Rollout:
    return Rollout(
        ITEMS, day=DAY, date=DAY + left, seconds=seconds, parameters=SET, seed=seed, **more
    )


def test_a_seed_is_one_future() -> None:
    one, same, other = rollout(1).run(), rollout(1).run(), rollout(2).run()
    assert one.recall() == same.recall()
    assert one.asked == same.asked
    assert one.recall() != other.recall()


def test_a_step_is_a_day() -> None:
    run = rollout(left=3)
    assert run.days_left == 3
    assert [run.step(), run.step(), run.step(), run.step()] == [True, True, False, False]
    assert run.day == run.date
    assert 0 < run.seconds_used < 3 * 900.0


def test_with_fewer_steps_than_days_those_before_are_long() -> None:
    assert spans(3, None) == spans(3, 3) == spans(3, 9) == [1, 1, 1] and spans(0, 5) == []
    for days, steps in ((11, 10), (60, 30), (400, 31), (100, 1)):
        found = spans(days, steps)
        assert len(found) == steps and sum(found) == days
        assert found == [*found[: steps - steps // 2], *[1] * (steps // 2)]
        assert max(found) <= -(-(days - steps // 2) // (steps - steps // 2))
    run = rollout(left=30, steps=10)
    run.step()
    assert run.day == DAY + 5 and run.seconds_used > 5 * 450.0
    run.run()
    assert run.day == DAY + 30


def test_long_steps_come_to_the_same_readiness() -> None:
    def mean(steps: int | None) -> float:
        runs = [rollout(s, left=60, seconds=300.0, steps=steps).run() for s in range(4)]
        return fmean(r for run in runs for r in run.recall().values())

    assert mean(30) == pytest.approx(mean(None), abs=0.03)


def test_no_days_left_leaves_everything_as_it_is() -> None:
    run = rollout(left=0).run()
    assert run.candidates() == ITEMS
    assert set(run.recall().values()) == {0.0}
    with pytest.raises(ValueError, match="after the day of the interview"):
        rollout(left=-1)


def test_what_was_never_asked_counts_as_nothing_and_the_rest_as_its_recall() -> None:
    run = rollout(left=2, seconds=300.0).run()
    recall = run.recall()
    assert {i for i, r in recall.items() if r > 0} == set(run.asked)
    assert 0 < len(run.asked) < len(ITEMS)


def test_a_memory_that_is_worse_than_assumed_recalls_less() -> None:
    def mean(scale: float) -> float:
        scales = {c.item_id: scale for c in ITEMS}
        return fmean(r for s in range(4) for r in rollout(s, scale=scales).run().recall().values())

    assert mean(0.3) < mean(1.0) - 0.03 < mean(3.0) - 0.06


def test_the_first_day_may_have_less_time() -> None:
    run = rollout(first_seconds=0.0)
    run.step()
    assert run.asked == {}
    run.step()
    assert run.asked


SMALL = Setting(100, 14, 20)


def test_the_plan_beats_plain_fsrs_also_where_its_model_is_wrong() -> None:
    for condition, bar in (
        (TRUE, 1.25),
        (Condition("halved", scale=0.5), 1.2),
        (Condition("varied", varied=True), 1.05),
    ):
        ours = fmean(World(SMALL, condition, seed).ours() for seed in range(3))
        plain = fmean(World(SMALL, condition, seed).fixed(0.9) for seed in range(3))
        assert ours >= bar * plain, condition.name


def test_looking_ahead_beats_taking_what_gains_most_today(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = Setting(100, 40, 10)
    ours = [World(setting, TRUE, seed).ours() for seed in range(4)]
    monkeypatch.setattr(
        choosing,
        "_by_loss",
        lambda prospects, market: choosing._by_gain(prospects, market._model, market._left),
    )
    greedy = [World(setting, TRUE, seed).ours() for seed in range(4)]
    assert fmean(ours) > fmean(greedy) + 0.01
    assert fmean(ours) == pytest.approx(World(setting, TRUE, 0).bound(), abs=0.025)


def test_days_are_missed_as_the_condition_says() -> None:
    away = World(Setting(10, 21, 3), Condition("away", week_away=True), 1)
    assert len(away.missed) == 7
    assert START not in away.missed
    missed = World(Setting(10, 400, 3), Condition("missed", missed=0.25), 1).missed
    assert 70 <= len(missed) <= 130


def test_a_row_names_the_bars_that_it_is_under() -> None:
    fixed = {0.7: 0.7, 0.8: 0.75, 0.9: 0.6, 0.95: 0.5}
    row = Row("s", "true", fixed, own=0.75, ours=0.76, error=0.0, bound=None)
    assert len(row.failures()) == 1
    assert "1.013 of the best" in row.failures()[0]
    assert Row("s", "missed", fixed, own=0.75, ours=0.76, error=0.0, bound=None).failures() == []
    assert len(Row("s", "missed", fixed, 0.75, 0.59, 0.0, None).failures()) == 2
    full = {0.7: 0.8, 0.8: 0.9, 0.9: 0.95, 0.95: 0.98}
    assert Row("s", "true", full, own=0.98, ours=0.99, error=0.0, bound=None).failures() == []


def test_the_table_of_the_benchmark_is_made_in_processes() -> None:
    (row,) = rows([Setting(20, 5, 6)], [TRUE], seeds=2, workers=1)
    assert row.own == max(row.fixed.values())
    assert 0.0 < row.ours <= 1.0
    assert row.bound is not None
    assert len(many(10)) == 10
