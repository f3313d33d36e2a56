"""Replay of one item's events, in whatever order they come."""

from __future__ import annotations

import random

import pytest

from drill.domain.memory.events import Event, Kind, cancelled, replay_item
from drill.domain.memory.state import ParameterSet

SET = ParameterSet()
SETS = {SET.id: SET}


def event(uuid: str, minute: int, kind: Kind = "review", target: str = "", grade: int = 3) -> Event:
    return Event(
        uuid=uuid,
        at=f"2026-11-23T10:{minute:02d}:00.000000Z",
        kind=kind,
        item_id="drill:a",
        study_day=20_000 + minute,
        target=target,
        schedules=kind == "review",
        grade=grade,
        mode="session",
        until_day=20_030,
        parameter_set=SET.id,
    )


def test_the_order_of_arrival_does_not_matter() -> None:
    events = [
        event("a", 1, grade=1),
        event("b", 5, grade=4),
        event("c", 9, grade=2),
        event("d", 10, "overrule", "a", grade=3),
        event("e", 11, "overrule", "a", grade=4),
        event("f", 12, "undo", "c"),
        event("g", 13, "bury"),
        event("h", 20, grade=1),
    ]
    first = replay_item("drill:a", events, SETS)
    assert first is not None
    assert (first.reps, first.lapses, first.buried_until) == (3, 1, 20_030)
    for seed in range(10):
        shuffled = random.Random(seed).sample(events, len(events))
        assert replay_item("drill:a", shuffled, SETS) == first


def test_events_of_one_moment_go_by_uuid() -> None:
    one, two = event("a", 1, grade=1), event("b", 1, grade=4)
    assert replay_item("drill:a", [one, two], SETS) == replay_item("drill:a", [two, one], SETS)


def test_chains_of_undo() -> None:
    events = [event("a", 1)]
    for n in range(6):
        events.append(event(f"u{n}", 2 + n, "undo", events[-1].uuid))
        gone = cancelled(events)
        assert ("a" in gone) == (n % 2 == 0)
        assert cancelled(reversed(events)) == gone


def test_two_undos_of_one_event_both_have_to_go() -> None:
    events = [event("a", 1), event("u", 2, "undo", "a"), event("v", 3, "undo", "a")]
    assert cancelled(events) == {"a"}
    assert cancelled([*events, event("w", 4, "undo", "u")]) == {"a", "u"}
    both = [*events, event("w", 4, "undo", "u"), event("x", 5, "undo", "v")]
    assert cancelled(both) == {"u", "v"}


def test_undos_in_a_circle_end_and_do_not_depend_on_the_order() -> None:
    circle = [event("a", 1, "undo", "b"), event("b", 2, "undo", "a")]
    assert cancelled(circle) == cancelled(circle[::-1])


def test_a_missing_parameter_set_is_an_error() -> None:
    with pytest.raises(KeyError):
        replay_item("drill:a", [event("a", 1)], {})
