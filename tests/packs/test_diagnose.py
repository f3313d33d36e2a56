"""`diagnose` items: what their YAML can be wrong about, and what compiling makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from drill.domain.questions import DiagnoseBody
from drill.packs.bank import open_bank
from drill.packs.check import check
from drill.packs.codec import from_line, to_line
from drill.packs.key_text import key_text
from tests.packs.test_check import changed, line_of

ITEM = "sc.sample-diagnose"
FIRST = "{id: first-step, label: The first step alone, price: 2, decides: true}"

# what is replaced, by what, the text whose place is named, and part of the message
WRONG = [
    ("price: 6", "price: 0", "price: 0", "out of range"),
    ("price: 6", "price: 1.5", "1.5}", "whole number"),
    ("price: 6", "price: dear", "dear}", "whole number"),
    ("id: libraries", "id: symptom", "symptom, label", "`symptom` is no probe but has a meaning"),
    ("id: libraries", "id: values", "", "`values` stands 2 times"),
    (", decides: true", "", "", "no probe decides the case"),
    ("par: 3", "par: 1", "  par: 1", "no probe that decides costs 1 or less"),
    ("par: 3", "par: 9", "  par: 9", "all probes together cost 9"),
    ("par: 3", "par: 0", "  par: 0", "out of range"),
    ("  par: 3\n", "", "- id: sc.sample-diagnose", "the field `par` is missing"),
    ("sign., right: true,", "sign.,", "", "0 causes are `right: true`"),
    ("text: The slope is halved.", "text: the slope has  the wrong sign.", "", "stands 2 times"),
    ("id: half", "id: sign", "", "`sign` stands 2 times"),
    ("      family: slope\n", "      familie: slope\n", "familie", "unknown key `familie`"),
    ("params: {case: sign}}", "params: {case: sign, look: mend}}", "mend}}", "no `look`"),
    ("params: {case: sign}}", "params: {cas: sign}}", "cas: sign", "has no param `cas`"),
    ("claim: mend-removes-it", "claim: mends", "mends, params", "makes no claim `mends`"),
    (
        "{name: broken-walk, claim: mend-removes-it, params: {case: sign}}",
        "{name: step-size,  claim: error-falls-with-steps}",
        "name: step-size,  claim",
        "has no param `look`",
    ),
    ("says: Half a slope would still go down.", "", "", "a wrong option without feedback"),
    ("sc.N_eq_calls\n  hints: [D", "sc.N_cals\n  hints: [D", "sc.N_cals", "not in the registry"),
    ("  probes:\n    - {id: v", "  code: x = 1\n  probes:\n    - {id: v", "x = 1", "not shown"),
]


@pytest.mark.parametrize(("old", "new", "at", "said"), WRONG, ids=[case[3] for case in WRONG])
def test_what_is_wrong_is_placed(valid: Path, old: str, new: str, at: str, said: str) -> None:
    problems = [p for p in check([changed(valid, old, new)]) if p.severity == "error"]
    told = [p for p in problems if said in f"{p.message} {p.expected}"]
    assert told, problems
    assert {p.item for p in problems} == {ITEM}
    if at:
        assert told[0].line == line_of(valid, at)[0]


def test_an_experiment_is_needed(valid: Path) -> None:
    link = "  experiment: {name: broken-walk, claim: mend-removes-it, params: {case: sign}}\n"
    (problem,) = (p for p in check([changed(valid, link, "")]) if p.severity == "error")
    assert (problem.item, problem.message) == (ITEM, "the field `experiment` is missing")


def test_every_probe_that_decides_leaves_nothing_to_choose(valid: Path) -> None:
    changed(valid, "each step, price: 1}", "each step, price: 1, decides: true}")
    changed(valid, "all libraries, price: 6}", "all libraries, price: 6, decides: true}")
    (problem,) = (p for p in check([valid]) if p.severity == "error")
    assert problem.message == "every probe decides the case"


def test_a_cause_that_tells_itself_is_a_warning(valid: Path) -> None:
    long = "The slope has the wrong sign. " * 4
    changed(valid, "text: The slope has the wrong sign.", f"text: {long.strip()}")
    assert any("times as long as the others" in p.message for p in check([valid]))


def test_an_item_is_compiled(valid: Path) -> None:
    bank = open_bank([valid], valid / "cache")
    question = bank.question(f"sample:{ITEM}", 0)
    body = question.body
    assert isinstance(body, DiagnoseBody)
    assert body.cause.id == "sign" and key_text(question) == "sign"
    assert [probe.id for probe in body.deciding] == ["first-step"]
    assert body.price_of(["values", "libraries", "nothing"]) == 7
    assert (body.par, body.claim) == (3, "mend-removes-it")
    assert question.head.misconceptions == ("sc.N_eq_calls",) and question.head.seconds == 240
    assert from_line(to_line(question), question.head) == question
