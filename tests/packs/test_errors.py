"""Each kind of error in an item: exact line, column and field, and a message with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from drill.packs.bank import open_bank
from drill.packs.check import check
from drill.packs.problems import Problem
from tests.packs.conftest import CHOICE, EXAMPLES, NUMBER, VALID, MakePack

EACH = (VALID / EXAMPLES).read_text(encoding="utf-8")


def item_of(name: str) -> str:
    """The text of one item of the valid pack."""
    parts = EACH.split("\n- id: ")
    return "- id: " + next(p for p in parts if p.startswith(f"sc.sample-{name}\n")).rstrip() + "\n"


def problems(root: Path) -> list[Problem]:
    found = open_bank([root], root / "cache").problems
    return [p for p in found if p.severity == "error"]


# item, what is replaced, by what, and: line, column, field, part of the message, part of expected
CASES: list[tuple[str, str, str, int, int, str, str, str]] = [
    (CHOICE, "  level: junior\n", "", 1, 3, "", "the field `level` is missing", ""),
    (CHOICE, "  type: choice\n", "", 1, 3, "", "the field `type` is missing", "choice, choices"),
    (CHOICE, "type: choice", "type: chioce", 5, 9, "type", "did you mean `choice`?", "number"),
    (CHOICE, "level: junior", "level: junor", 3, 10, "level", "did you mean `junior`?", "senior"),
    (CHOICE, "topic: scheduler", "topic: sampler", 2, 10, "topic", "`sampler`", "'scheduler'"),
    (CHOICE, "  relevance", "  relevanse", 4, 3, "relevanse", "did you mean `relevance`?", ""),
    (CHOICE, "says: No.}", "say: No.}", 9, 42, "options[1].say", "did you mean `says`?", ""),
    (CHOICE, "text: Known.", "text: 3", 12, 20, "sources[0].text", "the number 3", "quotes"),
    (CHOICE, "[{text: Known.}]", "[]", 12, 12, "sources", "0 given", "at least 1 entry"),
    (CHOICE, "{text: Known.}", "{eq: 3}", 12, 13, "sources[0]", "exactly one of", "arXiv"),
    (CHOICE, "{text: Known.}", "{paper: 2207.12598}", 12, 21, "sources[0].paper", "number", "text"),
    (CHOICE, "{text: Known.}", '{paper: "2207.12598"}', 12, 21, "sources[0].paper", "", "arXiv:"),
    (CHOICE, "{text: Known.}", "{symbol: a.b, eq: 3}", 12, 27, "sources[0].eq", "unknown key", ""),
    (CHOICE, "right: true", "right: yes", 8, 50, "options[0].right", "text stands", "`true`"),
    (CHOICE, ", right: true", "", 8, 5, "options", "0 options are `right: true`", "exactly one"),
    (CHOICE, "says: No.}", "right: true}", 8, 5, "options", "3 options", "exactly one"),
    (CHOICE, "id: denoiser", "id: nothing", 8, 5, "options", "`nothing` stands 2 times", ""),
    (CHOICE, "id: denoiser", "id: b", 9, 12, "options[1].id", "`b` does not fit", "at least 2"),
    (CHOICE, "text: The decoder", "text: the  Denoiser", 8, 5, "options", "stands 2 times", ""),
    (CHOICE, "id: sc.one", "id: cfg.one", 1, 7, "id", "prefix of scheduler", "`sc.`"),
    (CHOICE, "id: sc.one", "id: sc.One", 1, 7, "id", "does not fit", "an id such as"),
    (CHOICE, "id: sc.one", "id: [a]", 1, 7, "id", "a list stands here", "text"),
    (CHOICE, "prompt: What is trained again?", "prompt:", 6, 10, "prompt", "nothing", "text"),
    (CHOICE, "prompt: What is trained again?", "prompt: ' '", 6, 11, "prompt", "empty", "text"),
    (CHOICE, "  options:", "  hints: [a, b, c, d]\n  options:", 7, 10, "hints", "4 given", "3"),
    (CHOICE, "  options:", "  roles: [ops]\n  options:", 7, 11, "roles[0]", "`ops`", "'serving'"),
    (CHOICE, "  options:", "  seconds: 0\n  options:", 7, 12, "seconds", "0", "more than 0"),
    (
        CHOICE,
        "  options:",
        "  code: x\n  source: {symbol: a.b, around: x}\n  options:",
        8,
        11,
        "source",
        "both `code` and `source`",
        "one of them",
    ),
    (CHOICE, "  options:", "  proof: code\n  options:", 7, 10, "proof", "`code` proves only", ""),
    (CHOICE, "  options:", "  proof: source\n  options:", 7, 10, "proof", "`source` proves", ""),
    (CHOICE, "  options:", "  siblings: [sc.one]\n  options:", 7, 14, "siblings[0]", "itself", ""),
    (CHOICE, "  options:", "  confusable: [vea]\n  options:", 7, 16, "confusable[0]", "`vae`", ""),
    (CHOICE, "  options:", "  confusable: [a b]\n  options:", 7, 16, "confusable[0]", "", "topic"),
    (
        CHOICE,
        "  options:",
        "  experiment: {name: x-y}\n  options:",
        7,
        15,
        "experiment",
        "the field `claim` is missing",
        "",
    ),
    (
        CHOICE,
        "- {id: decoder, text: The decoder, says: No.}",
        "- The decoder",
        10,
        7,
        "options[2]",
        "text stands here",
        "mapping",
    ),
    (NUMBER, "[10, 20]", "[10, 20, 10]", 9, 12, "variants.steps", "`10` stands 2 times", ""),
    (NUMBER, "[10, 20]", "[10, many]", 9, 12, "variants.steps", "mixed", "one kind"),
    (NUMBER, "[10, 20]", "[]", 9, 12, "variants.steps", "0 given", "at least 1"),
    (NUMBER, "[10, 20]", "[[1]]", 9, 13, "variants.steps[0]", "not a param's value", "number"),
    (
        NUMBER,
        "[10, 20]",
        str(list(range(1, 26))),
        8,
        5,
        "variants",
        "the grid has 50 variants",
        "at most 48",
    ),
    (
        NUMBER,
        "    steps: [10",
        "    bad-name: [1, 2]\n    steps: [10",
        9,
        5,
        "variants.bad-name",
        "",
        "Python name",
    ),
    (
        NUMBER,
        "    steps: [10",
        "    other: [1, 2]\n    steps: [10",
        9,
        12,
        "variants.other",
        "no text that the learner sees",
        "",
    ),
    (
        NUMBER,
        "{steps} steps",
        "{stepz} steps",
        6,
        11,
        "prompt",
        "did you mean `{steps}`?",
        "{steps}",
    ),
    (NUMBER, "{steps} steps", "{steps steps", 6, 11, "prompt", "without its partner", "twice"),
    (NUMBER, "calls.", "calls: {}.", 14, 16, "explanation", "no param", "`{{`"),
    (NUMBER, "Heun: 2*steps - 1", "Heun: 2*stepz", 10, 44, "key.Heun", "unknown name `stepz`", ""),
    (NUMBER, "Heun: 2*steps - 1", "Heun: 2*", 10, 44, "key.Heun", "is not an expression", ""),
    (NUMBER, "Heun: 2*steps - 1", "Heun: '\"a\"'", 10, 44, "key.Heun", "gives 'a'", "a number"),
    (NUMBER, "Heun: 2*steps - 1", "Heum: 1", 10, 38, "key.Heum", "did you mean `Heun`?", ""),
    (NUMBER, "by: scheduler", "by: sheduler", 10, 13, "key.by", "did you mean `scheduler`?", ""),
    (NUMBER, "by: scheduler, ", "", 10, 8, "key", "by which param", "`by: PARAM`"),
    (NUMBER, "when: key != steps, ", "", 13, 7, "faults[0]", "is right", "`when`"),
    (
        NUMBER,
        "when: key != steps",
        "when: keys",
        13,
        28,
        "faults[0].when",
        "unknown name `keys`",
        "",
    ),
    (NUMBER, "tolerance: 0", "tolerance: {rell: 1}", 11, 15, "tolerance.rell", "`rel`", ""),
    (NUMBER, "tolerance: 0", "tolerance: none", 11, 14, "tolerance", "text stands here", "mapping"),
    (NUMBER, "tolerance: 0", "tolerance: {rel: 2}", 11, 20, "tolerance.rel", "2", "less than 1"),
    (NUMBER, "  tolerance: 0\n", "", 1, 3, "", "the field `tolerance` is missing", "`0`"),
    (item_of("choices"), ", right: true", "", 8, 5, "options", "no option is `right: true`", ""),
    (item_of("shape"), '"[4, 4, 64, 64]"', "[4, 4, 64]", 13, 8, "key", "a list", "text"),
    (item_of("shape"), '"[4, 4, 64, 64]"', "4x4", 13, 8, "key", "`4x4` does not fit", "quoted"),
    (item_of("shape"), "[2, 4, 64", "[4,4, 64", 14, 12, "faults[0]", "is the key", ""),
    (item_of("short"), "sigma_max,", "Init_noise_sigma,", 8, 12, "others[0]", "is the key", ""),
    (item_of("formula"), "[0.05, 0.95]", "[1, 0]", 8, 47, "variables.ab", "not a range", "lower"),
    (item_of("explain"), "weight: essential", "weight: bonus", 8, 5, "points", "essential", ""),
    (
        item_of("explain"),
        "    solver: {",
        "    solvr: {",
        21,
        5,
        "probes.solvr",
        "`solver`",
        "point",
    ),
    (
        item_of("explain"),
        "id: sc.changes_training",
        "id: nodot",
        17,
        11,
        "misconceptions[0].id",
        "`nodot`",
        "registry",
    ),
    (
        item_of("order"),
        "after: [scale]",
        "after: [step]",
        10,
        51,
        "steps[2].after[0]",
        "does not stand before",
        "",
    ),
    (
        item_of("order"),
        "after: [scale]",
        "after: [scal]",
        10,
        51,
        "steps[2].after[0]",
        "`scale`",
        "",
    ),
    (
        item_of("order"),
        "distractor: true",
        "distractor: true, after: []",
        12,
        71,
        "steps[4].after",
        "distractor",
        "",
    ),
    (
        item_of("line"),
        '{pattern: "x0 = "}',
        '{pattern: "x0 == "}',
        12,
        18,
        "key.pattern",
        "no line",
        "only one line",
    ),
    (
        item_of("line"),
        '{pattern: "x0 = "}',
        "{pattern: x0}",
        12,
        18,
        "key.pattern",
        "lines 2, 4",
        "",
    ),
    (item_of("line"), '{pattern: "x0 = "}', "{line: 9}", 12, 15, "key.line", "no line 9", "1 to 4"),
    (item_of("line"), '{pattern: "x0 = "}', "{}", 12, 8, "key", "nothing", "one of `line`"),
    (item_of("line"), "{line: 3,", "{line: 2,", 13, 12, "faults[0]", "line 2 is the key", ""),
    (item_of("line"), "{line: 3,", "{", 13, 12, "faults[0]", "must say which line", ""),
    (
        item_of("source"),
        '{pattern: "pred',
        '{lines: [3], pattern: "pred',
        8,
        8,
        "key",
        "`lines` and `pattern`",
        "",
    ),
    (
        item_of("source"),
        'key: {pattern: "pred_sample_direction = (1 - alpha_prod_t_prev - std_dev_t**2)"}',
        "key: {line: 3}",
        8,
        15,
        "key.line",
        "no fixed numbers",
        "`pattern`",
    ),
    (
        item_of("mutant"),
        "(1 - ab) ** 0.5",
        "1 - ab",
        12,
        23,
        "key.was",
        "as it is shown",
        "original",
    ),
    (item_of("mutant"), "line: 3, ", "", 12, 8, "key", "which line", "one of"),
    (item_of("mutant"), ", right: true", "", 14, 5, "effects", "0 options", "exactly one"),
    (
        item_of("mutant"),
        "  property: keeps_the_variance\n",
        "",
        1,
        3,
        "",
        "`property` is missing",
        "proofs.py",
    ),
    (
        item_of("output"),
        '1000 // steps}"',
        '1000 // stepz}"',
        11,
        8,
        "key",
        "unknown name `stepz`",
        "",
    ),
    (
        item_of("code"),
        "  function: x0_from_eps",
        "  function: other",
        8,
        12,
        "starter",
        "does not define",
        "def other",
    ),
    (item_of("code"), "return (x_t", "return ((x_t", 11, 13, "solution", "not Python", ""),
    (item_of("predict"), "choose: [5, 10, 20], ", "", 8, 7, "fields[0]", "how it is answered", ""),
    (
        item_of("predict"),
        "expected: 20",
        "expected: 21",
        8,
        99,
        "fields[0].expected[0]",
        "no option",
        "",
    ),
    (item_of("predict"), ", tolerance: 0.3", "", 10, 7, "fields[2]", "needs a tolerance", ""),
    (
        item_of("predict"),
        ", tolerance: 0.3",
        ", tolerance: 3",
        10,
        70,
        "fields[2].tolerance",
        "any answer between 0 and double",
        "below 1",
    ),
    (
        item_of("predict"),
        "choose: [5, 10, 20]",
        "choose: [true, 20]",
        8,
        56,
        "fields[0].choose[0]",
        "bare `true`",
        "quotes",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[5]}-{case[6][:30]}")
def test_an_error_names_line_column_field_and_way_out(
    make_pack: MakePack, case: tuple[str, str, str, int, int, str, str, str]
) -> None:
    text, old, new, line, column, field, said, expected = case
    assert old in text
    root = make_pack(text.replace(old, new))
    found = problems(root)
    hits = [p for p in found if (p.line, p.column, p.field) == (line, column, field)]
    assert hits, "\n".join(map(str, found))
    assert any(said in p.message and expected in p.expected for p in hits), list(map(str, hits))
    assert hits[0].file == str(root / "questions/scheduler/items.yaml")
    assert str(hits[0]).startswith(f"{hits[0].file}:{line}:{column}: ")


@pytest.mark.parametrize("text", [CHOICE, NUMBER], ids=["choice", "number"])
def test_the_items_that_the_cases_start_from_are_valid(make_pack: MakePack, text: str) -> None:
    root = make_pack(text)
    assert problems(root) == []
    assert check([root]) == []


def test_every_error_of_a_file_is_given_and_hides_no_other_item(make_pack: MakePack) -> None:
    broken = CHOICE.replace("sc.one", "sc.broken").replace("junior", "jr").replace("core", "crux")
    root = make_pack(broken + CHOICE + NUMBER.replace("2*steps - 1", "2*stepz"))
    bank = open_bank([root], root / "cache")
    assert list(bank.heads) == ["pack:sc.one"]
    assert [(p.line, p.field, p.item) for p in bank.problems] == [
        (3, "level", "sc.broken"),
        (4, "relevance", "sc.broken"),
        (34, "key.Heun", "sc.two"),
    ]


def test_a_file_that_cannot_be_read_hides_no_other_file(make_pack: MakePack) -> None:
    root = make_pack(CHOICE, **{"scheduler/broken": "- id: [\n", "scheduler/late": NUMBER})
    bank = open_bank([root], root / "cache")
    assert sorted(bank.heads) == ["pack:sc.one", "pack:sc.two"]
    (problem,) = bank.problems
    assert problem.file.endswith("broken.yaml")


def test_a_duplicate_key_drops_only_its_item(make_pack: MakePack) -> None:
    root = make_pack(CHOICE.replace("  level: junior\n", "  level: mid\n  level: mid\n") + NUMBER)
    bank = open_bank([root], root / "cache")
    assert list(bank.heads) == ["pack:sc.two"]
    (problem,) = bank.problems
    assert (problem.line, problem.column) == (4, 3)


def test_an_item_that_is_no_mapping_and_a_file_that_is_no_list(make_pack: MakePack) -> None:
    root = make_pack("- text\n" + CHOICE, **{"scheduler/map": "id: x\n"})
    bank = open_bank([root], root / "cache")
    assert len(bank.heads) == 1
    assert {p.message for p in bank.problems} == {"text stands for an item", "the file is no list"}


def test_an_id_in_two_files_is_named_with_the_first_place(make_pack: MakePack) -> None:
    root = make_pack(CHOICE, **{"scheduler/a_first": "\n" + CHOICE})
    bank = open_bank([root], root / "cache")
    assert len(bank.heads) == 1
    (problem,) = bank.problems
    assert (problem.line, problem.column) == (1, 7)
    assert "is taken: questions/scheduler/a_first.yaml:2" in problem.message
