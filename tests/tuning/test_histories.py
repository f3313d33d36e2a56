"""What of the log trains and tests the memory's weights."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from drill.domain.memory.events import Event, replay_item
from drill.domain.memory.state import MemoryState, ParameterSet
from drill.domain.tuning.histories import histories, history, training_set
from drill.domain.tuning.scoring import Memory

SETS = {"p": ParameterSet()}


def event(number: int, day: int, grade: int = 3, **changes: Any) -> Event:
    values: dict[str, Any] = {
        "uuid": f"u{number}",
        "at": f"{number:04d}",
        "kind": "review",
        "item_id": "a",
        "study_day": day,
        "schedules": True,
        "grade": grade,
        "mode": "session",
        "parameter_set": "p",
    }
    values.update(changes)
    return Event(**values)


def steps(*events: Event) -> list[tuple[int, int, int, bool]]:
    return [(s.day, s.gap, s.grade, s.scored) for s in history("a", events).steps]


def test_the_first_answer_of_a_later_day_is_the_test() -> None:
    assert steps(event(1, 10, 1), event(2, 10, 3, mode="retry"), event(3, 12, 3), event(4, 12)) == [
        (10, 0, 1, False),
        (10, 0, 3, False),
        (12, 2, 3, True),
        (12, 0, 3, False),
    ]


def test_only_answers_that_schedule_count() -> None:
    mock = event(2, 12, 1, mode="mock", schedules=False)
    cram = event(3, 13, 1, mode="cram", schedules=False)
    assert steps(event(1, 10), mock, cram, event(4, 14)) == [(10, 0, 3, False), (14, 4, 3, True)]


def test_undone_answers_are_out_and_overruled_ones_have_the_grade_that_holds() -> None:
    undo = event(4, 12, 0, kind="undo", target="u2")
    overrule = event(5, 12, 1, kind="overrule", target="u3")
    assert steps(event(1, 10), event(2, 11), event(3, 12, 4), undo, overrule) == [
        (10, 0, 3, False),
        (12, 2, 1, True),
    ]


def test_a_retry_is_no_test_even_past_the_roll_over_and_never_easy() -> None:
    assert steps(event(1, 10, 1), event(2, 11, 4, mode="retry")) == [
        (10, 0, 1, False),
        (11, 1, 3, False),
    ]


def test_taken_as_known_is_a_first_easy() -> None:
    known = event(1, 10, 0, kind="known", schedules=False, until_day=13)
    assert steps(known, event(2, 13, 1)) == [(10, 0, 4, False), (13, 3, 1, True)]
    late = event(2, 12, 0, kind="known", schedules=False, until_day=15)
    assert steps(event(1, 10), late) == [(10, 0, 3, False)]


def test_a_clock_set_back_never_gives_a_negative_gap() -> None:
    assert steps(event(1, 10), event(2, 8), event(3, 11)) == [
        (10, 0, 3, False),
        (10, 0, 3, False),
        (11, 1, 3, True),
    ]


def test_training_is_in_order_of_time_and_holds_the_whole_past() -> None:
    a = [event(1, 10), event(4, 13, 1), event(5, 13, 3, mode="retry"), event(6, 15)]
    b = [event(2, 10, 4), event(3, 12, 2)]
    found = histories([("a", a), ("b", b), ("c", [])])
    assert [h.item_id for h in found] == ["a", "b"]
    assert [(t.day, t.reviews) for t in training_set(found)] == [
        (12, ((4, 0), (2, 2))),
        (13, ((3, 0), (1, 3))),
        (15, ((3, 0), (1, 3), (3, 0), (3, 2))),
    ]


_REVIEWS = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.integers(1, 4),
        st.sampled_from(["session", "retry", "mock", "placement"]),
        st.sampled_from(["review", "review", "review", "known", "undo", "overrule", "bury"]),
        st.integers(0, 9),
    ),
    max_size=10,
)


@settings(max_examples=150, deadline=None)
@given(_REVIEWS)
def test_a_history_leads_to_the_memory_that_replay_gives(rows: Any) -> None:
    events: list[Event] = []
    day = 100
    for number, (gap, grade, mode, kind, which) in enumerate(rows):
        day += gap
        schedules = mode != "mock"
        if kind in ("undo", "overrule"):
            answers = [e for e in events if e.kind == "review" or kind == "undo"]
            if not answers:
                continue
            target = answers[which % len(answers)].uuid
            events.append(event(number, day, grade, kind=kind, target=target, schedules=False))
        elif kind == "review":
            events.append(event(number, day, grade, mode=mode, schedules=schedules))
        else:
            events.append(event(number, day, 0, kind=kind, schedules=False, until_day=day + 3))
    truth = replay_item("a", events, SETS) or MemoryState("a")
    memory = Memory(SETS["p"])
    state = MemoryState("")
    for step in history("a", events).steps:
        state = memory.after(state, step.gap, step.grade)
    assert (state.stability, state.difficulty) == (truth.stability, truth.difficulty)
