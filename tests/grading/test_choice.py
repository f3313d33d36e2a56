"""`choice` and `choices`."""

from __future__ import annotations

import itertools

import pytest

from drill.domain.grading import grade
from drill.domain.questions import ChoiceBody, Option
from drill.domain.verdict import PASS_MARK

from .making import faults, question, refused

OPTIONS = (
    Option("one", "Alpha beta", right=True),
    Option("two", "Gamma", says="It is not gamma.", misconception="m.gamma"),
    Option("three", "x, y"),
    Option("four", "`unet.forward()`"),
)
ONE = question("choice", ChoiceBody(OPTIONS))
MANY = question(
    "choices",
    ChoiceBody(
        (
            Option("one", "Alpha", right=True),
            Option("two", "Beta", says="Not beta.", misconception="m.beta"),
            Option("three", "x, y", right=True, says="It counts.", misconception="m.xy"),
            Option("four", "delta"),
            Option("five", "eps"),
        ),
        many=True,
    ),
)


@pytest.mark.parametrize(
    "answer",
    [
        "a",
        "A",
        " a ",
        "a)",
        "(a)",
        "a.",
        "a:",
        "option a",
        "one",
        "ONE",
        "Alpha beta",
        "alpha   BETA",
        "alpha beta.",
        "a) Alpha beta",
    ],
)
def test_the_right_option(answer: str) -> None:
    verdict = grade(ONE, answer)
    assert verdict.score == 1
    assert verdict.understood == "a) Alpha beta"
    assert not verdict.faults


@pytest.mark.parametrize(
    ("answer", "place"),
    [("b", "b"), ("two", "b"), ("x, y", "c"), ("unet.forward()", "d"), ("Option D", "d")],
)
def test_a_wrong_option(answer: str, place: str) -> None:
    verdict = grade(ONE, answer)
    assert verdict.score == 0
    assert verdict.understood.startswith(f"{place})")
    assert verdict.expected == "a) Alpha beta"
    assert verdict.faults


def test_a_wrong_option_says_why_and_names_the_belief() -> None:
    verdict = grade(ONE, "b")
    assert faults(verdict) == "It is not gamma."
    assert verdict.misconceptions == ("m.gamma",)
    assert "`c`" in faults(grade(ONE, "c"))


@pytest.mark.parametrize(
    "answer", ["", " ", "e", "z", "a b", "ab", "1", "?", "b) Alpha beta", "al"]
)
def test_malformed_choices(answer: str) -> None:
    assert refused(ONE, answer)


def test_a_letter_that_is_also_another_options_text_is_refused() -> None:
    body = ChoiceBody(
        (Option("first", "b", right=True), Option("second", "H"), Option("third", "W"))
    )
    assert "`b` and `a`" in refused(question("choice", body), "b")
    assert grade(question("choice", body), "a").score == 1


@pytest.mark.parametrize(
    "answer",
    [
        "a, c",
        "a c",
        "c a",
        "ac",
        "CA",
        "A;C",
        "a,c.",
        "one, three",
        "three one",
        "(a) (c)",
        "a and c",
        "a & c",
        "a\nc",
        "Alpha; x, y",
        "alpha\nx, y",
    ],
)
def test_the_right_set(answer: str) -> None:
    verdict = grade(MANY, answer)
    assert verdict.score == 1
    assert verdict.understood == "a, c"
    assert verdict.summary == "Right."


def test_wrong_decisions_are_named_one_by_one() -> None:
    verdict = grade(MANY, "a b")
    assert faults(verdict).splitlines() == [
        "b) Beta: does not belong. Not beta.",
        "c) x, y: belongs too. It counts.",
    ]
    assert verdict.misconceptions == ("m.beta", "m.xy")
    assert verdict.good == ("a) Alpha",)
    assert verdict.expected == "a) Alpha\nc) x, y"
    assert "3 of 5" in verdict.summary


@pytest.mark.parametrize(
    ("answer", "score"),
    [("none", 0), ("all", 0), ("a", 1 / 2), ("a b c", 2 / 3), ("a b", 1 / 6), ("b d", 0), ("b", 0)],
)
def test_partial_credit(answer: str, score: float) -> None:
    assert grade(MANY, answer).score == pytest.approx(score)


@pytest.mark.parametrize("n_right", [1, 2, 3, 5])
def test_guessing_earns_little_and_only_the_whole_set_passes(n_right: int) -> None:
    options = tuple(Option(f"o{i}", f"t{i}", right=i < n_right) for i in range(6))
    q = question("choices", ChoiceBody(options, many=True))
    scores = {}
    for size in range(7):
        for taken in itertools.combinations("abcdef", size):
            scores[taken] = grade(q, " ".join(taken) or "none").score
    key = tuple("abcdef"[:n_right])
    assert scores[key] == 1
    assert all(score < PASS_MARK for taken, score in scores.items() if taken != key)
    assert scores[()] == scores[tuple("abcdef")] == 0


def test_no_blanket_answer_loses_where_it_is_the_key() -> None:
    every = ChoiceBody(tuple(Option(f"o{i}", f"t{i}", right=True) for i in range(6)), many=True)
    q = question("choices", every)
    assert grade(q, "all").score == 1
    assert grade(q, "abcde").score == 0.75
    assert grade(q, "none").score == 0
    none = ChoiceBody(tuple(Option(f"o{i}", f"t{i}") for i in range(3)), many=True)
    assert grade(question("choices", none), "none").score == 1
    assert grade(question("choices", none), "none").expected == "none"


@pytest.mark.parametrize("answer", ["", "f", "a,f", "a,a", "a one", "maybe", "1, 2", ", ,"])
def test_malformed_sets(answer: str) -> None:
    assert refused(MANY, answer)
