"""The gate: how well the engine does on the development set, with its keys unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.grading import DATA, main, read_set, report, score


def test_the_engine_meets_its_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """Measured: P .967, R .824, F1 .890; false credit 1.1 % of pairs, 4.6 % of answers.

    The bar of the project is F1 .83 at 2.5 % of pairs; the limits here stand just below what was
    measured, so that a step back is seen.
    """
    assert main(["--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["points"]["pairs"] == 1228
    assert figures["points"]["precision"] >= 0.95
    assert figures["points"]["recall"] >= 0.81
    assert figures["points"]["f1"] >= 0.88
    assert figures["false_credit"]["pairs"] <= 0.015
    assert figures["false_credit"]["answers"] <= 0.06


def test_the_halves_agree() -> None:
    """Half a was looked at while tuning, half b was not: measured F1 .907 and .872."""
    questions, keys = read_set(DATA / "dev.yaml", DATA / "dev-keys.yaml")
    a, b = (report(score(questions[start::2], keys))["points"]["f1"] for start in (0, 1))
    assert min(a, b) >= 0.86
    assert abs(a - b) <= 0.04


def test_a_set_without_keys_is_scored_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "set.yaml").write_text(
        "- id: q\n  points: [{id: p, statement: A noise.}, {id: r}]\n"
        "  answers: [{text: a noise, kind: wrong, met: [p]}, {text: null}, {}]\n"
        "- id: other\n"
    )
    (tmp_path / "keys.yaml").write_text("q: {p: null}\n")
    questions, keys = read_set(tmp_path / "set.yaml", tmp_path / "keys.yaml")
    figures = report(score(questions, keys))
    assert figures["points"]["f1"] == 0
    assert figures["false_credit"] == {"pairs": 0.0, "answers": 0.0}
    assert main([str(tmp_path / "set.yaml"), str(tmp_path / "keys.yaml"), "--half", "a"]) == 0
