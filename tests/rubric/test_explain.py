"""The verdict on an `explain` answer."""

from __future__ import annotations

import pytest

from drill.domain.grading.explain import explain_score, grade_explain
from drill.domain.questions import Belief, ExplainBody, Head, Point, Question
from drill.domain.verdict import MalformedAnswerError

BODY = ExplainBody(
    points=(
        Point("noise", "It starts from noise.", "essential", ("start* .. noise",)),
        Point("steps", "It takes many steps.", "essential", ("many .. steps",)),
        Point("text", "Text steers it.", "bonus", ("text .. steer*",)),
    ),
    misconceptions=(
        Belief("gan", "It has a discriminator.", ("discriminator",), "There is none."),
    ),
    model_answer="It starts from noise and takes many steps.",
)
QUESTION = Question(
    Head("t:x", "overview", "junior", "core", (), "explain", 60.0, "h"),
    0, {}, "What is it?", BODY, "",
)  # fmt: skip


def test_bonus_lifts_nothing_above_the_essentials() -> None:
    assert grade_explain(QUESTION, "It starts from noise. It takes many steps.").score == 1.0
    half = grade_explain(QUESTION, "It starts from noise. Text steers it.")
    assert half.score == 0.5
    assert half.summary == "1 of 2 essential points, 1 bonus."
    full = grade_explain(QUESTION, "It starts from noise in many steps. Text steers it.")
    assert full.score == 1.0
    assert full.right


def test_a_misconception_is_a_fault_and_caps_the_score() -> None:
    said = "It starts from noise. It takes many steps. A discriminator judges it."
    verdict = grade_explain(QUESTION, said)
    assert verdict.misconceptions == ("gan",)
    assert verdict.faults[0].says == "There is none."
    assert verdict.faults[0].misconception == "gan"
    assert 0 < verdict.score < 0.8
    assert not verdict.right


@pytest.mark.parametrize("text", ["idk", "no idea", "  ", "?"])
def test_nothing_said_scores_zero_and_says_so(text: str) -> None:
    verdict = grade_explain(QUESTION, text)
    assert verdict.score == 0
    assert "Nothing to judge" in verdict.summary
    assert verdict.expected == BODY.model_answer
    assert len(verdict.points) == 3


def test_only_the_empty_string_is_malformed() -> None:
    with pytest.raises(MalformedAnswerError, match="empty"):
        grade_explain(QUESTION, "")


def test_score_of_confirmed_points() -> None:
    points = grade_explain(QUESTION, "It does not start from noise. It takes many steps.").points
    assert [p.state for p in points] == ["ask", "credited", "missed"]
    assert explain_score(points) == 0.5
    assert explain_score(points[2:]) == 0.0
    assert explain_score(()) == 0.0
