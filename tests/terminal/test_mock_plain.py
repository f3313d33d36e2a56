"""Whole interviews line by line, on pipes and on a terminal: strong, real, study, and cut off."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.reserve_pack import make_pack
from tests.terminal.mock_player import CODE, Learner, MockProcess, item_of, plan_of
from tests.worker.packs import make_stubs

JUDGED = re.compile(r"\b(RIGHT|WRONG|PARTLY|right|wrong|Key:|A strong answer)\b|\d+%|\[x\]")


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(make_stubs(tmp_path / "stubs")))
    return make_pack(tmp_path / "pack")


@pytest.fixture
def opened() -> Iterator[list[MockProcess]]:
    """Processes that are killed whatever happens."""
    processes: list[MockProcess] = []
    yield processes
    for process in processes:
        process.kill()


def play(learner: Learner, seconds: float = 120.0) -> str:
    """Answer until the process ends; what it wrote."""
    end = time.monotonic() + seconds
    while not learner.process.ended:
        assert time.monotonic() < end, learner.process.text[-2000:]
        learner.look(1.0)
    return learner.process.text


def show(home: Path, pack: Path, *arguments: str) -> Any:
    """The JSON of `drill mock ARGUMENTS`."""
    process = MockProcess(home, pack, *arguments, "--json", plain=False)
    assert process.wait() == 0, process.text
    process.close()
    return json.loads(process.text)


def test_two_processes_never_hold_one_interview(
    home: Path, pack: Path, opened: list[MockProcess]
) -> None:
    first = MockProcess(home, pack, "--minutes", "15", "--level", "senior", "--seed", "1")
    opened.append(first)
    first.wait_for(r"\[[^\n]* 1/3 · \d+:\d\d\] > ")
    for command in ("resume", "drop"):
        second = MockProcess(home, pack, command, plain=command == "resume")
        opened.append(second)
        assert second.wait() == 2, second.text
        assert f"open in another drill (process {first.process.pid})" in second.words
    first.send("half a")  # what the second one did has not moved it
    first.send("n answer\n.\n:quit\n")
    assert first.wait() == 1
    third = MockProcess(home, pack, "resume")
    opened.append(third)
    third.wait_for(r"\] > ")
    third.kill()  # nothing is cleared up, and still the next one may go on
    fourth = MockProcess(home, pack, "resume")
    opened.append(fourth)
    fourth.wait_for(r"\] > ")


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_a_strong_interview_from_the_first_question_to_the_scorecard(
    home: Path, pack: Path, opened: list[MockProcess], terminal: bool
) -> None:
    arguments = ("--minutes", "60", "--level", "senior", "--seed", "4")
    process = MockProcess(home, pack, *arguments, terminal=terminal)
    opened.append(process)
    text = play(Learner(process, 0, strong=True))
    assert process.wait() == 0
    before, _, debrief = text.partition("\n--- Debrief")
    assert "60 min, senior, all topics, real mode, seed 4" in before
    assert "Coding from blank 20 min" in process.words and "debrief 3 min" in process.words
    for number in range(1, 9):
        assert f" {number}/8" in before
    assert "stage 3/3" in before and "probe NAME" in before and "The symptom:" in before
    # Real mode says nothing about right or wrong before the end.
    asked = before.partition("--- Warm-up")[2]
    assert not JUDGED.search(
        re.sub(r"(What (breaks|is the cause)\?|Locked: ).*?\n\n", "", asked, flags=re.S)
    )
    assert "senior bar: strong hire" in debrief and "calibrated to no employer" in debrief
    assert "[x] Guidance needs two predictions at each step." in debrief
    name = re.findall(r"drill mock show (\w+) --transcript", debrief)[0]
    # A path stays whole, so that it can be opened.
    long = [line for line in text.split("\n") if len(line) > 80 and "picture: /" not in line]
    assert long == []
    document = show(home, pack, "show", name)
    assert document["scorecard"]["band"] == "strong hire"
    assert len(document["transcript"]) == 11
    code = next(entry for entry in document["transcript"] if entry["type"] == "code")
    assert code["turns"][0]["text"] == CODE and code["score"] == 1.0
    listed = show(home, pack, "list")
    assert [each["band"] for each in listed["interviews"]] == ["strong hire"]
    assert listed["sibling"] is None


def test_study_mode_gives_hints_and_feedback(
    home: Path, pack: Path, opened: list[MockProcess]
) -> None:
    process = MockProcess(home, pack, "--minutes", "15", "--level", "mid", "--seed", "1", "--study")
    opened.append(process)
    learner = Learner(process, 0, strong=True)
    process.wait_for(r"\] > ")
    process.send(":hint\n")
    process.wait_for(r"(?:Hint: .*|no further hint\.)\n\[.*\] > ")
    text = play(learner)
    assert process.wait() == 0
    before = text.partition("\n--- Debrief")[0]
    assert "[x]" in before and "A strong answer:" in before and "Source: " in before
    assert before.count("enter goes on > ") == 3


def test_an_interview_is_left_and_goes_on(
    home: Path, pack: Path, opened: list[MockProcess]
) -> None:
    arguments = ("--minutes", "15", "--level", "senior", "--seed", "1", "--topic", "scheduler")
    process = MockProcess(home, pack, *arguments)
    opened.append(process)
    process.wait_for(r"\[Warm-up 1/3 · \d+:\d\d\] > ")
    process.send("a\n")
    process.wait_for(r"\[Theory 2/3 · \d+:\d\d\] > ")
    process.send("I would begin\n:time\nwith the denoiser.\n:pass\n:quit\n")
    assert process.wait() == 1
    assert "left, the debrief included" in process.text
    assert "You have typed something" in process.text
    assert "drill mock resume --plain" in process.text
    other = MockProcess(home, pack, "--minutes", "30")
    opened.append(other)
    assert other.wait() == 2 and "was left in the middle" in other.text
    again = MockProcess(home, pack, "resume")
    opened.append(again)
    again.wait_for(r"\n\| ")
    assert "Your draft (it goes on below):\n| I would begin\n| with the denoiser.\n" in again.text
    again.send(":clear\nnothing of note\n.\n")
    again.wait_for(r"\[Theory 2/3 · \d+:\d\d\] > ")
    again.send(":said\n")
    again.wait_for(r"\[Theory 2/3 · \d+:\d\d\] > ")
    again.send("::said is a command\n.\n:pass\n:end\n")
    again.wait_for(r"done\] > ")
    prompt = r"\n\n\[debrief: [^\n]*\] > "
    again.send("t 1\n")
    again.wait_for(r"you\s+said\s+so,\s+ticked\s+by\s+you\)" + prompt)
    again.send("t 99\n")
    again.wait_for("points are 1 to 3" + prompt)
    again.send("a 2\n")
    again.wait_for("Only the walk differs." + prompt)
    again.send("nonsense\n")
    again.wait_for("\nt N [^\\0]*another time" + prompt)
    again.process.stdin.close()  # type: ignore[union-attr]
    assert again.wait() == 0
    assert ":said is a command" in again.text and "Scorecard:" in again.text
    turns = show(home, pack, "show", "last")["transcript"][1]["turns"]
    assert turns[0]["text"] == "nothing of note"


def test_a_terminal_that_goes_away_loses_nothing(
    home: Path, pack: Path, opened: list[MockProcess]
) -> None:
    arguments = ("--minutes", "15", "--level", "senior", "--seed", "1")
    process = MockProcess(home, pack, *arguments, terminal=True)
    opened.append(process)
    process.wait_for(r"\[Warm-up 1/3 · \d+:\d\d\] > ")
    process.send("a\n")
    process.wait_for(r"\[Theory 2/3 · \d+:\d\d\] > ")
    process.send("half of it\n")
    process.wait_for(r"\| ")
    process.close()
    assert process.process.wait(30) == 1
    plan = plan_of(home)
    assert plan["draft"] == "half of it" and not plan.get("running") and len(plan["records"]) == 2


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_when_the_time_is_up_the_typed_line_is_taken(
    home: Path, pack: Path, opened: list[MockProcess], terminal: bool
) -> None:
    """Twelve minutes are let pass by moving the stored clock, the last seconds by waiting."""
    import sqlite3

    arguments = ("--minutes", "15", "--level", "senior", "--seed", "1")
    process = MockProcess(home, pack, *arguments)
    opened.append(process)
    process.wait_for(r"\[Warm-up 1/3 · \d+:\d\d\] > ")
    process.send("a\n")
    process.wait_for(r"\[Theory 2/3 · \d+:\d\d\] > ")
    process.send(":quit\n")
    assert process.wait() == 1
    plan = plan_of(home)
    name = plan.pop("id")
    del plan["beat"], plan["ended"]
    plan["seconds"] = 12 * 60.0 - 5
    with sqlite3.connect(home / "drill.db") as raw:
        raw.execute("UPDATE sessions SET plan = ? WHERE id = ?", (json.dumps(plan), name))
    again = MockProcess(home, pack, "resume", terminal=terminal)
    opened.append(again)
    again.wait_for(r"\[Theory 2/3 · 3:0\d\] > ")
    again.send("The denoiser stays the same.\nThey are solvers of the same eq")
    again.wait_for(r"done\] > ", seconds=60)
    assert "Time is up." in again.text
    item = item_of(plan)
    turns = next(r for r in plan_of(home)["records"] if r["item_id"].endswith(item))["turns"]
    assert turns[-1]["kind"] == "cut"
    assert turns[-1]["text"] == "The denoiser stays the same.\nThey are solvers of the same eq"
    again.send("done\n")
    assert again.wait() == 0
