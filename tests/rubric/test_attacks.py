"""Answers made from the rubric's own words, without knowing anything, and what they earn.

Built from the statements of the development set, never from its answers. The limits stand just
above what was measured.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from benchmarks.grading import DATA, read_set, rubric
from drill.domain.questions import Point
from drill.domain.rubric import judge
from drill.domain.rubric.grammar import FUNCTION
from drill.domain.rubric.text import plain_words

Attack = Callable[[list[str], list[Point], random.Random], str]


def some(words: list[str], count: int, rng: random.Random) -> list[str]:
    return [rng.choice(words) for _ in range(count)]


def frame(text: str) -> Attack:
    """The frame with keywords in its gaps."""
    return lambda words, _points, rng: text.format(*some(words, text.count("{}"), rng))


def joined(separator: str, count: int = 10) -> Attack:
    return lambda words, _points, rng: separator.join(some(words, count, rng))


def each(prefix: str, suffix: str = "") -> Attack:
    """Every statement of the rubric, each taken back."""

    def attack(_words: list[str], points: list[Point], _rng: random.Random) -> str:
        return ". ".join(
            prefix + (p.statement[0].lower() if prefix else p.statement[0])
            + p.statement[1:].rstrip(".") + suffix
            for p in points
        )  # fmt: skip

    return attack


@pytest.mark.parametrize(
    ("attack", "limit"),
    [
        pytest.param(joined(" ", 12), 0.0, id="bare words"),
        pytest.param(joined(", ", 12), 0.0, id="comma list"),
        pytest.param(joined(" and ", 8), 0.0, id="and list"),
        pytest.param(joined("/", 10), 0.0, id="slash list"),
        pytest.param(each("It is not true that "), 0.03, id="not true"),
        pytest.param(each("Some people think that "), 0.03, id="hearsay"),
        pytest.param(each("It is a myth that "), 0.03, id="myth"),
        pytest.param(each("", " is false"), 0.03, id="is false"),
        pytest.param(frame("This involves {}, {}, {} and {} with {} and {}."), 0.15, id="involves"),
        pytest.param(
            frame("The {} is important and the {} is related to the {} and the {} matters."),
            0.12,
            id="important",
        ),
        pytest.param(
            frame("We use the {} to get the {} and then the {} makes the {} with the {}."),
            0.2,
            id="sentence-shaped",
        ),
    ],
)
def test_attack_earns_little(attack: Attack, limit: float) -> None:
    rng = random.Random(3)
    questions, keys = read_set(DATA / "dev.yaml", DATA / "dev-keys.yaml")
    credited = pairs = 0
    for question in questions:
        points, beliefs = rubric(question, keys)
        words = [
            word
            for point in points
            for word in plain_words(point.statement)
            if word not in FUNCTION and word.isalpha() and len(word) > 2
        ]
        result = judge(attack(words, points, rng), points, beliefs)
        credited += sum(point.state == "credited" for point in result.points)
        pairs += len(points)
    assert credited <= limit * pairs, f"{credited} of {pairs}"


def test_the_statements_themselves_are_credited() -> None:
    """The same statements, not taken back: 126 of 128 when measured."""
    questions, keys = read_set(DATA / "dev.yaml", DATA / "dev-keys.yaml")
    said = total = 0
    for question in questions:
        points, beliefs = rubric(question, keys)
        for point in points:
            states = {p.id: p.state for p in judge(point.statement, points, beliefs).points}
            said += states[point.id] == "credited"
            total += 1
    assert said >= 0.97 * total
