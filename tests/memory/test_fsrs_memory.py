"""The memory model, and each of the pitfalls of the `fsrs` package that it has to keep out."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drill.domain.memory.fsrs_memory import (
    card_id,
    check,
    fuzz_bounds,
    fuzzed,
    known,
    noon,
    preview,
    review,
    scheduler_version,
)
from drill.domain.memory.state import (
    AGAIN,
    EASY,
    GOOD,
    HARD,
    Grade,
    MemoryState,
    ParameterSet,
    as_grade,
    recall_after,
    retrievability,
)

SET = ParameterSet()
DAY = 20_000
NEW = MemoryState("drill:x.y")
GRADES: tuple[Grade, ...] = (AGAIN, HARD, GOOD, EASY)


def after(*answers: tuple[int, Grade], state: MemoryState = NEW) -> MemoryState:
    for day, grade in answers:
        state = review(state, grade, day, SET)
    return state


@given(
    stability=st.floats(0.001, 36_500),
    elapsed=st.integers(0, 3_000),
    decay=st.floats(0.1, 0.8),
)
def test_recall_equals_the_package(stability: float, elapsed: int, decay: float) -> None:
    from fsrs import Card, Scheduler, State
    from fsrs.scheduler import DEFAULT_PARAMETERS

    scheduler = Scheduler(parameters=(*DEFAULT_PARAMETERS[:20], decay))
    card = Card(card_id=1, state=State.Review, stability=stability, last_review=noon(DAY))
    theirs = scheduler.get_card_retrievability(card, noon(DAY + elapsed))
    state = MemoryState("a", stability=stability, last_day=DAY, decay=decay)
    assert math.isclose(retrievability(state, DAY + elapsed), theirs, rel_tol=1e-12)


def test_recall_at_its_stability_is_nine_tenths() -> None:
    assert recall_after(12.5, 12.5) == pytest.approx(0.9)
    assert retrievability(NEW, DAY) == 0.0
    assert retrievability(after((DAY, GOOD)), DAY - 5) == 1.0, "a clock set back"


def test_stability_equals_a_hand_driven_scheduler() -> None:
    from fsrs import Card, Rating, Scheduler

    scheduler = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    card = Card(card_id=7)
    state = NEW
    for day, grade in [(0, GOOD), (2, HARD), (5, AGAIN), (6, GOOD), (6, GOOD), (20, EASY)]:
        card, _ = scheduler.review_card(card, Rating(grade), noon(DAY + day))
        state = review(state, grade, DAY + day, SET)
        assert (state.stability, state.difficulty) == (card.stability, card.difficulty)


def test_an_answer_23_hours_later_on_the_next_day_is_a_day_later() -> None:
    first = after((DAY, EASY))
    assert after((DAY + 1, GOOD), state=first).stability > first.stability * 1.2
    same_day = after((DAY, GOOD), state=first)
    assert same_day.stability == pytest.approx(first.stability, rel=0.01)


def test_due_is_a_whole_study_day() -> None:
    assert isinstance(after((DAY, GOOD)).due_day, int)
    assert noon(DAY).tzinfo is UTC


def test_fuzz_is_deterministic_and_stays_within_its_bounds() -> None:
    for interval in range(1, 400):
        low, high = fuzz_bounds(interval, 365)
        assert low <= high <= 365
        for reps in range(5):
            got = fuzzed(interval, item_id="a", reps=reps, longest=365)
            assert low <= got <= high
            assert got == fuzzed(interval, item_id="a", reps=reps, longest=365)


def test_fuzz_reaches_every_day_of_its_bounds_about_equally() -> None:
    drawn = Counter(fuzzed(10, item_id=f"i{n}", reps=1, longest=365) for n in range(5_000))
    low, high = fuzz_bounds(10, 365)
    assert set(drawn) == set(range(low, high + 1))
    assert min(drawn.values()) > 0.8 * 5_000 / len(drawn)


def test_short_intervals_are_not_fuzzed() -> None:
    assert [fuzzed(n, item_id="a", reps=0, longest=365) for n in (1, 2)] == [1, 2]


@given(st.integers(3, 300), st.integers(-4, 12), st.text(max_size=8))
def test_fuzz_never_steps_backwards(interval: int, growth: int, item: str) -> None:
    previous = max(1, interval - growth)
    got = fuzzed(interval, item_id=item, reps=3, longest=365, previous=previous)
    if interval > previous:
        assert got > previous or got == fuzz_bounds(interval, 365)[1]


def test_ids_become_stable_integers_and_no_card_sleeps() -> None:
    assert card_id("drill:x") == card_id("drill:x") != card_id("drill:y")
    review(NEW, GOOD, DAY, SET)
    start = time.perf_counter()
    for _ in range(300):
        review(NEW, GOOD, DAY, SET)
    assert time.perf_counter() - start < 0.3, "Card() without an id sleeps a millisecond each"


@pytest.mark.parametrize(("asked", "used"), [(0, 0.7), (-1, 0.7), (0.85, 0.85), (1.5, 0.97)])
def test_desired_retention_is_clamped(asked: float, used: float) -> None:
    sets = ParameterSet(desired_retention=asked)
    assert sets.desired_retention == used
    assert (review(NEW, GOOD, DAY, sets).due_day or 0) > DAY


@pytest.mark.parametrize(("asked", "used"), [(0, 1), (30, 30), (36_500, 365)])
def test_the_longest_interval_is_clamped(asked: int, used: int) -> None:
    sets = ParameterSet(maximum_interval=asked)
    assert sets.maximum_interval == used
    state = review(MemoryState("a", 30_000.0, 5.0, DAY, DAY - 300, reps=9), GOOD, DAY, sets)
    assert 1 <= (state.due_day or 0) - DAY <= used


def test_stability_has_a_ceiling() -> None:
    state = MemoryState("a", 36_000.0, 1.0, DAY, DAY - 365, reps=9)
    assert review(state, EASY, DAY, SET).stability <= 36_500.0


def test_a_clock_set_back_never_moves_the_last_answer_back() -> None:
    first = after((DAY, GOOD))
    second = review(first, GOOD, DAY - 30, SET)
    assert second.last_day == DAY
    assert (second.due_day or 0) > DAY


def test_preview_matches_the_answers_and_keeps_their_order() -> None:
    state = after((DAY, GOOD), (DAY + 3, GOOD))
    seen = preview(state, DAY + 12, SET)
    for grade in GRADES:
        assert seen[grade] == review(state, grade, DAY + 12, SET)
    days = [seen[g].due_day or 0 for g in GRADES]
    assert days == sorted(days)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(GRADES)), min_size=1, max_size=12),
    st.text(max_size=6),
)
def test_grades_stay_in_order_after_any_history(
    history: list[tuple[int, Grade]], item: str
) -> None:
    state = MemoryState(item)
    day = DAY
    for gap, grade in history:
        day += gap
        state = review(state, grade, day, SET)
        assert (state.due_day or 0) > day
        assert 1.0 <= state.difficulty <= 10.0
        assert state.stability > 0
    seen = preview(state, day + 5, SET)
    assert [seen[g].due_day or 0 for g in GRADES] == sorted(seen[g].due_day or 0 for g in GRADES)


def test_wrong_and_sure_comes_back_the_next_day_even_after_a_good_retry() -> None:
    state = after((DAY, GOOD), (DAY + 3, GOOD), (DAY + 20, GOOD), (DAY + 90, EASY))
    day = DAY + 250
    plain = review(state, AGAIN, day, SET)
    assert (plain.due_day or 0) > day + 1, "the case must be one where the model waits longer"
    sure = review(state, AGAIN, day, SET, confident=True)
    retried = review(sure, GOOD, day, SET, retry=True)
    assert sure.due_day == retried.due_day == retried.retest_day == day + 1
    assert review(retried, GOOD, day + 1, SET).retest_day == 0


def test_a_retry_counts_for_no_more_than_good() -> None:
    wrong = after((DAY, AGAIN))
    assert review(wrong, EASY, DAY, SET, retry=True) == review(wrong, GOOD, DAY, SET, retry=True)
    assert review(wrong, EASY, DAY, SET) != review(wrong, GOOD, DAY, SET)


def test_lapses_count_days_and_make_a_leech_until_it_is_learned() -> None:
    state = after((DAY, GOOD))
    for n in range(4):
        day = DAY + 10 * (n + 1)
        state = after((day, AGAIN), (day, AGAIN), (day, GOOD), state=state)
        assert state.lapses == n + 1, "failing again within the day is no second lapse"
        assert state.leech == (n + 1 >= SET.leech_lapses)
    while state.stability < 21:
        assert state.leech
        state = after(((state.due_day or 0) + 3, EASY), state=state)
    assert not state.leech
    assert after((DAY, AGAIN)).lapses == 0, "a first answer cannot be a lapse"


def test_known_is_a_first_easy_with_one_retest() -> None:
    state = known(NEW, DAY, DAY + 17, SET)
    assert (state.due_day, state.known, state.reps, state.first_day) == (DAY + 17, True, 0, None)
    assert state.stability == after((DAY, EASY)).stability
    confirmed = review(state, GOOD, DAY + 17, SET)
    assert not confirmed.known
    assert confirmed.first_day == DAY + 17
    learned = after((DAY, AGAIN))
    assert known(learned, DAY + 1, DAY + 9, SET) == learned, "an answer outweighs the placement"


def test_weights_that_fsrs_refuses_are_refused_here() -> None:
    with pytest.raises(ValueError, match="21"):
        check(ParameterSet(parameters=(1.0, 2.0)))
    with pytest.raises(ValueError, match="out of bounds"):
        check(ParameterSet(parameters=(1.0,) * 21))


def test_a_parameter_set_is_named_by_its_content() -> None:
    assert ParameterSet().id == ParameterSet().id != ParameterSet(desired_retention=0.8).id
    again = ParameterSet.from_json(ParameterSet(maximum_interval=90).to_json())
    assert again == ParameterSet(maximum_interval=90)
    assert again.id == ParameterSet(maximum_interval=90).id


def test_grades_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="grade"):
        as_grade(0)


def test_the_version_of_the_scheduler_is_named() -> None:
    assert scheduler_version().startswith("fsrs 6.")


def test_what_is_hot_does_not_import_fsrs() -> None:
    code = (
        "import sys, drill.store, drill.domain.memory.queue, drill.domain.memory.running, "
        "drill.domain.memory.placement; "
        "hot = {'fsrs', 'sqlite_utils', 'statistics', 'random'} & set(sys.modules); "
        "sys.exit(', '.join(hot) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
