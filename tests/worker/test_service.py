"""The service: one child, its runs, and every way in which they end.

The child is the real one; torch, diffusers and numpy are stand-ins that load at once, because no
experiment here computes anything. `test_child.py` and `tests/labs` run the real libraries.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from drill.services.experiments import BusyError, ExperimentService, RunSpec, run_experiment
from drill.services.runs import load_run, mark_interrupted, saved_runs
from drill.services.worker_process import WorkerError
from drill.worker.launcher import COMMAND_VARIABLE, worker_command
from drill.worker.protocol import Done, Error, Event, Hello, Image, Log, Progress, Ready

from .packs import FILE, make_pack, make_stubs


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_stubs(tmp_path_factory.mktemp("stubs") / "s")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, stubs: Path) -> None:
    monkeypatch.delenv(COMMAND_VARIABLE, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(stubs))


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pack(tmp_path_factory.mktemp("pack") / "p")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ExperimentService]:
    made = ExperimentService(
        runs=tmp_path / "runs", logs=tmp_path / "logs", cancel_grace=1.0, term_grace=0.5
    )
    yield made
    await made.close()


def spec(pack: Path, name: str, budget: float = 0.0, **params: Any) -> RunSpec:
    return RunSpec(name, FILE, pack, params, budget=budget)


async def all_events(service: ExperimentService, what: RunSpec) -> list[Event]:
    return [event async for event in service.run(what)]


async def last(service: ExperimentService, what: RunSpec) -> Event:
    return (await all_events(service, what))[-1]


def error_of(event: Event) -> Error:
    assert isinstance(event, Error), event
    return event


def content(path: str) -> bytes:
    return Path(path).read_bytes()


async def pid_of(service: ExperimentService) -> int:
    return (await service.start()).pid


async def test_a_run_is_told_and_saved(service: ExperimentService, pack: Path) -> None:
    events = await all_events(service, spec(pack, "plain"))
    assert isinstance(events[0], Hello)
    assert any(isinstance(e, Ready) for e in events)
    assert sum(isinstance(e, Progress) for e in events) >= 2
    done = events[-1]
    assert isinstance(done, Done)
    assert [Path(path).name for path in done.artefacts] == ["dot.png", "a-b-..-c.png"]
    assert all(Path(path).parent == service.runs / done.run for path in done.artefacts)
    assert content(done.artefacts[0]) == b"\x89PNG two"  # the later one of the name
    saved = load_run(service.runs, done.run[:20])
    assert saved.state == "done"
    assert saved.document["claims"][0]["name"] == "counted"
    assert saved.document["seed"] == 0 and saved.document["date"]
    assert len(saved.pictures) == 2
    assert service.running == ""


async def test_the_child_stays_between_runs(service: ExperimentService, pack: Path) -> None:
    first = await pid_of(service)
    for _ in range(2):
        assert isinstance(await last(service, spec(pack, "plain")), Done)
    assert await pid_of(service) == first


async def test_cancel_keeps_the_child_warm(service: ExperimentService, pack: Path) -> None:
    pid = await pid_of(service)
    for name in ("slow", "swallow"):  # the second one catches every Exception
        events: list[Event] = []
        async for event in service.run(spec(pack, name)):
            events.append(event)
            if isinstance(event, Progress) and event.label.endswith("ing") and event.done >= 1:
                await service.cancel()
        assert error_of(events[-1]).error == "cancelled"
    assert isinstance(await last(service, spec(pack, "plain")), Done)
    assert await pid_of(service) == pid
    states = [run.state for run in saved_runs(service.runs)]
    assert sorted(states) == ["done", "error", "error"]


@pytest.mark.parametrize("name", ["deaf", "stubborn"])
async def test_a_child_that_does_not_answer_is_ended(
    service: ExperimentService, pack: Path, name: str
) -> None:
    pid = await pid_of(service)
    started = 0.0
    events: list[Event] = []
    async for event in service.run(spec(pack, name)):
        events.append(event)
        if isinstance(event, Log) and event.text == name:
            started = time.monotonic()
            await service.cancel()
    took = time.monotonic() - started
    error = error_of(events[-1])
    assert error.error == "cancelled" and "did not answer" in error.message
    # 1 s for the message, then TERM; a child that blocks it has .5 s more.
    assert (1.0 if name == "deaf" else 1.4) < took < 5
    assert isinstance(await last(service, spec(pack, "plain")), Done)
    assert await pid_of(service) != pid


async def test_the_time_limit_stops_a_run_and_keeps_the_child(
    service: ExperimentService, pack: Path
) -> None:
    pid = await pid_of(service)
    error = error_of(await last(service, spec(pack, "slow", budget=0.3)))
    assert error.error == "timeout"
    assert "0.3 s" in error.message
    assert await pid_of(service) == pid


async def test_the_time_limit_ends_a_child_that_does_not_keep_it(
    service: ExperimentService, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drill.services.run_ending.LIMIT_GRACE", 0.2)
    error = error_of(await last(service, spec(pack, "deaf", budget=0.3)))
    assert error.error == "timeout"
    assert "its process was ended" in error.message


@pytest.mark.parametrize(
    ("how", "kind", "says"),
    [
        ("exit", "crash", "exit status 7"),
        ("segv", "crash", "SIGSEGV"),
        ("kill", "oom", "killed from outside"),
        ("raise", "crash", "ValueError: the third wheel"),
        ("memory", "oom", "no room for 3 GB"),
        ("cuda", "oom", "CUDA out of memory"),
        ("module", "crash", "no_such_module_anywhere"),
        ("model", "unavailable", "another kind of model"),
        ("outcomes", "crash", "not declared: odd"),
        ("transfers", "crash", "does not say whether it transfers"),
    ],
)
async def test_failures_are_told_with_the_log(
    service: ExperimentService, pack: Path, how: str, kind: str, says: str
) -> None:
    error = error_of(await last(service, spec(pack, "dies", how=how)))
    assert error.error == kind
    assert says in error.message
    assert error.log == str(service.log)
    log = content(error.log)
    if how == "raise":
        assert "and more" not in error.message  # one line
        assert 'raise ValueError("the third wheel' in log.decode()
    # Whatever became of the child: the next run works.
    assert isinstance(await last(service, spec(pack, "plain")), Done)


async def test_wrong_parameters_cost_nothing(service: ExperimentService, pack: Path) -> None:
    error = error_of(await last(service, spec(pack, "plain", stesp=3)))
    assert error.error == "params" and "did you mean steps" in error.message
    what = RunSpec("plain", FILE, pack, device="cuda:7")
    assert "torch has cpu" in error_of(await last(service, what)).message


async def test_an_unknown_experiment_or_file_is_told(
    service: ExperimentService, pack: Path
) -> None:
    error = error_of(await last(service, spec(pack, "plian")))
    assert "it has plain, slow" in error.message
    error = error_of(await last(service, RunSpec("plain", "labs/none/experiment.py", pack)))
    assert "labs/none/experiment.py" in error.message


async def test_one_run_at_a_time(service: ExperimentService, pack: Path) -> None:
    events = service.run(spec(pack, "slow"))
    while not isinstance(await anext(events), Progress):
        pass
    with pytest.raises(BusyError):
        await anext(service.run(spec(pack, "plain")))
    await events.aclose()
    assert service.running == ""
    started = time.monotonic()
    assert isinstance(await last(service, spec(pack, "plain")), Done)
    assert time.monotonic() - started < 10  # the run that was left would take 20 s


async def test_leaving_the_iterator_cancels_the_run(service: ExperimentService, pack: Path) -> None:
    pid = await pid_of(service)

    async def watch() -> None:
        async for _ in service.run(spec(pack, "slow")):
            pass

    task = asyncio.create_task(watch())
    while not service.running or not service.ready:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    started = time.monotonic()
    assert isinstance(await last(service, spec(pack, "plain")), Done)
    assert time.monotonic() - started < 10
    assert await pid_of(service) == pid


async def test_close_ends_the_child_even_in_a_run(service: ExperimentService, pack: Path) -> None:
    pid = await pid_of(service)
    events = service.run(spec(pack, "deaf"))
    async for event in events:
        if isinstance(event, Log) and event.text == "deaf":
            break
    await service.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    await events.aclose()


async def test_noise_before_hello_is_ignored(tmp_path: Path, pack: Path) -> None:
    script = tmp_path / "noisy.sh"
    inner = " ".join(f"'{word}'" for word in worker_command())
    script.write_text(
        f"#!/bin/sh\necho Welcome; echo '{{\"a\": 1}}'; printf 'no newline '\n{inner}\n"
    )
    script.chmod(0o755)
    service = ExperimentService([str(script)], runs=tmp_path / "runs", logs=tmp_path)
    try:
        events = await all_events(service, spec(pack, "plain"))
        assert isinstance(events[0], Hello) and isinstance(events[-1], Done)
    finally:
        await service.close()


async def test_a_command_that_is_no_worker_is_told(tmp_path: Path, pack: Path) -> None:
    for command, says in (
        (["/no/such/program"], "cannot start /no/such/program"),
        (["sh", "-c", "echo oh dear >&2; exit 4"], "ended with exit status 4"),
        (["sleep", "30"], "did not say hello within 0.5 s"),
        (["echo", '{"event":"hello","versions":{},"devices":[],"pack_hash":"","protocol":9}'],
         "speaks protocol 9"),
    ):  # fmt: skip
        started = time.monotonic()
        service = ExperimentService(
            command, runs=tmp_path / "runs", logs=tmp_path / "logs", hello_seconds=0.5
        )
        error = error_of(await last(service, spec(pack, "plain")))
        assert error.error == "unavailable" and says in error.message, error
        with pytest.raises(WorkerError):
            await service.start()
        await service.close()
        assert time.monotonic() - started < 15  # a child that says nothing is ended
    assert "oh dear" in (tmp_path / "logs" / "worker.log").read_text()


async def test_another_version_of_the_labs_is_told(
    service: ExperimentService, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drill.services.experiments.pack_hash", lambda path: "another")
    events = await all_events(service, spec(pack, "plain"))
    assert any(isinstance(e, Log) and "another version" in e.text for e in events)


def test_the_command_can_be_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worker_command()[0] == sys.executable
    assert worker_command("ssh gpubox drill worker") == ["ssh", "gpubox", "drill", "worker"]
    assert worker_command(("ssh", "b x"))[1] == "b x"
    assert worker_command("/opt/conda/bin/python3.12")[:2] == ["/opt/conda/bin/python3.12", "-P"]
    monkeypatch.setenv(COMMAND_VARIABLE, "ssh 'other box' drill worker")
    assert worker_command(("ssh", "gpubox")) == ["ssh", "other box", "drill", "worker"]


def test_the_iterator_for_the_cli(tmp_path: Path, pack: Path) -> None:
    events = list(run_experiment(spec(pack, "plain"), runs=tmp_path / "r", logs=tmp_path))
    assert isinstance(events[-1], Done)
    assert any(isinstance(e, Image) for e in events)
    pid = next(e.pid for e in events if isinstance(e, Hello))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_interrupt_cancels_and_ends_the_child(tmp_path: Path, pack: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a background job
    try:
        _interrupted(tmp_path, pack)
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupted(tmp_path: Path, pack: Path) -> None:
    pid = 0
    events = run_experiment(spec(pack, "slow"), runs=tmp_path / "r", logs=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        for event in events:
            if isinstance(event, Hello):
                pid = event.pid
            if isinstance(event, Progress) and event.done >= 1:
                signal.raise_signal(signal.SIGINT)
    del events
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_runs_whose_owner_is_gone_are_marked(tmp_path: Path) -> None:
    for name, state, pid in (("a", "running", 2**22 + 1), ("b", "running", os.getpid())):
        folder = tmp_path / name
        folder.mkdir()
        document = {"state": state, "pid": pid, "date": "2026"}
        (folder / "result.json").write_text(json.dumps(document))
    (tmp_path / "c").mkdir()
    assert mark_interrupted(tmp_path) == ["a"]
    assert {run.id: run.state for run in saved_runs(tmp_path)} == {
        "a": "interrupted",
        "b": "running",
    }
    assert mark_interrupted(tmp_path) == []
    with pytest.raises(KeyError, match="the latest: b, a"):
        load_run(tmp_path, "z")
