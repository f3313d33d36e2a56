"""`make labs`: what it lets pass and what not, over a pack that goes wrong in every way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from drill.services.all_labs import Row, judge, main, waited_seconds
from drill.worker.protocol import Done, Error
from tests.worker.packs import make_stubs

CODE = """
import os, time
from drill.lab import Claim, Experiment, Result, Transfers, finding, not_applicable


def claim(holds):
    def check(result):
        return not_applicable("no", "1") if holds is None else finding(holds, "0.5", "1")
    return check


class Base(Experiment):
    warmed = 0.0
    takes = 0.0

    def warm(self, context):
        time.sleep(self.warmed)

    def run(self, context):
        time.sleep(self.takes)
        return Result({}, {}, "It ran.", Transfers("yes", "a test"))


class Good(Base):
    name = "good"
    warmed = 3.1
    claims = (Claim("a", "A", claim(True)), Claim("n", "N", claim(None)))


class False_(Base):
    name = "false"
    claims = (Claim("a", "A", claim(True)), Claim("b", "B", claim(False)))


class Nothing(Base):
    name = "nothing"
    claims = (Claim("n", "N", claim(None)),)


class Crash(Base):
    name = "crash"

    def run(self, context):
        os._exit(3)


class Slow(Base):
    name = "slow"
    takes = 3.1
    claims = (Claim("a", "A", claim(True)),)


class Gpu(Base):
    name = "gpu"
    needs = ("accelerator",)
    claims = (Claim("a", "A", claim(True)),)


class Liar(Base):
    name = "liar"

    def run(self, context):
        import no_such_module_at_all


EXPERIMENTS = (Good(), False_(), Nothing(), Crash(), Slow(), Gpu(), Liar())
"""
NAMES = ("good", "false", "nothing", "crash", "slow", "gpu", "liar")
VERDICTS = dict(
    zip(
        NAMES,
        ("passed", "claim false", "nothing claimed", "failed", "too slow", "unavailable", "failed"),
        strict=True,
    )
)


def make(root: Path) -> Path:
    folder = root / "labs" / "odd"
    folder.mkdir(parents=True)
    (folder / "experiment.py").write_text(CODE)
    listed = "".join(
        f"  - {{name: '{n}', title: T, file: experiment.py, summary: S, seconds: 60}}\n"
        for n in NAMES
    )
    text = f"title: Odd\ntopic: cfg\norder: 1\nexperiments:\n{listed}"
    (folder / "lab.yaml").write_text(text)
    return root


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(make_stubs(tmp_path / "stubs")))
    monkeypatch.setattr("drill.services.labs_packages.present", lambda: True)
    return make(tmp_path / "pack")


def test_every_way_to_fail_is_told(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.json"
    assert main(["--pack", str(pack), "--limit", "3", "--json", str(file)]) == 1
    out = capsys.readouterr().out
    rows: dict[str, Any] = {r["name"]: r for r in json.loads(file.read_text())["rows"]}
    assert {name: row["verdict"] for name, row in rows.items()} == VERDICTS
    # The load is measured apart from the run: three seconds of it spoil no limit of three.
    assert rows["good"]["load"] >= 3.1 > rows["good"]["seconds"]
    assert (rows["good"]["true"], rows["good"]["not_applicable"]) == (1, 1)
    # Asleep is not waiting for a core: such seconds count.
    assert rows["slow"]["seconds"] - rows["slow"]["waited"] > 3.0
    assert "b is false: 0.5; expected 1" in out
    assert "exit status 3" in out and "no_such_module_at_all" in out
    assert "unavailable on cpu: gpu" in out
    assert "7 experiments: 1 passed, 1 claim false, 1 nothing claimed, 1 too slow, 2 failed" in out


def test_what_is_unavailable_fails_nothing_and_passes_nothing(
    pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["good", "gpu", "--pack", str(pack)]) == 0
    assert "2 experiments: 1 passed\nunavailable on cpu: gpu" in capsys.readouterr().out


def test_wrong_calls(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["goood", "--pack", str(pack)]) == 2
    (pack / "labs" / "broken").mkdir()
    (pack / "labs" / "broken" / "lab.yaml").write_text("title: [")
    # A lab that cannot be read is no lab that passed.
    assert main(["good", "--pack", str(pack)]) == 1
    monkeypatch.setattr("drill.services.labs_packages.present", lambda: False)
    assert main(["good", "--pack", str(pack)]) == 2


def test_a_missing_package_is_no_missing_accelerator() -> None:
    row = judge(Row("x", "lab", 1.0), Error("unavailable", "torch is not installed"))
    assert row.verdict == "failed"


def test_a_false_claim_comes_before_slowness() -> None:
    claims = [{"name": "c", "holds": False, "measured": "1", "expected": "2"}]
    done = Done({}, claims, {}, "s", {}, "cpu", {}, 0, 99.0)
    row = judge(Row("x", "lab", 1.0), done)
    assert row.verdict == "claim false" and len(row.says) == 2


def test_time_without_a_core_does_not_count() -> None:
    claims = [{"name": "c", "holds": True, "measured": "1", "expected": "1"}]
    done = Done({}, claims, {}, "s", {}, "cpu", {}, 0, 99.0)
    assert judge(Row("x", "lab", 1.0, waited=70.0), done).verdict == "passed"
    assert judge(Row("x", "lab", 1.0, waited=68.0), done).verdict == "too slow"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_waiting_for_a_core_is_measured() -> None:
    """Two busy processes on one core: each waits while the other runs; a sleeping one does not."""
    core = min(os.sched_getaffinity(0))
    code = f"import os, time; os.sched_setaffinity(0, {{{core}}}); print(flush=True)\n"
    busy, idle = code + "while True: pass", code + "time.sleep(60)"
    started = [
        subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE)
        for text in (busy, busy, idle)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        before = [waited_seconds(process.pid) for process in started]
        time.sleep(3.0)
        spent = [waited_seconds(p.pid) - b for p, b in zip(started, before, strict=True)]
    finally:
        for process in started:
            process.kill()
            process.communicate()
    # In sum one of the two always waits, whatever else the machine does.
    assert spent[0] + spent[1] > 2.5 > 0.5 > spent[2]
    assert waited_seconds(2**22 + 1) == 0.0
