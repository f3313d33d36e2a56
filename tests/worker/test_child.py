"""The child as its owner sees it: pipes only, no service in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drill.worker import protocol as p
from drill.worker.launcher import module_command, worker_environment

from .packs import FILE, make_pack

WITHOUT_PACKAGES = [sys.executable, "-S", *module_command(sys.executable)[1:]]
"""An interpreter that finds the standard library only: no torch, nothing of ours either."""


class Pipes:
    def __init__(self, command: list[str], log: Path) -> None:
        self.log = log
        self.stream = log.open("wb")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.stream,
            env=worker_environment(),
        )
        self.raw: list[bytes] = []

    def send(self, request: p.Request) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(p.encode(request))
        self.process.stdin.flush()

    def events(self) -> Iterator[p.Event]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.raw.append(line)
            if (event := p.decode_event(line)) is not None:
                yield event

    def until(self, kind: type[p.Event]) -> list[p.Event]:
        seen: list[p.Event] = []
        for event in self.events():
            seen.append(event)
            if isinstance(event, kind):
                return seen
        raise AssertionError(f"no {kind.__name__}: {seen}; {self.log.read_text()}")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.stream):
            if stream is not None:
                stream.close()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Pipes]:
    child = Pipes(WITHOUT_PACKAGES, tmp_path / "log")
    yield child
    child.close()


def test_hello_comes_first_and_fast(bare: Pipes) -> None:
    started = time.monotonic()
    hello = bare.until(p.Hello)[0]
    assert isinstance(hello, p.Hello)
    assert hello.protocol == p.PROTOCOL_VERSION
    assert hello.pid == bare.process.pid
    assert "drill" in hello.versions
    assert "cpu" in hello.devices
    assert len(hello.pack_hash) == 16
    assert time.monotonic() - started < 10


def test_ping_is_answered(bare: Pipes) -> None:
    bare.until(p.Hello)
    bare.send(p.Ping())
    bare.until(p.Pong)


def test_a_child_without_torch_says_how_to_get_it(bare: Pipes, tmp_path: Path) -> None:
    ready = bare.until(p.Ready)[-1]
    assert isinstance(ready, p.Ready)
    assert "torch is not installed" in ready.missing
    bare.send(p.Run("r", "plain", FILE, str(make_pack(tmp_path / "pack"))))
    error = bare.until(p.Error)[-1]
    assert isinstance(error, p.Error)
    assert error.error == "unavailable"
    assert "pip install 'diffusion-drill[labs]'" in error.message
    assert sys.executable in error.message


def test_the_end_of_stdin_ends_it(bare: Pipes) -> None:
    bare.until(p.Hello)
    assert bare.process.stdin is not None
    bare.process.stdin.close()
    assert bare.process.wait(10) == 0


def test_exit_ends_it(bare: Pipes) -> None:
    bare.until(p.Hello)
    bare.send(p.Exit())
    assert bare.process.wait(10) == 0


def test_it_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    """The owner is a process of its own, killed without a chance to clean up."""
    owner = (
        "import subprocess, sys, time\n"
        f"c = subprocess.Popen({WITHOUT_PACKAGES!r}, stdin=subprocess.PIPE,"
        " stdout=subprocess.PIPE, start_new_session=True)\n"
        "c.stdout.readline()\nprint(c.pid, flush=True)\ntime.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", owner], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if (
            Path(f"/proc/{child}/stat").exists()
            and " Z " in Path(f"/proc/{child}/stat").read_text()
        ):
            return  # ended; nobody reaps orphans in this container
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    raise AssertionError("the child outlived its owner")


@pytest.mark.labs
def test_a_run_while_torch_is_still_imported_waits_for_it(tmp_path: Path) -> None:
    child = Pipes(module_command(sys.executable), tmp_path / "log")
    try:
        child.until(p.Hello)
        child.send(p.Run("r1", "plain", FILE, str(make_pack(tmp_path / "pack")), seed=5))
        child.send(p.Ping())
        child.until(p.Pong)  # answered while torch is imported
        events = child.until(p.Done)
        done = events[-1]
        assert isinstance(done, p.Done)
        assert [type(e) for e in events[:2]] == [p.Ready, p.Progress]
        assert done.metrics["steps"] == 3 and done.metrics["nan"] is None
        assert done.claims[0]["holds"] is True
        assert done.outcomes == {"last": 2}
        assert done.artefacts == ["dot", "a/b ../c"]
        assert done.versions["torch"] and done.seed == 5 and done.device.startswith("cpu (")
        # What the experiment printed, in Python or below it, went to the log.
        assert not any(b"log, not into" in line or b"neither does" in line for line in child.raw)
        assert "this goes to the log" in child.log.read_text()
        assert "neither does this" in child.log.read_text()

        child.send(p.Run("r2", "plain", FILE, str(tmp_path / "pack"), seed=5))
        again = child.until(p.Done)[-1]
        assert isinstance(again, p.Done)
        assert again.metrics["draw"] == done.metrics["draw"]  # the seed is set for each run

        child.send(p.Run("r3", "slow", FILE, str(tmp_path / "pack")))
        child.until(p.Progress)
        child.send(p.Cancel("r3"))
        error = child.until(p.Error)[-1]
        assert error == p.Error("cancelled", "the run was cancelled", run="r3")
        assert child.process.poll() is None
    finally:
        child.close()
