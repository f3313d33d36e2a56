"""A whole session of the real command on the built-in bank, played by keys on a pseudo-terminal.

What a session acknowledged on the screen is looked up in the database afterwards.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drill import paths
from drill.domain.questions import PredictBody, Question
from drill.services.app import Drill
from drill.services.session import resume
from tests.terminal.answers import give, types
from tests.terminal.screen import Screen

pytestmark = [pytest.mark.slow, pytest.mark.labs]
LATER = ("code", "predict", "diagnose")
"""Answer types that a child process judges; the last two tests play them."""
Row = dict[str, Any]


@contextmanager
def services(home: Path) -> Iterator[Drill]:
    with Drill(home=home, packs=[paths.builtin_pack()]) as drill:
        yield drill


def only(home: Path, wanted: Callable[[Question], bool], one_a_type: bool = True) -> list[Question]:
    """Suspend all items but the wanted ones, at most one of a type; returns what is left."""
    kept: list[Question] = []
    with services(home) as drill:
        askable = drill.askable()
        siblings: set[str] = set()
        for item in drill.bank.heads:
            question = drill.bank.question(item, 0) if item in askable else None
            head = drill.bank.heads[item]
            free = item not in siblings and not siblings.intersection((item, *head.siblings))
            new = not one_a_type or head.type not in {q.head.type for q in kept}
            if question is not None and free and new and wanted(question):
                kept.append(question)
                siblings |= {item, *head.siblings}
            else:
                drill.store.suspend(item)
    return kept


def asked(home: Path) -> Question | None:
    """What the stored session asks now, as it is shown."""
    with services(home) as drill:
        stored = drill.store.sessions.unfinished()
        assert stored is not None
        now = resume(drill, stored).asked
        return now.question if now is not None else None


def rows(home: Path, query: str) -> list[Row]:
    """Rows of the database, read by another connection than the app's."""
    connection = sqlite3.connect(f"file:{home / 'drill.db'}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(query)]
    finally:
        connection.close()


def answers(home: Path) -> list[Row]:
    return rows(home, "SELECT * FROM answers ORDER BY seq")


def draft(home: Path) -> dict[str, Any]:
    (row,) = rows(home, "SELECT draft FROM sessions ORDER BY started DESC LIMIT 1")
    return dict(json.loads(row["draft"] or "{}"))


def opened(start: Callable[..., Screen], *arguments: str) -> Screen:
    """Start a session and wait for its first question, with which it is stored."""
    screen = start("session", *arguments)
    screen.wait("min left", "How sure are you?")
    return screen


def shows(screen: Screen, question: Question) -> None:
    """Wait until the question stands on the screen with the confidence still to come."""
    beginning = " ".join(question.prompt.replace("`", "").split())[:40]
    screen.wait(beginning, "min left", "How sure are you?", "skip")
    screen.wait_until(lambda: "Submit." not in screen.words, "an answer that is still open")


def answer(screen: Screen, question: Question, sure: int, *, right: bool = True) -> None:
    """Answer and wait for the feedback."""
    give(screen, question, right=right)
    screen.wait("Submit. How sure are you?")
    screen.press(str(sure))
    screen.wait("Grade", "back", "enter next")


def test_a_whole_session_by_keys(start: Callable[..., Screen], home: Path) -> None:
    kept = only(home, lambda question: question.head.type not in LATER)
    assert len(kept) >= 8, f"the ledger proves too few types: {[q.head.type for q in kept]}"
    screen = opened(start, "--minutes", "240")
    hinted = skipped = undone = overruled = missed = resumed = ""
    order: list[str] = []
    for _ in range(3 * len(kept)):
        question = asked(home)
        if question is None:
            break
        item = question.head.id
        shows(screen, question)
        if not hinted and question.hints:
            screen.press("f2")
            screen.wait(f"Hint 1 of {len(question.hints)}")
            hinted = item
        elif not skipped and order:
            screen.press("f3")
            skipped = item
            screen.wait_until(lambda: asked(home) != question, "another question")  # noqa: B023
            continue
        elif not resumed and types(question):
            resumed = item
            screen = _quit_and_resume(start, home, screen, question)
        if not missed and item not in (hinted, skipped) and item not in order:
            missed = item
            answer(screen, question, 3, right=False)
            (stored,) = [row for row in answers(home) if row["item_id"] == item]
            assert (stored["grade"], stored["confidence"]) == (1, 3)
            screen.wait("back in this session, then")
        else:
            answer(screen, question, 2)
            screen.wait("✓ Right")
            stored = answers(home)[-1]
            assert (stored["item_id"], stored["auto_score"]) == (item, 1.0)
            assert stored["confidence"] == 2
            assert stored["hints"] == (item == hinted)
            if not undone:
                undone = item
                screen.press("u")
                screen.wait("Taken back")
                shows(screen, question)
                assert [row for row in answers(home) if row["item_id"] == item] == []
                answer(screen, question, 2)
            elif not overruled:
                overruled = item
                screen.press("4")
                screen.wait("[easy] (yours)")
                assert [answers(home)[-1][key] for key in ("item_id", "grade")] == [item, 4]
        order.append(item)
        screen.press("enter")
    assert all((hinted, skipped, undone, overruled, missed, resumed))
    screen.wait("Session done", f"{len(kept)} answered, {len(kept) - 1} right", "1 wrong")
    screen.press("enter")
    screen.wait("When is your interview?")  # home, for the first time
    screen.press("ctrl+q")
    assert screen.ended() == 0 and not screen.in_alternate_screen
    _stored(home, {question.head.id for question in kept}, missed, overruled, order)


def _quit_and_resume(
    start: Callable[..., Screen], home: Path, screen: Screen, question: Question
) -> Screen:
    """Leave in the middle of typing; the next process shows the same question with the draft."""
    screen.press(*"half typed")
    screen.wait("half typed")
    screen.press("ctrl+q")
    assert screen.ended() == 0
    assert "half typed" in draft(home)["answer"]
    again = start("session")
    shows(again, question)
    again.wait("half typed")
    return again


def _stored(home: Path, items: set[str], missed: str, overruled: str, order: list[str]) -> None:
    """The log tells the session as it was played, and the checks of the data hold."""
    log = answers(home)
    assert [row["item_id"] for row in log] == order
    assert {row["item_id"] for row in log} == items
    assert [row["mode"] for row in log].count("retry") == 1
    retry = next(row for row in log if row["mode"] == "retry")
    assert retry["item_id"] == missed and retry["grade"] > 1
    easy = next(row for row in log if row["item_id"] == overruled)
    assert easy["grade"] == 4 and easy["auto_grade"] != 4 and easy["overruled"]
    kinds = [row["kind"] for row in rows(home, "SELECT kind FROM reviews")]
    assert kinds.count("undo") == 1 and kinds.count("review") == len(log) + 1
    (session,) = rows(home, "SELECT * FROM sessions")
    assert session["ended"] and session["draft"] is None and session["position"] == len(log)
    assert json.loads(session["summary"]) == {"answered": len(items), "right": len(items) - 1}
    with services(home) as drill:
        from drill.store.doctor import examine

        assert [problem for problem in examine(drill.store) if problem] == []


def test_code_is_judged_by_its_properties(start: Callable[..., Screen], home: Path) -> None:
    kept = only(home, lambda question: question.head.type == "code")
    assert kept, "the ledger proves no code item"
    screen = opened(start)
    question = asked(home)
    assert question is not None
    shows(screen, question)
    give(screen, question)
    screen.wait("Submit. How sure are you?")
    screen.press("3")
    screen.wait("✓ Right", "Grade", seconds=150)
    (stored,) = answers(home)
    assert (stored["auto_score"], stored["confidence"]) == (1.0, 3)
    assert "return" in stored["answer"]


def test_a_prediction_is_locked_and_judged_by_the_run(
    start: Callable[..., Screen], home: Path
) -> None:
    def cost(question: Question) -> int:
        link = question.experiment
        assert link is not None
        scales, seeds = link.params.get("scales"), link.params.get("seeds", 32)
        assert isinstance(seeds, int)
        return seeds * (len(scales) if isinstance(scales, list | tuple) else 8)

    found: list[Question] = []
    with services(home) as drill:
        for item, head in drill.askable().items():
            if head.topic == "cfg" and head.type == "predict":
                found.append(drill.bank.question(item, 0))
    assert found, "the ledger proves no prediction of the cfg topic"
    cheapest = min(found, key=cost)
    only(home, lambda question: question.head.id == cheapest.head.id)
    screen = opened(start, "--topic", "cfg")
    question = asked(home)
    assert question is not None and isinstance(question.body, PredictBody)
    shows(screen, question)
    give(screen, question)
    screen.wait("Submit. How sure are you?")
    screen.press("3")
    screen.wait("You predicted")
    # Locked before anything ran: a killed process neither loses nor frees the prediction.
    screen.kill()
    assert answers(home) == []
    locked = draft(home)
    assert locked["locked"] is True and locked["confidence"] == 3
    again = start("session")
    again.wait("You predicted", seconds=60)
    again.wait("You predicted", "Measured", "live ·", seconds=160)
    assert answers(home) == []
    for field in question.body.fields:
        assert field.label in again.words
    (run,) = rows(home, "SELECT * FROM runs")
    assert run["name"] == "cfg-sweep" and question.experiment is not None
    again.press("enter")
    again.wait("Grade", "enter next")
    (stored,) = answers(home)
    assert stored["answer"] == locked["answer"] and stored["confidence"] == 3
    assert stored["run_id"] == run["id"]
    outcomes = json.loads(run["outcomes"])
    judged = {field.id: str(outcomes[field.outcome]) for field in question.body.fields}
    assert all(judged.values())
    verdict = (
        "✓ Right" if stored["auto_score"] == 1.0 else "right, " if stored["auto_score"] else "✗"
    )
    again.wait(verdict)
    again.press("enter")
    again.wait("Session done", "1 answered")
