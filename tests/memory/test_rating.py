"""The table from a judged answer to a grade, row by row."""

from __future__ import annotations

import pytest

from drill.domain.memory.rating import confidently_wrong, grade_of
from drill.domain.memory.variants import presentation_seed


@pytest.mark.parametrize(
    ("score", "confidence", "hints", "seconds", "expected", "grade"),
    [
        (0.0, 1, 0, 5, 30, 1),
        (0.49, 3, 0, 5, 30, 1),
        (0.5, 3, 0, 5, 30, 2),
        (0.79, 3, 0, 5, 30, 2),
        (1.0, 1, 0, 5, 30, 2),
        (1.0, 3, 2, 5, 30, 2),
        (1.0, 2, 0, 5, 30, 3),
        (1.0, 2, 1, 5, 30, 3),
        (1.0, 3, 0, 30, 30, 4),
        (0.8, 3, 0, 5, 30, 4),
        (1.0, 3, 0, 30.1, 30, 3),
        (1.0, 3, 1, 5, 30, 3),
        (1.0, None, 0, 5, 30, 3),
        (1.0, 3, 0, None, 30, 3),
        (1.0, 3, 0, 5, None, 3),
        (1.0, 3, 0, 5, 0, 3),
        (1.0, 3, 0, 0, 30, 3),
    ],
)
def test_table(
    score: float,
    confidence: int | None,
    hints: int,
    seconds: float | None,
    expected: float | None,
    grade: int,
) -> None:
    assert grade_of(score, confidence, hints, seconds, expected) == grade


def test_confidently_wrong() -> None:
    assert confidently_wrong(1, 3)
    assert not confidently_wrong(1, 2)
    assert not confidently_wrong(2, 3)
    assert not confidently_wrong(1, None)


def test_presentations_are_stable_and_change_with_every_answer() -> None:
    assert presentation_seed("drill:cfg.calls", 0) == 1570610460
    seeds = {presentation_seed("drill:cfg.calls", n) for n in range(200)}
    first = presentation_seed("drill:cfg.calls", 0)
    assert seeds == {first + n for n in range(200)}  # so that all variants come in turn
    assert all(0 <= seed < 2**31 for seed in seeds)
