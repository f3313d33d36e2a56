"""An interview as a document: its scorecard, the facts and the transcript.

The document holds its own texts, so that it reads the same when the bank has changed since.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from drill.domain.interview.credit import Atom, atoms
from drill.domain.interview.facts import facts
from drill.domain.interview.rounds import AXES, ROUNDS
from drill.domain.interview.scorecard import BarScore, Scorecard, scorecard
from drill.domain.interview.state import Judged, Record
from drill.domain.questions import ExplainBody, Question
from drill.services.mock_words import said_in_words

if TYPE_CHECKING:
    from drill.services.mock import Mock

CALIBRATION = (
    "The bands are drill's own. They are calibrated to no employer, and the scorer reads text: it "
    "can miss a point that you made in other words, which is what your own ticks are for."
)


def answered(mock: Mock) -> Iterator[tuple[Question, Record]]:
    """The items of an interview to which anything was said, as they were shown.

    What has left the bank since cannot be judged and is left out.
    """
    for record in mock.interview.records:
        if record.turns and not mock.left_the_bank(record.item_id):
            yield mock.question(record.item_id), record


def all_atoms(mock: Mock) -> list[Atom]:
    """Everything that is scored."""
    return [atom for question, record in answered(mock) for atom in atoms(question, record)]


def document(mock: Mock) -> dict[str, Any]:
    """The scorecard, the facts and the transcript, as JSON."""
    every = all_atoms(mock)
    interview = mock.interview
    card = scorecard(every, interview.settings.level)
    prose = frozenset(q.head.id for q, _ in answered(mock) if isinstance(q.body, ExplainBody))
    return {
        "settings": msgspec.to_builtins(interview.settings),
        "lacks": list(interview.lacks),
        "seconds": round(interview.seconds, 1),
        "scorecard": card_document(card),
        "facts": msgspec.to_builtins(facts(interview, every, prose)),
        "transcript": entries(mock),
        "calibration": CALIBRATION,
    }


def entries(mock: Mock) -> list[dict[str, Any]]:
    """What was asked and said, item by item, with what the grader made of it."""
    return [
        entry(mock, record.item_id)
        for record in mock.interview.records
        if any(turn.text or turn.kind != "cut" for turn in record.turns)
    ]


def card_document(card: Scorecard) -> dict[str, Any]:
    """A scorecard as JSON, with the words that a front end shows."""
    return {
        "level": card.level,
        "band": card.own.band,
        "bars": {bar.level: _bar(bar) for bar in card.bars},
        "evidence": {
            axis: [msgspec.to_builtins(each) for each in found]
            for axis, found in card.evidence.items()
        },
        "beliefs": [msgspec.to_builtins(each) for each in card.beliefs],
        "missing": [_missing(a) for a in card.own.missing],
        "next_missing": [_missing(a) for a in card.next_missing],
    }


def _bar(bar: BarScore) -> dict[str, Any]:
    return {
        "band": bar.band,
        "low": bar.low,
        "high": bar.high,
        "axes": {
            each.axis: {
                "title": AXES[each.axis],
                "seen": each.seen,
                "low": each.low,
                "high": each.high,
            }
            for each in bar.axes
        },
        "missing": len(bar.missing),
    }


def _missing(atom: Atom) -> dict[str, Any]:
    return {
        "item": atom.item_id,
        "point": atom.id,
        "statement": atom.statement,
        "axis": atom.axis,
        "bar": atom.bar,
        "how": atom.how,
    }


def entry(mock: Mock, item_id: str) -> dict[str, Any]:
    """One item of the transcript; study mode shows it after the item, the debrief shows all.

    Raises KeyError for an item that was not shown.
    """
    record = mock.interview.record(item_id)
    if record is None:
        raise KeyError(item_id)
    slot = next(s for s in mock.interview.slots if item_id in s.items)
    ended = mock.interview.seconds if record.ended is None else record.ended
    gone = mock.left_the_bank(item_id)
    said = {
        "item": item_id,
        "round": ROUNDS[slot.round],
        "began": round(record.began, 1),
        "seconds": round(ended - record.began, 1),
        "hints": record.hints,
        "turns": [
            {
                "kind": turn.kind,
                "at": round(turn.at, 1),
                "probe": turn.probe,
                "style": turn.style,
                "text": turn.text,
                "said": "" if gone else said_in_words(mock.question(item_id), turn.text),
                "by": turn.by,
            }
            for turn in record.turns
        ],
        "given": mock.move(record).given,
        "run": record.run_id,
    }
    if gone:
        return {**said, **_GONE}
    return {**said, **_asked(mock.question(item_id), record)}


_GONE: dict[str, Any] = {
    "topic": "", "level": "", "type": "", "scenario": "",
    "prompt": "(This question has left the bank and is not scored.)",
    "code": None, "points": [], "beliefs": [], "score": None, "summary": "", "expected": "",
    "explanation": "", "sources": [],
}  # fmt: skip


def _asked(question: Question, record: Record) -> dict[str, Any]:
    own, body = atoms(question, record), question.body
    judged = next((t.judged for t in reversed(record.turns) if t.judged), None)
    rubric = isinstance(body, ExplainBody)
    return {
        "topic": question.head.topic,
        "level": question.head.level,
        "type": question.head.type,
        "scenario": question.scenario,
        "prompt": question.prompt,
        "code": None if question.code is None else question.code.text,
        "points": [_point(a, record) for a in own if a.id and not a.belief],
        "beliefs": [{"id": a.id, "belief": a.statement, "quote": a.quote} for a in own if a.belief],
        "score": None if rubric or not own else own[0].low,
        "summary": "" if judged is None or rubric else judged.summary,
        "expected": body.model_answer
        if isinstance(body, ExplainBody)
        else _expected(question, judged),
        "explanation": question.explanation,
        "sources": [msgspec.to_builtins(source) for source in question.sources],
    }


def _point(atom: Atom, record: Record) -> dict[str, Any]:
    return {
        "id": atom.id,
        "statement": atom.statement,
        "axis": atom.axis,
        "bar": atom.bar,
        "essential": atom.essential,
        "how": atom.how,
        "credit": round(atom.low, 2),
        "ticked": atom.id in record.ticks,
        "unticked": f"-{atom.id}" in record.ticks,
        "quote": atom.quote,
    }


def _expected(question: Question, judged: Judged | None) -> str:
    """The model answer; else what came out where something ran, else the key."""
    if isinstance(question.body, ExplainBody):
        return question.body.model_answer
    if judged is not None:
        return judged.expected
    from drill.domain.grading.key_text import key_text

    return key_text(question)
