"""How an interview was answered, as facts that are told and not scored."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from drill.domain.interview.credit import Atom
from drill.domain.interview.state import Interview, Turn

_REASONS = re.compile(r"\b(because|since|so that|therefore|hence|which means|that is why)\b", re.I)
_NUMBERS = re.compile(r"(?<![\w.])\d[\d,.]*")
_SENTENCE = re.compile(r"[.!?](?:\s+|$)|\n+")


class Facts(Struct, frozen=True):
    """Counted, not judged."""

    minutes: float
    """Active time for questions."""
    minutes_allotted: float
    questions: int
    questions_planned: int
    words: int
    answers: int
    """Opening answers in free text."""
    answer_first: int
    """Of these, how many said a point of the rubric in their first sentence."""
    reasons: int
    """Sentences in free text that give a reason."""
    numbers: int
    """Numbers in free text."""
    unprompted: int
    """Points that came without a probe."""
    prompted: int
    missed: int
    claims: int
    """Probes answered with "I said that"."""
    passes: int
    hints: int
    over_time: tuple[str, ...]
    """Items that took more than half as long again as their slot."""


def facts(interview: Interview, atoms: Sequence[Atom], free_text: frozenset[str]) -> Facts:
    """The facts of an interview; `free_text` names its `explain` items."""
    turns = [t for r in interview.records for t in r.turns]
    prose = [
        t for r in interview.records if r.item_id in free_text for t in r.turns if t.text.strip()
    ]
    openings = [t for t in prose if t.kind in ("answer", "cut")]
    points = [a for a in atoms if a.id and not a.belief]
    slots = interview.slots
    spent = {slot.items: _spent(interview, slot.items) for slot in slots}
    return Facts(
        minutes=round(interview.seconds / 60, 1),
        minutes_allotted=float(interview.settings.minutes),
        questions=sum(bool(r.turns) for r in interview.records),
        questions_planned=sum(len(slot.items) for slot in slots),
        words=sum(len(t.text.split()) for t in prose),
        answers=len(openings),
        answer_first=sum(_led(t) for t in openings),
        reasons=sum(len(_REASONS.findall(t.text)) for t in prose),
        numbers=sum(len(_NUMBERS.findall(t.text)) for t in prose),
        unprompted=sum(a.how == "unprompted" for a in points),
        prompted=sum(a.how in ("neutral", "pointed") for a in points),
        missed=sum(a.how in ("missed", "asked", "claimed") and a.essential for a in points),
        claims=sum(t.kind == "claim" for t in turns),
        passes=sum(t.kind == "pass" for t in turns),
        hints=sum(r.hints for r in interview.records),
        over_time=tuple(s.items[0] for s in slots if spent[s.items] > 1.5 * 60 * s.minutes),
    )


def _spent(interview: Interview, items: Sequence[str]) -> float:
    records = [r for r in interview.records if r.item_id in items]
    return sum((interview.seconds if r.ended is None else r.ended) - r.began for r in records)


def sentences(text: str) -> list[str]:
    """A text cut at sentence ends and line breaks."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def _led(turn: Turn) -> bool:
    """Whether the first sentence of an answer holds a quote that earned a point."""
    own = sentences(turn.text)
    if not own or turn.judged is None:
        return False
    first = " ".join(own[0].split())
    return any(
        state == "credited"
        and " ".join(turn.judged.quotes.get(p, "-").split()).rstrip(".!?") in first
        for p, state in turn.judged.points.items()
    )
