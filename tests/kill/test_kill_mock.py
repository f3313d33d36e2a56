"""A mock interview is killed at random moments; it goes on where it was, with the right time left.

A real `drill mock --plain` is answered through pipes and terminals, over all its rounds and the
debrief. After each SIGKILL the next process must show the same question, the same probe and the
draft that was stored, hold everything that was acknowledged, and have the time left that the
killed one had: never more than it showed last, and never less by more than one beat.
"""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from drill.services.mock_place import HEARTBEAT
from drill.store.doctor import examine
from drill.store.store import Store
from tests.conftest import Clock
from tests.services.interviews import open_drill
from tests.services.reserve_pack import make_pack
from tests.terminal.mock_player import Learner, MockProcess, draft_of, left_of, plan_of
from tests.worker.packs import make_stubs

RIGHT_TO = 2.0
"""Seconds within which the time left must be right."""


class Lag(threading.Thread):
    """How late this machine wakes a thread: what it adds to every measured time."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0.0
        self.start()

    def run(self) -> None:
        while True:
            before = time.monotonic()
            time.sleep(0.05)
            self.most = max(self.most, time.monotonic() - before - 0.05)

    def taken(self) -> float:
        """The longest delay since this was last asked."""
        most, self.most = self.most, 0.0
        return most


class Killed:
    """Interviews with kills, and the figures of them."""

    def __init__(self, home: Path, pack: Path, seed: int) -> None:
        self.home = home
        self.pack = pack
        self.random = random.Random(seed)
        self.seed = seed
        self.said: dict[str, list[tuple[str, str]]] = {}
        """Interview to its acknowledged answers."""
        self.ticks: dict[str, int] = {}
        self.before: dict[str, Any] = {}
        """What the killed process showed last, and what it had stored."""
        self.lag = Lag()
        self.kills = self.drafts = self.probes = self.debriefs = self.finished = 0
        self.answers = self.same = self.beats = 0
        self.off: list[float] = []
        """Time left after a kill less the time that was left at it."""

    def life(self, number: int, *, kill: bool) -> bool:
        """One process, killed at a random moment unless it ends before; whether it was killed."""
        new = ["--minutes", "60", "--level", "senior", "--seed", str(self.seed)]
        process = MockProcess(self.home, self.pack, *new, terminal=self.random.random() < 0.4)
        learner = Learner(process, self.seed * 1000 + number)
        if not kill:
            learner.calm = True
            end = time.monotonic() + 180
            while not process.ended:
                assert time.monotonic() < end, process.text[-2000:]
                learner.look(1.0)
        else:
            end = time.monotonic() + 30
            while learner.first is None and not process.ended and time.monotonic() < end:
                if self.random.random() < 0.02:
                    break  # some die while they start
                learner.look(0.1)
            learner.look(self.random.uniform(0.0, 2.5))
            if learner.waiting and self.random.random() < 0.5:
                learner.look(3.0)
        killed = not process.ended
        if learner.first is not None and self.before:
            self.compare(learner)
        at = time.monotonic()
        process.kill()
        plan = plan_of(self.home)
        self.note(learner, plan, at, killed=killed)
        return killed

    def compare(self, learner: Learner) -> None:
        """What a process showed first against what the killed one left."""
        before, first = self.before, learner.first
        assert first is not None
        place, probe, left, draft = first
        stored = before["plan"]
        if place:
            assert draft == draft_of(stored), (draft, stored["beat"], learner.process.text[-2000:])
            expected = max(0.0, left_of(stored))
            assert expected - 1.5 - before["lag"] <= left <= expected, (left, expected)
        if before["sure"] and place and before["place"]:
            self.same += 1
            assert (place, probe) == (before["place"], before["probe"]), learner.process.text[
                -2000:
            ]
            assert left <= before["left"], "a kill gained time"
            # The screen shows whole seconds: half of one is lost on the average.
            true = before["left"] + 0.5 - (before["at"] - before["left_at"])
            self.off.append(left + 0.5 - true)
            assert abs(self.off[-1]) <= RIGHT_TO + before["lag"], (self.off[-1], before["lag"])

    def note(self, learner: Learner, plan: dict[str, Any], at: float, *, killed: bool) -> None:
        """Check what is stored after a kill, and remember what was shown before it."""
        self.kills += killed
        lag = self.lag.taken()
        self.home.mkdir(exist_ok=True)
        with Store.open(self.home / "drill.db") as store:  # also finishes a cut migration
            errors = [found for found in examine(store) if found.level == "error"]
            assert errors == [], f"kill {self.kills}: {errors}"
        if not plan:
            return
        said = self.said.setdefault(plan["id"], [])
        said += [each for each in learner.said if each[0] != "tick"]
        self.answers += len(learner.said)
        self.debriefs += bool(learner.ticked)
        self.finished += plan["ended"] is not None
        stored = {
            (record["item_id"].partition(":")[2], " ".join(turn.get("text", "").split()))
            for record in plan["records"]
            for turn in record.get("turns", ())
        }
        for item, text in said:
            assert (item, " ".join(text.split())) in stored or item == "sc.r-diagnose", (
                item,
                text,
                learner.process.text[-1500:],
                learner.said[-3:],
            )
        self.drafts += bool(draft_of(plan))
        if learner.half and at - learner.half_at > HEARTBEAT + 1.0 + 3 * lag:
            self.beats += 1
            assert draft_of(plan).endswith(learner.half), (learner.half, plan["beat"])
        self.probes += bool(learner.probe)
        self.before = {}
        if plan["ended"] is None:
            self.before = {
                "plan": plan,
                "sure": not learner.unsure and learner.first is not None and learner.left >= 0,
                "place": learner.place,
                "probe": learner.probe,
                "left": learner.left,
                "left_at": learner.left_at,
                "at": at,
                "lag": lag,
            }

    def figures(self) -> str:
        """One line."""
        off = sorted(self.off) or [0.0]
        return (
            f"{self.kills} kills, {self.answers} answers acknowledged, {self.drafts} with a draft "
            f"({self.beats} left alone for more than two beats), "
            f"{self.probes} at a probe, {self.debriefs} in the debrief, {self.finished} interviews "
            f"finished; {self.same} compared by the clock: time left off by {off[0]:+.2f} to "
            f"{off[-1]:+.2f} s (median {off[len(off) // 2]:+.2f})"
        )


def kills(tmp_path: Path, times: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> Killed:
    """Kill that often, then finish the last interview and read its transcript."""
    monkeypatch.setenv("PYTHONPATH", str(make_stubs(tmp_path / "stubs")))
    home, pack = tmp_path / "home", make_pack(tmp_path / "pack")
    done = Killed(home, pack, seed)
    number = 0
    while done.kills < times:
        done.life(number, kill=True)
        number += 1
    if done.before:
        assert not done.life(number, kill=False)
    assert not done.before, "the last interview was not finished"
    with open_drill(home, pack, Clock()) as drill:
        from drill.services.mock_report import held

        for session in held(drill):
            told = {
                (entry["item"].partition(":")[2], " ".join(turn["text"].split()))
                for entry in session.summary["transcript"]
                for turn in entry["turns"]
            }
            for item, text in done.said[session.id]:
                assert (item, " ".join(text.split())) in told or item == "sc.r-diagnose"
    print(done.figures())
    return done


def test_a_few_kills_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = kills(tmp_path, 6, 1, monkeypatch)
    assert done.finished >= 1 and done.answers > 0


@pytest.mark.slow
def test_sixty_kills_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = kills(tmp_path, 60, 2, monkeypatch)
    assert done.drafts >= 5 and done.probes >= 5 and done.debriefs >= 1 and done.same >= 10
    assert done.beats >= 3
