"""What holds for every type: nothing but a refusal on any text, cheap imports, keys that pass."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drill.domain.grading import MAX_ANSWER, grade
from drill.domain.grading.accepted import answer_help
from drill.domain.grading.key_text import key_text
from drill.domain.presentation import shown
from drill.domain.questions import (
    ANSWER_TYPES,
    BODIES,
    Cause,
    ChoiceBody,
    Choose,
    CodeBody,
    DiagnoseBody,
    ExplainBody,
    FormulaBody,
    LineBody,
    Measurement,
    MutantBody,
    NumberBody,
    Option,
    OrderBody,
    OutputBody,
    Point,
    PredictBody,
    Question,
    ShapeBody,
    ShortBody,
    Step,
    ValueFault,
)
from drill.domain.verdict import MalformedAnswerError

from .making import CODE, question, refused

OPTIONS = (Option("one", "Alpha", right=True), Option("two", "x, y"), Option("three", "B"))
OUTCOMES: dict[str, dict[str, object]] = {
    "predict": {"best": "1", "grows": ["x"], "ratio": 1.0},
    "code": {"passed": 1, "total": 1, "failures": []},
}
QUESTIONS: dict[str, tuple[Question, str]] = {
    "choice": (question("choice", ChoiceBody(OPTIONS)), "one"),
    "choices": (question("choices", ChoiceBody(OPTIONS, many=True)), "one"),
    "number": (
        question("number", NumberBody(1.719, "GB", rel=0.01, faults=(ValueFault("3.4"),))),
        "1.719 GB",
    ),
    "shape": (question("shape", ShapeBody("[B, 4, H/8]", (ValueFault("[B,4,H]"),))), "B,4,H/8"),
    "short": (question("short", ShortBody(("DDIM",), (ValueFault("DDPM"),))), "DDIM"),
    "formula": (
        question("formula", FormulaBody("sqrt(ab)*x0", {"ab": (0, 1), "x0": (-1, 1)})),
        "√ᾱ x₀",
    ),
    "order": (
        question("order", OrderBody(tuple(Step(c * 2, c) for c in "xyz"), ("xx", "yy", "zz"))),
        "xx yy zz",
    ),
    "line": (question("line", LineBody((2, 3)), CODE), "2, 3"),
    "mutant": (question("mutant", MutantBody(2, "was", OPTIONS), CODE), "2; Alpha"),
    "output": (question("output", OutputBody("(2, 4)\n0.5")), "(2, 4)\n0.5"),
    "predict": (
        question(
            "predict",
            PredictBody(
                (
                    Choose("best", "", "best", ("1", "2")),
                    Choose("grows", "", "grows", ("x", "y, z"), many=True),
                    Choose("ratio", "", "ratio"),
                ),
                "claim",
            ),
        ),
        "best=1; grows=x; ratio=1",
    ),
    "code": (question("code", CodeBody("f", "", "def f(): pass", "p")), "def f(): pass"),
    "diagnose": (
        question(
            "diagnose",
            DiagnoseBody(
                (Measurement("std", "Std", 1, decides=True), Measurement("all", "All", 5)),
                (Cause("one", "Alpha", right=True), Cause("two", "x, y"), Cause("three", "B")),
                1,
                "claim",
            ),
        ),
        "cause=one; probes=std",
    ),
}
GRADED = tuple(t for t in ANSWER_TYPES if t != "explain")


@pytest.mark.parametrize("kind", GRADED)
def test_the_key_is_right(kind: str) -> None:
    q, answer = QUESTIONS[kind]
    for seed in range(5):
        verdict = grade(shown(q, seed), answer, OUTCOMES.get(kind))
        assert verdict.score == 1, verdict
        assert verdict.right
        assert not verdict.faults
        assert verdict.expected
        assert verdict.understood
        assert verdict.summary.startswith("Right")


@pytest.mark.parametrize("kind", GRADED)
def test_empty_and_endless_answers_are_refused(kind: str) -> None:
    q, _ = QUESTIONS[kind]
    assert "empty" in refused(q, "", OUTCOMES.get(kind)) or kind in ("number", "short")
    assert refused(q, " \n", OUTCOMES.get(kind))
    assert "longer" in refused(q, "x" * (MAX_ANSWER + 1), OUTCOMES.get(kind))


NEAR = st.text(alphabet="abxyzABHX0123456789.,;:=+-*/^()[]{}|<>%_ \n\t√αε²₀½×~'\"`\\@", max_size=40)


@pytest.mark.parametrize("kind", GRADED)
@settings(max_examples=150, deadline=None)
@given(answer=st.text(max_size=60) | NEAR)
def test_any_text_is_graded_or_refused(kind: str, answer: str) -> None:
    q, _ = QUESTIONS[kind]
    try:
        verdict = grade(q, answer, OUTCOMES.get(kind))
    except MalformedAnswerError as error:
        reason, _, accepted = str(error).partition("\nAccepted: ")
        assert reason
        assert accepted
    else:
        assert 0 <= verdict.score <= 1
        assert verdict.right == (verdict.score == 1)
        assert bool(verdict.faults) == (verdict.score < 1)


@pytest.mark.parametrize("kind", ANSWER_TYPES)
def test_help_for_every_type(kind: str) -> None:
    assert kind in BODIES
    assert answer_help(kind).endswith(".")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", GRADED)
def test_the_key_text_is_what_a_verdict_expects(kind: str) -> None:
    q, answer = QUESTIONS[kind]
    if kind != "predict":
        assert key_text(q) == grade(q, answer, OUTCOMES.get(kind)).expected


def test_the_key_of_an_explanation() -> None:
    points = (Point("p", "One thing.", "essential", ("x",)), Point("q", "More.", "bonus", ("y",)))
    text = key_text(question("explain", ExplainBody(points, model_answer="All of it.")))
    assert text == "- One thing.\n- More. (bonus)\n\nAll of it."
    assert key_text(question("explain", ExplainBody(points[:1]))) == "- One thing."


def test_imports_stay_light() -> None:
    """Every grader imports without the packages that are slow to load."""
    program = (
        "import sys, pkgutil, drill.domain.grading as g, drill.domain.presentation, "
        "drill.domain.expressions\n"
        "for m in pkgutil.iter_modules(g.__path__):\n"
        "    if m.name != 'explain': __import__(g.__name__ + '.' + m.name)\n"
        "heavy = {'pydantic', 'simpleeval', 'rapidfuzz', 'yaml', 'numpy', 'torch', 'rich'}\n"
        "print(', '.join(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_the_dispatcher_imports_no_grader_before_it_is_needed() -> None:
    program = (
        "import sys, drill.domain.grading\n"
        "print(', '.join(m for m in sys.modules if m.startswith('drill.domain.grading.')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
