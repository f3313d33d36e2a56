"""Candidates whose transcripts are written down, put through an interview."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from msgspec.structs import replace

from drill.domain.interview.credit import Atom, atoms
from drill.domain.interview.dialogue import Move, next_move
from drill.domain.interview.judging import judged, judged_text
from drill.domain.interview.state import Judged, Record, Turn
from drill.domain.questions import Bar, CodeBody, ExplainBody, Question
from drill.packs.bank import Bank

FOLDER = Path(__file__).parent / "transcripts"
NOTHING = "I don't know."


def transcripts(name: str) -> list[dict[str, Any]]:
    """The transcripts of a file."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    loaded: list[dict[str, Any]] = yaml.safe_load(text)
    return loaded


def played(transcript: dict[str, Any], bank: Bank) -> list[Atom]:
    """Everything that is scored of an interview with this candidate."""
    level: Bar = transcript["level"]
    made: list[Atom] = []
    for said in transcript["items"]:
        question = bank.question(f"drill:{said['item']}", 0)
        record = Record(question.head.id, 0, 0.0, tuple(_turns(question, level, said)))
        credited = {atom.id for atom in atoms(question, record) if atom.low > 0}
        ticks = tuple(point for point in said.get("ticks", ()) if point not in credited)
        made += atoms(question, replace(record, ticks=ticks))
    return made


def _turns(question: Question, level: Bar, said: dict[str, Any]) -> Iterator[Turn]:
    body = question.body
    if isinstance(body, CodeBody):
        done, total = said["passed"]
        yield Turn("answer", 0.0, "(code)", judged=Judged(done / total))
        return
    if not isinstance(body, ExplainBody):
        yield Turn("answer", 0.0, said["answer"], judged=judged(question, said["answer"]))
        return
    turns: list[Turn] = []
    while (move := next_move(question, level, turns)).kind != "done":
        text = said["answer"] if move.kind == "open" else _reply(move, said)
        turns.append(
            Turn(
                "answer" if move.kind == "open" else "reply",
                0.0,
                text,
                move.target,
                move.style,
                move.text,
                judged_text(body, text, reply=move.kind != "open"),
            )
        )
    yield from turns


def _reply(move: Move, said: dict[str, Any]) -> str:
    if move.style == "belief":
        return str(said.get("beliefs", {}).get(move.target, NOTHING))
    return str(said.get("replies", {}).get(move.target, {}).get(move.style, NOTHING))
