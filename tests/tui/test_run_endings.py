"""However a run ends, the app lives, and what the run had come to is kept."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from drill.config import Config
from drill.services.app import Drill
from drill.services.runs import RunFolder
from drill.store.runs import Run
from drill.tui.app import DrillApp
from drill.tui.screens.experiment import ExperimentScreen
from drill.tui.screens.run import RunScreen
from drill.worker.protocol import Run as Request
from tests.conftest import SAMPLE
from tests.tui.drive import text_of
from tests.worker.packs import make_stubs

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDAAAANHQEDasKb6QAA"
    "AABJRU5ErkJggg=="
)
CODE = (
    f"PNG = {PNG!r}"
    + '''
import base64, os, sys, time
from drill.lab import Claim, Experiment, Param, Result, Transfers, finding

STAGES = (
    "loading", "deaf loading", "running", "finishing", "memory", "broken picture", "garbage",
    "none",
)
GARBAGE = b"\\xff\\xfe no event\\n" + b"[" * 100_000 + b"\\n" + b"\\n".join([
    b'{"event": 3}', b'{"event": "image", "name": "no picture"}', b"[1, 2]", b"null",
    b'{"event": "progress", "done": "much", "total": 1}', b"",
])


def slowly(result):
    """Reading the result takes a while: the run is finishing."""
    if result.metrics["stage"] == "finishing":
        print("finishing now", flush=True)
        time.sleep(4)
    return finding(True, "1", "1")


class Ends(Experiment):
    name = "ends"
    params = (Param("stage", "text", "none", "where it takes long", choices=STAGES),)
    claims = (Claim("it-ran", "It ran.", slowly),)
    seconds = 60

    def run(self, context):
        stage = context.params["stage"]
        context.metric("begun", 1)
        context.image("first", base64.b64decode(PNG))
        if stage == "broken picture":
            context.image("second", b"no picture at all")
        pipe = context._emit.__self__.out
        if stage == "garbage":
            pipe.write(GARBAGE)
        context.progress(0, 3, "loading the model")
        if stage == "loading":
            for _ in range(600):
                context.check()
                time.sleep(0.1)
        if stage == "deaf loading":
            time.sleep(60)
        for k in range(600 if stage == "running" else 1):
            context.metric("value", k * k, k)
            context.progress(k, 600, "measuring")
            time.sleep(0.05)
        if stage == "memory":
            held = []
            while True:
                held.append(bytearray(32 * 1024 * 1024))
                context.metric("megabytes", 32 * len(held))
        context.progress(1, 1, "reading the result")
        if stage == "garbage":
            pipe.write(b"the result hangs on this: ")
        return Result({"stage": stage}, {}, "It ran.", Transfers("yes", "a test"))


EXPERIMENTS = (Ends(),)
'''
)
MANIFEST = """\
title: Ways to end
topic: cfg
order: 1
experiments:
  - name: ends
    title: Ways to end
    file: experiment.py
    summary: Ends in every way.
    seconds: 60
    params:
      stage:
        kind: text
        default: none
        help: where it takes long
        choices: [loading, deaf loading, running, finishing, memory, broken picture, garbage, none]
    claims:
      - {name: it-ran, says: It ran.}
"""


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(make_stubs(tmp_path / "stubs")))
    root = Path(shutil.copytree(SAMPLE, tmp_path / "pack"))
    shutil.rmtree(root / "labs")
    folder = root / "labs" / "ends"
    folder.mkdir(parents=True)
    (folder / "experiment.py").write_text(CODE)
    (folder / "lab.yaml").write_text(MANIFEST)
    return root


@pytest.fixture
def settings() -> Config:
    return Config()


@pytest.fixture
def drill(pack: Path, tmp_path: Path, settings: Config) -> Iterator[Drill]:
    with Drill(home=tmp_path / "home", packs=[pack], config=settings) as opened:
        ready(opened)
        yield opened


def ready(opened: Drill) -> None:
    """Past the first run, with nothing left to prove."""
    opened._standings = dict.fromkeys(opened.bank.heads, "proven")
    opened.keep_profile(replace(opened.profile, done=True))


async def until(pilot: Pilot[int], met: Callable[[], bool], what: str) -> None:
    for _ in range(1200):
        await pilot.pause(0.05)
        if met():
            return
    raise AssertionError(f"{what}:\n{text_of(pilot.app)}")  # type: ignore[arg-type]


async def begin(pilot: Pilot[int], app: DrillApp, stage: str) -> RunScreen:
    """Run the experiment with a stage that takes long."""
    if not isinstance(app.screen, ExperimentScreen):
        await pilot.pause()
        for key in ("l", "enter", "e"):
            await pilot.press(key)
            await pilot.pause(0.1)
    screen = app.screen
    assert isinstance(screen, ExperimentScreen)
    screen.query("ParamField Input").first().value = stage  # type: ignore[attr-defined]
    await pilot.press("ctrl+r")
    await until(pilot, lambda: isinstance(app.screen, RunScreen), "it does not run")
    run = app.screen
    assert isinstance(run, RunScreen)
    return run


async def over(pilot: Pilot[int], run: RunScreen) -> str:
    await until(pilot, lambda: run.over, "it does not end")
    await pilot.pause(0.1)
    return " ".join(text_of(run.app).split())  # type: ignore[arg-type]


async def lives(pilot: Pilot[int], app: DrillApp, drill: Drill) -> None:
    """The app answers keys, and the next run works."""
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(app.screen, ExperimentScreen), "no way back")
    run = await begin(pilot, app, "none")
    assert "✓ It ran." in await over(pilot, run)
    assert not kept(drill).extra.get("error")


def kept(drill: Drill) -> Run:
    return drill.store.runs.list("ends", 1)[0]


def said(app: DrillApp, text: str) -> Callable[[], bool]:
    return lambda: text in text_of(app)


def measured(app: DrillApp, step: int) -> Callable[[], bool]:
    """Whether a value of this step or a later one has been shown."""
    return lambda: any(int(k) >= step for k in re.findall(r"value at (\d+)", text_of(app)))


@pytest.mark.parametrize(
    ("stage", "label"),
    [("loading", "loading the model"), ("deaf loading", "loading the model"),
     ("running", "measuring")],
)  # fmt: skip
async def test_cancelled_at_a_stage(drill: Drill, stage: str, label: str) -> None:
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        run = await begin(pilot, app, stage)
        await until(pilot, said(app, label), "not so far")
        if stage == "running":
            await until(pilot, measured(app, 1), "nothing measured")
        await pilot.press("escape")
        assert app.screen is run
        await pilot.press("c")
        assert "Cancelled." in await over(pilot, run)
        row = kept(drill)
        assert row.extra["error"] == "cancelled" and row.extra["stage"] == label
        assert row.metrics["begun"] == [[None, 1.0]] and len(row.artefacts) == 1
        if stage == "running":
            assert row.metrics["value"][:2] == [[0, 0], [1, 1]]
        await lives(pilot, app, drill)


async def test_cancelled_before_the_libraries_are_there(
    drill: Drill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = tmp_path / "stubs" / "torch.py"
    torch.write_text("import time\ntime.sleep(3)\n" + torch.read_text())
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        run = await begin(pilot, app, "none")
        await until(pilot, lambda: app.experiments.running != "", "no run")
        await pilot.press("c")
        assert "Cancelled." in await over(pilot, run)
        assert kept(drill).extra["error"] == "cancelled" and kept(drill).metrics == {}
        await lives(pilot, app, drill)


async def test_cancelled_while_it_finishes(drill: Drill) -> None:
    """The work is done and its result is being read: it is not thrown away."""
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        run = await begin(pilot, app, "finishing")
        log = app.experiments.log
        await until(pilot, lambda: log.exists() and "finishing now" in log.read_text(), "no end")
        await pilot.press("c")
        assert "✓ It ran." in await over(pilot, run)
        assert not kept(drill).extra.get("error") and kept(drill).claims[0]["holds"] is True
        await lives(pilot, app, drill)


async def test_a_picture_that_is_none_is_told(drill: Drill) -> None:
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        run = await begin(pilot, app, "broken picture")
        assert "✓ It ran." in await over(pilot, run)
        assert [Path(path).name for path in kept(drill).artefacts] == ["first.png", "second.png"]
        await pilot.press("f")
        await until(pilot, said(app, "second.png: cannot identify"), "the comparison ends")


async def test_garbage_on_the_pipe_is_passed_over(drill: Drill) -> None:
    """Bytes that are no text, brackets without end, events that lack fields, a line begun twice."""
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        run = await begin(pilot, app, "garbage")
        await until(pilot, lambda: bool(drill.store.runs.list("ends", 1)), "no result")
        assert "✓ It ran." in await over(pilot, run)
        assert [Path(path).name for path in kept(drill).artefacts] == ["first.png"]
        await lives(pilot, app, drill)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
async def test_a_disk_that_is_full(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    made = RunFolder.__init__

    def on_a_full_disk(self: RunFolder, root: Path, request: Request) -> None:
        made(self, root, request)
        (self.path / "first.png").symlink_to("/dev/full")

    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        with monkeypatch.context() as patch:
            patch.setattr(RunFolder, "__init__", on_a_full_disk)
            run = await begin(pilot, app, "running")
            told = await over(pilot, run)
        assert "the run cannot be saved" in told and "No space left on device" in told
        row = kept(drill)
        assert row.extra["error"] == "crash" and row.metrics["begun"] == [[None, 1.0]]
        await lives(pilot, app, drill)


async def test_a_run_that_died_runs_again(drill: Drill) -> None:
    """The child is killed under the run; the screen says so, and one key runs it once more."""
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        run = await begin(pilot, app, "running")
        await until(pilot, measured(app, 3), "nothing measured")
        first = app.experiments.hello
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        assert "It was killed." in await over(pilot, run)
        await pilot.press("r")
        await until(pilot, measured(app, 2), "it does not run again")
        assert app.screen is run and not run.over
        second = app.experiments.hello
        assert second is not None and second.pid != first.pid
        assert "It was killed." not in text_of(app)
        await pilot.press("c")
        assert "Cancelled." in await over(pilot, run)
        errors = [row.extra["error"] for row in drill.store.runs.list("ends")]
        assert errors == ["cancelled", "oom"]


async def test_what_cannot_be_shown_does_not_hold_the_learner(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: RunScreen, text: str) -> None:
        raise RuntimeError("a fault of the screen")

    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        with monkeypatch.context() as patch:
            patch.setattr(RunScreen, "_detail", fail)
            run = await begin(pilot, app, "running")
            assert "RuntimeError: a fault of the screen" in await over(pilot, run)
        await lives(pilot, app, drill)


@pytest.mark.parametrize(
    ("number", "kind", "says"),
    [
        (signal.SIGKILL, "oom", "killed from outside"),
        (signal.SIGTERM, "crash", "SIGTERM"),
        (signal.SIGSEGV, "crash", "SIGSEGV"),
    ],
)
async def test_a_child_that_is_killed(
    drill: Drill, number: signal.Signals, kind: str, says: str
) -> None:
    app = DrillApp(drill)
    async with app.run_test(size=(80, 24)) as pilot:
        run = await begin(pilot, app, "running")
        await until(pilot, measured(app, 3), "nothing measured")
        hello = app.experiments.hello
        assert hello is not None
        os.kill(hello.pid, number)
        told = await over(pilot, run)
        assert says in told and "What it had come to is kept" in told
        row = kept(drill)
        assert row.extra["error"] == kind and row.extra["stage"] == "measuring"
        assert row.metrics["value"][3] == [3, 9]
        await lives(pilot, app, drill)


LIMIT = 700_000
"""KiB of address space: a Python with drill fits many times, the experiment's list does not."""


@pytest.fixture
def limited(settings: Config) -> Config:
    words = f"ulimit -v {LIMIT}; exec {sys.executable} -m drill worker"
    return replace(settings, worker=("sh", "-c", words))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a limit on address space")
async def test_memory_that_runs_out(pack: Path, tmp_path: Path, limited: Config) -> None:
    with Drill(home=tmp_path / "home", packs=[pack], config=limited) as drill:
        ready(drill)
        app = DrillApp(drill)
        async with app.run_test(size=(80, 24)) as pilot:
            run = await begin(pilot, app, "memory")
            told = await over(pilot, run)
            assert "It ran out of memory." in told
            row = kept(drill)
            assert row.extra["error"] == "oom" and row.extra["stage"] == "measuring"
            assert 64 <= row.metrics["megabytes"][-1][1] < LIMIT / 1024
            await lives(pilot, app, drill)


TORCH = """
from drill.lab import Experiment, Result, Transfers


class Big(Experiment):
    name = "big"

    def run(self, context):
        import torch
        held = []
        for k in range(1000):
            held.append(torch.ones(64, 1024, 1024))  # 256 MB that are touched
            context.metric("megabytes", 256 * len(held))
            context.progress(k, 1000, "filling")
        return Result({}, {}, "It ran.", Transfers("yes", "a test"))


class Small(Experiment):
    name = "small"

    def run(self, context):
        import torch
        return Result({"sum": float(torch.ones(8).sum())}, {}, "It ran.", Transfers("yes", "t"))


EXPERIMENTS = (Big(), Small())
"""


@pytest.mark.slow
@pytest.mark.labs
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a limit on address space")
def test_torch_that_runs_out_leaves_the_child_warm(tmp_path: Path) -> None:
    """With the real torch: its own out-of-memory error is known, and the next run works."""
    import asyncio

    from drill.services.experiments import ExperimentService, RunSpec
    from drill.services.runs import load_run
    from drill.worker.protocol import Done, Error, Event

    folder = tmp_path / "labs" / "big"
    folder.mkdir(parents=True)
    (folder / "experiment.py").write_text(TORCH)
    words = f"ulimit -v 8000000; exec {sys.executable} -m drill worker"
    service = ExperimentService(["sh", "-c", words], runs=tmp_path / "runs", logs=tmp_path / "logs")

    async def one(name: str) -> tuple[Event, int]:
        spec = RunSpec(name, "labs/big/experiment.py", tmp_path, device="cpu")
        events = [event async for event in service.run(spec)]
        return events[-1], service.hello.pid if service.hello is not None else 0

    async def both() -> list[tuple[Event, int]]:
        found = [await one("big"), await one("small")]
        await service.close()
        return found

    (ran_out, pid), (worked, same) = asyncio.run(both())
    assert isinstance(ran_out, Error) and ran_out.error == "oom", ran_out
    assert load_run(service.runs, ran_out.run).document["metrics"]["megabytes"][0][1] == 256
    assert isinstance(worked, Done) and worked.metrics["sum"] == 8 and pid == same
