"""`line` and `mutant`."""

from __future__ import annotations

import pytest

from drill.domain.grading import grade
from drill.domain.questions import LineBody, LineFault, MutantBody, Option

from .making import CODE, faults, question, refused

LINE = question("line", LineBody((3,), (LineFault(2, "That only copies.", "m.copy"),)), CODE)
LINES = question("line", LineBody((2, 3), (LineFault(4, "Too late.", "m.late"),)), CODE)
MUTANT = question(
    "mutant",
    MutantBody(
        3,
        "b = a * 3",
        (
            Option("too-clean", "too clean", right=True),
            Option("too-noisy", "too noisy", says="The other way.", misconception="m.noisy"),
            Option("flips", "4 channels flip"),
        ),
        (LineFault(2, "That line is as it was.", "m.two"),),
    ),
    CODE,
)


@pytest.mark.parametrize(
    "answer",
    [
        "3",
        " 3 ",
        "3.",
        "3)",
        "#3",
        "L3",
        "l3",
        "line 3",
        "Line 3.",
        "lines 3",
        "line: 3",
        "ln 3",
        "b = a * 2",
        "3,",
        "3 3",
    ],
)
def test_the_right_line(answer: str) -> None:
    verdict = grade(LINE, answer)
    assert verdict.score == 1
    assert verdict.understood == verdict.expected == "line 3: b = a * 2"


@pytest.mark.parametrize(
    "answer",
    [
        "2,3",
        "2, 3",
        "2 3",
        "3;2",
        "lines 2 and 3",
        "2-3",
        "2 to 3",
        "2–3",
        "L2 L3",
        "line 2, line 3",
    ],
)
def test_several_lines(answer: str) -> None:
    assert grade(LINES, answer).score == 1


@pytest.mark.parametrize(
    ("answer", "score", "says"),
    [
        ("2", 1 / 2, "Missing: line 3."),
        ("2 3 4", 2 / 3, "Line 4: Too late."),
        ("3 4", 1 / 3, "Missing: line 2."),
        ("1-4", 2 / 4, "Line 1 (def f(x):) is not it."),
        ("4", 0, "Too late."),
    ],
)
def test_partial_credit(answer: str, score: float, says: str) -> None:
    verdict = grade(LINES, answer)
    assert verdict.score == pytest.approx(score)
    assert says in faults(verdict)


def test_most_lines_right_is_not_right() -> None:
    q = question("line", LineBody(tuple(range(1, 10))))
    assert grade(q, "1-10").score == 0.75


def test_a_wrong_line_says_why_and_names_the_belief() -> None:
    verdict = grade(LINE, "2")
    assert verdict.score == 0
    assert faults(verdict) == "Line 2: That only copies."
    assert verdict.misconceptions == ("m.copy",)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "0",
        "5",
        "3,9",
        "-3",
        "three",
        "3.5",
        "a",
        "line",
        "return",
        "3-1",
        "3-9",
        "٣",
        "1e1",
        ",",
        "9" * 30,
        "0-3",
        "b = a",
    ],
)
def test_malformed_lines(answer: str) -> None:
    assert refused(LINE, answer)


def test_an_out_of_range_line_names_the_range() -> None:
    assert refused(LINE, "9") == "There is no line 9; the lines are 1 to 4."


@pytest.mark.parametrize(
    "answer",
    [
        "3 a",
        "3a",
        "3; a",
        "3;a",
        "3, a",
        "3: a",
        "3. a",
        "3) a",
        "3 - a",
        "line 3 a",
        "line 3, a",
        "L3 a",
        "a 3",
        "a, line 3",
        "(a) 3",
        "3; too clean",
        "3 too clean",
        "3; too-clean",
        "Line 3: Too Clean.",
        "3\na",
        "#3 a",
    ],
)
def test_the_mutant_found(answer: str) -> None:
    verdict = grade(MUTANT, answer)
    assert verdict.score == 1
    assert verdict.understood == "line 3; a) too clean"
    assert verdict.expected == "line 3, which was: b = a * 3\na) too clean"


@pytest.mark.parametrize(
    ("answer", "score", "beliefs", "summary"),
    [
        ("3 b", 0.5, ("m.noisy",), "the line is, the effect is not"),
        ("2 a", 0.5, ("m.two",), "the effect is, the line is not"),
        ("2 b", 0, ("m.two", "m.noisy"), "Not right"),
        ("4 c", 0, (), "Not right"),
        ("4; 4 channels flip", 0, (), "Not right"),
    ],
)
def test_half_a_mutant(answer: str, score: float, beliefs: tuple[str, ...], summary: str) -> None:
    verdict = grade(MUTANT, answer)
    assert verdict.score == score
    assert verdict.misconceptions == beliefs
    assert summary in verdict.summary
    assert len(verdict.good) == (score == 0.5)


@pytest.mark.parametrize(
    "answer", ["", "3", "a", "x", "9 a", "0 a", "3 z", "3 a b", "3 too", "-3 a", "3.5 a", "three a"]
)
def test_malformed_mutants(answer: str) -> None:
    assert refused(MUTANT, answer)


def test_a_mutant_without_effects_takes_the_line_alone() -> None:
    q = question("mutant", MutantBody(2, "a = x + 1", ()), CODE)
    assert grade(q, "2").score == 1
    assert grade(q, "3").score == 0
    assert refused(q, "2 a")
