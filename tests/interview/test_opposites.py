"""Fluent answers to the reserve that say the opposite earn nothing; plain right ones earn it.

`opposites/TOPIC.yaml`: a list of `{item, half, kind, text, expect}`. `kind` is `wrong` (every
essential point turned round or replaced by something untrue, in the field's own words) or `right`
(an engineer's plain words, not the rubric's); `expect` names the points of a `right` answer that
must be credited. The rubrics were mended on the half `dev`; `fresh` was written afterwards and no
rubric was changed for it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from drill.domain.interview.judging import judged_text
from drill.domain.questions import ExplainBody
from drill.packs.compile import load_pack
from drill.packs.files import gather

ROOT = Path(__file__).resolve().parents[2]
CASES: list[dict[str, Any]] = [
    case
    for file in sorted((Path(__file__).parent / "opposites").glob("*.yaml"))
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]
DEV = [case for case in CASES if case["half"] == "dev"]


@cache
def bodies() -> dict[str, ExplainBody]:
    """The built-in reserve's questions in free text, by id without the pack."""
    return {
        q.head.id.rpartition(":")[2]: q.body
        for entry in load_pack(gather(ROOT)).entries
        for q in entry.compiled.questions
        if isinstance(q.body, ExplainBody) and q.head.reserve
    }


def credited(case: dict[str, Any]) -> set[str]:
    found = judged_text(bodies()[case["item"]], case["text"])
    return {name for name, state in found.points.items() if state == "credited"}


@pytest.mark.parametrize("case", DEV, ids=lambda case: f"{case['item']}-{case['kind']}")
def test_the_opposite_earns_nothing_and_the_plain_truth_earns_it(case: dict[str, Any]) -> None:
    if case["kind"] == "wrong":
        assert credited(case) == set()
    else:
        assert set(case["expect"]) - credited(case) == set()


def test_opposites_that_no_rubric_was_mended_for() -> None:
    points = earned = 0
    for case in CASES:
        if case["half"] == "fresh" and case["kind"] == "wrong":
            essential = {p.id for p in bodies()[case["item"]].points if p.weight == "essential"}
            points += len(essential)
            earned += len(essential & credited(case))
    assert points and earned / points <= 0.19


def test_every_question_in_free_text_has_its_opposites() -> None:
    for half in ("dev", "fresh"):
        wrong = {c["item"] for c in CASES if c["kind"] == "wrong" and c["half"] == half}
        assert set(bodies()) - wrong == set()
