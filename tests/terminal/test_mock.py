"""A whole mock interview of the real command on the built-in bank, by keys at 80x24.

What the screen acknowledged is looked up in the database by another connection.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from drill.domain.interview.dialogue import Move, next_move
from drill.domain.interview.state import Interview
from drill.domain.presentation import shown
from drill.domain.questions import ExplainBody, Question
from drill.services.app import Drill
from tests.terminal.answers import give, several_lines, types
from tests.terminal.screen import Screen
from tests.terminal.test_session import Row, rows, services

pytestmark = [pytest.mark.slow, pytest.mark.labs]
LEFT = "\x1b[D"
WEAK = "I would have to look that up before I say anything about it."


def stored(home: Path) -> Interview:
    """The interview as it is kept now."""
    (row,) = rows(home, "SELECT plan FROM sessions WHERE kind = 'mock'")
    return Interview.from_json(json.loads(row["plan"]))


def question_of(drill: Drill, interview: Interview) -> Question:
    record = interview.record(interview.item)
    assert record is not None
    return shown(drill.bank.question(record.item_id, record.seed), record.seed)


def move_of(drill: Drill, interview: Interview) -> Move:
    record = interview.record(interview.item)
    assert record is not None
    question = question_of(drill, interview)
    return next_move(question, interview.settings.level, record.turns)


def begun(start: Callable[..., Screen], home: Path) -> Screen:
    """From home into a real interview of fifteen minutes with a seed that was typed."""
    with services(home) as drill:
        drill.keep_profile(replace(drill.profile, done=True, level="senior"))
    screen = start()
    screen.wait("m mock")
    screen.press("m")
    screen.wait("Mock interview", "[45]", "[senior]", "[real]", "calibrated to no employer")
    screen.press(LEFT, LEFT)
    screen.wait("[15]")
    screen.press(*["down"] * 4, *["backspace"] * 6, *"11")
    screen.wait("Seed 11", "Warm-up 2 min", "Theory 6 min", "Code reading 4 min")
    screen.press("enter")
    screen.wait("Warm-up · senior interview", "1 of 3", "left", "esc leave")
    return screen


def prompted(screen: Screen, question: Question) -> None:
    beginning = " ".join(question.prompt.replace("`", "").split())[:30]
    screen.wait(beginning, "esc leave")


def went_on(screen: Screen, home: Path, before: Interview) -> None:
    """Wait until a turn is stored, which it is before anything else is shown."""
    turns = sum(len(record.turns) for record in before.records)

    def further() -> bool:
        return sum(len(record.turns) for record in stored(home).records) > turns

    screen.wait_until(further, "another turn in the database")


def settled(drill: Drill, screen: Screen, home: Path) -> Interview:
    """The interview once it waits for the learner: a turn is stored before it moves on."""

    def waits() -> bool:
        interview = stored(home)
        record = interview.record(interview.item)
        if interview.phase != "asking" or (record is not None and not record.turns):
            return True
        return move_of(drill, interview).kind == "probe"

    screen.wait_until(waits, "an interview that waits for an answer")
    return stored(home)


def test_a_whole_interview_by_keys(start: Callable[..., Screen], home: Path) -> None:
    screen = begun(start, home)
    killed = claimed = replied = False
    with services(home) as drill:
        for _ in range(20):
            interview = settled(drill, screen, home)
            if interview.phase != "asking":
                break
            question = question_of(drill, interview)
            if not isinstance(question.body, ExplainBody):
                prompted(screen, question)
                give(screen, question)
                if not types(question):
                    screen.wait("submits this answer")
                    screen.press("enter")
                went_on(screen, home, interview)
                assert "Right" not in screen.words and "Wrong" not in screen.words
                continue
            move = move_of(drill, interview)
            if move.kind == "open":
                prompted(screen, question)
                if not killed:
                    killed = True
                    screen = _killed(start, home, screen, question)
                screen.press("f7", "backspace")
                screen.paste(WEAK)
                screen.press("ctrl+s")
                went_on(screen, home, interview)
                continue
            screen.wait(f"They {' '.join(move.text.split())[:40]}", WEAK[:30])
            if move.style == "belief":
                screen.press("f3")
            elif not claimed:
                claimed = True
                screen.wait("f4 I said that (or =)")
                screen.press("=")
            else:
                replied = True
                screen.paste("I do not know, frankly.")
                screen.wait("frankly")
                screen.press("ctrl+s")
            went_on(screen, home, interview)
    assert killed and claimed and replied
    screen.wait("Debrief", "1 of 3 · not timed")
    screen.press("enter")
    screen.wait("Debrief · Theory", "What it asked for", "said that you had")
    screen.press("space")
    screen.wait("you say so")
    screen.press("enter")
    screen.wait("Debrief · Code reading", "3 of 3")
    screen.press("enter")
    screen.wait("Scorecard", "senior bar:", "calibrated to no employer", "Mechanism")
    screen.wait("The same answers against the three bars")
    screen.press("t")
    screen.wait("Transcript", "seed 11", "Warm-up")
    screen.press("n")
    screen.wait(WEAK[:40])
    screen.press("escape")
    screen.wait("Scorecard")
    screen.press("escape")
    screen.wait("Former interviews", "senior 15 min")
    screen.press("ctrl+q")
    assert screen.ended() == 0 and not screen.in_alternate_screen
    _kept(home)


def _killed(start: Callable[..., Screen], home: Path, screen: Screen, question: Question) -> Screen:
    """Kill it in the middle of typing; the next process has the words and the right time."""
    screen.press(*"half a thought")
    screen.wait("half a thought")
    row: Row = {}
    end = time.monotonic() + 20
    while "half a thought" not in (row.get("draft") or ""):
        assert time.monotonic() < end, "the beat of the clock keeps the draft"
        (row,) = rows(home, "SELECT draft FROM sessions WHERE kind = 'mock'")
        screen.wait_until(lambda: True, "output")
        time.sleep(0.1)
    used = float(json.loads(row["draft"])["seconds"])
    screen.kill()
    again = start()
    again.wait("An interview was left in the middle")
    again.press("m")
    again.wait("Go on:", "of 15:00 left")
    again.press("enter")
    prompted(again, question)
    again.wait("half a thought")
    assert used <= stored(home).seconds <= used + 4
    return again


def _kept(home: Path) -> None:
    """One ended session with its document; every question once in the log, none scheduled."""
    (session,) = rows(home, "SELECT * FROM sessions WHERE kind = 'mock'")
    assert session["ended"] and session["draft"] is None
    document = json.loads(session["summary"])
    assert len(document["transcript"]) == 3 and document["settings"]["seed"] == 11
    log = rows(home, "SELECT * FROM answers ORDER BY seq")
    assert [row["mode"] for row in log] == ["mock"] * 3
    theory = next(entry for entry in document["transcript"] if entry["round"] == "Theory")
    assert any(point["ticked"] for point in theory["points"])
    assert [turn["kind"] for turn in theory["turns"]][:2] == ["answer", "claim"]
    assert theory["item"] in document["due_tomorrow"]
    with services(home) as drill:
        from drill.store.doctor import examine

        assert [problem for problem in examine(drill.store) if problem] == []


def test_leaving_asks_first_and_goes_on_where_it_was(
    start: Callable[..., Screen], home: Path
) -> None:
    """`drill mock` opens at the set-up with what was asked for; leaving loses nothing."""
    screen = start("mock", "--minutes", "15", "--level", "staff", "--seed", "5")
    screen.wait("Mock interview", "[15]", "[staff]", "Seed 5", "Holds")
    screen.press("enter")
    screen.wait("Warm-up · staff interview", "1 of 3")
    with services(home) as drill:
        question = question_of(drill, stored(home))
    prompted(screen, question)
    screen.press("escape")
    screen.wait("Leave the interview?", "it waits with 14:")
    screen.press("b")
    screen.wait("Go on:", "0 of 3 questions begun")
    before = stored(home)
    screen.press("enter")
    prompted(screen, question)
    give(screen, question)
    if not (several_lines(question) or types(question)):
        screen.wait("submits this answer")
        screen.press("enter")
    went_on(screen, home, before)
    screen.wait("2 of 3")
