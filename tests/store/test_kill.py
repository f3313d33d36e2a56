"""kill -9 at any moment loses no answer that was acknowledged and leaves no half of one.

`DRILL_KILLS` raises the count of kills.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from queue import Queue

import pytest

from drill.store import Store
from drill.store.doctor import examine

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
KILLS = int(os.environ.get("DRILL_KILLS", "30"))
PATIENCE = 60.0


class Writer:
    """The child of `kill_writer.py` and the lines it says."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.kill_writer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()
        assert self.next() == "ready"

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stdout:
            for line in stdout:
                self.lines.put(line.rstrip("\n"))

    def next(self, seconds: float = PATIENCE) -> str:
        return self.lines.get(timeout=seconds)

    def begin(self, what: str, answers: int, path: Path) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what} {answers} {path}\n")
        self.process.stdin.flush()

    def until_reaped(self) -> list[str]:
        said: list[str] = []
        while (line := self.next()) != "reaped":
            said.append(line)
        return said

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0


@pytest.fixture
def writer() -> Iterator[Writer]:
    child = Writer()
    yield child
    child.close()


def kill_after(writer: Writer, delay: float, first: str) -> list[str]:
    """Wait for the pid and the first line of a kind, then `delay` seconds, then kill -9."""
    said: list[str] = []
    pid = 0
    while not pid or not any(line.startswith(first) for line in said):
        said.append(writer.next())
        if said[-1].startswith("pid "):
            pid = int(said[-1].split()[1])
    time.sleep(delay)
    os.kill(pid, signal.SIGKILL)
    return said + writer.until_reaped()


def test_no_acknowledged_answer_is_ever_lost(tmp_path: Path, writer: Writer) -> None:
    draw = random.Random(26)
    path = tmp_path / "d.sqlite3"
    Store.open(path).close()
    acknowledged: set[str] = set()
    undone: set[str] = set()
    unseen = 0
    for _ in range(KILLS):
        writer.begin("write", 100_000, path)
        said = kill_after(writer, draw.uniform(0.0, 0.06), "ack ")
        assert "finished" not in said
        acks = [line.split() for line in said if line.startswith("ack ")]
        acknowledged.update(line[1] for line in acks)
        undone.update(line.split()[2] for line in said if line.startswith("undo "))
        _, _, session_id, position = acks[-1]
        with Store.open(path) as store:
            assert examine(store) == []
            kept = store.answers()
            logged = {
                r[0] for r in store.access.rows("SELECT uuid FROM reviews WHERE kind = 'review'")
            }
            assert acknowledged <= logged
            unseen = len(logged - acknowledged)
            assert not undone & {a.uuid for a in kept}
            session = store.sessions.get(session_id)
            mine = sum(
                row[0]
                for row in store.access.rows(
                    "SELECT count(*) FROM reviews WHERE kind = 'review' AND session_id = ?",
                    (session_id,),
                )
            )
            assert session.position == mine, "answer and place move together"
            assert session.plan == {"at": mine}
            assert mine - int(position) in (0, 1)
    assert unseen <= KILLS, "at most the answer in flight is there without having been seen"
    assert len(acknowledged) > KILLS


def test_a_kill_while_the_file_is_created(tmp_path: Path, writer: Writer) -> None:
    draw = random.Random(11)
    cut_short = 0
    for n in range(max(8, KILLS // 4)):
        path = tmp_path / str(n) / "d.sqlite3"
        writer.begin("create", 0, path)
        said = kill_after(writer, draw.uniform(0.0, 0.05), "begun")
        cut_short += "finished" not in said
        with Store.open(path) as store:
            assert examine(store) == []
    assert cut_short > 0


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite3"
    Store.open(path).close()
    pair = [Writer(), Writer()]
    for writer in pair:
        writer.begin("race", 100, path)
    said = [writer.until_reaped() for writer in pair]
    for writer in pair:
        writer.close()
    acks = [{line.split()[1] for line in lines if line.startswith("ack")} for lines in said]
    assert [len(a) for a in acks] == [100, 100]
    assert all("finished" in lines for lines in said)
    with Store.open(path) as store:
        assert examine(store) == []
        rows = store.access.rows("SELECT uuid, session_id FROM reviews WHERE kind = 'review'")
        assert {uuid for uuid, _ in rows} == acks[0] | acks[1]
        turns = [session for _, session in rows]
        assert len(set(turns)) == 2
        switches = sum(a != b for a, b in pairwise(turns))
        assert switches > 10, "they did not write at the same time: the test shows nothing"
        assert len(store.answers()) == 200 - 40
