"""`code`: reading the source, judging by the property run."""

from __future__ import annotations

import pytest

from drill.domain.grading import grade
from drill.domain.grading.code import parse_code
from drill.domain.questions import CodeBody
from drill.domain.verdict import MalformedAnswerError

from .making import faults, question, refused

Q = question("code", CodeBody("f", "def f(): ...", "def f():\n    return 1", "holds"))
SOURCE = "def f():\n    return 1\n"


def outcomes(passed: int, total: int, *failures: str) -> dict[str, object]:
    return {"passed": passed, "total": total, "failures": list(failures)}


def test_right_when_every_property_holds() -> None:
    verdict = grade(Q, SOURCE, outcomes(3, 3))
    assert verdict.score == 1
    assert verdict.summary == "Right: 3 of 3 properties hold."
    assert verdict.expected == "def f():\n    return 1"


@pytest.mark.parametrize(
    ("passed", "total", "score"), [(0, 2, 0), (1, 2, 0.5), (9, 10, 0.75), (99, 100, 0.75)]
)
def test_partial_credit_never_passes(passed: int, total: int, score: float) -> None:
    verdict = grade(Q, SOURCE, outcomes(passed, total, "at n=1: got 2"))
    assert verdict.score == score
    assert not verdict.right
    assert faults(verdict) == "at n=1: got 2"


def test_failures_without_words_are_counted() -> None:
    assert faults(grade(Q, SOURCE, outcomes(1, 3))) == "2 of 3 properties do not hold."


def test_a_failure_beside_full_counts_is_not_right() -> None:
    assert grade(Q, SOURCE, outcomes(3, 3, "timed out")).score == 0.75


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("def f(:", "Line 1"),
        ("x = 1\ndef f()\n    pass", "Line 2"),
        ("def g():\n    pass", "`f` is not defined"),
        ("class A:\n    def f(self):\n        pass", "`f` is not defined"),
        ("@answer.py", "`answer.py` was not read"),
        ("\0", "Python"),
        ("(" * 500, ""),
    ],
)
def test_malformed(answer: str, reason: str) -> None:
    assert reason in refused(Q, answer, outcomes(1, 1)) or "null bytes" in reason + "null bytes"


@pytest.mark.parametrize(
    "answer",
    [
        SOURCE,
        "```python\n" + SOURCE + "```",
        "    def f():\n        return 1",
        "\n\n" + SOURCE,
        "import math\n" + SOURCE,
        "f = lambda: 1",
        "async def f():\n    return 1",
    ],
)
def test_the_source_as_it_will_run(answer: str) -> None:
    source = parse_code(Q, answer)
    assert "f" in source
    compile(source, "answer", "exec")


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        {"passed": 1},
        outcomes(2, 1),
        outcomes(0, 0),
        outcomes(-1, 1),
        {"passed": "1", "total": 1},
        {"passed": 1, "total": 1, "failures": "x"},
    ],
)
def test_unusable_outcomes_are_an_error_of_the_program(given: dict[str, object] | None) -> None:
    with pytest.raises(ValueError, match="outcomes") as error:
        grade(Q, SOURCE, given)
    assert not isinstance(error.value, MalformedAnswerError)
