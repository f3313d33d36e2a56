"""Finding in the bank what a real interview asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from drill.domain.questions import (
    TOPICS,
    ChoiceBody,
    DiagnoseBody,
    ExplainBody,
    MutantBody,
    OrderBody,
    PredictBody,
    Question,
)
from drill.domain.retrieval import Collection, Found

if TYPE_CHECKING:
    from drill.services.app import Drill

Confidence: TypeAlias = Literal["likely", "maybe", "unlikely"]
LIKELY, MAYBE = 0.5, 0.3
"""Least covered share of a question's weight; measured in tests/services/test_after.py."""
COMMON, EVIDENCE = 2, 4.5
"""Least telling words in common, and what they weigh together, for a match that nobody confirms: a
share alone is large for a question of few words, such as `What is the VAE?`."""
SHOWN = 3
MOST_LOOKED_AT = 40
WEIGHTS: dict[str, float] = {
    "prompt": 1.5, "name": 1.5, "key": 1.0, "explanation": 1.5, "topic": 1.0, "code": 0.1,
}  # fmt: skip


class Match(Struct, frozen=True):
    """An item that may practise what was asked."""

    item: str
    share: float
    """Covered part of the question's weight, 0 to 1."""
    confidence: Confidence
    kept: bool = False
    """It is kept for interviews: its text is not shown and it is not brought forward."""


def confidence_of(found: Found) -> Confidence:
    """In words. `likely` is strong enough to be taken without asking the learner."""
    if found.share < MAYBE or not found.common:
        return "unlikely"
    strong = found.common >= COMMON and found.evidence >= EVIDENCE
    return "likely" if found.share >= LIKELY and strong else "maybe"


class Finder:
    """The bank, prepared for searching; made once a log."""

    def __init__(self, drill: Drill) -> None:
        self._heads = drill.bank.heads
        self._kept = drill.withheld()
        self._texts = Collection({item: _fields(drill, item) for item in drill.bank.heads}, WEIGHTS)

    def matches(self, question: str, limit: int = SHOWN) -> list[Match]:
        """The nearest items, best first, at most one of them kept for interviews."""
        found: list[Match] = []
        for each in self._texts.search(question, MOST_LOOKED_AT):
            kept = each.key in self._kept
            if len(found) == limit:
                break
            if not kept or not any(match.kept for match in found):
                found.append(Match(each.key, round(each.share, 3), confidence_of(each), kept))
        return found

    def topic(self, question: str) -> str:
        """The topic that most of the nearest items have; `overview` where none is near."""
        votes: dict[str, float] = {}
        for found in self._texts.search(question, 8):
            if not votes and confidence_of(found) == "unlikely":
                break
            topic = self._heads[found.key].topic
            votes[topic] = votes.get(topic, 0.0) + found.share**2
        return max(votes, key=lambda topic: votes[topic], default="overview")


def _fields(drill: Drill, item: str) -> dict[str, str]:
    from drill.packs.excerpt import ExcerptError

    head = drill.bank.heads[item]
    named = {
        "name": item.partition(":")[2].partition(".")[2].replace("-", " "),
        "topic": TOPICS.get(head.topic, head.topic),
    }
    try:
        question = drill.bank.question(item, 0)
    except (ExcerptError, KeyError):
        return named
    return {
        **named,
        "prompt": f"{question.scenario} {question.prompt}",
        "key": key_words(question),
        "explanation": question.explanation,
        "code": "" if question.code is None else question.code.text,
    }


def key_words(question: Question) -> str:
    """What there is to say or to choose from, and what a strong answer says."""
    body = question.body
    parts: list[str] = []
    if isinstance(body, ExplainBody):
        parts = [*(p.statement for p in body.points), body.model_answer]
    elif isinstance(body, ChoiceBody):
        parts = [o.text for o in body.options]
    elif isinstance(body, MutantBody):
        parts = [o.text for o in body.effects]
    elif isinstance(body, OrderBody):
        parts = [s.text for s in body.steps]
    elif isinstance(body, PredictBody):
        parts = [f.label for f in body.fields]
    elif isinstance(body, DiagnoseBody):
        parts = [c.text for c in body.causes]
    return " ".join(parts)
