"""The process is killed at random moments of a session; nothing that was acknowledged is lost.

A real `drill session --plain` is played through a pipe. An answer is acknowledged when its
feedback has been printed. After each SIGKILL the log must hold every acknowledged answer, replay
to the stored state, and satisfy the doctor; the next process goes on in the same home.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from drill.store.doctor import examine
from drill.store.store import Store

ANSWERS = {
    "choice": ["a"], "choices": ["a, b"], "number": ["1"], "shape": ["[1, 2]"], "short": ["eps"],
    "formula": ["1"], "order": ["a b"], "line": ["1"], "mutant": ["1 a"], "output": ["1"],
    "explain": ["the model predicts the noise", "."],
}  # fmt: skip
HEAD = re.compile(r"--- (\S+) · \S+ · \S+ · (\w+) · ")
STORED = re.compile(r"\[(again|hard|good|easy): back ")


class Player(threading.Thread):
    """Plays one process from its output: answers, overrules, undoes, skips."""

    def __init__(self, home: Path, seed: int) -> None:
        super().__init__(daemon=True)
        self.random = random.Random(seed)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "drill", "session", "--plain", "--minutes", "240"],
            env={**os.environ, "DRILL_HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.acknowledged: list[str] = []
        self.taken_back: list[str] = []
        self.item = self.kind = ""
        self.tail = ""
        self.asked = threading.Event()
        self.start()

    def send(self, *lines: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass

    def run(self) -> None:
        assert self.process.stdout is not None
        while data := os.read(self.process.stdout.fileno(), 65536):
            self.tail += data.decode(errors="replace")
            self.react()

    def react(self) -> None:
        while True:
            if found := HEAD.search(self.tail):
                self.item, self.kind = found.group(1), found.group(2)
                self.asked.set()
                self.tail = self.tail[found.end() :]
            elif self.tail.endswith("> "):
                prompt = self.tail.rsplit("\n", 1)[-1]
                self.tail = ""
                self.reply(prompt)
                return
            else:
                return

    def reply(self, prompt: str) -> None:
        if STORED.search(prompt):
            self.acknowledged.append(self.item)
            choice = self.random.random()
            if choice < 0.1:
                self.acknowledged.pop()
                self.taken_back.append(self.item)
                self.send(":undo")
            elif choice < 0.2:
                self.acknowledged.pop()  # the prompt comes again after the grade
                self.send(str(self.random.randint(1, 4)))
            else:
                self.send("")
        elif prompt.startswith("How sure"):
            self.send(str(self.random.randint(1, 3)))
        elif self.kind in ANSWERS and self.random.random() > 0.1:
            self.send(*ANSWERS[self.kind])
        else:
            self.send(":skip")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.join(10)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def kills(home: Path, times: int, seed: int = 0) -> int:
    """Kill that often; returns how many answers were acknowledged on the way."""
    draw = random.Random(seed)
    total = 0
    known: Counter[str] = Counter()
    for number in range(times):
        player = Player(home, seed * 1000 + number)
        if draw.random() < 0.9:  # one in ten dies while it starts
            player.asked.wait(30)
        time.sleep(draw.uniform(0.0, 0.8))
        player.kill()
        database = home / "drill.db"
        if not database.exists():
            continue
        with Store.open(database) as store:  # also finishes a migration that was cut short
            findings = [f for f in examine(store) if f.level == "error"]
            assert findings == [], f"kill {number}: {findings}"
        with contextlib.closing(sqlite3.connect(database)) as raw:
            assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            rows = raw.execute(
                "SELECT item_id, count(*) FROM reviews WHERE kind = 'review' GROUP BY 1"
            )
            stored = Counter(dict(rows.fetchall()))
        known.update(player.acknowledged)
        # An answer that was taken back is in the log as well; it never excuses a missing one.
        known.update(player.taken_back)
        lost = {item: n for item, n in known.items() if stored[item] < n}
        assert lost == {}, f"kill {number}: acknowledged and not stored: {lost}"
        total += len(player.acknowledged)
    return total


def test_a_few_kills_lose_nothing(tmp_path: Path) -> None:
    assert kills(tmp_path / "home", 6) > 0


@pytest.mark.slow
@pytest.mark.parametrize("round_", range(10))
def test_two_hundred_kills_lose_nothing(tmp_path: Path, round_: int) -> None:
    assert kills(tmp_path / "home", 20, seed=round_ + 1) > 0
