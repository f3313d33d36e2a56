"""Quotes, robustness and time of the engine."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.grading import DATA, read_set, rubric
from drill.domain.rubric import judge
from drill.domain.rubric.text import MAX_TOKENS, sentences_of
from tests.rubric.make import belief, point

POINTS = [
    point("start* .. $noise", "noise & !image .. $any", statement="It starts from noise."),
    point("* .. * .. step*", "uncond* + *", unless=("not",), name="q", statement="v = a*eps"),
]
BELIEFS = [belief("one .. pass", statement="One pass of the network makes the whole image.")]
MARKUP = ["[bold]", "[/]", "<b>", "x_{", "}", "ε", "ᾱ", "`", "\x00", "\ufeff", "n't", "*", "&", "|"]


@settings(max_examples=150, deadline=None)
@given(st.one_of(
    st.text(max_size=400),
    st.lists(st.one_of(st.sampled_from([*MARKUP, "noise", "not", "step", "start", "."]),
                       st.text(max_size=4)), max_size=80).map(" ".join),
))  # fmt: skip
def test_any_text_is_judged_and_quotes_are_its_own(text: str) -> None:
    result = judge(text, POINTS, BELIEFS)
    assert [p.id for p in result.points] == ["p", "q"]
    for found in result.points:
        assert found.state in ("credited", "ask", "missed")
        assert bool(found.matched) == (found.state != "missed")
        assert all(quote in text and quote for quote in found.matched)
    for sentence in sentences_of(text):
        for token in sentence.tokens:
            assert 0 <= token.start < token.end <= len(text)
            assert token.text


def test_quotes_keep_the_learners_spelling() -> None:
    text = "We START from pure «Gausian Noise», [b]always[/b]."
    found = judge(text, [point("start* .. gaussian noise")]).points[0]
    assert found.state == "credited"
    assert found.matched == ("START", "Gausian Noise")


@pytest.mark.parametrize(
    "piece", ["not a, b or ", "noise ", "x_{", "don't ", "((", "ᾱ_", "it thinks that noise steps "]
)
def test_long_hostile_text_takes_no_time(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    begun = time.process_time()
    judge(text, POINTS, BELIEFS)
    assert time.process_time() - begun < 3.0


def test_a_long_answer_is_judged_at_once() -> None:
    """2,000 characters: 23 ms at most for the questions of the development set when measured."""
    questions, keys = read_set(DATA / "dev.yaml", DATA / "dev-keys.yaml")
    slowest = 0.0
    for question in questions:
        points, beliefs = rubric(question, keys)
        text = (" ".join(a["text"] for a in question["answers"]) * 4)[:2000]
        spent = []
        for _ in range(3):  # the best of three, since a collection of garbage may fall into one
            begun = time.process_time()
            judge(text, points, beliefs)
            spent.append(time.process_time() - begun)
        slowest = max(slowest, min(spent))
    assert slowest < 0.25


def test_the_engine_needs_neither_torch_nor_yaml() -> None:
    for path in (Path(__file__).parents[2] / "drill" / "domain" / "rubric").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert "import torch" not in source
        assert "yaml" not in source
        assert "\nfrom rapidfuzz" not in source  # imported where it is first needed


def test_a_sentence_without_end_is_cut() -> None:
    assert [len(s.tokens) for s in sentences_of("word " * (MAX_TOKENS + 5))] == [MAX_TOKENS, 5]
    assert MAX_TOKENS <= 1000
