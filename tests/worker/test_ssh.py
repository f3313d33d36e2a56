"""Experiments on another machine, against a real sshd: runs, cuts, and what stands in the way."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from drill.config import Config
from drill.services.app import Drill
from drill.services.experiments import ExperimentService, RunSpec
from drill.services.remote import worker_command_of
from drill.services.runs import load_run
from drill.tui.app import DrillApp
from drill.worker.protocol import Done, Error, Event, Hello, Image, Log, Metric, Progress
from tests.cli.test_commands import drill as run_drill
from tests.conftest import SAMPLE
from tests.tui.drive import text_of
from tests.user_packs.trusting import trust
from tests.worker import sshd
from tests.worker.packs import FILE, make_pack, make_stubs
from tests.worker.sshd import Server

pytestmark = pytest.mark.skipif(bool(sshd.MISSING), reason=sshd.MISSING)
DRILL = (sys.executable, "-m", "drill")
LONG = '''

class Long(Experiment):
    """Measures and draws on and on."""
    name = "long"

    def run(self, context):
        for k in range(3000):
            context.progress(k, 3000, "measuring")
            context.metric("value", k * k, k)
            if k == 3:
                context.image("early", b"\\x89PNG early", "after 3")
            time.sleep(0.02)
        return result()


EXPERIMENTS = (*EXPERIMENTS, Long())
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("sshd")
    home = folder / "home"
    shutil.copytree(SAMPLE, home / "packs" / "sample")
    trust(home, "sample")
    stubs = make_stubs(folder / "stubs")
    with sshd.running(folder, {"PYTHONPATH": str(stubs), "DRILL_HOME": str(home)}) as running:
        yield running


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_pack(tmp_path_factory.mktemp("pack") / "p")
    with (root / FILE).open("a") as file:
        file.write(LONG)
    return root


def config(server: Server, *options: str, remote: tuple[str, ...] = DRILL) -> Config:
    return Config(host=server.host, ssh=server.ssh(*options), remote=remote)


def service_of(given: Config, tmp_path: Path) -> ExperimentService:
    command, host = worker_command_of(given)
    return ExperimentService(
        command, host=host, runs=tmp_path / "runs", logs=tmp_path / "logs", cancel_grace=3.0
    )


@pytest.fixture
async def service(server: Server, tmp_path: Path) -> AsyncIterator[ExperimentService]:
    made = service_of(config(server), tmp_path)
    yield made
    await made.close()


def spec(pack: Path, name: str, **params: object) -> RunSpec:
    return RunSpec(name, FILE, pack, params)


async def events_of(service: ExperimentService, what: RunSpec) -> list[Event]:
    return [event async for event in service.run(what)]


def content(path: str) -> bytes:
    return Path(path).read_bytes()


def error_of(events: list[Event]) -> Error:
    assert isinstance(events[-1], Error), events[-1]
    return events[-1]


def gone(pid: int) -> bool:
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


async def test_a_run_and_its_pictures_come_over(service: ExperimentService, pack: Path) -> None:
    events = await events_of(service, spec(pack, "plain"))
    done = events[-1]
    assert isinstance(events[0], Hello) and isinstance(done, Done)
    assert not any("other labs" in e.text for e in events if isinstance(e, Log))
    assert [content(path) for path in done.artefacts] == [b"\x89PNG two", b"\x89PNG odd name"]
    assert load_run(service.runs, done.run).state == "done"
    # The same child takes the next run.
    pid = service.hello.pid if service.hello else 0
    assert isinstance((await events_of(service, spec(pack, "plain")))[-1], Done)
    assert service.hello is not None and service.hello.pid == pid


async def test_cancel_goes_over_and_keeps_the_child(service: ExperimentService, pack: Path) -> None:
    events: list[Event] = []
    async for event in service.run(spec(pack, "long")):
        events.append(event)
        if isinstance(event, Metric):
            await service.cancel()
    assert error_of(events).error == "cancelled"
    pid = service.hello.pid if service.hello else 0
    assert isinstance((await events_of(service, spec(pack, "plain")))[-1], Done)
    assert service.hello is not None and service.hello.pid == pid


async def test_a_cut_line_keeps_what_had_arrived(
    service: ExperimentService, server: Server, pack: Path
) -> None:
    events: list[Event] = []
    async for event in service.run(spec(pack, "long")):
        events.append(event)
        if isinstance(event, Image):
            server.line.cut()
    error = error_of(events)
    assert error.error == "lost"
    assert f"connection to {server.host} was lost" in error.message
    assert "without --host" in error.message
    saved = load_run(service.runs, error.run)
    assert saved.state == "error" and saved.document["stage"] == "measuring"
    values = saved.document["metrics"]["value"]
    assert values[:4] == [[0, 0], [1, 1], [2, 4], [3, 9]]
    assert [path.read_bytes() for path in saved.pictures] == [b"\x89PNG early"]
    assert saved.document["versions"]["drill"]
    # Its process there ends with its line, and the next run has a new one.
    pid = next(e.pid for e in events if isinstance(e, Hello))
    assert gone(pid)
    assert isinstance((await events_of(service, spec(pack, "plain")))[-1], Done)


async def test_a_dead_line_is_noticed(server: Server, pack: Path, tmp_path: Path) -> None:
    alive = ("-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2")
    service = service_of(config(server, *alive), tmp_path)
    try:
        events: list[Event] = []
        async for event in service.run(spec(pack, "long")):
            events.append(event)
            if isinstance(event, Image):
                server.line.dead = True
        error = error_of(events)
        assert error.error == "lost" and "not responding" in error.message
    finally:
        server.line.dead = False
        server.line.cut()
        await service.close()


async def test_a_process_that_is_killed_there_is_no_lost_line(
    service: ExperimentService, server: Server, pack: Path
) -> None:
    error = error_of(await events_of(service, spec(pack, "dies", how="kill")))
    assert error.error == "oom" and f"killed on {server.host}" in error.message
    error = error_of(await events_of(service, spec(pack, "dies", how="exit")))
    assert error.error == "crash" and "exit status 7" in error.message


async def test_what_cannot_be_reached_is_told(server: Server, pack: Path, tmp_path: Path) -> None:
    other = tmp_path / "other_key"
    shutil.copy(server.folder / "host_key", other)
    other.chmod(0o600)
    nobody = sshd.free_port()
    words = server.ssh()
    closed = tuple(str(nobody) if w == str(server.line.port) else w for w in words)
    stranger = tuple(str(other) if w.endswith("user_key") else w for w in words)
    for given, says in (
        (Config(host=server.host, ssh=closed, remote=DRILL), "cannot be reached"),
        (Config(host=server.host, ssh=closed, remote=DRILL), "refused"),
        (Config(host=server.host, ssh=stranger, remote=DRILL), "denied"),
        (config(server, remote=("no-such-drill",)), f"there is no drill on {server.host}"),
        (config(server, remote=("false",)), "ended with exit status 1"),
        (Config(host=server.host, ssh=("no-such-ssh",)), "cannot start no-such-ssh"),
    ):
        service = service_of(given, tmp_path)
        error = error_of(await events_of(service, spec(pack, "plain")))
        assert error.error == "unavailable" and says in error.message, error
        await service.close()


WRAPPER = """
import json, subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "drill", "worker"], stdout=subprocess.PIPE)
for line in child.stdout:
    if b'"hello"' in line:
        hello = json.loads(line)
        {change}
        line = json.dumps(hello).encode() + b"\\n"
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
"""


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        ("hello['protocol'] = 99", "unavailable", "speaks protocol 99"),
        ("del hello['versions']['torch']", "unavailable", "torch is not installed on"),
        ("hello['pack_hash'] = 'other'", "note", "has other labs than this drill"),
        ("hello['versions']['diffusers'] = '0.40.0'", "note", "has diffusers 0.40.0"),
        ("hello['versions']['torch'] = '2.99.0+cu130'", "", ""),
    ],
)
async def test_versions_are_compared_first(
    server: Server, pack: Path, tmp_path: Path, change: str, kind: str, says: str
) -> None:
    script = tmp_path / "wrapper.py"
    script.write_text(WRAPPER.replace("{change}", change))
    service = service_of(config(server, remote=(sys.executable, str(script))), tmp_path)
    try:
        events = await events_of(service, spec(pack, "plain"))
    finally:
        await service.close()
    if kind == "unavailable":
        error = error_of(events)
        assert error.error == kind and says in error.message
        assert not any(isinstance(e, Progress) for e in events)
        return
    assert isinstance(events[-1], Done)
    before = events[: next(n for n, e in enumerate(events) if isinstance(e, Progress))]
    noted = [e.text for e in before if isinstance(e, Log)]
    assert [says in text for text in noted] == ([True] if says else [])


async def test_a_pack_that_is_not_there_is_told(service: ExperimentService) -> None:
    what = RunSpec("plain", FILE, Path("/no/such/pack"))
    error = error_of(await events_of(service, what))
    assert error.error == "unavailable" and "a pack of your own must lie" in error.message


def settings(server: Server) -> Path:
    """The learner's own home, with its settings."""
    home = Path(os.environ["DRILL_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    text = f"ssh = {json.dumps(list(server.ssh()))}\nremote = {json.dumps(list(DRILL))}\n"
    (home / "config.toml").write_text(text)
    # The same pack at the same path, as on two machines that share a home.
    (home / "packs").mkdir()
    (home / "packs" / "sample").symlink_to(server.folder / "home" / "packs" / "sample")
    trust(home, "sample")
    return home


def test_the_command_line_takes_a_host(server: Server) -> None:
    settings(server)
    host = server.host
    done = run_drill("lab", "run", "step-size", "--host", host, "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["event"] == "done" and lines[-1]["claims"][0]["holds"] is True
    run = lines[-1]["run"]
    assert json.loads(run_drill("lab", "show", run, "--json").stdout)["id"] == run
    told = run_drill("lab", "run", "step_size", "--host", host)
    assert "  8 steps: 0.3436" in told.stdout
    wrong = run_drill("lab", "run", "step-size", "--host", "-oProxyCommand=x", code=2)
    assert "no host" in wrong.stderr
    wrong = run_drill("lab", "run", "step_size", "--host", "two words", code=2)
    assert "no host" in wrong.stderr


async def test_the_app_lives_through_a_cut_line(server: Server, tmp_path: Path) -> None:
    root = tmp_path / "pack"
    shutil.copytree(SAMPLE, root)
    code = root / "labs" / "step_size" / "experiment.py"
    slow = "            for _ in range(900):\n                context.check(); time.sleep(0.1)\n"
    text = code.read_text().replace("            x = 1.0\n", slow + "            x = 1.0\n", 1)
    text = text.replace("for k, count in", "context.metric('begun', 1)\n        for k, count in")
    code.write_text(text.replace("import math\n", "import math\nimport time\n"))
    with Drill(home=Path(os.environ["DRILL_HOME"]), packs=[root], config=config(server)) as drill:
        drill._standings = dict.fromkeys(drill.bank.heads, "proven")
        drill.keep_profile(replace(drill.profile, done=True))
        app = DrillApp(drill)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            for key in ("l", "enter", "e", "ctrl+r"):
                await pilot.press(key)
                await pilot.pause(0.2)
            for _ in range(600):
                if "begun" in text_of(app):
                    break
                await pilot.pause(0.1)
            assert f"step-size on {server.host}" in text_of(app)
            server.line.cut()
            for _ in range(600):
                if "was lost" in text_of(app):
                    break
                await pilot.pause(0.1)
            told = " ".join(text_of(app).split())
            assert "✗ The connection was lost." in told and "is kept" in told
            await pilot.press("f")
            await pilot.pause(0.5)
            assert "did not finish: lost while walking" in " ".join(text_of(app).split())
        (kept,) = drill.store.runs.list("step-size")
        assert kept.extra["error"] == "lost" and kept.metrics["begun"] == [[None, 1.0]]
