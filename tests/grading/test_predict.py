"""`predict`: reading a prediction, judging it by a run."""

from __future__ import annotations

import pytest

from drill.domain.grading import grade
from drill.domain.grading.key_text import key_text
from drill.domain.grading.predict import parse_prediction
from drill.domain.questions import Choose, PredictBody
from drill.domain.verdict import MalformedAnswerError

from .making import faults, question, refused

Q = question(
    "predict",
    PredictBody(
        (
            Choose("best", "best scale", "best_scale", ("1", "5", "20"), expected=("5",)),
            Choose("grows", "what grows", "grows", ("adherence", "share, out", "std"), many=True),
            Choose("ratio", "slower by", "ratio", tolerance=0.1),
        ),
        claim="peaks-between",
    ),
)
CAME_OUT = {"best_scale": 5.0, "grows": ["std", "share, out", "calls"], "ratio": 2.0, "more": 1}


@pytest.mark.parametrize(
    "answer",
    [
        "best=5; grows=b, c; ratio=2",
        "best=b; grows=b c; ratio=2.1",
        "best: 5\ngrows: b,c\nratio: 1.9",
        "ratio=2x; grows=share, out, std; best=5.0",
        "best scale=5;what grows=c and b;slower by=2",
        "BEST=5;Grows=C,B;RATIO=2e0",
        "best = 5 ; grows = std, b ; ratio = 4/2 ;",
    ],
)
def test_right(answer: str) -> None:
    verdict = grade(Q, answer, CAME_OUT)
    assert verdict.score == 1, verdict
    assert verdict.summary == "Right: it came out as predicted."
    assert verdict.expected == "best = 5; grows = share, out, std; ratio = 2"
    assert len(verdict.good) == 3


def test_a_prediction_can_be_locked_before_the_run() -> None:
    assert parse_prediction(Q, "ratio=2; grows=c, b; best=b") == {
        "best": "5",
        "grows": ("share, out", "std"),
        "ratio": 2.0,
    }
    assert parse_prediction(Q, "best=1; grows=none; ratio=0")["grows"] == ()


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("best=20; grows=b,c; ratio=2", 2 / 3),
        ("best=5; grows=a,b,c; ratio=3", (1 + 2 / 3) / 3),
        ("best=5; grows=a,b,c; ratio=2", 0.75),
        ("best=5; grows=c; ratio=2", 0.75),
        ("best=5; grows=none; ratio=2", 2 / 3),
        ("best=5; grows=a; ratio=2.3", 1 / 3),
        ("best=1; grows=a; ratio=1", 0),
    ],
)
def test_partial_credit(answer: str, score: float) -> None:
    verdict = grade(Q, answer, CAME_OUT)
    assert verdict.score == pytest.approx(score)
    assert not verdict.right
    assert verdict.faults


def test_the_gap_is_said() -> None:
    verdict = grade(Q, "best=20; grows=a; ratio=3", CAME_OUT)
    assert faults(verdict).splitlines() == [
        "best scale: predicted 20, came out 5.",
        "what grows: predicted adherence, came out share, out, std.",
        "slower by: predicted 3, came out 2.",
    ]
    assert verdict.understood == "best = 20; grows = adherence; ratio = 3"


def test_the_run_judges_and_not_the_claim() -> None:
    came_out = {**CAME_OUT, "best_scale": "20"}
    assert grade(Q, "best=20; grows=b,c; ratio=2", came_out).score == 1
    assert grade(Q, "best=5; grows=b,c; ratio=2", came_out).score < 1


def test_a_tie_makes_each_of_its_members_right() -> None:
    came_out = {**CAME_OUT, "best_scale": [5, 20]}
    for scale in ("5", "20"):
        assert grade(Q, f"best={scale}; grows=b,c; ratio=2", came_out).score == 1
    verdict = grade(Q, "best=1; grows=b,c; ratio=2", came_out)
    assert "came out 5 or 20" in faults(verdict)


def test_an_outcome_that_is_no_option_makes_nobody_right() -> None:
    verdict = grade(Q, "best=5; grows=b,c; ratio=2", {**CAME_OUT, "best_scale": 7})
    assert verdict.score == pytest.approx(2 / 3)
    assert "came out 7" in faults(verdict)


def test_nothing_growing_is_right_for_none() -> None:
    came_out = {**CAME_OUT, "grows": []}
    assert grade(Q, "best=5; grows=none; ratio=2", came_out).score == 1
    assert "came out none" in faults(grade(Q, "best=5; grows=a; ratio=2", came_out))


@pytest.mark.parametrize("ratio", [float("nan"), float("inf")])
def test_a_broken_measurement_is_nobodys(ratio: float) -> None:
    assert grade(Q, "best=5; grows=b,c; ratio=2", {**CAME_OUT, "ratio": ratio}).score < 1


def test_one_field_needs_no_name() -> None:
    q = question("predict", PredictBody((Choose("best", "", "best", ("up", "down")),), "c"))
    assert grade(q, "up", {"best": "up"}).score == 1
    assert grade(q, "b", {"best": "up"}).score == 0
    assert grade(q, "best=a", {"best": "up"}).score == 1
    assert refused(q, "sideways", {"best": "up"})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty"),
        (";", "No value for `best`, `grows`, `ratio`"),
        ("best=5", "No value for `grows`, `ratio`"),
        ("best=5; grows=b", "No value for `ratio`"),
        ("best=7; grows=b; ratio=2", "`7` is no option of `best`: a) 1; b) 5; c) 20"),
        ("best=; grows=b; ratio=2", "No value for `best`"),
        ("best=a b; grows=b; ratio=2", "no option"),
        ("best=5; grows=z; ratio=2", "`z` is no option"),
        ("best=5; grows=b, b; ratio=2", "twice"),
        ("best=5; best=1; grows=b; ratio=2", "`best` is given twice"),
        ("best=5; grows=b; ratio=fast", "no number"),
        ("best=5; grows=b; ratio=2 s", "a time"),
        ("worst=5; grows=b; ratio=2", "`worst` is no field; they are `best`, `grows`, `ratio`"),
        ("5; b; 2", "names no field"),
    ],
)
def test_malformed(answer: str, reason: str) -> None:
    assert reason in refused(Q, answer, CAME_OUT)


def test_malformed_before_the_run_too() -> None:
    with pytest.raises(MalformedAnswerError):
        parse_prediction(Q, "best=5")


@pytest.mark.parametrize("outcomes", [None, {}, {"best_scale": 5}, {**CAME_OUT, "ratio": "two"}])
def test_unusable_outcomes_are_an_error_of_the_program(outcomes: dict[str, object] | None) -> None:
    with pytest.raises(ValueError, match="outcome") as error:
        grade(Q, "best=5; grows=b; ratio=2", outcomes)
    assert not isinstance(error.value, MalformedAnswerError)


def test_the_key_is_what_the_claim_expects() -> None:
    assert key_text(Q).startswith("best = 5; grows = as measured; ratio = as measured\n")
    assert "peaks-between" in key_text(Q)
