"""What a point is worth by how it came out, and what beliefs, hints and ticks do to it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from drill.domain.interview.credit import (
    CREDIT,
    LIFT_WEIGHT,
    Atom,
    atoms,
    held_beliefs,
    how_said,
    weight_at,
)
from drill.domain.interview.judging import judged_text
from drill.domain.interview.state import Judged, Record, Turn
from tests.interview.build import BODY, NUMBER, QUESTION, record, turn

NOTHING = turn("The sampler walks along the table of noise levels.")


def by_id(made: list[Atom]) -> dict[str, Atom]:
    return {a.id: a for a in made}


def test_credit_falls_with_every_probe() -> None:
    said = "It takes two predictions."
    assert how_said("two", [turn(said)]) == "unprompted"
    assert how_said("two", [NOTHING, turn(said, "reply", "two", "neutral")]) == "neutral"
    assert how_said("two", [NOTHING, turn(said, "reply", "two", "pointed")]) == "pointed"
    assert CREDIT == {"unprompted": 1.0, "neutral": 0.7, "pointed": 0.4}


def test_a_point_said_in_reply_to_another_probe_counts_as_after_a_neutral_one() -> None:
    late = turn("The evaluations double.", "reply", "two", "pointed")
    assert how_said("cost", [NOTHING, late]) == "neutral"


def test_a_claim_earns_nothing_until_the_learner_ticks_it() -> None:
    said = record(NOTHING, turn("", "claim", "two", "neutral"))
    atom = by_id(atoms(QUESTION, said))["two"]
    assert (atom.how, atom.low, atom.high) == ("claimed", 0.0, 0.0)
    atom = by_id(atoms(QUESTION, replace(said, ticks=("two",))))["two"]
    assert (atom.how, atom.low, atom.high) == ("claimed", 0.0, 1.0)


def test_what_the_grader_finds_later_beats_a_claim() -> None:
    claim = turn("", "claim", "two", "neutral")
    later = turn("It takes two predictions.", "reply", "cost", "neutral")
    assert how_said("two", [NOTHING, claim, later]) == "neutral"


def test_ticks_move_the_upper_end_only() -> None:
    made = by_id(atoms(QUESTION, record(NOTHING, ticks=("two",))))
    assert (made["two"].low, made["two"].high) == (0.0, 1.0)
    said = turn("It takes two predictions.")
    taken = by_id(atoms(QUESTION, record(said, ticks=("-two",))))["two"]
    assert (taken.low, taken.high) == (1.0, 0.0)


def test_a_belief_that_is_held_counts_as_a_missed_point() -> None:
    made = atoms(QUESTION, record(turn("With guidance the steps double.")))
    held = [a for a in made if a.belief]
    assert [a.id for a in held] == ["cfg.steps"]
    assert held[0].low == 0 and held[0].quote == "With guidance the steps double"


@pytest.mark.parametrize(
    ("reply", "held"),
    [
        ("No, sorry, the evaluations double.", False),
        ("Actually I meant the calls.", False),
        ("The evaluations double.", False),
        ("Yes, the steps double.", True),
        ("Yes.", True),
        ("No, really: the steps double.", True),
    ],
)
def test_a_belief_is_taken_back_only_by_turning_from_it(reply: str, held: bool) -> None:
    turns = [
        turn("With guidance the steps double."),
        turn(reply, "reply", "cfg.steps", "belief"),
    ]
    assert held_beliefs(turns) == (("cfg.steps",) if held else ())


def test_a_belief_that_was_passed_over_is_held() -> None:
    turns = [turn("With guidance the steps double."), turn("", "pass", "cfg.steps", "belief")]
    assert held_beliefs(turns) == ("cfg.steps",)


def test_hints_cost_credit() -> None:
    said = turn("It takes two predictions.")
    plain, hinted = (by_id(atoms(QUESTION, record(said, hints=n)))["two"].low for n in (0, 2))
    assert plain == 1.0 and hinted == pytest.approx(0.7)
    assert by_id(atoms(QUESTION, record(said, hints=9)))["two"].low == pytest.approx(0.4)


def test_a_question_that_was_not_answered_is_not_scored() -> None:
    assert atoms(QUESTION, record()) == []
    assert atoms(QUESTION, record(turn("", "cut"))) == []
    assert all(a.low == 0 for a in atoms(QUESTION, record(turn("", "pass"))))
    assert len(atoms(QUESTION, record(turn("", "pass")))) == 4


def test_a_question_without_a_rubric_is_one_atom_on_its_axis() -> None:
    said = Turn("answer", 0.0, "2", judged=Judged(0.5))
    (atom,) = atoms(NUMBER, Record("drill:cfg.n", 0, 0.0, (said,)))
    assert (atom.axis, atom.low, atom.high, atom.weight) == ("tradeoff", 0.5, 0.5, 3.0)


def test_a_point_above_the_level_lifts_and_is_not_expected() -> None:
    made = by_id(atoms(QUESTION, record(turn("Both go in one batch."))))
    assert weight_at(made["batch"], "mid") == (LIFT_WEIGHT, 0.0)
    assert weight_at(made["batch"], "staff") == (1.0, 1.0)
    assert weight_at(made["skip"], "senior") == (0.5, 0.5)


def test_the_evidence_is_the_sentence_that_says_most_of_the_point() -> None:
    weak = "It is two predictions."
    full = "Guidance needs two predictions at every step."
    made = judged_text(BODY, f"{weak} {full}")
    assert made.points["two"] == "credited" and made.quotes["two"] == full.rstrip(".")
