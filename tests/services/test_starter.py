"""Running a starter: output as it comes, a time limit, a way to stop it, and no process left."""

from __future__ import annotations

import os
import py_compile
import sys
import time
from pathlib import Path

import pytest

from drill.config import Config
from drill.lab.manifest import Lab
from drill.services.starter import StarterEnd, StarterRun, starter_command


def script(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "starter.py"
    file.write_text(text, encoding="utf-8")
    return [sys.executable, "-u", str(file)]


async def told(run: StarterRun) -> tuple[list[str], StarterEnd]:
    lines = [each async for each in run.lines()]
    end = lines.pop()
    assert isinstance(end, StarterEnd) and all(isinstance(line, str) for line in lines)
    return [str(line) for line in lines], end


def gone(pid: int) -> bool:
    """Whether a process ends within seconds; one that only waits to be reaped is gone."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        file = Path(f"/proc/{pid}/stat")
        if file.exists() and file.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


async def test_output_arrives_while_it_runs(tmp_path: Path) -> None:
    text = "import sys, time\nprint('first [red]')\nprint('err', file=sys.stderr)\n"
    run = StarterRun(script(tmp_path, text + "time.sleep(1.5)\nprint('last', end='')\n"))
    started = time.monotonic()
    arrived = []
    end: object = None
    async for each in run.lines():
        arrived.append((time.monotonic() - started, each))
        end = each
    assert [each for _, each in arrived[:-1]] == ["first [red]", "err", "last"]
    assert arrived[2][0] - arrived[0][0] > 1.0
    assert isinstance(end, StarterEnd) and end.how == "done" and end.status == 0
    assert end.seconds > 1.4


async def test_failures_are_told(tmp_path: Path) -> None:
    lines, end = await told(StarterRun(script(tmp_path, "raise ValueError('odd')\n")))
    assert lines[-1] == "ValueError: odd"
    assert (end.how, end.status) == ("failed", 1) and "exit status 1" in end.message
    kill = "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"
    _, end = await told(StarterRun(script(tmp_path, kill)))
    assert end.how == "failed" and "SIGSEGV" in end.message
    _, end = await told(StarterRun(["/no/such/program"]))
    assert end.how == "failed" and "/no/such/program" in end.message


async def test_stdin_is_nobodys(tmp_path: Path) -> None:
    lines, _ = await told(StarterRun(script(tmp_path, "import sys\nprint(repr(sys.stdin.read()))")))
    assert lines == ["''"]


@pytest.mark.parametrize("deaf", [False, True])
async def test_the_limit_ends_it_and_what_it_started(tmp_path: Path, deaf: bool) -> None:
    text = "import os, subprocess, time, signal\n"
    if deaf:
        text += "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    text += "p = subprocess.Popen(['sleep', '60'])\nprint(os.getpid(), p.pid, flush=True)\n"
    started = time.monotonic()
    run = StarterRun(script(tmp_path, text + "time.sleep(60)\n"), limit=3.0, grace=0.3)
    lines, end = await told(run)
    assert end.how == "timeout" and "longer than 3 s" in end.message
    assert time.monotonic() - started < 30
    assert all(gone(int(pid)) for pid in lines[0].split())


async def test_cancel_keeps_what_it_printed(tmp_path: Path) -> None:
    run = StarterRun(script(tmp_path, "import time\nprint('here')\ntime.sleep(60)\n"), grace=0.3)
    lines: list[str] = []
    end: StarterEnd | None = None
    async for each in run.lines():
        if isinstance(each, StarterEnd):
            end = each
        else:
            lines.append(each)
            run.cancel()
    assert lines == ["here"]
    assert end is not None and end.how == "cancelled"


async def test_leaving_the_iterator_ends_the_process(tmp_path: Path) -> None:
    text = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n"
    lines = StarterRun(script(tmp_path, text)).lines()
    pid = int(str(await anext(lines)))
    await lines.aclose()
    assert gone(pid)


async def test_a_line_without_end_is_shown_in_parts(tmp_path: Path) -> None:
    lines, end = await told(StarterRun(script(tmp_path, "print('x' * 250_000)\nprint('y')\n")))
    assert end.how == "done" and lines[-1] == "y"
    assert "".join(lines[:-1]) == "x" * 250_000


async def test_what_runs_is_what_stands_in_the_files(tmp_path: Path) -> None:
    """Not bytecode that somebody put beside them, which nobody has read."""
    folder = tmp_path / "lab"
    (folder / "parts").mkdir(parents=True)
    (folder / "beside.py").write_text("SAYS = 'the source'\n")
    (folder / "parts" / "inner.py").write_text("SAYS = 'the inner source'\n")
    (folder / "starter.py").write_text(
        "import os, sys, beside, parts.inner\n"
        "print(beside.SAYS, parts.inner.SAYS, __name__, __file__ == sys.argv[0])\n"
        "try:\n    import bare\nexcept ImportError:\n    print('no bare')\n"
        "def fails():\n    raise ValueError('odd')\nfails()\n"
    )
    evil = tmp_path / "evil.py"
    evil.write_text("SAYS = 'something else'\n")
    tag = sys.implementation.cache_tag
    for file in (f"__pycache__/beside.{tag}.pyc", f"parts/__pycache__/inner.{tag}.pyc", "bare.pyc"):
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(evil), cfile=str(folder / file), invalidation_mode=mode)
    command = starter_command(Lab("some_lab", "A lab", "cfg", 1, folder, ()), Config())
    lines, end = await told(StarterRun(command))
    assert lines[:2] == ["the source the inner source __main__ True", "no bare"]
    assert end.status == 1
    assert lines[2] == "Traceback (most recent call last):"
    assert lines[3] == f'  File "{folder / "starter.py"}", line 9, in <module>'
    assert lines[4].strip() == "fails()" and lines[-1] == "ValueError: odd"
    assert not (folder / "__pycache__" / f"starter.{tag}.pyc").exists()


def test_the_interpreter_is_the_workers(tmp_path: Path) -> None:
    (tmp_path / "starter.py").write_text("")
    lab = Lab("some_lab", "A lab", "cfg", 1, tmp_path, ())
    here = starter_command(lab, Config())
    assert (here[0], here[-1]) == (sys.executable, str(tmp_path / "starter.py"))
    own = Config(worker=("/opt/py/bin/python3.12",))
    assert starter_command(lab, own)[0] == "/opt/py/bin/python3.12"
    assert starter_command(lab, Config(worker=("nice", "drill", "worker")))[0] == sys.executable
    there = starter_command(lab, Config(host="gpubox"))
    assert there[0] == "ssh" and there[-2] == "gpubox"
    assert "drill lab run some_lab" in there[-1]
    assert starter_command(lab, Config(host="gpubox"), "u@other")[-2] == "u@other"
