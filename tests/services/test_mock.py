"""An interview as it runs: questions and probes, the clock, and what survives being killed."""

from __future__ import annotations

import pytest

from drill.domain.interview.choosing import Settings
from drill.domain.interview.rounds import parts_of
from drill.domain.questions import CodeBody, DiagnoseBody, PredictBody
from drill.domain.verdict import MalformedAnswerError
from drill.services.app import Drill
from drill.services.finding import Finding
from drill.services.mock import (
    HEARTBEAT,
    InterviewOpenError,
    InterviewShortError,
    Mock,
    begin,
    course,
    resume,
    unfinished,
)
from drill.services.mock_report import finish, give_up
from tests.services.interviews import (
    CODE,
    DESIGN,
    DIAGNOSE,
    ESTIMATE,
    GUIDANCE,
    MUTANT,
    NOISE,
    NUMBER,
    RUN,
    Timer,
    again,
    hold,
)
from tests.services.keys import right_answer

WHOLE = "Guidance needs two predictions. The evaluations double."
NOTHING = "I would have to look it up."
BELIEF = "With it the schedule gets longer. It takes two predictions, the evaluations double."


def answer(mock: Mock) -> None:
    """Answer the present question in full, whatever it is."""
    question = mock.view.question
    mock.answer(right_answer(question))
    if mock.phase == "locked":
        if isinstance(question.body, CodeBody):
            mock.settle({"passed": 1, "total": 1, "failures": []})
        elif isinstance(question.body, PredictBody):
            mock.settle({field.outcome: field.expected[0] for field in question.body.fields})
        else:
            mock.settle({})


# -- from the beginning to the debrief ------------------------------------------------


@pytest.mark.parametrize("minutes", [15, 30, 45, 60])
def test_an_interview_of_every_length_goes_through(
    reserve: Drill, timer: Timer, minutes: int
) -> None:
    mock = begin(reserve, Settings(minutes, "senior", 3), timer)
    rounds = [slot.round for slot in mock.interview.slots]
    assert rounds == [part.round for part in parts_of(minutes, "senior")]
    asked = []
    while mock.phase == "asking":
        asked.append(mock.view.record.item_id)
        answer(mock)
    assert mock.phase == "debrief"
    assert asked == [item for slot in mock.interview.slots for item in slot.items]
    made = finish(reserve, mock)
    assert (
        mock.interview.phase == "done"
        and made["scorecard"]["bars"]["senior"]["band"] == "strong hire"
    )


def test_every_type_of_the_reserve_is_asked_and_judged(reserve: Drill) -> None:
    items = [i for i, head in reserve.bank.heads.items() if head.reserve]
    mock = hold(reserve, *items, minutes=60)
    while mock.phase == "asking":
        answer(mock)
    types = {reserve.bank.heads[record.item_id].type for record in mock.interview.records}
    assert len(types) == 14
    for record in mock.interview.records:
        assert record.turns[-1].judged is not None and record.turns[-1].judged.score == 1.0


def test_the_same_settings_ask_the_same_and_what_was_shown_counts_as_asked(reserve: Drill) -> None:
    settings = Settings(15, "senior", 3)
    assert course(reserve, settings) == course(reserve, settings)
    shown = set()
    for _ in range(3):
        mock = begin(reserve, settings)
        shown.add(mock.view.record.item_id)
        mock.end_questions()
        finish(reserve, mock)
    # They were seen and not answered: not in the log, and asked after all others all the same.
    assert reserve.store.mock_counts() == {} and len(shown) == 3
    slots = course(reserve, settings).slots
    assert shown.isdisjoint(item for slot in slots for item in slot.items)


def test_a_second_one_does_not_begin_while_one_is_open(reserve: Drill) -> None:
    mock = begin(reserve, Settings(15, "senior", 3))
    with pytest.raises(InterviewOpenError):
        begin(reserve, Settings(15, "senior", 4))
    stored = unfinished(reserve)
    assert stored is not None and resume(reserve, stored).id == mock.id
    give_up(reserve, mock)
    assert unfinished(reserve) is None
    begin(reserve, Settings(15, "senior", 4))


def test_without_a_reserve_it_says_why(drill: Drill) -> None:
    with pytest.raises(InterviewShortError, match="reserve has no question left"):
        begin(drill, Settings(15, "mid", 1))


# -- the dialogue ---------------------------------------------------------------------


def test_probes_follow_what_was_left_out_and_are_kept(reserve: Drill) -> None:
    mock = hold(reserve, GUIDANCE, NOISE)
    mock.answer(NOTHING)
    assert (mock.view.move.target, mock.view.move.style) == ("two", "neutral")
    mock.answer("Two predictions go into it.")
    assert (mock.view.move.target, mock.view.move.text) == ("cost", "And the price?")
    mock.answer(NOTHING)
    assert mock.view.move.style == "pointed"
    mock.answer(NOTHING)
    assert mock.view.record.item_id == NOISE
    assert mock.parting == "The evaluations of the network double."
    mock.answer(NOTHING)
    assert mock.view.move.kind == "probe" and mock.parting == ""
    record = again(reserve, mock).interview.record(GUIDANCE)
    assert record is not None and record.ended is not None
    assert [turn.probe for turn in record.turns] == [
        "", "What goes into it?", "And the price?", "How many calls is that?"
    ]  # fmt: skip


def test_i_said_that_answers_a_probe_and_never_the_question(reserve: Drill) -> None:
    mock = hold(reserve, GUIDANCE, NOISE)
    with pytest.raises(ValueError, match="only a probe"):
        mock.claim()
    mock.answer(NOTHING)
    mock.claim()
    assert mock.view.move.target == "cost"
    mock.claim()
    assert mock.view.record.item_id == NOISE and mock.parting == ""
    points = {p["id"]: p for p in finish(reserve, mock)["transcript"][0]["points"]}
    assert points["two"]["how"] == "claimed" and points["two"]["credit"] == 0


def test_a_belief_is_probed_first_and_cannot_be_claimed_away(reserve: Drill) -> None:
    mock = hold(reserve, GUIDANCE, NOISE)
    mock.answer(BELIEF)
    assert mock.view.move.style == "belief" and "gets longer?" in mock.view.move.text
    with pytest.raises(ValueError, match="only a probe"):
        mock.claim()
    mock.answer("Sorry, I meant the evaluations.")
    assert mock.view.record.item_id == NOISE
    made = finish(reserve, mock)
    assert made["scorecard"]["beliefs"] == []


def test_passing_a_probe_and_a_question(reserve: Drill) -> None:
    mock = hold(reserve, GUIDANCE, NOISE)
    mock.answer(NOTHING)
    mock.pass_on()
    assert mock.view.move.target == "cost"
    assert mock.view.move.given == "Guidance needs two predictions at each step."
    mock.pass_on()
    assert mock.view.record.item_id == NOISE
    mock.pass_on()
    assert mock.phase == "debrief"
    points = finish(reserve, mock)["transcript"][1]["points"]
    assert all(point["how"] == "missed" for point in points)


def test_a_case_is_asked_stage_by_stage_under_its_scenario(reserve: Drill) -> None:
    mock = hold(reserve, ESTIMATE)
    for stage in (1, 2, 3):
        view = mock.view
        assert (view.stage, view.stages, view.number, view.slots) == (stage, 3, 1, 1)
        assert view.question.scenario.startswith("A service makes 1,000 pictures")
        answer(mock)
    assert mock.phase == "debrief"


def test_what_cannot_be_read_costs_nothing(reserve: Drill) -> None:
    mock = hold(reserve, NUMBER, DIAGNOSE, CODE)
    with pytest.raises(MalformedAnswerError):
        mock.answer("many")
    assert mock.view.record.turns == ()
    mock.answer("40")
    with pytest.raises(MalformedAnswerError):
        mock.answer("cause=nothing of it")
    assert mock.phase == "asking"
    mock.answer("cause=sign")
    mock.settle({})
    with pytest.raises(MalformedAnswerError):
        mock.answer("def wrong_name(): pass")
    assert mock.phase == "asking"


def test_one_who_settles_changes_what_was_found_and_is_named(reserve: Drill) -> None:
    from msgspec.structs import replace

    mock = hold(reserve, GUIDANCE, NOISE)
    points = {"two": "credited", "cost": "credited"}
    mock.answer(NOTHING, lambda q, text, found: (replace(found, points=points), "judge"))
    assert mock.view.record.item_id == NOISE
    entry = finish(reserve, mock)["transcript"][0]
    assert entry["turns"][0]["by"] == "judge"
    assert [p["how"] for p in entry["points"]][:2] == ["unprompted", "unprompted"]


# -- what runs ------------------------------------------------------------------------


def test_a_prediction_is_locked_until_its_run(reserve: Drill, timer: Timer) -> None:
    mock = hold(reserve, RUN, timer=timer)
    mock.answer("best=20")
    assert mock.phase == "locked"
    timer.forward(500)
    other = again(reserve, mock)
    assert other.phase == "locked" and other.view.draft == "best=20"
    assert other.interview.seconds == 0
    other.settle({"best_steps": "20"}, "run-1")
    assert other.view.record.item_id == RUN[1]
    first = other.interview.record(RUN[0])
    assert first is not None and first.run_id == "run-1"
    assert first.turns[0].judged is not None and first.turns[0].judged.score == 1.0


def test_what_cannot_be_judged_here_is_given_back_or_not_scored(reserve: Drill) -> None:
    mock = hold(reserve, CODE, NUMBER)
    source = right_answer(mock.view.question)
    mock.answer(source)
    mock.unlock()
    assert mock.phase == "asking" and mock.view.draft == source
    # Also for the next process: the draft was stored together with the lock's end.
    other = again(reserve, mock)
    assert other.view.draft == source
    other.answer(source)
    other.unjudged()
    assert other.view.record.item_id == NUMBER
    made = finish(reserve, other)
    assert made["transcript"][0]["score"] is None and made["due_tomorrow"] == []
    assert reserve.store.answers() == []


def test_a_diagnosis_names_what_was_bought(reserve: Drill) -> None:
    mock = hold(reserve, DIAGNOSE)
    for look in ("symptom", "libraries", "libraries"):
        mock.keep_finding(Finding(look, f"{look} seen"))
    other = again(reserve, mock)
    asked = other.asked
    assert asked is not None and isinstance(asked.question.body, DiagnoseBody)
    assert asked.bought == ("libraries",) and asked.price == 6 and len(asked.findings) == 2
    other.answer("cause=sign; probes=first-step")
    assert other.view.record.locked == "cause=sign; probes=libraries"
    other.settle({})
    judged = other.interview.records[0].turns[0].judged
    assert judged is not None and judged.score == pytest.approx(0.7)


# -- study mode -----------------------------------------------------------------------


def test_study_mode_gives_hints_and_feedback_after_each_question(
    reserve: Drill, timer: Timer
) -> None:
    mock = hold(reserve, GUIDANCE, NUMBER, mode="study", timer=timer)
    assert mock.hint() == "Think of the two halves."
    assert mock.view.hints == ("Think of the two halves.",)
    timer.forward(60)
    mock.answer(WHOLE)
    assert mock.phase == "feedback" and mock.feedback_item == GUIDANCE
    timer.forward(600)
    assert mock.interview.seconds == 60
    other = again(reserve, mock)
    assert other.phase == "feedback" and other.feedback_item == GUIDANCE
    mock.beat("typed while reading")
    mock.next()
    assert mock.feedback_item == "" and mock.view.record.item_id == NUMBER
    assert mock.view.draft == ""
    assert mock.interview.seconds == 60
    points = {p["id"]: p for p in finish(reserve, mock)["transcript"][0]["points"]}
    assert points["two"]["credit"] == 0.85


def test_hints_end_and_a_real_interview_has_none(reserve: Drill) -> None:
    study = hold(reserve, GUIDANCE, mode="study")
    assert [study.hint(), study.hint(), study.hint()][1:] == ["Think of the bill.", None]
    give_up(reserve, study)
    real = hold(reserve, GUIDANCE)
    assert real.hint() is None and real.view.record.hints == 0


# -- the clock ------------------------------------------------------------------------


def test_the_clock_runs_only_while_something_is_asked(reserve: Drill, timer: Timer) -> None:
    mock = hold(reserve, CODE, GUIDANCE, timer=timer)
    timer.forward(10)
    assert mock.seconds_left == 1790
    mock.answer(right_answer(mock.view.question))
    mock.start_clock()
    timer.forward(100)  # the tests run
    mock.settle({"passed": 1, "total": 1, "failures": []})
    timer.forward(100)  # the next question is not on the screen yet
    assert mock.seconds_left == 1790
    mock.start_clock()
    timer.forward(2)
    mock.start_clock()
    timer.forward(3)
    mock.answer(NOTHING)  # a probe comes at once: its time runs on
    timer.forward(5)
    assert mock.seconds_left == 1780
    mock.leave("half")
    timer.forward(1000)
    other = again(reserve, mock, timer)
    timer.forward(1000)
    assert other.seconds_left == 1780 and other.view.draft == "half"
    other.start_clock()
    timer.forward(3)
    other.end_questions()
    timer.forward(1000)
    assert other.phase == "debrief" and other.seconds_left == 1777


def test_a_killed_interview_is_charged_one_beat_and_never_gains(
    reserve: Drill, timer: Timer
) -> None:
    mock = hold(reserve, GUIDANCE, timer=timer)
    for _ in range(30):
        timer.forward(HEARTBEAT)
        mock.beat("I would say")
    timer.forward(0.75)
    before = mock.seconds_left
    other = again(reserve, mock, timer)
    assert before - HEARTBEAT <= other.seconds_left <= before
    # Killed again before its question is on the screen: nothing more is charged.
    for _ in range(5):
        other = again(reserve, other, timer)
    assert other.seconds_left == 1800 - 31
    # Killed while the clock stands still: nothing is charged.
    other.start_clock()
    other.stop_clock()
    timer.forward(500)
    other = again(reserve, other, timer)
    assert other.seconds_left == 1800 - 31
    # Killed between the painting and the first beat.
    other.start_clock()
    timer.forward(0.5)
    last = again(reserve, other, timer)
    assert last.seconds_left == 1800 - 32


def test_a_beat_keeps_the_draft_of_its_own_question_only(reserve: Drill, timer: Timer) -> None:
    mock = hold(reserve, GUIDANCE, NOISE, timer=timer)
    mock.beat("half an ans")
    assert again(reserve, mock).view.draft == "half an ans"
    mock.answer(NOTHING)
    other = again(reserve, mock)
    assert other.view.draft == "" and other.view.move.target == "two"
    mock.beat("to the probe")
    assert again(reserve, mock).view.draft == "to the probe"


def test_a_change_beside_the_answer_keeps_the_draft(reserve: Drill) -> None:
    mock = hold(reserve, GUIDANCE, mode="study")
    mock.beat("five minutes of typing")
    mock.hint()
    assert again(reserve, mock).view.draft == "five minutes of typing"
    give_up(reserve, mock)
    case = hold(reserve, DIAGNOSE)
    case.beat("cause=si")
    case.keep_finding(Finding("values", "seen"))
    assert again(reserve, case).view.draft == "cause=si"


def test_every_turn_is_stored_before_the_next_thing(reserve: Drill) -> None:
    import json
    import sqlite3

    mock = hold(reserve, GUIDANCE, NOISE)
    mock.answer(NOTHING)
    with sqlite3.connect(reserve.store.path) as other:
        (plan,) = other.execute("SELECT plan FROM sessions").fetchone()
    (record,) = json.loads(plan)["records"]
    assert [turn["text"] for turn in record["turns"]] == [NOTHING]


def test_one_killed_between_the_last_turn_and_the_next_question_goes_on_there(
    reserve: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    mock = hold(reserve, GUIDANCE, NOISE)
    monkeypatch.setattr(mock, "_done_with", lambda record: None)
    mock.answer(WHOLE)
    other = again(reserve, mock)
    assert other.view.record.item_id == NOISE
    record = other.interview.record(GUIDANCE)
    assert record is not None and len(record.turns) == 1


# -- time up --------------------------------------------------------------------------


def test_when_the_time_is_up_what_is_typed_is_taken_as_it_stands(
    reserve: Drill, timer: Timer
) -> None:
    mock = hold(reserve, GUIDANCE, NOISE, timer=timer)
    timer.forward(27 * 60 - 1)
    assert not mock.time_is_up
    timer.forward(1)
    assert mock.time_is_up and mock.seconds_left == 180
    mock.cut("It takes two predictions, and")
    assert mock.phase == "debrief" and mock.seconds_left == 180
    made = finish(reserve, mock)
    (entry,) = made["transcript"]
    assert entry["turns"][-1]["kind"] == "cut"
    assert {p["id"]: p["how"] for p in entry["points"]}["two"] == "unprompted"
    assert made["facts"]["questions"] == 1


def test_time_that_ran_out_during_an_answer_ends_the_probes(reserve: Drill, timer: Timer) -> None:
    mock = hold(reserve, GUIDANCE, NOISE, timer=timer)
    timer.forward(27 * 60)
    mock.answer(NOTHING)
    assert mock.phase == "debrief"


def test_time_that_ran_out_before_a_kill_is_up_at_the_restart(reserve: Drill, timer: Timer) -> None:
    mock = hold(reserve, GUIDANCE, NOISE, timer=timer)
    timer.forward(27 * 60)
    mock.beat("two predictions are needed")
    other = again(reserve, mock)
    assert other.phase == "debrief"
    assert other.interview.records[0].turns[0].text == "two predictions are needed"


def test_code_that_stands_when_the_time_is_up_is_still_tested(reserve: Drill, timer: Timer) -> None:
    mock = hold(reserve, CODE, NOISE, timer=timer)
    source = right_answer(mock.view.question)
    timer.forward(27 * 60)
    mock.cut(source)
    assert mock.view.record.locked == source
    mock.settle({"passed": 1, "total": 1, "failures": []})
    assert mock.phase == "debrief"
    assert finish(reserve, mock)["transcript"][0]["score"] == 1.0


@pytest.mark.parametrize("item", [CODE, NUMBER, MUTANT, DIAGNOSE])
def test_what_is_cut_off_and_cannot_be_read_is_not_scored(
    reserve: Drill, timer: Timer, item: str
) -> None:
    mock = hold(reserve, item, timer=timer)
    timer.forward(27 * 60)
    mock.cut("def half(")
    assert mock.phase == "debrief"
    made = finish(reserve, mock)
    assert all(entry["score"] is None for entry in made["transcript"])
    assert not any(axis["seen"] for axis in made["scorecard"]["bars"]["senior"]["axes"].values())
    assert reserve.store.answers() == []


def test_an_untouched_starter_is_no_answer(reserve: Drill) -> None:
    mock = hold(reserve, CODE)
    body = mock.view.question.body
    assert isinstance(body, CodeBody)
    mock.cut(body.starter)
    assert mock.phase == "debrief" and mock.interview.records[0].turns == ()


# -- items that left the bank -----------------------------------------------------------


def test_an_item_that_left_the_bank_is_passed_over(reserve: Drill) -> None:
    mock = hold(reserve, NUMBER, GUIDANCE, DESIGN)
    mock.beat("4")
    del reserve.bank.heads[NUMBER]
    other = again(reserve, mock)
    assert other.view.record.item_id == GUIDANCE and other.view.draft == ""
    other.answer(WHOLE)
    del reserve.bank.heads[DESIGN[0]]
    last = again(reserve, other)
    assert last.view.record.item_id == DESIGN[1] and last.view.stage == 2


def test_what_left_the_bank_after_its_answer_is_told_and_not_scored(reserve: Drill) -> None:
    mock = hold(reserve, NUMBER, GUIDANCE)
    mock.answer("40")
    mock.answer(WHOLE)
    del reserve.bank.heads[NUMBER]
    other = again(reserve, mock)
    made = finish(reserve, other)
    gone, stays = made["transcript"]
    assert gone["turns"][0]["text"] == "40" and "left the bank" in gone["prompt"]
    assert gone["score"] is None and stays["points"]
    assert [a.item_id for a in reserve.store.answers()] == [GUIDANCE]
