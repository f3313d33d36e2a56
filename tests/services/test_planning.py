"""What today's session asks with and without an interview date, and why."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from drill.domain.first_answers import BEFORE
from drill.domain.memory.state import MemoryState
from drill.services import planning
from drill.services.app import Drill
from tests.conftest import Clock
from tests.services.learner import answer, crowd, practise

TOPICS = ("cfg", "vae", "loop", "serving")


def to_date(drill: Drill, interview: str, minutes: int = 20) -> None:
    drill.keep_profile(replace(drill.profile, done=True, interview=interview, minutes=minutes))


@pytest.fixture
def crowded(drill: Drill) -> Drill:
    crowd(drill, TOPICS, 4)
    return drill


def test_with_a_date_the_session_is_the_plan_to_it(crowded: Drill) -> None:
    plain, _ = planning.plan(crowded, 60)
    to_date(crowded, "2026-12-20")
    dated, empty = planning.plan(crowded, 60)
    assert not empty and plain != dated
    assert all("on 20 Dec" in p.why and "→" in p.why for p in dated)
    session = crowded.start_session(minutes=60)
    assert session.asked is not None and session.asked.reason == dated[0].why
    assert [p.item_id for p in session._running.upcoming] == [p.item_id for p in dated]


@pytest.mark.parametrize("interview", ["", "2026-11-22"])
def test_without_a_date_or_after_it_plain_fsrs_asks(crowded: Drill, interview: str) -> None:
    crowded.config = replace(crowded.config, new_per_day=3)
    to_date(crowded, interview)
    planned, _ = planning.plan(crowded, 60)
    assert [(p.reason, p.why) for p in planned] == [("new", "new")] * 3
    for p in planned:
        answer(crowded, p.item_id, right=True)
    assert "today's 3 new items are done" in planning.plan(crowded, 60)[1]
    to_date(crowded, "2026-12-20")
    assert len(planning.plan(crowded, 60)[0]) > 3


def test_a_day_after_a_sure_error_it_is_first_and_says_so(crowded: Drill, clock: Clock) -> None:
    to_date(crowded, "2026-12-20")
    staff = next(i for i, h in crowded.bank.heads.items() if h.level == "staff")
    answer(crowded, staff, right=False, confidence=3)
    answer(crowded, staff, right=True, mode="retry")
    clock.forward(days=1)
    (retest,) = [p for p in planning.plan(crowded, 5)[0] if p.item_id == staff]
    assert retest.reason == "retest" and "you were sure" in retest.why


def test_what_an_interview_brought_forward_is_asked_until_it_is_answered(
    crowded: Drill, clock: Clock
) -> None:
    to_date(crowded, "2026-12-20")
    day = crowded.store.today()
    items = [i for i, h in crowded.bank.heads.items() if h.level == "staff"][:2]
    crowded.store.advance(dict.fromkeys(items, day + 1))
    assert not [p for p in planning.plan(crowded, 10)[0] if "brought forward" in p.why]
    clock.forward(days=1)
    today = {p.item_id: p for p in planning.plan(crowded, 10)[0]}
    assert set(items) <= set(today)
    assert "brought forward" in today[items[0]].why and today[items[0]].reason == "due"
    answer(crowded, items[0], right=True)
    clock.forward(days=1)
    left = {p.item_id: p for p in planning.plan(crowded, 10)[0]}
    assert items[1] in left and "brought forward" not in getattr(left.get(items[0]), "why", "")
    crowded.store.undo()
    clock.forward(days=planning.FORWARD_DAYS)
    assert not planning.inputs(crowded, day + 27).forward


def test_the_chance_of_a_new_item_is_learned_and_undone(crowded: Drill) -> None:
    assert planning.first_answers(crowded).overall == BEFORE
    loop = [i for i, h in crowded.bank.heads.items() if h.topic == "loop"]
    for item in loop[:5]:
        answer(crowded, item, right=True)
        answer(crowded, item, right=False)
    crowded.store.mark_known({loop[5]: crowded.store.today()})
    answer(crowded, loop[5], right=False)  # no first meeting: it was known already
    found = planning.first_answers(crowded)
    assert found.overall == pytest.approx((5 + 20 * BEFORE) / 25)
    assert found.chance("loop") > found.chance("cfg") == found.overall
    crowded.store.undo()
    crowded.store.undo()  # a second answer: no first one has gone yet
    assert len(crowded.store.answers()) == 9
    assert planning.first_answers(crowded).overall == found.overall
    crowded.store.undo()
    assert planning.first_answers(crowded).overall == pytest.approx((4 + 20 * BEFORE) / 24)
    answer(crowded, loop[4], right=False)  # met again after the undo: this is the first time
    assert planning.first_answers(crowded).overall == pytest.approx((4 + 20 * BEFORE) / 25)


def test_a_topic_and_a_count_bound_the_plan(crowded: Drill) -> None:
    to_date(crowded, "2026-12-20")
    only, _ = planning.plan(crowded, 60, topic="loop")
    assert only and {crowded.bank.heads[p.item_id].topic for p in only} == {"loop"}
    assert len(planning.plan(crowded, 1, limit=7)[0]) == 7
    assert planning.plan(crowded, 20, topic="memory")[1] == (
        "There is nothing to ask in memory: no items are available."
    )


def test_the_end_of_a_plan_says_why_it_is_empty(crowded: Drill) -> None:
    to_date(crowded, "2026-11-23")
    planned, empty = planning.plan(crowded, 20)
    assert not planned and "The interview is today" in empty
    to_date(crowded, "2026-11-30")
    for item in crowded.bank.heads:
        answer(crowded, item, right=True)
    assert planning.plan(crowded, 20) == ([], "Everything available was asked today.")


def test_days_of_practice_reach_everything_that_counts(crowded: Drill, clock: Clock) -> None:
    to_date(crowded, "2026-12-03")
    practise(crowded, clock, 10, minutes=15)
    assert len([s for s in crowded.store.states().values() if s.reps]) == len(crowded.bank.heads)


def test_feedback_and_summary_do_not_promise_days_that_the_plan_decides(crowded: Drill) -> None:
    session = crowded.start_session(minutes=20)
    day = crowded.store.today()
    state = MemoryState("x", 3.0, 5.0, due_day=day + 5)
    assert session._due_words(state) == "in 5 days"
    assert session.finish().tomorrow == "Tomorrow 0 items are due."
    to_date(crowded, "2026-12-20")
    assert session._due_words(state) == "when the plan asks it"
    assert session._due_words(replace(state, due_day=day + 1, retest_day=day + 1)) == "tomorrow"
    assert "27 days to the interview" in session.finish().tomorrow
