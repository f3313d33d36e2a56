"""`drill lab`: lists, reads, runs and shows; errors name the nearest and the way out."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from drill.cli.lab_text import folded
from tests.cli.test_commands import document, drill
from tests.conftest import SAMPLE
from tests.user_packs.trusting import trust
from tests.worker.packs import make_stubs

STARTER = "# @walk\nx = 1.0\nfor _ in range(3):\n    x -= x / 3\nprint(f'{x:.3f}')\n"
READING = """\
# Steps

Why steps matter.

## The walk
<!-- at: starter#walk -->
One step after the other.

## Elsewhere
<!-- at: no_such_pkg.Thing.run -->
A package that is not here.

## In the standard library
<!-- at: json.JSONDecoder.decode /raw_decode/ -->
`raw_decode` does the work.
"""


@pytest.fixture(autouse=True)
def own_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pack of the learner's with one lab, and stand-ins for torch that load at once."""
    root = Path(os.environ["DRILL_HOME"]) / "packs" / "sample"
    shutil.copytree(SAMPLE, root)
    folder = root / "labs" / "step_size"
    (folder / "starter.py").write_text(STARTER)
    (folder / "reading.md").write_text(READING)
    monkeypatch.setenv("PYTHONPATH", str(make_stubs(tmp_path / "stubs")))
    trust(root.parents[1], "sample")
    return root


def events(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    return [json.loads(line) for line in drill(*arguments, "--json", code=code).stdout.splitlines()]


def test_list_has_every_lab_with_its_experiments(own_pack: Path) -> None:
    labs = {each["id"]: each for each in document("lab", "list")["labs"]}
    mine = labs["step_size"]
    assert mine["reading"] is True and mine["starter"] is True and mine["topic"] == "scheduler"
    (experiment,) = mine["experiments"]
    assert experiment["name"] == "step-size" and experiment["seconds"] == 20
    assert experiment["params"] == {"steps": [5, 10, 20]}
    assert experiment["topic"] == "scheduler" and experiment["budget"] == 20
    assert "from 1 up" in experiment["parameters"][0]["accepts"]
    assert experiment["claims"][0]["says"]
    assert any(item.endswith(":sc.sample-predict") for item in mine["questions"])
    own = {path.name for path in (own_pack / "labs").iterdir()}
    orders = [each["order"] for each in labs.values() if each["id"] not in own]
    assert orders == sorted(orders)
    told = drill("lab", "list").stdout
    assert "step_size; topic scheduler" in told and "at most 20 s" in told
    assert "error-falls-with-steps" in told
    assert max(map(len, told.splitlines())) <= 80


def test_a_reading_is_folded_but_for_what_is_set() -> None:
    long = " ".join(["word"] * 30)
    text = f"{long}\n\n- {long}\n  and on\n- short\n\n| a | {long} |\n\n```\n{long}\n\n{long}\n```"
    told = folded(text)
    lines = told.split("\n")
    assert " ".join(told.split()) == " ".join(text.split())
    assert all(len(line) <= 80 for line in lines[: lines.index("- short")])
    assert lines[3].startswith("- word") and lines[4].startswith("  word")
    assert f"| a | {long} |" in lines and lines.count(long) == 2


def test_a_model_that_is_none_is_refused_before_it_is_loaded(own_pack: Path) -> None:
    nowhere = str(own_pack / "no such model")
    for model, says in (
        (nowhere, "there is no folder"),
        ("nope", "a hub id such as owner/name, or one of sd15-random"),
        (str(own_pack), "holds no pipeline: it has no model_index.json"),
        (str(own_pack / "labs" / "step_size" / "starter.py"), "is a file; give the folder"),
    ):
        told = drill("lab", "run", "step-size", "--model", model, code=2)
        assert "unavailable" in told.stderr and says in told.stderr, told.stderr


def test_show_a_lab_beside_its_code() -> None:
    told = drill("lab", "show", "step_size")
    lines = told.stdout.splitlines()
    assert lines[0] == "# Steps" and "## The walk" in lines
    assert "        2 | x = 1.0" in lines and "        5 | print(f'{x:.3f}')" in lines
    assert "no_such_pkg is not installed" in told.stdout
    pointed = [line for line in lines if line.startswith("  > ")]
    assert len(pointed) == 1 and "raw_decode" in pointed[0]
    shown = document("lab", "show", "step_size")
    assert shown["id"] == "step_size" and shown["experiments"]
    motive, walk, elsewhere, library = shown["reading"]["sections"]
    assert motive["code"] is None and motive["text"] == "Why steps matter."
    assert walk["at"] == "starter#walk" and walk["code"]["lines"] == [2, 5]
    assert elsewhere["code"] is None and "not installed" in elsewhere["missing"]
    line = library["code"]["lines"][0]
    source = Path(library["code"]["file"]).read_text().splitlines()
    assert "raw_decode" in source[line - 1]


def test_show_a_lab_with_a_broken_reading_names_the_line(own_pack: Path) -> None:
    file = own_pack / "labs" / "step_size" / "reading.md"
    file.write_text(READING.replace("#walk", "#wlak"))
    told = drill("lab", "show", "step_size")
    assert f"{file}:6: " in told.stderr and "did you mean `walk`" in told.stderr
    assert "One step after the other." in told.stdout


def test_run_and_show_an_experiment() -> None:
    told = events("lab", "run", "step-size", "--set", "steps=4,8")
    done = told[-1]
    assert done["event"] == "done" and done["params"] == {"steps": [4, 8]}
    assert done["claims"][0]["holds"] is True and done["claims"][0]["measured"]
    assert told[0]["event"] == "hello"
    shown = document("lab", "show", done["run"])
    assert shown["metrics"]["steps"] == [4, 8]
    assert document("lab", "show", done["run"][:16])["id"] == done["run"]
    plain = drill("lab", "show", done["run"]).stdout
    assert "From 4 to 8 steps" in plain and "steps=[4, 8]" in plain
    about = document("lab", "show", "step-size")
    assert [run["id"] for run in about["runs"]] == [done["run"]]
    assert "From 4 to 8 steps" in drill("lab", "show", "step-size").stdout
    assert done["run"] in drill("lab", "show").stdout
    text = drill("lab", "run", "step-size").stdout
    assert "holds" in text and "live, cpu" in text


def test_a_run_that_fails_is_kept_with_what_it_had(own_pack: Path) -> None:
    code = own_pack / "labs" / "step_size" / "experiment.py"
    text = code.read_text()
    code.write_text(
        text.replace("        best =", "        raise MemoryError('no room')\n        best =")
    )
    trust(own_pack.parents[1], "sample")
    told = drill("lab", "run", "step-size", code=1)
    assert "oom: out of memory: no room" in told.stderr and "drill lab show" in told.stderr
    run = told.stderr.split("drill lab show ")[1].split()[0]
    kept = document("lab", "show", run)
    assert kept["extra"]["error"] == "oom" and kept["extra"]["stage"] == "walking"
    assert [step for step, _ in kept["metrics"]["error"]] == [5, 10, 20]
    assert "did not finish: oom while walking" in drill("lab", "show", run).stdout


def test_run_a_lab_runs_its_starter(own_pack: Path) -> None:
    assert drill("lab", "run", "step_size").stdout == "0.296\n"
    told = events("lab", "run", "step_size")
    assert told[0] == {"event": "output", "text": "0.296"}
    assert told[-1]["event"] == "done" and told[-1]["how"] == "done"
    starter = own_pack / "labs" / "step_size" / "starter.py"
    starter.write_text("import time\nprint('x', flush=True)\ntime.sleep(60)\n")
    trust(own_pack.parents[1], "sample")
    told_late = drill("lab", "run", "step_size", "--budget", "2", code=1)
    assert told_late.stdout == "x\n" and "longer than 2 s" in told_late.stderr
    assert "takes no --set" in drill("lab", "run", "step_size", "--set", "a=1", code=2).stderr
    starter.unlink()
    assert "no starter" in drill("lab", "run", "step_size", code=2).stderr


def test_what_is_not_there_is_named_with_the_nearest() -> None:
    for words, near in (
        (("show", "step_siez"), "step_size"),
        (("show", "step-siez"), "step-size"),
        (("run", "step-siez"), "step-size"),
        (("run", "step_siez"), "step_size"),
        (("run", "step-size", "--set", "step=3"), "steps"),
        (("run", "step-size", "--set", "steps=none"), "whole numbers from 1 up"),
    ):
        assert near in drill("lab", *words, code=2).stderr, words
    assert "lab list" in drill("lab", "show", "zzzzzz", code=2).stderr
