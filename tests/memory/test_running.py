"""A session while it runs."""

from __future__ import annotations

import json

from drill.domain.memory.queue import Planned
from drill.domain.memory.running import (
    MOST_RETRIES,
    Running,
    answered,
    begin,
    dropped,
    next_item,
    postponed,
    put_back,
    regraded,
)

PLAN = [Planned(i, "due", 30.0) for i in "abcdef"]


def play(running: Running, wrong: set[str], limit: int = 100) -> list[str]:
    """Answer to the end; items of `wrong` are never known. Gives what was asked."""
    asked: list[str] = []
    while (planned := next_item(running)) is not None and len(asked) < limit:
        asked.append(planned.item_id + ("'" if planned.reason == "retry" else ""))
        running = answered(running, planned, 1 if planned.item_id in wrong else 3)
    return asked


def test_all_right_is_the_plan() -> None:
    assert play(begin(PLAN), set()) == list("abcdef")
    assert next_item(begin([])) is None


def test_a_wrong_item_comes_back_after_three_others_and_at_most_twice() -> None:
    assert play(begin(PLAN), {"a"}) == ["a", "b", "c", "d", "a'", "e", "f", "a'"]
    assert MOST_RETRIES == 2


def test_a_wrong_item_at_the_end_comes_back_at_the_end() -> None:
    assert play(begin(PLAN), {"f"}) == ["a", "b", "c", "d", "e", "f", "f'", "f'"]
    assert play(begin(PLAN[:1]), {"a"}) == ["a", "a'", "a'"]


def test_a_retry_that_is_right_is_over() -> None:
    running = begin(PLAN)
    for grade in (1, 3, 3, 3):
        planned = next_item(running)
        assert planned is not None
        running = answered(running, planned, grade)
    retry = next_item(running)
    assert retry is not None
    assert (retry.item_id, retry.reason) == ("a", "retry")
    assert [r for r in play(answered(running, retry, 3), set()) if r == "a'"] == []


def test_it_survives_json_at_every_place() -> None:
    running = begin(PLAN)
    while (planned := next_item(running)) is not None:
        running = answered(running, planned, 1 if planned.reason == "due" else 3)
        assert Running.from_json(json.loads(json.dumps(running.to_json()))) == running
    assert running.position == 12
    assert running.remaining == 0
    assert running.seconds_left == 0


def test_undo_puts_the_item_back() -> None:
    running = begin(PLAN)
    first = next_item(running)
    assert first is not None
    wrong = answered(running, first, 1)
    assert put_back(wrong) == running
    assert put_back(answered(running, first, 3)) == running
    assert put_back(running) == running


def test_undo_of_a_retry_asks_the_retry_again() -> None:
    running = begin(PLAN[:1])
    planned = next_item(running)
    assert planned is not None
    running = answered(running, planned, 1)
    retry = next_item(running)
    assert retry is not None
    for grade in (1, 3):
        back = put_back(answered(running, retry, grade))
        assert next_item(back) == retry
        assert back.position == 1
    assert play(put_back(answered(running, retry, 1)), {"a"}) == ["a'", "a'"]


def test_overruling_adds_or_removes_the_retry() -> None:
    running = begin(PLAN)
    planned = next_item(running)
    assert planned is not None
    wrong = answered(running, planned, 1)
    right = answered(running, planned, 3)
    assert regraded(wrong, 3) == right
    assert regraded(right, 1) == wrong
    assert regraded(begin(PLAN), 3) == begin(PLAN)


def test_skipping_moves_to_the_end_and_dropping_removes() -> None:
    assert play(postponed(begin(PLAN), "a"), set()) == list("bcdefa")
    assert play(dropped(begin(PLAN), "c"), set()) == list("abdef")
    running = begin(PLAN)
    planned = next_item(running)
    assert planned is not None
    running = answered(running, planned, 1)
    assert play(dropped(running, "a"), set()) == list("bcdef")
    only = answered(begin(PLAN[:1]), PLAN[0], 1)
    assert next_item(postponed(only, "a")) is not None
