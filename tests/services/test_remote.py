"""Another machine: the command that reaches it, and what is said of its versions."""

from __future__ import annotations

import dataclasses
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

from drill.config import Config, ConfigError, load
from drill.services.compatibility import NEEDED, differences
from drill.services.remote import SSH, HostError, check_host, host_in, on_host, worker_command_of
from drill.worker.launcher import COMMAND_VARIABLE, worker_command
from drill.worker.protocol import Hello

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_for_a_host() -> None:
    command, host = worker_command_of(Config(host="user@gpubox"))
    assert host == "user@gpubox"
    assert command[: len(SSH)] == list(SSH) and command[len(SSH)] == "user@gpubox"
    assert "BatchMode=yes" in command and "-T" in command
    assert shlex.split(command[-1]) == ["sh", "-c", "drill worker; exit $?"]
    assert worker_command_of(Config(host="a"), "b")[1] == "b"
    given = Config(host="h", ssh=("ssh", "-p", "2222"), remote=("/opt/my drill/drill",))
    command, _ = worker_command_of(given)
    assert command[:4] == ["ssh", "-p", "2222", "h"]
    assert shlex.split(shlex.split(command[-1])[2])[0] == "/opt/my drill/drill"


def test_what_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worker_command_of(Config()) == (worker_command(), "")
    assert worker_command_of(Config(worker=("ssh", "box", "drill", "worker")))[1] == "box"
    assert worker_command_of(Config(worker=("x", "y"), host="box"))[1] == "box"
    monkeypatch.setenv(COMMAND_VARIABLE, "ssh -p 22 other drill worker")
    assert worker_command_of(Config(host="box"))[1] == "other"
    assert worker_command_of(Config(host="box"), "asked")[1] == "asked"


def test_the_host_of_a_command() -> None:
    for command, host in (
        ("ssh gpubox drill worker", "gpubox"),
        ("/usr/bin/ssh -T -p 2222 -o BatchMode=yes u@b drill worker", "u@b"),
        ("nice ssh gpubox", ""),
        ("python3", ""),
        ("ssh -T", ""),
    ):
        assert host_in(shlex.split(command)) == host
    assert host_in([]) == ""


@pytest.mark.parametrize("host", ["", "-oProxyCommand=touch x", "a b", "a\tb"])
def test_what_is_no_host_is_refused(host: str, tmp_path: Path) -> None:
    with pytest.raises(HostError):
        check_host(host)
    with pytest.raises(HostError):
        on_host(Config(), host, "worker")
    if host:
        file = tmp_path / "config.toml"
        file.write_text(f"host = {host!r}\n".replace("\\t", "\t"))
        with pytest.raises(ConfigError, match="host"):
            load(file)


def test_the_settings_are_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('host = "u@gpubox"\nssh = "ssh -p 2222"\nremote = ["/opt/drill"]\n')
    read = load(file)
    assert (read.host, read.ssh, read.remote) == (
        "u@gpubox",
        ("ssh", "-p", "2222"),
        ("/opt/drill",),
    )


def test_the_remote_shell_tells_how_the_worker_ended() -> None:
    """With the last argument as a login shell would run it."""
    for drill, code in (("exit 3", 3), ("kill -9 $$", 137), ("no-such-program-here", 127)):
        words = on_host(Config(remote=("sh", "-c", drill)), "box", "worker")
        assert subprocess.run(["sh", "-c", words[-1]], capture_output=True).returncode == code


GOOD = Hello(
    {"drill": "1.0", "torch": "2.13.0+cpu", "diffusers": "0.42.1", "transformers": "5.23.0"},
    ["cpu"], "abc",
)  # fmt: skip


def there(pack_hash: str = "abc", **versions: str) -> Hello:
    kept = {k: v for k, v in {**GOOD.versions, **versions}.items() if v}
    return dataclasses.replace(GOOD, versions=kept, pack_hash=pack_hash)


@pytest.mark.parametrize(
    ("hello", "says", "stops"),
    [
        (there(), "", False),
        (there(torch="2.14.1+cu130", numpy="3.0", drill="1.0.1"), "", False),
        (there(pack_hash="xyz"), "other labs than this drill: what", False),
        (there(pack_hash="xyz", drill="1.1"), "(1.0 here, 1.1 there)", False),
        (there(diffusers="0.40.0"), "diffusers 0.40.0, and the experiments are written for", False),
        (there(diffusers="0.43.0"), "below 0.43", False),
        (there(torch="2.5.1"), "2.6 or later", False),
        (there(torch=""), "torch is not installed on box", True),
    ],
)
def test_only_what_matters_is_said(hello: Hello, says: str, stops: bool) -> None:
    found = differences(GOOD, hello, "box")
    assert len(found) == bool(says), found
    if says:
        assert says in found[0].says and found[0].stops is stops


def test_what_stops_comes_first() -> None:
    found = differences(GOOD, there(pack_hash="xyz", torch=""), "box")
    assert [each.stops for each in found] == [True, False]


def test_the_versions_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, (first, below) in NEEDED.items():
        (line,) = [x for x in project["optional-dependencies"]["labs"] if x.startswith(f"{name}>")]
        assert re.findall(r">=([\d.]+)", line) == [first]
        assert re.findall(r"<([\d.]+)", line) == ([below] if below else [])
