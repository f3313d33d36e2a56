"""The lint: names that lead nowhere, tells, missing feedback, wide code."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from drill.packs.check import check, main
from drill.packs.problems import Problem
from tests.packs.conftest import CHOICE, EXAMPLES, NUMBER, VALID, MakePack


def found(root: Path, said: str) -> list[Problem]:
    return [p for p in check([root]) if said in p.message]


def changed(valid: Path, old: str, new: str, file: str = EXAMPLES) -> Path:
    path = valid / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return valid


def line_of(root: Path, text: str) -> tuple[int, int]:
    """Line and column of a text in the examples."""
    for n, line in enumerate((root / EXAMPLES).read_text(encoding="utf-8").split("\n"), start=1):
        if text in line:
            return n, line.index(text) + 1
    raise AssertionError(text)


def test_the_valid_pack_has_one_warning() -> None:
    (problem,) = check([VALID])
    assert problem.severity == "warning"
    assert "nothing recomputes this key" in problem.message


# what is replaced, by what, the text whose place is named, and part of the message
LINKS = [
    ("sc.changes_training}", "sc.changes_trainin}", "sc.changes_trainin}", "did you mean `sc.ch"),
    ("misconception: fr.sqrt_placement\n", "misconception: fr.sqrd\n", "fr.sqrd\n", "fr.sqrt_pl"),
    ("- id: sc.changes_training", "- id: sc.N_calls", "sc.N_calls", "not in the registry"),
    ("[sc.sample-choice]", "[sc.sample-choise]", "sc.sample-choise", "`sc.sample-choice`?"),
    ("[loop, sc.sample-choices]", "[loop, sc.nothing-here]", "sc.nothing-here", "there is no item"),
    ("proof: calls", "proof: cals", "cals\n", "did you mean `calls`?"),
    ("property: keeps_the_variance", "property: keeps", "keeps\n", "defines no `keeps`"),
    ("properties: recovers_x0", "properties: recovers", "recovers\n", "did you mean `recovers_x0`"),
    (
        "{name: step-size, claim: error-falls-with-steps}",
        "{name: stepsize, claim: x}",
        "stepsize",
        "`step-size`?",
    ),
    (
        "{name: step-size, claim: error-falls-with-steps}",
        "{name: step-size, claim: error-falls}",
        "error-falls}",
        "makes no claim",
    ),
    (
        "params: {steps: [5, 10, 20]}",
        "params: {step: [5, 10, 20]}",
        "step: [5",
        "has no param `step`",
    ),
    ("outcome: best_steps", "outcome: best", "best, expected", "has no outcome `best`"),
    ("{id: slope, label", "{id: slop, label", "slop, label", "has no outcome `slop`"),
]


@pytest.mark.parametrize(("old", "new", "at", "said"), LINKS, ids=[case[3] for case in LINKS])
def test_a_name_that_leads_nowhere_is_placed(
    valid: Path, old: str, new: str, at: str, said: str
) -> None:
    root = changed(valid, old, new)
    (problem,) = found(root, said)
    assert problem.severity == "error"
    assert (problem.line, problem.column) == line_of(root, at.rstrip("\n"))


def test_experiments_are_not_checked_while_no_lab_exists(valid: Path) -> None:
    shutil.rmtree(valid / "labs")
    root = changed(valid, "{name: step-size, claim", "{name: stepsize, claim")
    assert found(root, "stepsize") == []


def test_a_missing_or_broken_proofs_file_is_said(valid: Path) -> None:
    proofs = valid / "questions/scheduler/proofs.py"
    proofs.write_text("def calls(:\n", encoding="utf-8")
    assert len(found(valid, "proofs.py:1: not Python")) == 3
    proofs.unlink()
    assert len(found(valid, "there is no questions/scheduler/proofs.py")) == 3


def test_a_proof_that_is_only_imported_or_nested_does_not_count(valid: Path) -> None:
    root = changed(valid, "def calls(", "def other(", "questions/scheduler/proofs.py")
    assert len(found(root, "defines no `calls`")) == 1


@pytest.mark.parametrize("change", ["tell", "even"])
def test_a_right_option_that_is_longest_by_far_is_a_warning(
    make_pack: MakePack, change: str
) -> None:
    tail = " as only the walk from noise to data differs" if change == "tell" else ""
    root = make_pack(CHOICE.replace("Nothing at all", f"Nothing at all{tail}"))
    problems = found(root, "times as long as the others")
    assert len(problems) == (change == "tell")
    assert all((p.line, p.column, p.severity) == (8, 27, "warning") for p in problems)


def test_wrong_options_and_faults_need_feedback(make_pack: MakePack) -> None:
    belief = CHOICE.replace("The decoder, says: No.", "The decoder, misconception: sc.N_eq_calls")
    (problem,) = check([make_pack(belief)])
    assert (problem.severity, problem.line, problem.field) == ("warning", 10, "options[2]")
    (problem,) = check([make_pack(CHOICE.replace("The decoder, says: No.", "The decoder"))])
    assert (problem.severity, problem.line, problem.column) == ("error", 10, 7)
    (problem,) = check([make_pack(NUMBER.replace(', says: "It makes {key}."', ""))])
    assert (problem.severity, problem.field) == ("error", "faults[0]")


@pytest.mark.parametrize(("width", "severity"), [(80, ""), (81, "warning"), (89, "error")])
def test_wide_code(make_pack: MakePack, width: int, severity: str) -> None:
    root = make_pack(CHOICE.replace("  options:", f"  code: {'x' * width}\n  options:"))
    assert [p.severity for p in found(root, f"has {width} columns")] == (
        [severity] if severity else []
    )


def test_code_that_is_executed_must_be_python(valid: Path) -> None:
    root = changed(valid, "x = torch.cat([latents] * 2)", "x = torch.cat([latents] * 2")
    (problem,) = found(root, "not Python")
    assert problem.field == "code"
    changed(root, 'was: "noise = (1', 'was: "noise = ((1')
    assert {p.field for p in found(root, "not Python")} == {"code", "key.was"}


def test_an_item_in_the_folder_of_another_topic(make_pack: MakePack) -> None:
    root = make_pack(**{"vae/items": CHOICE})
    (problem,) = check([root])
    assert (problem.line, problem.column, problem.field) == (2, 10, "topic")


def test_a_key_without_proof_is_a_warning(make_pack: MakePack) -> None:
    (problem,) = check([make_pack(NUMBER.replace("  proof: calls\n", ""))])
    assert (problem.severity, problem.message) == ("warning", "nothing recomputes this key")


@pytest.mark.labs
def test_installed_source_must_hold_what_is_shown(valid: Path) -> None:
    root = changed(valid, 'around: "pred_sample_direction ="', 'around: "no such line"')
    (problem,) = found(root, "stands in no line")
    assert (problem.line, problem.column) == line_of(
        root, "{symbol: diffusers.DDIMScheduler.step, a"
    )
    root = changed(root, 'around: "no such line"', 'around: "pred_sample_direction ="')
    root = changed(root, "- std_dev_t**2)", "- std_dev_t**3)")
    (problem,) = found(root, "stands in no line")
    assert problem.field == "key"


def test_the_registry_is_checked(valid: Path) -> None:
    registry = valid / "reference/misconceptions.yaml"
    with registry.open("a", encoding="utf-8") as file:
        file.write(
            "- {id: sc.N_eq_calls, topic: scheduler, belief: A., correction: B.}\n"
            "- {id: sc.other, topic: vae, belief: A., correction: B.}\n"
            "- {id: sc.third, topic: scheduler, belief: A.}\n"
            "- {id: sc.fourth, topic: scheduler, belief: A., corection: B.}\n"
        )
    problems = [p for p in check([valid]) if p.file == str(registry)]
    lines = len(registry.read_text(encoding="utf-8").split("\n"))
    assert [(p.line, p.column, p.field) for p in problems] == [
        (lines - 4, 8, "id"),
        (lines - 3, 8, "id"),
        (lines - 2, 3, ""),
        (lines - 1, 3, ""),
        (lines - 1, 49, "corection"),
    ]
    assert "did you mean `correction`?" in problems[-1].message


def test_a_broken_manifest_keeps_the_pack(valid: Path) -> None:
    (valid / "pack.yaml").write_text("name: Not a name\ntitel: x\n", encoding="utf-8")
    problems = [p for p in check([valid]) if p.file.endswith("pack.yaml")]
    assert [(p.line, p.column, p.field) for p in problems] == [(1, 7, "name"), (2, 1, "titel")]


def test_the_command_names_places_and_answers_by_its_exit_code(
    valid: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(valid)]) == 0
    said = capsys.readouterr()
    assert re.search(r"one_of_each\.yaml:\d+:3: warning: sc\.sample-formula: nothing", said.out)
    assert said.err == "0 errors, 1 warnings\n"
    changed(valid, "level: mid", "level: mild")
    assert main([str(valid / EXAMPLES)]) == 1
    assert "did you mean `mid`?" in capsys.readouterr().out
    assert main([str(valid / "reference")]) == 0
    assert main([str(valid / "nowhere")]) == 2


def test_the_registry_of_the_built_in_pack_is_sound() -> None:
    from drill import paths
    from drill.packs.files import REGISTRY
    from drill.packs.registry import read_registry

    raw = (paths.builtin_pack() / REGISTRY).read_bytes()
    beliefs, problems = read_registry(raw, REGISTRY)
    assert problems == []
    assert len(beliefs) >= 120
    for belief in beliefs.values():
        assert belief.belief[0].isupper() or belief.belief[0] == "`", belief.id
        assert belief.belief.endswith("."), belief.id
        assert belief.correction.endswith("."), belief.id


RUBRIC = [
    ('"solver* & same .. ode|sde|process"', '"solver* & (same"', "points[1]"),
    ('"solver* & same .. ode|sde|process"', '"nothing & of & this"', "points[1]"),
    ('"every|each .. sampler & need* .. model & !not|no"', '"nothing"', "misconceptions[0]"),
    ("The denoiser predicts the noise at any timestep; samplers", "Samplers", "model_answer"),
]


@pytest.mark.parametrize(("old", "new", "field"), RUBRIC)
def test_the_lint_of_rubrics_is_placed(valid: Path, old: str, new: str, field: str) -> None:
    errors = [p for p in check([changed(valid, old, new)]) if p.severity == "error"]
    assert {p.field for p in errors} == {field}, list(map(str, errors))


SELF = [
    # a known fault that is another way to write the key
    (
        'value: "(x_t - (1 - ab)*eps) / sqrt(ab)"',
        'value: "x_t/sqrt(ab) - eps*sqrt(1/ab - 1)"',
        "takes",
    ),
    ('key: "[4, 4, 64, 64]"', 'key: "[4, ?, 64]"', "cannot be read"),
    ('key: "(x_t - sqrt(1 - ab)*eps) / sqrt(ab)"', 'key: "(x_t - sqrt(1 - ab)*noise)"', "noise"),
    ("accept: [init_noise_sigma,", "accept: [init_noise_sigma, sigma-max,", "as right"),
]


@pytest.mark.parametrize(("old", "new", "said"), SELF, ids=[case[2] for case in SELF])
def test_an_item_must_pass_its_own_graders(valid: Path, old: str, new: str, said: str) -> None:
    root = changed(valid, old, new)
    errors = [p for p in check([root]) if p.severity == "error"]
    assert any(said in p.message for p in errors), list(map(str, errors))


def test_a_grader_that_is_wrong_is_found(valid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from drill.domain.verdict import Verdict
    from drill.packs import selfgrade

    def lenient(*_: object) -> Verdict:
        return Verdict(score=1.0, summary="", expected="")

    monkeypatch.setattr(selfgrade, "grade", lenient)
    named = {(p.item, p.field) for p in found(valid, "takes")}
    assert ("sc.sample-number", "faults") in named
    assert ("sc.sample-choice", "options[1]") in named
    assert ("sc.sample-line", "faults[0]") in named
    assert ("sc.sample-mutant", "effects[1]") in named

    def strict(*_: object) -> Verdict:
        return Verdict(score=0.0, summary="", expected="")

    monkeypatch.setattr(selfgrade, "grade", strict)
    items = {p.item for p in found(valid, "for the key")}
    left = {"explain", "code", "predict", "source"}
    assert len(items) == 15 - len(left)
    assert ("sc.sample-choice", "options[1]") in {
        (p.item, p.field) for p in found(valid, "does not name sc.changes_training")
    }
