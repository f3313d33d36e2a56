"""What the interviewer does next: probes in order, a belief first, and never more than three."""

from __future__ import annotations

from drill.domain.interview.dialogue import DONE, MOST_PROBES, Move, next_move
from drill.domain.interview.state import Turn
from tests.interview.build import NUMBER, QUESTION, turn

NOTHING = "The sampler walks along the table of noise levels."


def moves(level: str, *turns: Turn) -> Move:
    return next_move(QUESTION, level, turns)  # type: ignore[arg-type]


def test_a_question_is_opened_first() -> None:
    assert moves("senior").kind == "open"


def test_a_full_answer_is_not_probed() -> None:
    assert moves("mid", turn("Guidance needs two predictions.")) == DONE


def test_only_what_the_level_expects_is_probed() -> None:
    said = turn("Guidance needs two predictions.")
    assert moves("senior", said).target == "cost"
    both = turn("Guidance needs two predictions. The evaluations double.")
    assert moves("senior", both) == DONE
    assert moves("staff", both).target == "batch"


def test_a_neutral_probe_then_a_pointed_one_then_it_is_given() -> None:
    opening = turn(NOTHING)
    first = moves("mid", opening)
    assert (first.target, first.style, first.text) == ("two", "neutral", "What goes into it?")
    neutral = turn("Nothing more.", "reply", "two", "neutral")
    second = moves("mid", opening, neutral)
    assert (second.target, second.style) == ("two", "pointed")
    assert second.text == "How often is the network asked?" and second.given == ""
    pointed = turn("Once.", "reply", "two", "pointed")
    last = moves("mid", opening, neutral, pointed)
    assert last.kind == "done" and last.given == "Guidance needs two predictions."


def test_what_was_given_is_said_before_the_next_probe() -> None:
    turns = (
        turn(NOTHING),
        turn("No.", "reply", "two", "neutral"),
        turn("No.", "reply", "two", "pointed"),
    )
    move = moves("senior", *turns)
    assert move.given == "Guidance needs two predictions."
    assert (move.target, move.style) == ("cost", "neutral")


def test_a_reply_that_says_it_moves_on_to_the_next_point() -> None:
    turns = (turn(NOTHING), turn("It takes two predictions.", "reply", "two", "neutral"))
    assert moves("senior", *turns).target == "cost"


def test_there_are_never_more_than_three_probes() -> None:
    turns = [turn(NOTHING)]
    asked = []
    while (move := moves("staff", *turns)).kind == "probe":
        asked.append((move.target, move.style))
        turns.append(turn("I cannot say.", "reply", move.target, move.style))
    assert len(asked) == MOST_PROBES
    assert asked == [("two", "neutral"), ("two", "pointed"), ("cost", "neutral")]
    # The last probe was the point's last chance, so it is given though a pointed one was left.
    assert move.given == "The evaluations double."


def test_a_claim_ends_the_probes_about_a_point() -> None:
    turns = (turn(NOTHING), turn("", "claim", "two", "neutral"))
    move = moves("senior", *turns)
    assert move.target == "cost" and move.given == ""


def test_a_belief_is_asked_about_once_and_before_all_else() -> None:
    opening = turn("With guidance the steps double.")
    move = moves("senior", opening)
    assert (move.target, move.style, move.text) == ("cfg.steps", "belief", "Which number doubles?")
    again = turn("The steps double, I said.", "reply", "cfg.steps", "belief")
    assert moves("senior", opening, again).style == "neutral"


def test_the_probe_of_a_belief_is_not_counted() -> None:
    turns = [
        turn("With guidance the steps double."),
        turn("They do.", "reply", "cfg.steps", "belief"),
    ]
    count = 0
    while (move := moves("staff", *turns)).kind == "probe":
        count += 1
        turns.append(turn("I cannot say.", "reply", move.target, move.style))
    assert count == MOST_PROBES


def test_passing_the_whole_question_ends_it_and_passing_a_probe_does_not() -> None:
    assert moves("senior", turn("", "pass")) == DONE
    passed = (turn(NOTHING), turn("", "pass", "two", "neutral"))
    move = moves("senior", *passed)
    assert move.target == "cost" and move.given == "Guidance needs two predictions."


def test_a_question_without_a_rubric_is_answered_once() -> None:
    assert next_move(NUMBER, "senior", [Turn("answer", 0.0, "2")]) == DONE


def test_nothing_follows_an_answer_that_was_cut_off() -> None:
    assert moves("senior", turn(NOTHING, "cut")) == DONE
