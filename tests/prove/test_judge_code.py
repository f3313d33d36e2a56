"""Learners' code runs under limits, and whatever it does is told as such."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from drill.worker.judge_code import CodeJudge, CodeResult, JudgeUnavailableError, judge_code

PROOFS = Path(__file__).parent / "data" / "pack" / "questions" / "scheduler" / "proofs.py"
GOOD = """\
def add_noise(x0, eps, ab):
    return ab ** 0.5 * x0 + (1 - ab) ** 0.5 * eps
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="memory limits are enforced on Linux")


def judge(source: str, seconds: float = 20.0, memory_mb: int = 512) -> CodeResult:
    return judge_code(source, "add_noise", PROOFS, "add_noise_properties", seconds, memory_mb)


def inside(*lines: str) -> str:
    return "def add_noise(x0, eps, ab):\n" + "".join(f"    {line}\n" for line in lines)


def test_a_right_answer_keeps_all_properties() -> None:
    assert judge("print('hello')\n" + GOOD) == {
        "passed": 2,
        "total": 2,
        "failures": [],
        "stdout": "hello\n",
        "error": "",
    }


def test_the_first_failing_property_comes_with_its_state() -> None:
    result = judge(GOOD.replace("(1 - ab) ** 0.5", "(1 - ab)"))
    assert (result["passed"], result["total"], result["error"]) == (1, 2, "")
    assert result["failures"] == [
        {"property": "variance", "message": "the variance is 0.840", "state": "ab = 0.2"}
    ]


def test_exceptions_name_the_learners_line() -> None:
    result = judge(inside("scale = ab ** 0.5", "return scale * x0 + epsilon"))
    first = result["failures"][0]
    assert first["message"] == "NameError: name 'epsilon' is not defined"
    assert first["state"] == "line 3: `return scale * x0 + epsilon`"
    assert result["passed"] == 0 and result["total"] == 2


def test_an_exception_in_the_test_names_its_line() -> None:
    result = judge(inside("return 'a string'"))
    assert "TypeError" in result["failures"][1]["message"]
    assert "in the test: `total = " in result["failures"][1]["state"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def add_noise(x0:\n    pass\n", "SyntaxError"),
        ("import no_such_package\n" + GOOD, "No module named 'no_such_package'"),
        ("x = 1\n", "does not define the function `add_noise`"),
        ("add_noise = 3\n", "does not define the function `add_noise`"),
        ("1 / 0\n" + GOOD, "ZeroDivisionError"),
        ("answer = input()\n" + GOOD, "EOFError"),
        ("import sys\nsys.exit()\n" + GOOD, "ends the program"),
        (inside("raise SystemExit"), "ends the program"),
        (inside("import os", "os._exit(0)"), "exit code 0"),
        (inside("import ctypes", "ctypes.string_at(0)"), "SIGSEGV"),
        (inside("import os, signal", "os.kill(os.getpid(), signal.SIGKILL)"), "SIGKILL"),
        (inside("raise KeyboardInterrupt"), "KeyboardInterrupt"),
    ],
)
def test_what_ends_a_run_is_told(source: str, said: str) -> None:
    result = judge(source)
    assert said in result["error"], result
    assert result["passed"] < result["total"]
    assert said in result["failures"][0]["message"]


def test_a_syntax_error_names_its_line() -> None:
    result = judge(GOOD + "x = = 3\n")
    assert result["failures"][0]["state"] == "line 3: `x = = 3`"


@pytest.mark.parametrize(
    "loop",
    [
        ("while True: pass",),
        ("while True:", "    try:", "        while True: pass", "    except BaseException: pass"),
        ("return 10 ** 10 ** 10",),  # one step of the interpreter that never returns
        ("import time", "time.sleep(100)"),
    ],
)
def test_no_end_is_told(loop: tuple[str, ...]) -> None:
    started = time.monotonic()
    result = judge(inside(*loop), seconds=1.0)
    assert time.monotonic() - started < 15
    assert result["error"].startswith("no end after 1 s")
    assert result["failures"][0]["property"] == "ends"


def test_a_loop_while_the_code_is_read_is_told_too() -> None:
    result = judge("while True: pass\n", seconds=1.0)
    assert result["failures"][0]["property"] == "running the code"


@linux
@pytest.mark.parametrize(
    "hog",
    [
        ("return bytearray(10 ** 12)",),
        ("kept = []", "while True: kept.append(bytearray(10 ** 7))"),
        ("kept = []", "while True: kept.append([0] * 10 ** 5)"),
    ],
)
def test_too_much_memory_is_told(hog: tuple[str, ...]) -> None:
    result = judge(inside(*hog), memory_mb=256)
    assert result["error"] == "the code needs more than the 256 MB that it may use"
    assert result["failures"][0]["state"].startswith("line ")


@linux
def test_memory_within_the_limit_is_fine() -> None:
    assert judge("kept = bytearray(100 * 10**6)\n" + GOOD, memory_mb=256)["passed"] == 2


def test_megabytes_of_output_are_cut() -> None:
    result = judge(
        "print('x' * 5_000_000)\nimport os\nfor _ in range(300): os.write(1, b'y' * 9999)\n" + GOOD
    )
    assert result["passed"] == 2
    assert len(result["stdout"]) < 25_000 and "more characters]" in result["stdout"]


@pytest.mark.parametrize("start", ["os.fork()", "os.system('true')", "subprocess.run(['true'])"])
def test_processes_are_refused(start: str) -> None:
    result = judge(inside("import os, subprocess", start))
    assert "may not start processes" in result["failures"][0]["message"]


def test_the_child_can_be_warmed_and_thrown_away() -> None:
    warm = CodeJudge(PROOFS)
    idle = CodeJudge(PROOFS)
    time.sleep(0.3)
    assert warm.judge(GOOD, "add_noise", "add_noise_properties")["passed"] == 2
    idle.close()


def test_a_broken_pack_is_not_the_learners_fault(tmp_path: Path) -> None:
    file = tmp_path / "proofs.py"
    with pytest.raises(JudgeUnavailableError, match="No such file"):
        judge_code(GOOD, "add_noise", file, "add_noise_properties")
    file.write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(JudgeUnavailableError, match="ZeroDivisionError"):
        judge_code(GOOD, "add_noise", file, "add_noise_properties")
    with pytest.raises(JudgeUnavailableError, match="no function `nothing`"):
        judge_code(GOOD, "add_noise", PROOFS, "nothing")
    with pytest.raises(JudgeUnavailableError, match=r"did not start[^$]*no torch"):
        judge_code(GOOD, "f", PROOFS, "p", child_command=[sys.executable, "-c", "exit('no torch')"])


def test_single_asserts_count_as_one_property(tmp_path: Path) -> None:
    file = tmp_path / "proofs.py"
    file.write_text(
        "def props(namespace):\n    value = namespace['f'](2)\n    assert value == 4\n", "utf-8"
    )
    assert judge_code("f = lambda x: x * x", "f", file, "props")["passed"] == 1
    result = judge_code("f = lambda x: x + 3", "f", file, "props")
    assert result["failures"] == [
        {"property": "props", "message": "this does not hold: `assert value == 4`", "state": ""}
    ]


def test_pairs_may_be_yielded_and_take_the_namespace(tmp_path: Path) -> None:
    file = tmp_path / "proofs.py"
    file.write_text(
        "def small(namespace): assert namespace['f'](1) == 1\n"
        "def props(namespace):\n    yield 'small', small\n"
        "    yield 'large', lambda: namespace['f'](9)\n",
        "utf-8",
    )
    assert judge_code("f = lambda x: x", "f", file, "props")["total"] == 2
    assert judge_code("f = lambda x: -x", "f", file, "props")["passed"] == 1


@linux
@pytest.mark.labs
def test_torch_runs_within_the_limits_and_is_stopped_beyond(tmp_path: Path) -> None:
    file = tmp_path / "proofs.py"
    file.write_text(
        "import torch\n"
        "def props(namespace):\n"
        "    x = torch.ones(8, 4, 64, 64)\n"
        "    assert namespace['f'](x).shape == x.shape, f'shape\\n{tuple(x.shape)}'\n",
        "utf-8",
    )
    good = (
        "import torch.nn.functional as F, torch\n"
        "def f(x): return F.conv2d(x, torch.ones(4, 4, 3, 3), padding=1)"
    )
    assert judge_code(good, "f", file, "props", memory_mb=1024)["passed"] == 1
    result = judge_code("import torch\ndef f(x): return torch.zeros(10**11)", "f", file, "props")
    assert "needs more than the 4096 MB" in result["error"]
