"""What an item becomes: keys, faults, lines, heads, hashes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drill.domain import questions as run
from drill.packs.bank import Bank, open_bank
from drill.packs.compile import Entry, load_pack
from drill.packs.files import gather
from drill.packs.records import SECONDS
from tests.packs.conftest import CHOICE, NUMBER, VALID, MakePack


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    made = open_bank([VALID], tmp_path / "cache")
    assert made.problems == ()
    return made


def one(make_pack: MakePack, text: str, name: str = "pack") -> Entry:
    loaded = load_pack(gather(make_pack(text, name=name)))
    assert not loaded.pack.problems, list(map(str, loaded.pack.problems))
    (entry,) = loaded.entries
    return entry


def test_one_item_of_each_type_is_loaded(bank: Bank) -> None:
    assert {head.type for head in bank.heads.values()} == set(run.ANSWER_TYPES)
    for name, head in bank.heads.items():
        if not head.needs_labs:
            for question in bank.variants(name):
                assert isinstance(question.body, run.BODIES[head.type])


def test_what_comes_from_the_cache_equals_what_was_compiled(tmp_path: Path) -> None:
    compiled = load_pack(gather(VALID)).pack.items
    open_bank([VALID], tmp_path)
    bank = open_bank([VALID], tmp_path)
    for item in compiled:
        if item.excerpt is None:
            assert bank.variants(item.head.id) == item.questions


def test_number_keys_follow_the_param_and_faults_their_condition(bank: Bank) -> None:
    made = {tuple(q.params.values()): q for q in bank.variants("sc.sample-number")}
    assert {params: q.body.key for params, q in made.items()} == {  # type: ignore[union-attr]
        ("Euler", 10): 10,
        ("Euler", 20): 20,
        ("Heun", 10): 19,
        ("Heun", 20): 39,
    }
    heun = made["Heun", 20]
    assert heun.prompt.startswith("A pipeline runs Heun with num_inference_steps=20.")
    assert heun.explanation.startswith("Heun lists 39 timesteps")
    assert isinstance(heun.body, run.NumberBody)
    assert heun.body.faults == (run.ValueFault("20", "Heun makes 39 calls.", "sc.N_eq_calls"),)
    euler = made["Euler", 20].body
    assert isinstance(euler, run.NumberBody)
    assert euler.faults == ()


def test_values_of_by_may_be_numbers_and_booleans(make_pack: MakePack) -> None:
    text = NUMBER.replace("[Euler, Heun]", "[1.0, 7.5]").replace("Euler: steps", "1: steps")
    text = text.replace("Heun: 2*steps - 1", "7.50: 1 + steps").replace("7.50", "7.5")
    keys = {q.params["scheduler"]: q.body.key for q in one(make_pack, text).compiled.questions}  # type: ignore[union-attr]
    assert keys == {1.0: 20, 7.5: 21}


def test_lines_are_found_by_pattern_and_the_mutant_keeps_its_original(bank: Bank) -> None:
    line = bank.question("sc.sample-line", 0).body
    assert isinstance(line, run.LineBody)
    assert (line.lines, line.faults[0].line) == ((2,), 3)
    mutant = bank.question("sc.sample-mutant", 0).body
    assert isinstance(mutant, run.MutantBody)
    assert (mutant.line, mutant.was, mutant.faults[0].line) == (3, "noise = (1 - ab) ** 0.5", 2)


def test_an_order_keeps_what_was_left_out_apart_from_what_is_free(bank: Bank) -> None:
    body = bank.question("sc.sample-order", 0).body
    assert isinstance(body, run.OrderBody)
    assert body.key == ("scale", "predict", "log-time", "step")
    assert [step.after for step in body.steps] == [None, None, ("scale",), ("predict",), None]


def test_text_without_variants_is_left_alone(make_pack: MakePack) -> None:
    entry = one(make_pack, CHOICE.replace("What is trained", "What is {x} {{y}} trained"))
    assert entry.compiled.questions[0].prompt == "What is {x} {{y}} trained again?"


def test_params_of_an_experiment_take_the_variants_value(make_pack: MakePack) -> None:
    link = (
        "  experiment: {name: x, claim: y, params: {steps: '{steps}', to: 'n={steps}', z: [1]}}\n"
    )
    question = one(make_pack, NUMBER + link).compiled.questions[1]
    assert question.experiment is not None
    assert question.experiment.params == {"steps": 20, "to": "n=20", "z": [1]}


def test_heads(bank: Bank) -> None:
    head = bank.heads["sample:sc.sample-number"]
    assert (head.seconds, head.roles, head.variants, head.proof) == (50, ("serving",), 4, "calls")
    assert head.siblings == ("sample:sc.sample-choice",)
    assert head.confusable == ("loop", "sample:sc.sample-choices")
    assert head.misconceptions == ("sc.N_eq_calls",)
    assert head.file == "questions/scheduler/one_of_each.yaml"
    assert bank.heads["sample:sc.sample-mutant"].proof == "keeps_the_variance"
    assert bank.heads["sample:sc.sample-mutant"].misconceptions == ("fr.sqrt_placement",)
    assert bank.heads["sample:sc.sample-code"].proof == "recovers_x0"
    assert bank.heads["sample:sc.sample-source"].needs_labs
    assert bank.heads["sample:sc.sample-choice"].seconds == SECONDS["choice"]
    assert set(SECONDS) == set(run.ANSWER_TYPES)


def test_sites_hold_what_is_executed(bank: Bank) -> None:
    sites = {name.split("-")[-1]: (s.proof, s.property) for name, s in bank.sites.items()}
    assert sites == {
        "number": ("calls", ""),
        "shape": ("code", ""),
        "mutant": ("", "keeps_the_variance"),
        "output": ("code", ""),
        "code": ("", "recovers_x0"),
        "source": ("source", ""),
    }
    file = VALID / "questions/scheduler/proofs.py"
    assert {site.file for site in bank.sites.values()} == {str(file)}


SAME = [
    ("  topic: scheduler\n  level: junior\n", "  level: junior\n  topic: scheduler\n"),
    ("  prompt: What", "  # a comment\n  prompt: What"),
    ("prompt: What is trained again?", "prompt: >\n    What is\n    trained again?\n"),
    ("  options:", "  hints: []\n  roles: [serving, research, applied]\n  options:"),
]
OTHER = [
    ("again?", "again!"),
    ("says: No.", "says: Never."),
    ("right: true", "right: true, says: Yes."),
    ("level: junior", "level: mid"),
    ("text: Known.", "text: Well known."),
]


@pytest.mark.parametrize(("old", "new"), SAME)
def test_the_hash_is_blind_to_layout(make_pack: MakePack, old: str, new: str) -> None:
    assert old in CHOICE
    first, second = one(make_pack, CHOICE), one(make_pack, CHOICE.replace(old, new), "again")
    assert first.compiled.head.content_hash == second.compiled.head.content_hash


def test_the_hash_is_blind_to_the_order_of_params_and_cases(make_pack: MakePack) -> None:
    text = NUMBER.replace(
        "    scheduler: [Euler, Heun]\n    steps: [10, 20]\n",
        "    steps: [10, 20]\n    scheduler: [Euler, Heun]\n",
    )
    text = text.replace("Euler: steps, Heun: 2*steps - 1", "Heun: 2*steps - 1, Euler: steps")
    assert text != NUMBER
    first, second = one(make_pack, NUMBER), one(make_pack, text, "again")
    assert first.compiled.head.content_hash == second.compiled.head.content_hash
    keys = [[q.body for q in entry.compiled.questions] for entry in (first, second)]
    assert keys[0] == keys[1]


def test_the_hash_stays_over_releases(make_pack: MakePack) -> None:
    """Committed proofs name it: a new optional field must not change the hash of old items."""
    assert one(make_pack, CHOICE).compiled.head.content_hash == "93da24d02db17453ac15d65ffe3a528a"


@pytest.mark.parametrize(("old", "new"), OTHER)
def test_the_hash_sees_every_word(make_pack: MakePack, old: str, new: str) -> None:
    assert old in CHOICE
    first, second = one(make_pack, CHOICE), one(make_pack, CHOICE.replace(old, new, 1), "again")
    assert first.compiled.head.content_hash != second.compiled.head.content_hash
    assert first.item.id == second.item.id


def test_the_json_schema_knows_every_type_and_refuses_unknown_keys() -> None:
    from drill.packs.fields import PREFIXES, Topic
    from drill.packs.schema import MODELS, json_schema

    made: dict[str, Any] = json_schema()
    assert set(made["items"]["discriminator"]["mapping"]) == set(MODELS) == set(run.ANSWER_TYPES)
    assert made["$defs"]["ChoiceItem"]["additionalProperties"] is False
    assert "explanation" in made["$defs"]["MutantItem"]["required"]
    assert made["$defs"]["ChoiceItem"]["properties"]["id"]["pattern"]
    assert list(PREFIXES) == list(run.TOPICS)
    assert list(Topic.__args__) == list(run.TOPICS)  # type: ignore[attr-defined]
