"""Proofs that hang, die or fill the pipes cost their own item only."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drill.worker.launcher import module_command, worker_environment
from drill.worker.proof_pool import MODULE, ProofRun, run_jobs

PROOFS = """
import ctypes, os, sys, time

def fine(): return 7
def hangs(): time.sleep(60)
def spins():
    while True: pass
def leaves(): os._exit(3)
def leaves_politely(): sys.exit("enough")
def segfaults(): ctypes.string_at(0)
def prints():
    print("noise " * 1000)
    os.write(1, b'{"event": "value", "id": "prints", "index": 0, "value": 1}')
    return 7
def talks():
    for _ in range(3000): sys.stderr.write("x" * 1000)
    return 7
def second_hangs(n):
    if n == 2: time.sleep(60)
    return n
def random_number():
    import random
    return random.random()
def sized():
    return {"shape": (1, 2), "set": {3, 1, 2}, "kind": complex(1, 2), "gen": (x for x in (1, 2))}
"""


@pytest.fixture
def proofs(tmp_path: Path) -> Path:
    file = tmp_path / "proofs.py"
    file.write_text(PROOFS, encoding="utf-8")
    return file


def job(file: Path, proof: str, *variants: Mapping[str, Any]) -> dict[str, Any]:
    params = variants or ({},)
    return {
        "id": proof,
        "type": "number",
        "file": str(file),
        "proof": proof,
        "property": "",
        "variants": [{"params": each, "code": None} for each in params],
    }


def run(file: Path, *names: str, workers: int = 1, seconds: float = 20.0) -> dict[str, ProofRun]:
    jobs = [job(file, name) for name in names]
    events = list(run_jobs(jobs, workers, seconds))
    assert [e.run.id for e in events if e.kind == "begun"] == list(names)
    return {e.run.id: e.run for e in events if e.kind == "ended"}


def test_a_proof_that_dies_is_told_and_the_rest_goes_on(proofs: Path) -> None:
    runs = run(proofs, "leaves", "fine", "segfaults", "leaves_politely", "prints")
    assert "exit code 3" in runs["leaves"].error
    assert "SIGSEGV" in runs["segfaults"].error
    assert "in segfaults" in runs["segfaults"].error  # the line, by faulthandler
    assert "SystemExit: enough" in runs["leaves_politely"].error
    assert runs["fine"].values == {0: 7} and not runs["fine"].error
    assert runs["prints"].values == {0: 7}


@pytest.mark.parametrize("name", ["hangs", "spins"])
def test_a_proof_without_end_is_ended(proofs: Path, name: str) -> None:
    started = time.monotonic()
    runs = run(proofs, name, "fine", seconds=1.0)
    assert time.monotonic() - started < 20
    assert "longer than 1 s" in runs[name].error
    assert runs["fine"].values == {0: 7}


def test_the_variant_that_hangs_is_named(proofs: Path) -> None:
    jobs = [job(proofs, "second_hangs", {"n": 1}, {"n": 2}, {"n": 3})]
    (ended,) = [e.run for e in run_jobs(jobs, 1, 1.0) if e.kind == "ended"]
    assert ended.values == {0: 1} and ended.variant == 1 and ended.error


def test_much_on_stderr_blocks_nothing(proofs: Path) -> None:
    assert run(proofs, "talks")["talks"].values == {0: 7}


def test_children_are_ended_when_the_iterator_is_closed(proofs: Path) -> None:
    events = run_jobs([job(proofs, "hangs")], 1, 60.0)
    assert next(events).kind == "begun"
    time.sleep(0.3)
    events.close()  # type: ignore[attr-defined]
    listed = subprocess.run(
        ["ps", "-eo", "ppid=,args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    import os

    mine = [line for line in listed if line.split()[0] == str(os.getpid()) and MODULE in line]
    assert mine == []


def test_every_proof_starts_from_the_same_seed(proofs: Path) -> None:
    jobs = [{**job(proofs, "random_number", {}, {}), "id": str(n)} for n in range(2)]
    values = [e.run.values for e in run_jobs(jobs, 1, 20.0) if e.kind == "ended"]
    assert values[0] == values[1] and values[0][0] == values[0][1]


def test_results_become_plain_data(proofs: Path) -> None:
    assert run(proofs, "sized")["sized"].values[0] == {
        "shape": [1, 2],
        "set": [1, 2, 3],
        "kind": "(1+2j)",
        "gen": [1, 2],
    }


def test_a_child_that_cannot_start_is_told(proofs: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no torch for you')"]
    events = list(run_jobs([job(proofs, "fine")], 1, 5.0, command))
    assert "exit code 1" in events[-1].run.error and "no torch for you" in events[-1].run.error


def test_the_child_speaks_json_lines_and_ends_with_stdin(proofs: Path) -> None:
    done = subprocess.run(
        module_command(sys.executable, MODULE),
        input=b"",
        capture_output=True,
        env=worker_environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b'\n{"event": "hello"')


@pytest.mark.labs
def test_torch_values_and_one_thread(tmp_path: Path) -> None:
    file = tmp_path / "proofs.py"
    file.write_text(
        "import numpy as np\nimport torch\n"
        "def threads(): return torch.get_num_threads()\n"
        "def scalar(): return torch.tensor(2.5, requires_grad=True) * 2\n"
        "def size(): return torch.zeros(2, 3).shape\n"
        "def array(): return {'a': np.float64(0.5), 'i': np.int64(3), 'd': torch.float16}\n"
        "def leaks(): torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False)\n"
        "def clean(): return str(torch.get_default_dtype()), torch.is_grad_enabled()\n"
        "def drawn(): return torch.randn(1).item()\n",
        encoding="utf-8",
    )
    names = ["threads", "scalar", "size", "array", "leaks", "clean", "drawn"]
    runs = run(file, *names, seconds=60)
    assert {name: r.error for name, r in runs.items() if r.error} == {}
    assert runs["threads"].values[0] == 1
    assert runs["scalar"].values[0] == 5.0
    assert runs["size"].values[0] == [2, 3]
    assert runs["array"].values[0] == {"a": 0.5, "i": 3, "d": "torch.float16"}
    assert runs["clean"].values[0] == ["torch.float32", True]
    assert run(file, "drawn", seconds=60)["drawn"].values == runs["drawn"].values
