"""What is known and due: topics, the forecast, and how beliefs come and go."""

from __future__ import annotations

import math
from typing import Any

import pytest

from drill.domain.memory.beliefs import beliefs
from drill.domain.memory.pace import HistorySummary
from drill.domain.memory.state import MemoryState, recall_after
from drill.domain.memory_scale import ScaleBelief, believed
from drill.domain.questions import Head
from drill.domain.statistics.forecast import forecast
from drill.domain.statistics.mastery import LAST, mastery
from tests.statistics.making import DAY, given


def head(item: str, topic: str = "cfg", kind: str = "choice", seconds: float = 60.0) -> Head:
    return Head(item, topic, "mid", "core", (), kind, seconds, "h")  # type: ignore[arg-type]


HEADS = {name: head(name) for name in "abcd"} | {"v": head("v", "vae", "code", 300.0)}


def state(item: str, stability: float = 10.0, **changes: object) -> MemoryState:
    values = {"last_day": DAY - 5, "due_day": DAY + 5, "reps": 2, **changes}
    return MemoryState(item, stability=stability, **values)  # type: ignore[arg-type]


def test_recall_is_the_mean_of_the_seen_and_unseen_are_counted_apart() -> None:
    states = [state("a", 5.0), state("b", 20.0), state("gone"), state("c", suspended=True)]
    cfg, vae = mastery([], states, HEADS, DAY)
    recalls = [recall_after(5, 5.0), recall_after(5, 20.0)]
    assert (cfg.topic, cfg.items, cfg.seen, cfg.unseen) == ("cfg", 3, 2, 1)
    assert cfg.recall == pytest.approx(sum(recalls) / 2)
    spread = 1.959964 * math.sqrt(sum(r * (1 - r) for r in recalls)) / 2
    assert cfg.low == pytest.approx(sum(recalls) / 2 - spread)
    assert cfg.high == 1.0  # clipped
    assert (vae.seen, vae.unseen, vae.recall, vae.low, vae.high) == (0, 1, None, 0.0, 1.0)


def test_what_was_answered_today_is_not_certain() -> None:
    """The model gives 1 at once even for what was wrong; the day after is the first to tell."""
    wrong, later = state("a", 0.3, last_day=DAY), state("v", 0.3, last_day=DAY - 1)
    cfg, vae = mastery([], [wrong, later], HEADS, DAY)
    assert cfg.recall == vae.recall == pytest.approx(recall_after(1, 0.3))
    assert cfg.recall is not None and cfg.low < cfg.recall < 0.9
    (ahead, _) = mastery([], [state("a", 0.3, last_day=DAY + 1)], HEADS, DAY)  # the clock went back
    assert ahead.recall == cfg.recall


def test_recall_counts_in_how_long_the_learners_memories_last() -> None:
    states = [state("a", 5.0), state("b", 20.0)]
    half = ScaleBelief((math.log(0.5),), (1.0,))
    (cfg, _) = mastery([], states, HEADS, DAY, half)
    assert cfg.recall == pytest.approx((recall_after(5, 2.5) + recall_after(5, 10.0)) / 2)
    (vague, _) = mastery([], states * 200, HEADS, DAY, believed([]))
    (sure, _) = mastery([], states * 200, HEADS, DAY)
    assert vague.recall is not None and sure.recall is not None
    # What is not known of the learner widens the interval; many items do not narrow that.
    assert vague.recall - vague.low > 1.5 * (sure.recall - sure.low)
    (less, _) = mastery([], states, HEADS, DAY, believed([(0.9, False)] * 9 + [(0.9, True)] * 9))
    (plain, _) = mastery([], states, HEADS, DAY)
    assert less.recall is not None and plain.recall is not None and less.recall < plain.recall


def test_an_item_that_was_only_brought_forward_is_unseen() -> None:
    (cfg, _) = mastery([], [state("a", 0.0, last_day=None, due_day=DAY)], HEADS, DAY)
    assert (cfg.seen, cfg.unseen, cfg.due) == (0, 4, 1)


def test_a_topic_whose_items_are_all_suspended_is_left_out() -> None:
    found = mastery([], [state("v", suspended=True)], HEADS, DAY)
    assert [topic.topic for topic in found] == ["cfg"]


def test_accuracy_is_of_the_last_first_tries() -> None:
    log = [given("a", day, 1) for day in range(30)]
    log += [given("a", 30 + day, 3) for day in range(LAST - 1)]
    log += [given("a", 100, 1, mode="mock"), given("a", 101, 1, mode="retry")]
    log += [given("b", 100, 3), given("b", 100, 1), given("v", 100, 1, mode="placement")]
    cfg, vae = mastery(log, [], HEADS, DAY)
    assert (cfg.accuracy.right, cfg.accuracy.answers) == (LAST, LAST)
    assert (vae.accuracy.right, vae.accuracy.answers) == (0, 1)


def test_the_forecast_by_hand() -> None:
    states = [
        state("a", due_day=DAY - 3),  # overdue
        state("b", due_day=DAY, buried_until=DAY + 2),
        state("c", due_day=DAY + 1, suspended=True),
        state("d", due_day=DAY + 30),  # beyond the month
        state("v", due_day=DAY + 29),
        state("gone", due_day=DAY),
        state("new", 0.0, due_day=None),
    ]
    pace = HistorySummary(pace={"code": 2.0}, overall_pace=0.5, feedback_seconds=10.0)
    found = forecast(states, HEADS, pace, DAY)
    assert {n: day.items for n, day in enumerate(found.days) if day.items} == {0: 1, 2: 1, 29: 1}
    assert found.days[0].minutes == pytest.approx((60 * 0.5 + 10) / 60)
    assert found.days[29].minutes == pytest.approx((300 * 2.0 + 10) / 60)
    assert (found.overdue, found.later) == (1, 1)
    assert (found.items_7, found.items_30) == (2, 3)
    assert found.minutes_7 == pytest.approx(2 * 40 / 60)
    assert found.minutes_30 == pytest.approx((2 * 40 + 610) / 60)
    assert found.days[0].date == "2024-10-03" and len(found.days) == 30


def test_a_belief_returns_when_it_was_cleared_and_not_when_it_was_only_shaken() -> None:
    shows = {"a": ("m",), "b": ("m",)}
    shown: dict[str, Any] = {"grade": 1, "misconceptions": ("m",)}
    log = [given("a", 0, **shown), given("b", 1), given("a", 2, **shown)]
    assert beliefs(log, shows)["m"].returned == 0
    log += [given("a", 3), given("b", 4)]
    assert (beliefs(log, shows)["m"].status, beliefs(log, shows)["m"].returned) == ("cleared", 0)
    log += [given("b", 9, **shown)]
    again = beliefs(log, shows)["m"]
    assert (again.status, again.shown, again.returned) == ("held", 3, 1)
    log += [given("a", 10), given("a", 11), given("a", 12, **shown), given("a", 13, **shown)]
    twice = beliefs(log, shows)["m"]
    assert (twice.returned, twice.shown, twice.cleared_days) == (2, 5, 0)
