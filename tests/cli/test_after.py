"""`drill after` as a command: from a pipe, from a file, and typed in a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from drill.store.store import Store
from tests.cli.test_commands import document, drill

KNOWN = "Two threads share one pipeline object: what does a call change that both can see?"
ITEM = "drill:pi.touched-by-a-call"
UNKNOWN = "What is FSDP sharding?"
FAR = "How do you reverse a linked list?"
KEPT = "Training loss flat since hour three, stop paying for the cluster, has it converged?"


@pytest.fixture(autouse=True)
def _warm(_own_home: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The bank is compiled once for all tests of this file."""
    folder = tmp_path_factory.getbasetemp() / "after-cache"
    folder.mkdir(exist_ok=True)
    home = Path(os.environ["DRILL_HOME"])
    home.mkdir(parents=True)
    (home / "cache").symlink_to(folder)


def test_from_a_pipe() -> None:
    done = drill("after", "--company", "ACME", "--date", "2026-11-20",
                 stdin=f"1. {KNOWN}\n\n- {UNKNOWN}\n{KEPT}\n")  # fmt: skip
    file = Path(os.environ["DRILL_HOME"]) / "drafts/questions/overview/after.yaml"
    assert (
        f"3 questions: 1 in the bank and due tomorrow, 1 kept for interviews, 1 drafted in {file}."
        in done.stdout
    )
    assert f"due tomorrow: {ITEM}" in done.stdout
    assert "drafted: ov.after-fsdp-sharding" in done.stdout
    assert "flat-since-hour-three" not in done.stdout + done.stderr
    assert "TODO" in file.read_text()
    assert document("due")["new"] > 0
    checked = drill("bank", "check", str(file), code=1)
    assert f"{file}:" in checked.stdout and "model_answer" in checked.stdout


def test_json_and_list(tmp_path: Path) -> None:
    file = tmp_path / "asked.txt"
    file.write_text(f"{KNOWN}\n{UNKNOWN}\n{KEPT}\n", encoding="utf-8")
    told = document("after", "--file", str(file), "--date", "2026-11-20")
    assert told["counts"] == {"questions": 3, "due": 1, "waiting": 0, "kept": 1, "drafted": 1}
    assert [each["outcome"] for each in told["questions"]] == ["due", "drafted", "kept"]
    assert told["questions"][0]["item"] == ITEM and told["questions"][0]["near"][0]["share"] > 0.5
    assert told["questions"][2]["item"] == ""
    assert told["questions"][2]["near"][0] == {
        **told["questions"][2]["near"][0], "item": "", "kept": True,
    }  # fmt: skip
    assert "flat-since-hour-three" not in json.dumps(told)
    (logged,) = document("after", "list")["logs"]
    assert logged["finished"] and logged["questions"] == told["questions"]
    text = drill("after", "list").stdout
    assert "2026-11-20" in text and UNKNOWN in text


def test_nothing_to_log() -> None:
    assert "no question" in drill("after", stdin="\n  \n---\n", code=2).stderr
    assert document("after", "list")["logs"] == []
    assert "Nothing is logged" in drill("after", "list").stdout


def test_what_is_refused(tmp_path: Path) -> None:
    assert "still to come" in drill("after", "--date", "2999-01-01", stdin=KNOWN, code=2).stderr
    assert "a date is" in drill("after", "--date", "soon", stdin=KNOWN, code=2).stderr
    assert "one question a line" in drill("after", stdin="word " * 900, code=2).stderr
    assert "No such file" in drill("after", "--file", str(tmp_path / "no"), code=2).stderr
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00w")
    assert "not UTF-8" in drill("after", "--file", str(binary), code=2).stderr
    assert document("after", "list")["logs"] == []


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "asked.txt"
    file.write_text(f"{KNOWN}\n{UNKNOWN}\n", encoding="utf-8")
    done = drill("after", "--dry-run", "--file", str(file))
    assert "Nothing is stored" in done.stdout and f"due tomorrow: {ITEM}" in done.stdout
    rehearsed = document("after", "--dry-run", "--file", str(file))
    assert rehearsed["dry_run"] and rehearsed["counts"]["drafted"] == 1
    assert document("after", "list")["logs"] == []
    assert not (Path(os.environ["DRILL_HOME"]) / "drafts").exists()


def test_logged_twice_and_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "asked.txt"
    file.write_text(f"{KNOWN}\n{UNKNOWN}\n", encoding="utf-8")
    made = document("after", "--file", str(file))
    short = made["id"][:8]
    told = drill("after", "--file", str(file), code=2).stderr
    assert "logged already" in told and f"drill after remove {short}" in told
    document("after", "--file", str(file), "--again")
    assert short in drill("after", "list").stdout
    assert document("after", "remove", short)["no_longer_due"] == 1
    assert "taken back: the log of" in drill("after", "remove", "last").stdout
    assert document("after", "list")["logs"] == []
    assert "nothing is logged" in drill("after", "remove", "last", code=1).stderr


def test_undo_takes_the_log_and_then_what_was_before() -> None:
    with Store.open(Path(os.environ["DRILL_HOME"]) / "drill.db") as store:
        store.suspend("drill:cfg.half-the-bill")
    drill("after", stdin=f"{KNOWN}\n{UNKNOWN}\n")
    done = drill("undo")
    assert "taken back: the log of" in done.stdout and "its draft stays" in done.stdout
    assert document("after", "list")["logs"] == []
    assert drill("undo").stdout == "taken back: drill:cfg.half-the-bill\n"
    assert "nothing to take back" in drill("undo", code=1).stderr
    assert "passed over" in drill("undo", "--help").stdout.lower()


def test_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    drill("export", "--out", str(file))
    told = drill("after", "--file", str(file), code=2).stderr
    assert str(file) in told and "`drill import`" in told
    assert "standard input is a file of cards" in drill("after", stdin="## A\n= 1", code=2).stderr
    assert document("after", "list")["logs"] == []


def typed(arguments: Sequence[str], *lines: bytes, ends: bool = True) -> tuple[int, str, str]:
    """Run `drill after` in a terminal of its own: exit code, what the screen and stdout got.

    Each line is typed when the command waits for one. `ends`: close the input after them.
    """
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "drill", "after", *arguments],
        stdin=slave, stdout=subprocess.PIPE, stderr=slave, env={**os.environ, "TERM": "dumb"},
        # A background job, as a CI may be, hands its children an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    os.close(slave)
    try:
        screen = _talk(process, master, list(lines), ends=ends)
        process.wait(60)
        assert process.stdout is not None
        return process.returncode, screen, process.stdout.read().decode()
    finally:
        process.kill()
        process.communicate()
        os.close(master)


def _talk(process: subprocess.Popen[bytes], master: int, rest: list[bytes], *, ends: bool) -> str:
    screen = ""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        ready, _, _ = select.select([master], [], [], 0.05)
        if ready:
            try:
                screen += os.read(master, 65536).decode(errors="replace")
            except OSError:  # the terminal's other end is closed
                break
        elif process.poll() is not None:
            break
        elif screen.endswith(("> ", ") ")):
            if not rest and not ends:
                process.kill()
                break
            line = rest.pop(0) if rest else b"\x04"
            if line == b"\x03":
                process.send_signal(signal.SIGINT)
            else:
                os.write(master, line)
            screen += "|"
    return screen


def questions(document: Any) -> list[tuple[str, str]]:
    return [(each["question"], each["outcome"]) for each in document["questions"]]


def test_in_a_terminal() -> None:
    code, screen, out = typed(
        ["--json"],
        f"{KNOWN}\n".encode(), b"5\n", b"1\n",
        f"{FAR}\n".encode(), b"n\n",
        f"{KEPT}\n".encode(), b"\n",
        b"\n",
    )  # fmt: skip
    assert code == 0, screen
    assert questions(json.loads(out)) == [(KNOWN, "due"), (FAR, "drafted"), (KEPT, "kept")]
    assert "likely" in screen and "1-3 or n" in screen
    assert "kept for interviews" in screen and "Stop paying" not in screen


def test_left_with_ctrl_c_and_gone_on_with() -> None:
    code, screen, _ = typed([], f"{KNOWN}\n".encode(), b"1\n", f"{FAR}\n".encode(), b"\x03")
    assert code == 1 and "the log is kept" in screen
    assert "left in the middle" in drill("after", "list").stdout
    code, screen, out = typed(["--json"], b"n\n", b"What is FSDP?\n", b"x\n", b"\n")
    assert code == 0 and "2 so far" in screen and "nothing like it" in screen
    assert questions(json.loads(out)) == [
        (KNOWN, "due"), (FAR, "drafted"), ("What is FSDP?", "drafted"),
    ]  # fmt: skip


def test_ctrl_c_before_any_question() -> None:
    code, screen, _ = typed([], b"\x03")
    assert code == 1 and "nothing was logged" in screen and "is kept" not in screen
    assert document("after", "list")["logs"] == []


def test_killed_and_then_logged_from_a_pipe() -> None:
    typed([], f"{KNOWN}\n".encode(), ends=False)
    done = drill("after", "--json", stdin=UNKNOWN)
    assert "left in the middle" in done.stderr and "1 in the bank and due tomorrow" in done.stderr
    assert [len(each["questions"]) for each in document("after", "list")["logs"]] == [1, 1]


def test_end_of_input_ends() -> None:
    code, _, out = typed(["--json"], f"{KNOWN}\n".encode(), b"\x04")
    assert code == 0 and questions(json.loads(out)) == [(KNOWN, "due")]
