"""Reserve items and cases: what the schema asks of them, and what is compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from drill.domain.questions import ExplainBody
from drill.packs.bank import open_bank
from drill.packs.check import check

from .conftest import MakePack

STAGE = """
- id: sv.fleet-{stage}
  topic: serving
  level: senior
  relevance: core
  type: number
  reserve: true
  round: estimate
  case: {case}
  {stage_line}
  {scenario}
  prompt: How many seconds is stage {stage}?
  key: 3
  tolerance: 0
  explanation: Because it is.
  sources: [{{text: arithmetic}}]
"""


def stage(
    number: int, *, case: str = "sv.fleet", scenario: str = "", stage_line: str | None = None
) -> str:
    line = f"stage: {number}" if stage_line is None else stage_line
    told = f"scenario: {scenario}" if scenario else ""
    return STAGE.format(stage=number, case=case, stage_line=line, scenario=told)


def errors(make_pack: MakePack, *texts: str) -> list[str]:
    root = make_pack(**{"serving/core": "".join(texts)})
    return [p.message for p in check([root]) if p.severity == "error"]


def test_every_stage_shows_the_scenario_of_the_first(make_pack: MakePack, tmp_path: Path) -> None:
    text = stage(1, scenario="Ten cards wait.") + stage(2) + stage(3)
    bank = open_bank([make_pack(**{"serving/core": text})], tmp_path / "cache")
    heads = list(bank.heads.values())
    assert [head.stage for head in heads] == [1, 2, 3]
    assert {head.case.rpartition(":")[2] for head in heads} == {"sv.fleet"}
    assert all(head.reserve and head.round == "estimate" for head in heads)
    shown = {bank.variants(head.id)[0].scenario for head in heads}
    assert shown == {"Ten cards wait."}


def test_a_case_that_follows_another_takes_its_own_scenario(
    make_pack: MakePack, tmp_path: Path
) -> None:
    other = stage(1, case="sv.other", scenario="One card.").replace("sv.fleet-1", "sv.other-1")
    text = stage(1, scenario="Ten cards wait.") + other
    bank = open_bank([make_pack(**{"serving/core": text})], tmp_path / "cache")
    assert [bank.variants(i)[0].scenario for i in bank.heads] == ["Ten cards wait.", "One card."]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([stage(1)], "begins without a scenario"),
        ([stage(1, scenario="A."), stage(3)], "stage 3 of"),
        ([stage(1, scenario="A."), stage(2, scenario="B.")], "only stage 1 tells the scenario"),
        ([stage(1, scenario="A.", stage_line="")], "no stage of"),
        ([stage(2, scenario="A.")], "stage 2 of"),
    ],
)
def test_a_case_out_of_order_is_an_error(make_pack: MakePack, texts: list[str], said: str) -> None:
    assert any(said in message for message in errors(make_pack, *texts))


def test_a_stage_or_scenario_without_a_case_is_an_error(make_pack: MakePack) -> None:
    bare = stage(1, scenario="A.").replace("  case: sv.fleet\n", "")
    said = errors(make_pack, bare)
    assert "a stage of no case" in said and "a scenario of no case" in said


EXPLAIN = """
- id: cfg.why
  topic: cfg
  level: senior
  relevance: core
  type: explain
  reserve: true
  axis: tradeoff
  prompt: Why?
  points:
    - {{id: cost, statement: Guidance doubles the evaluations., weight: essential,
        accept: ["guidance .. double*|doubles .. evaluation*"]}}
    - {{id: less, statement: A smaller scale keeps variety., weight: bonus, {more}
        accept: ["smaller .. scale .. variety"]}}
  model_answer: Guidance doubles the evaluations.
  {probes}
  explanation: Because it is.
  sources: [{{text: arithmetic}}]
"""


def test_an_essential_point_of_the_reserve_needs_both_probes(make_pack: MakePack) -> None:
    def said(probes: str) -> list[str]:
        text = EXPLAIN.format(more="", probes=probes)
        root = make_pack(**{"cfg/core": text})
        return [p.message for p in check([root]) if p.severity == "error"]

    assert any("without words for it" in message for message in said(""))
    assert any("without words" in m for m in said("probes: {cost: {neutral: And the cost?}}"))
    assert said("probes: {cost: {neutral: And the cost?, pointed: How many evaluations?}}") == []


def test_bars_of_points_follow_the_level_unless_they_are_given(
    make_pack: MakePack, tmp_path: Path
) -> None:
    def bars(more: str) -> list[str]:
        probes = "probes: {cost: {neutral: And the cost?, pointed: How many evaluations?}}"
        text = EXPLAIN.format(more=more, probes=probes)
        bank = open_bank([make_pack(**{"cfg/core": text})], tmp_path / more[:3])
        body = bank.variants(next(iter(bank.heads)))[0].body
        assert isinstance(body, ExplainBody)
        return [point.bar for point in body.points]

    assert bars("") == ["senior", "staff"]
    assert bars("bar: mid, axis: code,") == ["senior", "mid"]
