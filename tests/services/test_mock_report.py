"""The end of an interview: the log, what comes back and when, and what practice never shows."""

from __future__ import annotations

import pytest

from drill.domain.interview.choosing import Settings
from drill.domain.verdict import PASS_MARK
from drill.lab.manifest import find_lab
from drill.services.app import Drill
from drill.services.browse import Browser, Filter
from drill.services.lab_reading import questions_of
from drill.services.labs import all_labs
from drill.services.mock import Mock, begin, course
from drill.services.mock_report import SIBLING_DAYS, find, finish, give_up, held, row, sibling
from drill.services.practice import practise
from drill.store.doctor import examine
from tests.conftest import Clock
from tests.services.interviews import DESIGN, GUIDANCE, NOISE, NUMBER, RUN, Timer, again, hold
from tests.services.test_mock import BELIEF, NOTHING, WHOLE, answer


def held_one(drill: Drill, timer: Timer | None = None) -> Mock:
    """An interview at its debrief: one question passed, one half answered, one missed."""
    mock = hold(drill, NUMBER, GUIDANCE, NOISE, timer=timer)
    mock.answer("40")
    mock.answer("It takes two predictions.")
    mock.answer(NOTHING)
    mock.answer(NOTHING)
    mock.pass_on()
    assert mock.phase == "debrief"
    return mock


def test_answers_go_to_the_log_and_change_no_memory(reserve: Drill, timer: Timer) -> None:
    mock = held_one(reserve, timer)
    assert reserve.store.answers() == []
    finish(reserve, mock)
    rows = {row.item_id: row for row in reserve.store.answers()}
    assert set(rows) == {NUMBER, GUIDANCE, NOISE}
    assert {row.mode for row in rows.values()} == {"mock"}
    schedules = reserve.store.access.rows("SELECT schedules FROM reviews WHERE kind = 'review'")
    assert [value for (value,) in schedules] == [0, 0, 0]
    assert rows[NUMBER].auto_score == 1.0 and rows[GUIDANCE].auto_score == 0.5
    assert rows[GUIDANCE].answer.startswith("It takes two predictions.\n\n")
    assert rows[GUIDANCE].points["two"] == "credited" and rows[GUIDANCE].points["cost"] == "missed"
    assert [found for found in examine(reserve.store) if found.level == "error"] == []


def test_what_was_missed_is_due_tomorrow_and_what_was_passed_is_new(
    reserve: Drill, clock: Clock
) -> None:
    made = finish(reserve, held_one(reserve))
    assert made["due_tomorrow"] == sorted([GUIDANCE, NOISE])
    assert reserve.store.due() == []
    state = reserve.store.state(NUMBER)
    assert state is None or (state.new and state.due_day is None)
    clock.forward(days=1)
    assert sorted(reserve.store.due()) == sorted([GUIDANCE, NOISE])
    session = reserve.start_session(minutes=200)
    asked = set()
    while session.asked is not None:
        asked.add(session.asked.question.head.id)
        session.suspend()
    assert {GUIDANCE, NOISE, NUMBER} <= asked


def test_what_an_interview_made_due_is_not_seen_yet(reserve: Drill) -> None:
    """At home as in the plan: seen is what practice asked."""
    finish(reserve, held_one(reserve))
    due = [i for i, state in reserve.store.states().items() if state.new and state.due_day]
    assert due and set(due) <= set(reserve.askable())
    assert not sum(topic["seen"] for topic in reserve.overview().topics.values())


def test_points_above_the_level_make_nothing_due(reserve: Drill) -> None:
    mock = hold(reserve, GUIDANCE, level="mid")
    mock.answer("It takes two predictions.")
    assert finish(reserve, mock)["due_tomorrow"] == []
    assert reserve.store.answers()[0].auto_score == 1.0


def test_a_held_belief_makes_its_item_due_and_stands_in_the_log(reserve: Drill) -> None:
    mock = hold(reserve, GUIDANCE)
    mock.answer(BELIEF)
    mock.answer("Yes.")
    made = finish(reserve, mock)
    assert [b["item_id"] for b in made["scorecard"]["beliefs"]] == [GUIDANCE]
    assert made["scorecard"]["beliefs"][0]["quote"] == "With it the schedule gets longer"
    assert made["due_tomorrow"] == [GUIDANCE]
    (stored,) = reserve.store.answers()
    assert stored.misconceptions == ("sc.N_eq_calls",) and stored.auto_score < PASS_MARK


def test_finishing_twice_has_the_effect_of_once(reserve: Drill) -> None:
    mock = held_one(reserve)
    first = finish(reserve, mock)
    events = reserve.store.access.row("SELECT count(*) FROM reviews")
    assert finish(reserve, mock) == first
    other = again(reserve, mock)
    assert other.phase == "done"
    finish(reserve, other)
    assert reserve.store.access.row("SELECT count(*) FROM reviews") == events
    assert len(held(reserve)) == 1
    assert held(reserve)[0].summary["transcript"] == first["transcript"]


def test_killed_in_the_middle_of_finishing_it_is_finished_later(
    reserve: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    mock = held_one(reserve)
    with monkeypatch.context() as patch:
        patch.setattr(reserve.store, "advance", _dies)
        with pytest.raises(KeyboardInterrupt):
            finish(reserve, mock)
    with monkeypatch.context() as patch:
        patch.setattr(reserve.store.sessions, "end", _dies)
        with pytest.raises(KeyboardInterrupt):
            finish(reserve, mock)
    other = again(reserve, mock)
    assert other.phase == "done" and held(reserve) == []
    finish(reserve, other)
    assert len(reserve.store.answers()) == 3 and len(held(reserve)) == 1


def _dies(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_ticks_move_the_upper_end_and_are_stored_apart(reserve: Drill) -> None:
    mock = held_one(reserve)
    mock.tick(GUIDANCE, "cost")
    mock.tick(GUIDANCE, "two")
    other = again(reserve, mock)
    assert other.interview.record(GUIDANCE).ticks == ("cost", "-two")  # type: ignore[union-attr]
    mock.tick(GUIDANCE, "two")
    made = finish(reserve, mock)
    axes = made["scorecard"]["bars"]["senior"]["axes"]
    assert (axes["tradeoff"]["low"], axes["tradeoff"]["high"]) == (2.2, 3.4)
    stored = {a.item_id: a for a in reserve.store.answers()}[GUIDANCE]
    assert (stored.auto_score, stored.self_score) == (0.5, 1.0)
    assert stored.points["cost"] == "ticked"
    with pytest.raises(KeyError):
        mock.tick("sample:never.shown", "x")


def test_the_document_holds_everything_and_survives_the_bank(reserve: Drill) -> None:
    mock = held_one(reserve)
    finish(reserve, mock)
    reserve.bank.heads.clear()
    document = find(reserve, mock.id[:8])
    assert document["settings"]["level"] == "senior" and document["id"] == mock.id
    assert [entry["item"] for entry in document["transcript"]] == [NUMBER, GUIDANCE, NOISE]
    guidance = document["transcript"][1]
    assert guidance["prompt"].startswith("A colleague asks")
    assert [turn["probe"] for turn in guidance["turns"]][1] == "And the price?"
    assert guidance["given"] == "The evaluations of the network double."
    assert guidance["points"][0]["quote"] == "It takes two predictions"
    assert document["facts"]["passes"] == 1
    assert "calibrated to no employer" in document["calibration"]
    assert find(reserve, "last")["id"] == mock.id
    assert row(reserve, held(reserve)[0])["due_tomorrow"] == 2
    with pytest.raises(KeyError, match="drill mock list"):
        find(reserve, "no such")


def test_given_up_there_is_no_scorecard_and_the_answers_stay(reserve: Drill) -> None:
    mock = hold(reserve, NUMBER, GUIDANCE)
    mock.answer("39")
    give_up(reserve, mock)
    assert [a.item_id for a in reserve.store.answers()] == [NUMBER]
    assert held(reserve) == [] and reserve.store.sessions.unfinished("mock") is None


# -- a week later -----------------------------------------------------------------------


def test_a_sibling_is_offered_after_a_week(reserve: Drill, clock: Clock) -> None:
    assert sibling(reserve) is None
    first = begin(reserve, Settings(15, "senior", 5))
    items = {item for slot in first.interview.slots for item in slot.items}
    while first.phase == "asking":
        answer(first)
    finish(reserve, first)
    clock.forward(days=SIBLING_DAYS - 1)
    assert sibling(reserve) is None
    clock.forward(days=1)
    offered = sibling(reserve)
    assert offered is not None and offered["of"] == first.id
    assert (offered["settings"]["minutes"], offered["settings"]["level"]) == (15, "senior")
    assert offered["settings"]["seed"] != 5
    chosen = course(reserve, Settings(15, "senior", offered["settings"]["seed"]))
    warm = {item for slot in chosen.slots if slot.round == "warmup" for item in slot.items}
    assert warm.isdisjoint(items)


# -- what practice never shows ------------------------------------------------------------


def reserve_of(drill: Drill) -> set[str]:
    return {i for i, head in drill.bank.heads.items() if head.reserve}


def test_the_reserve_is_nowhere_in_practice(reserve: Drill) -> None:
    hidden = reserve_of(reserve)
    assert len(hidden) == 21 and reserve.withheld() == hidden
    topics = reserve.overview().topics
    assert sum(t["items"] for t in topics.values()) == len(reserve.bank.heads) - len(hidden)
    assert topics["serving"]["items"] == 0
    session = reserve.start_session(minutes=500)
    asked = set()
    while session.asked is not None:
        asked.add(session.asked.question.head.id)
        session.suspend()
    assert asked and asked.isdisjoint(hidden)
    rows = {each.id for each in Browser(reserve).rows(Filter())}
    assert rows and rows.isdisjoint(hidden)
    found = Browser(reserve).rows(Filter(words="guidance"))
    assert not {each.id for each in found} & hidden
    labs = all_labs(reserve)
    for name in ("step_size", "broken_walk"):
        questions = questions_of(reserve, find_lab(labs, name))
        assert questions and hidden.isdisjoint(questions)
    practice = practise(reserve, sorted(hidden))
    assert practice.asked is None


def test_an_open_interview_releases_nothing_and_a_finished_one_what_it_asked(
    reserve: Drill,
) -> None:
    hidden = reserve_of(reserve)
    mock = hold(reserve, RUN, DESIGN[:1])
    answer(mock)
    answer(mock)
    assert reserve.withheld() == hidden
    finish(reserve, mock)
    assert reserve.withheld() == hidden - set(RUN)
    assert set(RUN) <= set(reserve.askable())
    assert set(RUN) <= {each.id for each in Browser(reserve).rows(Filter())}
    labs = all_labs(reserve)
    assert RUN[0] in questions_of(reserve, find_lab(labs, "step_size"))
    practice = practise(reserve, [RUN[1]])
    assert practice.asked is not None


def test_what_an_interview_asked_twice_counts_twice(reserve: Drill) -> None:
    for _ in range(2):
        mock = hold(reserve, GUIDANCE)
        mock.answer(WHOLE)
        finish(reserve, mock)
    assert reserve.store.mock_counts() == {GUIDANCE: 2}
