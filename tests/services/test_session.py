"""A session from plan to summary: what is asked, stored, returned, undone and resumed."""

from __future__ import annotations

import pytest

from drill.domain.questions import CodeBody, DiagnoseBody, ExplainBody, PredictBody
from drill.domain.verdict import MalformedAnswerError
from drill.services.app import Drill
from drill.services.session import Session
from tests.conftest import Clock
from tests.services.keys import right_answer, wrong_answer


def answer(session: Session, *, right: bool = True, confidence: int = 2) -> str:
    """Answer the current question and stay at its feedback; its id."""
    asked = session.asked
    assert asked is not None
    question = asked.question
    text = right_answer(question) if right else wrong_answer(question)
    session.submit(text, confidence)
    if session.phase == "locked":
        if isinstance(question.body, CodeBody):
            good = {"passed": 1, "total": 1, "failures": []}
            bad = {"passed": 0, "total": 1, "failures": ["no"]}
            session.settle(good if right else bad)
        elif isinstance(question.body, DiagnoseBody):
            session.settle({})
        else:
            assert isinstance(question.body, PredictBody)
            measured: dict[str, object] = {}
            for field in question.body.fields:
                values = list(field.expected) if right else []
                if not field.options:
                    measured[field.outcome] = 1.0 if right else 99.0
                else:
                    measured[field.outcome] = values if field.many else (values or ["0"])[0]
            session.settle(measured)
    return question.head.id


def skip_to(session: Session, item_type: str) -> None:
    """Put questions off until one of this type is asked."""
    for _ in range(50):
        assert session.asked is not None
        if session.asked.question.head.type == item_type:
            return
        session.skip()
    raise AssertionError(f"no {item_type} in the session")


def test_every_type_is_asked_judged_and_stored(drill: Drill) -> None:
    drill.keep_profile(drill.profile)
    seen: set[str] = set()
    types: set[str] = set()
    for _ in range(4):
        session = drill.start_session(minutes=200, more=True)
        while session.asked is not None:
            types.add(session.asked.question.head.type)
            seen.add(answer(session, right=True))
            feedback = session.feedback
            assert feedback is not None
            kind = feedback.asked.question.head.type
            assert feedback.verdict.score == 1.0 or kind == "predict", (kind, feedback.verdict)
            session.advance()
        session.finish()
    stored = {a.item_id for a in drill.store.answers()}
    assert stored == seen
    # One of the sample items is a sibling of another and stays for another day.
    assert len(seen) >= len(drill.bank.heads) - 2
    assert len(types) >= 11


def test_a_miss_returns_later_and_a_sure_one_tomorrow(drill: Drill, clock: Clock) -> None:
    session = drill.start_session(minutes=200)
    missed = answer(session, right=False, confidence=3)
    assert session.feedback is not None and session.feedback.again_today
    assert session.feedback.due == "tomorrow"
    session.advance()
    order = []
    while session.asked is not None:
        order.append(session.asked.question.head.id)
        assert session.asked.again == (order[-1] == missed)
        answer(session)
        session.advance()
    assert order.index(missed) >= 3
    clock.forward(days=1)
    assert missed in drill.store.due()


def test_an_answer_is_durable_before_the_next_question(drill: Drill) -> None:
    session = drill.start_session(minutes=200)
    first = answer(session)
    # A second reader of the file sees the answer and the place while the feedback is shown.
    import sqlite3

    with sqlite3.connect(drill.store.path) as other:
        assert other.execute("SELECT item_id FROM reviews").fetchall() == [(first,)]
        assert other.execute("SELECT position FROM sessions").fetchall() == [(1,)]


def test_quitting_anywhere_resumes_there(drill: Drill) -> None:
    session = drill.start_session(minutes=200)
    answer(session)
    session.advance()
    asked = session.asked
    assert asked is not None
    session.hint()
    session.keep_draft("half an ans")
    again = drill.start_session()
    assert again.id == session.id
    resumed = again.asked
    assert resumed is not None
    assert resumed.question == asked.question and resumed.seed == asked.seed
    assert resumed.draft == "half an ans"
    assert len(resumed.hints) == min(1, len(asked.question.hints))


def test_a_locked_prediction_stays_locked_after_a_restart(drill: Drill) -> None:
    session = drill.start_session(minutes=200)
    skip_to(session, "predict")
    assert session.asked is not None
    text = right_answer(session.asked.question)
    assert session.submit(text, 3) is None
    assert session.phase == "locked"
    again = drill.start_session()
    assert again.phase == "locked" and again.asked is not None
    assert again.asked.draft == text and again.asked.confidence == 3
    assert drill.store.answers() == []


def test_a_question_that_was_put_off_keeps_its_draft_and_its_lock(drill: Drill) -> None:
    session = drill.start_session(minutes=200)
    skip_to(session, "predict")
    assert session.asked is not None
    item = session.asked.question.head.id
    text = right_answer(session.asked.question)
    session.submit(text, 3)
    session.skip()
    assert session.phase == "asking" and session.asked is not None
    assert session.asked.question.head.id != item
    again = drill.start_session()
    skip_to(again, "predict")
    assert again.phase == "locked" and again.asked is not None
    assert again.asked.draft == text and again.asked.confidence == 3


def test_undo_asks_the_same_question_again_as_it_was(drill: Drill) -> None:
    session = drill.start_session(minutes=200)
    asked = session.asked
    assert asked is not None
    answer(session, right=False)
    assert session.undo()
    assert session.asked is not None
    assert session.asked.question == asked.question
    assert drill.store.answers() == []
    assert drill.store.state(asked.question.head.id) in (None, drill.store.state("none"))
    answer(session)
    session.advance()
    # No retry of the undone miss is left over.
    while session.asked is not None:
        assert not session.asked.again
        answer(session)
        session.advance()


def test_undo_reaches_into_an_earlier_session(drill: Drill) -> None:
    session = drill.start_session(minutes=5)
    while session.asked is not None:
        last = answer(session)
        session.advance()
    session.finish()
    later = drill.start_session(minutes=5, more=True)
    assert later.undo()
    assert later.asked is not None and later.asked.question.head.id == last


def test_malformed_costs_nothing(drill: Drill) -> None:
    session = drill.start_session(minutes=200)
    skip_to(session, "number")
    with pytest.raises(MalformedAnswerError):
        session.submit("many", 2)
    assert session.phase == "asking" and drill.store.answers() == []


def test_overrule_keeps_the_automatic_grade(drill: Drill) -> None:
    session = drill.start_session(minutes=200)
    item = answer(session, right=False)
    feedback = session.overrule(3)
    assert feedback.overruled and not feedback.again_today
    stored = drill.store.answers()[0]
    assert (stored.auto_grade, stored.grade, stored.overruled) == (1, 3, True)
    session.advance()
    while session.asked is not None:
        assert session.asked.question.head.id != item
        answer(session)
        session.advance()


def test_ticks_are_kept_apart_from_the_automatic_score(drill: Drill) -> None:
    session = drill.start_session(minutes=200)
    skip_to(session, "explain")
    answer(session, right=False)
    feedback = session.feedback
    assert feedback is not None and feedback.verdict.score == 0.0
    changed = session.tick("same-model")
    assert changed.self_score == 1.0 and changed.verdict.score == 0.0
    stored = drill.store.answers()[0]
    assert (stored.auto_score, stored.self_score) == (0.0, 1.0)
    assert stored.points["same-model"] == "ticked"
    back = session.tick("same-model")
    assert back.self_score is None and back.grade == feedback.grade


def test_said_aloud_is_self_assessed(drill: Drill) -> None:
    session = drill.start_session(minutes=200)
    skip_to(session, "explain")
    assert session.asked is not None and isinstance(session.asked.question.body, ExplainBody)
    session.said_aloud(["same-model"], 31.0)
    stored = drill.store.answers()[0]
    assert stored.said_aloud and stored.self_score == 1.0 and stored.auto_score == 0.0
    assert stored.grade == 3


def test_hints_lower_the_grade(drill: Drill) -> None:
    drill.store.suspend("sample:sc.sample-number")  # its sibling would take the choice's place
    session = drill.start_session(minutes=200)
    skip_to(session, "choice")
    assert session.hint() is not None
    answer(session, confidence=3)
    assert session.feedback is not None and session.feedback.grade == 3
    assert drill.store.answers()[0].hints == 1


def test_suspend_and_known_leave_the_session(drill: Drill) -> None:
    session = drill.start_session(minutes=200)
    assert session.asked is not None
    first = session.asked.question.head.id
    session.suspend()
    assert session.asked is not None
    second = session.asked.question.head.id
    assert second != first
    session.mark_known()
    state = drill.store.state(second)
    assert state is not None and state.known and state.due_day is not None
    suspended = drill.store.state(first)
    assert suspended is not None and suspended.suspended
    while session.asked is not None:
        assert session.asked.question.head.id not in (first, second)
        answer(session)
        session.advance()


def test_the_summary_counts_and_ends_the_session(drill: Drill) -> None:
    session = drill.start_session(minutes=200, limit=3)
    assert session.asked is not None
    answer(session, right=False, confidence=3)
    session.advance()
    while session.asked is not None:
        answer(session)
        session.advance()
    summary = session.finish()
    assert (summary.answered, summary.wrong) == (3, 1)
    assert len(summary.sure_and_wrong) == 1
    assert drill.store.sessions.unfinished() is None


def test_nothing_left_says_why(drill: Drill) -> None:
    for _ in range(3):
        session = drill.start_session(minutes=200, more=True)
        while session.asked is not None:
            answer(session)
            session.advance()
        session.finish()
    empty = drill.start_session(minutes=200, more=True)
    assert empty.asked is None
    assert empty.finish().empty_reason


def test_an_item_that_left_the_bank_is_passed_over(drill: Drill) -> None:
    session = drill.start_session(minutes=200)
    assert session.asked is not None
    gone = session.asked.question.head.id
    del drill.bank.heads[gone]
    again = drill.start_session()
    assert again.asked is not None and again.asked.question.head.id != gone


def test_placement_marks_what_is_easier_as_known(drill: Drill) -> None:
    from msgspec.structs import replace

    drill.keep_profile(replace(drill.profile, level="mid"))
    placement = drill.start_placement()
    asked = 0
    while placement.asked is not None:
        answer(placement, confidence=3)
        placement.advance()
        asked += 1
    summary = placement.finish()
    assert 1 <= asked <= 3
    known = [s for s in drill.store.states().values() if s.known]
    assert known and all(drill.bank.heads[s.item_id].level == "junior" for s in known)
    assert drill.profile.placed and "taken as known" in summary.tomorrow
