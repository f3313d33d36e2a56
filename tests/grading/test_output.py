"""`output`: tokens, tolerance, shares of lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.domain.grading import grade
from drill.domain.questions import OutputBody, Question, ValueFault

from .making import faults, question, refused


def output(key: str, *known: ValueFault, rel: float = 1e-3) -> Question:
    return question("output", OutputBody(key, rel, known))


THREE = output(
    "torch.Size([2, 4])\n0.5 True\n3\n",
    ValueFault("torch.Size([4, 2])\n0.5 True\n3", "Axes are swapped.", "m.axes"),
)


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("torch.Size([2, 4])\n0.5 True\n3", "torch.Size([2, 4])\n0.5 True\n3"),
        ("torch.Size([2, 4])\n0.5 True\n3", "(2,4)\n.5 true\n3\n\n"),
        ("torch.Size([2, 4])\n0.5 True\n3", r"[2, 4]\n0.5 True\n3"),
        ("torch.Size([2, 4])\n0.5 True\n3", "(2,4) 0.5 True 3"),
        ("torch.Size([])", "torch.Size([])"),
        ("(2, 4)", "(2,4)"),
        ("(2, 4)", "( 2 , 4 )"),
        ("(2,)", "(2,)"),
        ("['a', 'b']", '["a","b"]'),
        ("{'x': 1}", "{x: 1}"),
        ("hello  world", "'hello world'"),
        ("0.8942", "0.89421"),
        ("tensor([1.0000, 2.5000])", "tensor([1., 2.5])"),
        ("-0.5", "−0.5"),
        ("1e-05", "0.00001"),
        ("nan", "NaN"),
        ("inf -inf", "inf -inf"),
        ("None", "none"),
        ("cuda:0", "cuda:0"),
        ("39", "39.0"),
        ("0.0", "-0.0"),
        ("", "nothing"),
        ("nothing", "nothing"),
        ("a\\nb", "a\\nb"),
    ],
)
def test_right(key: str, answer: str) -> None:
    verdict = grade(output(key), answer)
    assert verdict.score == 1, verdict


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("(2, 4)", "(4, 2)"),
        ("(2, 4)", "[2, 4]"),
        ("(2, 4)", "2 4"),
        ("1000", "1001"),
        ("0.8942", "0.896"),
        ("tensor(3)", "3"),
        ("Cat", "cat"),
        ("True", "1"),
        ("1 2", "12"),
        ("-1", "1"),
        ("nan", "0"),
        ("x", "nothing"),
        ("", "x"),
        ("1.5", "1.5 2"),
    ],
)
def test_wrong(key: str, answer: str) -> None:
    verdict = grade(output(key), answer)
    assert verdict.score == 0
    assert verdict.faults


@pytest.mark.parametrize(
    ("answer", "score", "says"),
    [
        (
            "(2,4)\n0.6 True\n3",
            2 / 3,
            "Line 2 is the first that differs: `0.6 True`, printed is `0.5 True`",
        ),
        ("(2,4)\n0.5 True", 2 / 3, "Line 3 is missing: `3`."),
        ("(2,4)\n0.5 True\n3\n4", 3 / 4, "Line 4 is not printed: `4`."),
        ("0.5 True\n3", 2 / 3, "Line 1 is the first that differs"),
        ("(2,4)", 1 / 3, "right as far as line 1; line 2 is `0.5 True`"),
        ("(2,4) 0.5 True 4", 2 / 3, "right as far as line 2; line 3 is `3`"),
        ("(2,4) 0.5 True 3 4", 3 / 4, "and then something more"),
        ("(7,4) 0.5 True 3", 0, "Line 1 is the first that differs"),
    ],
)
def test_partial_credit(answer: str, score: float, says: str) -> None:
    verdict = grade(THREE, answer)
    assert verdict.score == pytest.approx(score)
    assert says in faults(verdict)


def test_nine_of_ten_lines_do_not_pass() -> None:
    key = "\n".join(str(i) for i in range(10))
    assert grade(output(key), key.replace("9", "8")).score == 0.75


def test_a_known_wrong_output_names_the_belief() -> None:
    verdict = grade(THREE, "(4, 2)\n0.5 True\n3")
    assert verdict.misconceptions == ("m.axes",)
    assert verdict.score == pytest.approx(2 / 3)


@pytest.mark.parametrize("answer", ["", " ", "\n\n", "''"])
def test_malformed(answer: str) -> None:
    assert refused(THREE, answer)


@given(st.lists(st.text("ab1.,()[] -", min_size=1, max_size=12), min_size=1, max_size=5))
def test_a_text_is_right_for_itself_however_spaced(lines: list[str]) -> None:
    key = "\n".join(lines)
    q = output(key)
    if not key.strip():
        return
    assert grade(q, key).score == 1
    assert grade(q, "\n\n".join(f"  {line}  " for line in lines)).score == 1
