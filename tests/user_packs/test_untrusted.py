"""Of a pack that is not trusted nothing is executed, by whatever command or screen; then all is."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from drill.cli import cli
from drill.config import Config
from drill.lab.manifest import find_lab
from drill.packs.verify import verify
from drill.services import code_judge, user_packs
from drill.services.app import JUDGED_BY_CODE, Drill
from drill.services.experiments import run_experiment
from drill.services.labs import all_labs, run_spec
from drill.services.starter import NotTrustedError, StarterRun, command_for
from drill.tui.app import DrillApp
from drill.tui.screens.browse import ItemScreen
from drill.tui.screens.experiment import ExperimentScreen
from drill.tui.screens.lab import LabScreen
from drill.tui.screens.labs import LabsScreen
from drill.worker.judge_code import JudgeUnavailableError
from drill.worker.protocol import Done, Error
from tests.tui.drive import text_of
from tests.tui.test_labs import keys, settle
from tests.user_packs.marked import ANSWER, CODE_ITEM

Marks = Callable[[], list[str]]


def run(*arguments: str, code: int | None = 0, stdin: str = "") -> Result:
    done = CliRunner().invoke(cli, list(arguments), input=stdin)
    if code is not None:
        assert done.exit_code == code, (arguments, done.output, done.exception)
    return done


@pytest.fixture
def drill() -> Iterator[Drill]:
    with Drill(config=Config(new_per_day=50)) as opened:
        opened._standings = dict.fromkeys(opened.bank.heads, "proven")
        opened.keep_profile(replace(opened.profile, done=True, minutes=200))
        yield opened


def test_adding_and_every_command_that_reads_runs_nothing(
    source: Path, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source)
    run("bank", "check", ".")
    run("pack", "add", ".")
    assert "not trusted" in run("pack", "list").output
    run("pack", "trust", "marked", "--show")
    for words in (
        ("bank", "check"),
        ("bank", "stats"),
        ("lab", "list"),
        ("lab", "show", "step_size"),
        ("lab", "show", "step-size"),
        ("due", "--json"),
        ("doctor", "--json"),
        ("question", "marked:sc.sample-mutant", "--reveal"),
        ("grade", "marked:sc.sample-choice", "--answer", "a"),
        ("session", "--plain", "--topic", "scheduler", "--limit", "2"),
    ):
        done = run(*words, code=None, stdin="a\n2\n\n" * 5)
        assert done.exit_code == 0, (words, done.output)
    assert marks() == []


def test_what_would_run_it_says_why_not_and_the_command(added: Path, marks: Marks) -> None:
    way_out = "drill pack trust marked"
    assert way_out in run("lab", "run", "step-size", code=2).output
    assert way_out in run("lab", "run", "step_size", code=2).output
    judged = run("grade", CODE_ITEM, "--answer", ANSWER, code=None)
    assert judged.exit_code == 2 and way_out in judged.output
    listed = {each["id"]: each for each in json.loads(run("lab", "list", "--json").stdout)["labs"]}
    assert listed["step_size"]["runs"] is False
    assert way_out in listed["step_size"]["why_not"]
    assert listed["forward_noise"]["runs"] is True
    assert way_out in " ".join(run("lab", "list").output.split())
    assert marks() == []


def test_bank_verify_leaves_it_and_its_ledger_alone(added: Path, marks: Marks) -> None:
    ledger = added / "reference" / "proofs.json"
    kept = '{\n"sc.sample-number": {"item": "a", "proof": "b", "value": "c", "versions": {}, '
    kept += '"seconds": 1.0}\n}\n'
    ledger.write_text(kept, encoding="utf-8")
    done = run("bank", "verify", "marked:sc.sample-number", "marked:sc.sample-output", code=1)
    assert done.output.count("is not trusted") >= 2
    assert ledger.read_text(encoding="utf-8") == kept
    assert marks() == []


def test_the_services_run_nothing(added: Path, drill: Drill, marks: Marks) -> None:
    spec = run_spec(drill, "step-size", {})
    (event,) = run_experiment(spec)
    assert isinstance(event, Error) and event.error == "unavailable"
    assert "drill pack trust marked" in event.message
    with pytest.raises(NotTrustedError, match="drill pack trust marked"):
        command_for(drill, find_lab(all_labs(drill), "step_size"))
    with pytest.raises(JudgeUnavailableError, match="drill pack trust marked"):
        code_judge.judge(drill, drill.bank.question(CODE_ITEM, 0), ANSWER)
    outcomes = verify(drill.bank, [i for i in drill.bank.sites if i.startswith("marked:")])
    assert outcomes
    ran = [o for o in outcomes if o.kind != "source"]
    assert ran and all("is not trusted" in o.error for o in ran)
    assert not [i for i in drill.stale() if i.startswith("marked:")]
    assert marks() == []


def test_practice_asks_what_needs_no_code(added: Path, drill: Drill) -> None:
    asked = [i for i in drill.askable() if i.startswith("marked:")]
    assert "marked:sc.sample-choice" in asked
    assert not [i for i in asked if drill.bank.heads[i].type in JUDGED_BY_CODE]
    user_packs.trust(user_packs.one("marked"))
    drill.forget_standings()
    drill._standings = dict.fromkeys(drill.bank.heads, "proven")
    assert {drill.bank.heads[i].type for i in drill.askable() if i.startswith("marked:")} > {
        *JUDGED_BY_CODE
    }


def test_once_trusted_all_of_it_runs(trusted: Path, drill: Drill, marks: Marks) -> None:
    *_, last = run_experiment(run_spec(drill, "step-size", {}))
    assert isinstance(last, Done)
    assert marks() == ["experiment.py"]
    result = code_judge.judge(drill, drill.bank.question(CODE_ITEM, 0), ANSWER)
    assert result["total"] and marks() == ["proofs.py"]
    (outcome,) = verify(drill.bank, ["marked:sc.sample-number"], trusted=drill.trusted_roots())
    assert outcome.ok, outcome
    assert marks() == ["proofs.py"]

    async def starter() -> list[object]:
        lab = find_lab(all_labs(drill), "step_size")
        return [each async for each in StarterRun(command_for(drill, lab)).lines()]

    assert asyncio.run(starter())[0] == "walked"
    assert "starter.py" in marks()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("questions/scheduler/proofs.py", "# one more line\n"),
        ("labs/step_size/experiment.py", "\n"),
        ("labs/step_size/data.pkl", "x"),
        ("new_folder/module.so", "x"),
        ("labs/step_size/run", "#!/bin/sh\n"),
    ],
)
def test_changed_code_needs_trust_again(
    trusted: Path, drill: Drill, marks: Marks, name: str, change: str
) -> None:
    assert drill.why_not_run("marked") == ""
    file = trusted / name
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as opened:
        opened.write(change)
    assert "has changed since it was trusted" in drill.why_not_run("marked")
    (event,) = run_experiment(run_spec(drill, "step-size", {}))
    assert isinstance(event, Error)
    assert "CHANGED" in run("pack", "list").output
    found = json.loads(run("doctor", "--json").stdout)["findings"]
    assert {f["code"] for f in found} == {"pack-changed", "no-backup"}
    assert marks() == []
    run("pack", "trust", "marked")
    assert drill.why_not_run("marked") == ""


def test_code_in_a_question_counts_and_its_words_do_not(trusted: Path) -> None:
    file = trusted / "questions" / "scheduler" / "one_of_each.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("It solves the forward mix", "It inverts the mix"), "utf-8")
    assert user_packs.one("marked").standing == "trusted"
    changed = text.replace("(x_t - (1 - ab) ** 0.5 * eps)", "(__import__('os').getpid())")
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    assert user_packs.one("marked").standing == "changed"


def test_trust_is_taken_back_and_does_not_survive_a_new_copy(trusted: Path, source: Path) -> None:
    assert user_packs.one("marked").standing == "trusted"
    run("pack", "trust", "marked", "--revoke")
    assert user_packs.one("marked").standing == "not trusted"
    run("pack", "trust", "marked")
    shutil.rmtree(trusted)  # by hand: `pack remove` would take the trust away too
    run("pack", "add", str(source))
    assert user_packs.one("marked").standing == "not trusted"


def test_a_damaged_list_of_the_trusted_trusts_nothing(trusted: Path) -> None:
    file = Path(os.environ["DRILL_HOME"]) / "trust.json"
    for text in ("", "{", "[]", '{"packs": []}', '{"packs": {"marked": null}}'):
        file.write_text(text, encoding="utf-8")
        assert user_packs.one("marked").standing in ("not trusted", "changed"), text
    file.write_text("{", encoding="utf-8")
    found = json.loads(run("doctor", "--json").stdout)["findings"]
    assert "trust" in [f["code"] for f in found]


def test_bytecode_beside_the_source_is_not_what_runs(
    trusted: Path, drill: Drill, marks: Marks
) -> None:
    """A hash-based `.pyc` that claims to need no check would be loaded by Python unseen."""
    import importlib.util
    import marshal

    evil = compile("raise SystemExit('bytecode ran')", "x", "exec")
    source = trusted / "labs" / "step_size" / "experiment.py"
    cached = Path(importlib.util.cache_from_source(str(source)))
    cached.parent.mkdir()
    header = importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, "little") + bytes(8)
    cached.write_bytes(header + marshal.dumps(evil))
    assert drill.why_not_run("marked") == ""
    *_, last = run_experiment(run_spec(drill, "step-size", {}))
    assert isinstance(last, Done), last
    assert marks() == ["experiment.py"]


async def test_screens_show_it_and_say_why_it_does_not_run(
    added: Path, drill: Drill, marks: Marks
) -> None:
    app = DrillApp(drill)
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot, app)
        await keys(pilot, app, "b", "slash", *"marked", "enter", "enter")
        assert isinstance(app.screen, ItemScreen)
        await keys(pilot, app, "escape", "escape", "escape", "l")
        assert isinstance(app.screen, LabsScreen)
        assert text_of(app).count("not trusted") >= 2
        await keys(pilot, app, *["down"] * 40)
        assert "drill pack trust marked" in text_of(app)
        lab = find_lab(all_labs(drill), "step_size")
        app.push_screen(LabScreen(lab))
        await settle(pilot, app)
        assert "It does not run: the pack marked is not trusted" in text_of(app)
        await keys(pilot, app, "s")
        assert isinstance(app.screen, LabScreen)
        await keys(pilot, app, "e")
        assert isinstance(app.screen, ExperimentScreen)
        assert "It does not run" in text_of(app)
        await keys(pilot, app, "enter", "ctrl+r")
        assert isinstance(app.screen, ExperimentScreen)
    assert app.experiments.hello is None, "no child was started"
    assert marks() == []
