"""lab.yaml: read without torch, agreeing with the code, with errors that name file and line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drill.lab import manifest
from drill.lab.loading import load_experiment
from drill.lab.manifest import disagreements, find_experiment, read_labs

ROOT = Path(__file__).resolve().parents[2]
GOOD = """\
title: A lab
topic: cfg
order: 1
experiments:
  - name: first-one
    title: The first one
    file: experiment.py
    summary: What it does.
    seconds: 30
    params:
      seeds: {kind: int, default: 4, help: how many, low: 1}
    claims:
      - {name: holds, says: It holds.}
    outcomes: [best]
"""


def pack(tmp_path: Path, text: str, folder: str = "some_lab") -> Path:
    lab = tmp_path / "labs" / folder
    lab.mkdir(parents=True, exist_ok=True)
    (lab / "lab.yaml").write_text(text, encoding="utf-8")
    (lab / "experiment.py").write_text("", encoding="utf-8")
    return tmp_path


def test_the_built_in_labs_have_no_problems_and_agree_with_their_code() -> None:
    labs = read_labs(ROOT)
    assert labs.problems == ()
    names = [each.name for each in labs.experiments()]
    assert "cfg-sweep" in names
    for info in labs.experiments():
        experiment = load_experiment(ROOT / info.file, info.name)
        assert disagreements(info, experiment) == []


def test_a_disagreement_is_seen(tmp_path: Path) -> None:
    text = (ROOT / "labs" / "cfg_reading" / "lab.yaml").read_text(encoding="utf-8")
    experiment = load_experiment(ROOT / "labs/cfg_reading/experiment.py", "cfg-sweep")
    for file in (ROOT / "labs" / "cfg_reading").glob("*.py"):
        (pack(tmp_path, text) / "labs" / "some_lab" / file.name).touch()
    for old, new, word in (
        ("default: 24", "default: 25", "params"),
        ("high: 200", "high: 100", "params"),
        ("[best_scale, grows,", "[best_scale,", "outcomes"),
        ("seconds: 300", "seconds: 60", "seconds"),
        ("name: falls-at-20", "name: falls-at-40", "claims"),
        ("5 beats 1", "5 beats 2", "claims"),
    ):
        assert old in text
        labs = read_labs(pack(tmp_path, text.replace(old, new)))
        info = find_experiment(labs, "cfg-sweep")
        assert [word in line for line in disagreements(info, experiment)] == [True]


def test_listing_labs_imports_no_torch() -> None:
    code = (
        "import sys; from pathlib import Path; from drill.lab.manifest import read_labs;"
        f"read_labs(Path({str(ROOT)!r}));"
        "print([m for m in ('torch','diffusers','numpy','PIL','textual') if m in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert out.stdout.strip() == "[]"


def test_a_good_file_is_read(tmp_path: Path) -> None:
    labs = read_labs(pack(tmp_path, GOOD))
    assert labs.problems == ()
    info = find_experiment(labs, "first-one")
    assert info.file == "labs/some_lab/experiment.py"
    assert info.params[0].default == 4
    assert info.claims[0].says == "It holds."
    assert labs.labs[0].reading is None
    with pytest.raises(KeyError, match="did you mean first-one"):
        find_experiment(labs, "frist-one")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("topic: cfg\n", "", 1, "topic is missing"),
        ("order: 1", "order: soon", 3, "order is str, expected int or float"),
        ("title: A lab", "titel: A lab", 1, "did you mean title"),
        ("name: first-one", "name: First One", 5, "not of the form"),
        ("file: experiment.py", "file: other.py", 7, "no file other.py"),
        ("seconds: 30", "seconds: 0", 9, "above 0"),
        ("default: 4", "default: 0", 11, "give a whole number from 1 up"),
        ("kind: int", "kind: whole", 11, "none of int"),
        ("help: how many", "halp: how many", 11, "did you mean help"),
        (", help: how many", "", 11, "missing 1 required positional argument: 'help'"),
        ("says: It holds.", "say: It holds.", 13, "did you mean says"),
        ("outcomes: [best]", "outcomes: [3]", 14, "3 is no name"),
        ("outcomes: [best]", "needs: [gpu]", 14, "known: accelerator"),
        ("title: A lab", "title: [A lab", 2, "YAML syntax"),
    ],
)
def test_faults_name_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in GOOD
    labs = read_labs(pack(tmp_path, GOOD.replace(old, new, 1)))
    assert labs.labs == ()
    place, _, text = labs.problems[0].partition(": ")
    assert place == f"{tmp_path}/labs/some_lab/lab.yaml:{line}", labs.problems
    assert message in text


def test_a_faulty_lab_leaves_the_others(tmp_path: Path) -> None:
    pack(tmp_path, GOOD)
    pack(tmp_path, "title: [", folder="broken")
    pack(tmp_path, GOOD, folder="not-identifier")
    labs = read_labs(tmp_path)
    assert [lab.id for lab in labs.labs] == ["some_lab"]
    assert len(labs.problems) == 2


def test_a_name_that_stands_twice_is_told(tmp_path: Path) -> None:
    pack(tmp_path, GOOD)
    pack(tmp_path, GOOD, folder="twin")
    assert "first-one" in read_labs(tmp_path).problems[0]


def test_the_cache_is_used_and_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, cache = pack(tmp_path / "pack", GOOD), tmp_path / "cache"
    monkeypatch.setattr(manifest, "TICK", 0)
    first = read_labs(root, cache)

    def refuse(path: Path) -> None:
        raise AssertionError(f"{path} was read again")

    with monkeypatch.context() as patch:
        patch.setattr(manifest, "_read", refuse)
        assert read_labs(root, cache) == first
    pack(root, GOOD.replace("A lab", "Another lab"))
    assert read_labs(root, cache).labs[0].title == "Another lab"
    next(cache.iterdir()).write_text("{", encoding="utf-8")
    assert read_labs(root, cache).labs[0].title == "Another lab"


def test_a_change_that_keeps_the_size_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, cache = pack(tmp_path / "pack", GOOD), tmp_path / "cache"
    file = root / "labs" / "some_lab" / "lab.yaml"
    other = GOOD.replace("A lab", "B lab")
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "TICK", 0)
        assert read_labs(root, cache).labs[0].title == "A lab"
    before = file.stat()
    file.write_text(other)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # as rsync and archives do
    assert read_labs(root, cache).labs[0].title == "B lab"


def test_a_change_within_a_tick_of_the_clock_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, cache = pack(tmp_path / "pack", GOOD), tmp_path / "cache"
    file = root / "labs" / "some_lab" / "lab.yaml"
    stands = time.time_ns()
    monkeypatch.setattr(manifest, "_stamp", lambda path: [str(path), stands, 1, stands, 1])
    assert read_labs(root, cache).labs[0].title == "A lab"
    file.write_text(GOOD.replace("A lab", "B lab"))
    assert read_labs(root, cache).labs[0].title == "B lab"


def test_a_fault_that_is_mended_in_another_file_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "TICK", 0)
    root, cache = pack(tmp_path / "pack", GOOD), tmp_path / "cache"
    code = root / "labs" / "some_lab" / "experiment.py"
    code.rename(code.with_suffix(".txt"))
    assert "there is no file experiment.py" in read_labs(root, cache).problems[0]
    code.with_suffix(".txt").rename(code)
    assert read_labs(root, cache).problems == ()
