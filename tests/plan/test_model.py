"""The plain-float memory model against the scheduler that drill really uses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drill.domain.memory import fsrs_memory
from drill.domain.memory.state import (
    AGAIN,
    DEFAULT_DECAY,
    EASY,
    GOOD,
    HARD,
    Grade,
    MemoryState,
    ParameterSet,
    retrievability,
)
from drill.domain.plan.model import DEFAULT_WEIGHTS, Model, model_of

DAY = 20_000
OTHER = (
    0.4, 0.9, 3.1, 11.0, 5.2, 1.1, 2.2, 0.05, 1.4, 0.25, 1.1, 1.9, 0.09, 0.35, 1.2, 0.4, 2.5,
    0.8, 0.3, 0.12, 0.23,
)  # fmt: skip
GRADES: tuple[Grade, ...] = (AGAIN, HARD, GOOD, EASY)
answers = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(GRADES)), min_size=1, max_size=12)


def test_default_weights_are_those_of_the_package() -> None:
    from fsrs.scheduler import DEFAULT_PARAMETERS

    assert tuple(DEFAULT_PARAMETERS) == DEFAULT_WEIGHTS
    assert DEFAULT_WEIGHTS[20] == DEFAULT_DECAY


@settings(deadline=None, max_examples=150)
@given(history=answers, weights=st.sampled_from([(), OTHER]))
def test_a_history_ends_in_the_state_that_the_scheduler_computes(
    history: list[tuple[int, Grade]], weights: tuple[float, ...]
) -> None:
    model = model_of(weights)
    parameters = ParameterSet(parameters=weights)
    state = MemoryState("drill:x.y")
    stability = difficulty = 0.0
    day = DAY
    for wait, grade in history:
        day += wait
        elapsed = day - (day if state.last_day is None else state.last_day)
        expected = retrievability(state, day)
        if stability > 0:
            assert model.recall(elapsed, stability) == pytest.approx(expected, rel=1e-9)
        stability, difficulty = model.after(stability, difficulty, elapsed, grade)
        state = fsrs_memory.review(state, grade, day, parameters)
        assert stability == pytest.approx(state.stability, rel=1e-9)
        assert difficulty == pytest.approx(state.difficulty, rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(history=answers, weights=st.sampled_from([(), OTHER]))
def test_a_wrong_answer_includes_the_retry_of_its_session(
    history: list[tuple[int, Grade]], weights: tuple[float, ...]
) -> None:
    model = model_of(weights)
    parameters = ParameterSet(parameters=weights)
    state = MemoryState("drill:x.y")
    day = DAY
    for wait, _ in history:
        day += wait
        before = state
        elapsed = 0 if before.last_day is None else day - before.last_day
        state = fsrs_memory.review(state, AGAIN, day, parameters)
        state = fsrs_memory.review(state, EASY, day, parameters, retry=True)
        stability, difficulty = model.wrong(before.stability, before.difficulty, elapsed)
        assert stability == pytest.approx(state.stability, rel=1e-9)
        assert difficulty == pytest.approx(state.difficulty, rel=1e-9)


def test_a_set_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="21 weights, got 19"):
        Model(DEFAULT_WEIGHTS[:19])
