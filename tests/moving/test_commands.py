"""The commands: files, streams, exit codes and help."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from drill import paths
from drill.cli import cli
from drill.packs.bank import open_bank
from drill.services.app import Drill
from drill.store import Review


def run(*arguments: str, code: int = 0, stdin: bytes = b"") -> Result:
    found = CliRunner().invoke(cli, list(arguments), input=stdin)
    assert found.exit_code == code, (arguments, found.exit_code, found.output, found.exception)
    return found


def document(*arguments: str, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code).stdout)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bank, compiled once for all homes of this module."""
    folder = tmp_path_factory.mktemp("cache")
    open_bank([paths.builtin_pack()], folder)
    return folder


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("home", "other"):
        shutil.copytree(cache, tmp_path / name / "cache")


def at_home(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRILL_HOME", str(tmp_path / name))


def learn(count: int) -> None:
    with Drill() as drill:
        for n in range(count):
            drill.store.record(Review(f"drill:x.{n}", "choice", "h", 0, "a", 1.0, 3, 3))


def test_from_one_home_to_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn(3)
    made = document("export")
    (path,) = tmp_path.glob("drill-export-*.jsonl")
    assert (made["path"], made["events"], made["bytes"]) == (path.name, 3, path.stat().st_size)
    assert "is there already" in run("export", code=2).stderr
    run("export", "--force")
    at_home("other", tmp_path, monkeypatch)
    dry = document("import", str(path), "--dry-run")
    assert (dry["events"]["new"], dry["dry_run"], dry["backup"]) == (3, True, "")
    said = run("import", str(path)).stdout
    assert (
        "3 new log entries, of 3 items" in said
        and "to undo this import: drill restore drill-" in said
    )
    again = run("import", str(path)).stdout
    assert "0 new log entries, 3 here already" in again and "nothing was changed" in again
    assert document("doctor")["ok"]


def test_through_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn(2)
    drill = [sys.executable, "-m", "drill"]
    sent = subprocess.run([*drill, "export", "--out", "-"], capture_output=True, check=True)
    assert sent.stdout.count(b"\n") == 6 and b"2 log entries" in sent.stderr
    at_home("other", tmp_path, monkeypatch)
    took = subprocess.run(
        [*drill, "import", "-", "--json"], input=sent.stdout, capture_output=True, check=True
    )
    assert json.loads(took.stdout)["events"]["new"] == 2
    cut = subprocess.run([*drill, "import", "-"], input=sent.stdout[:-9], capture_output=True)
    assert cut.returncode == 2 and b"is cut off" in cut.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_what_can_be_read_once_is_kept_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(2)
    run("export", "-o", "whole.jsonl")
    raw = Path("whole.jsonl").read_bytes()
    at_home("other", tmp_path, monkeypatch)
    os.mkfifo("pipe")

    def through(sent: bytes, code: int) -> Result:
        writer = Thread(target=Path("pipe").write_bytes, args=(sent,), daemon=True)
        writer.start()
        try:
            return run("import", "pipe", "--json", code=code)
        finally:
            writer.join(20)

    assert "drill: pipe: is cut off" in through(raw[:-9], 2).stderr
    made = json.loads(through(raw, 0).stdout)
    assert (made["events"]["new"], made["files"]) == (2, ["pipe"])
    cut = run("import", "-", stdin=raw[:-9], code=2).stderr
    assert cut.startswith("drill: standard input: is cut off")


def test_a_reader_that_has_enough_ends_an_export_quietly() -> None:
    learn(300)
    writer = subprocess.Popen(
        [sys.executable, "-m", "drill", "export", "-o", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert writer.stdout is not None and writer.stderr is not None
    writer.stdout.read(10)
    writer.stdout.close()
    assert writer.stderr.read() == b"" and writer.wait() == 1
    writer.stderr.close()


def test_an_import_of_no_answer_says_what_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Drill() as drill:
        drill.store.set_parameters(replace(drill.store.parameters(), maximum_interval=300))
        drill.keep_profile(replace(drill.profile, done=True))
    run("export", "-o", "e.jsonl")
    at_home("other", tmp_path, monkeypatch)
    said = run("import", "e.jsonl").stdout
    assert "0 new log entries" in said and "before it: " in said
    assert "New here: 1 set of memory parameters." in said
    assert "Taken over: parameter set, profile." in said


def test_conflicts_exit_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Drill() as drill:
        drill.store.record(Review("a:b", "choice", "h", 0, "a", 1.0, 3, 3, uuid="u1"))
    run("export", "-o", "e.jsonl")
    at_home("other", tmp_path, monkeypatch)
    with Drill() as drill:
        drill.store.record(Review("a:b", "choice", "h", 0, "b", 0.0, 1, 1, uuid="u1"))
    assert "left out: e.jsonl:4: the event u1 of a:b" in run("import", "e.jsonl", code=1).stderr


def test_cards(tmp_path: Path) -> None:
    Path("cards.md").write_text("# cfg\n## Q?\n= 3 calls\n", encoding="utf-8")
    assert document("import", "cards.md", "--dry-run")["new"] == ["cfg.q"]
    assert "1 new, 0 changed, 0 unchanged" in run("import", "cards.md", "--pack", "own").stdout
    run("bank", "check", str(tmp_path / "home" / "packs" / "own"))
    Path("cards.md").write_text("# cfg\n## Q?\n", encoding="utf-8")
    said = run("import", "cards.md", code=1).stdout
    assert "cards.md:2:4: the card has no answer" in said and "nothing was written" in said


def test_anki(tmp_path: Path) -> None:
    made = document("export", "--anki", "x.apkg", "--topic", "cfg")
    assert (
        made["decks"] == 1 and made["cards"] > 3 and Path("x.apkg").stat().st_size == made["bytes"]
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import", "none.jsonl"], "no such file"),
        (["import", "text.jsonl"], "no export of drill"),
        (["import", "text.jsonl", "cards.md"], "two things"),
        (["import", "-", "cards.md"], "two things"),
        (["import", "text.jsonl", "--pack", "x"], "for cards"),
        (["import", "cards.md", "--pack", "../x"], "is no name for a pack"),
        (["export", "--topic", "cfg"], "--anki"),
        (["export", "--anki", "x.apkg", "--days", "3"], "--anki"),
        (["export", "--anki", "x.zip"], ".apkg"),
        (["export", "--out", "-", "--json"], "--json"),
        (["export", "--days", "0"], "0"),
        (["export", "--days", "99999999"], "36500"),
        (["export", "--days", "9" * 20], "36500"),
        (["import", "."], ".: is a folder"),
        (["import", "-"], "standard input: is empty; did the command before the pipe fail?"),
        (["import"], "FILES"),
    ],
)
def test_what_is_no_use_exits_with_2(arguments: list[str], said: str) -> None:
    Path("text.jsonl").write_text("hello\n", encoding="utf-8")
    Path("cards.md").write_text("# cfg\n## Q?\n= 3 calls\n", encoding="utf-8")
    found = run(*arguments, code=2)
    assert said in found.stderr and "Traceback" not in found.output


@pytest.mark.parametrize("command", ["export", "import"])
def test_help_fits_a_terminal(command: str) -> None:
    text = run(command, "--help").stdout
    assert max(map(len, text.splitlines())) <= 80 and "Exit codes" in text


def test_the_cards_of_the_help_are_cards() -> None:
    lines = run("import", "--help").stdout.splitlines()
    first = next(n for n, line in enumerate(lines) if line.strip().startswith("# cfg"))
    last = next(n for n, line in enumerate(lines) if "what guidance scales" in line)
    cards = [
        re.sub(r"\s{3,}\S.*", "", line.removeprefix("    ")) for line in lines[first : last + 1]
    ]
    Path("help.md").write_text("\n".join(cards), encoding="utf-8")
    made = document("import", "help.md", "--dry-run")
    assert made["ok"] and made["problems"] == []
    assert len(made["new"]) == 3 and made["new"][0] == "cfg.my-calls"
