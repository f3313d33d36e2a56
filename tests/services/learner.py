"""A learner with a history: days of practice and interviews, answered by chance under a seed."""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from drill.domain.memory.state import retrievability
from drill.domain.questions import Question
from drill.services.app import Drill
from drill.services.planning import plan
from drill.store.entry import Review
from tests.conftest import Clock
from tests.memory.bank import bank


def answer(
    drill: Drill,
    item: str,
    *,
    right: bool,
    mode: str = "session",
    confidence: int = 2,
    seconds: float = 40.0,
) -> None:
    """Record one answer as a session would."""
    head = drill.bank.heads[item]
    grade = 3 if right else 1
    drill.store.record(
        Review(
            item_id=item,
            type=head.type,
            content_hash=head.content_hash,
            seed=0,
            answer="x",
            auto_score=1.0 if right else 0.0,
            auto_grade=grade,
            grade=grade,
            mode=mode,  # type: ignore[arg-type]
            duration_ms=round(seconds * 1000),
            expected_seconds=head.seconds,
            confidence=confidence,
        )
    )


def practise(
    drill: Drill,
    clock: Clock,
    days: int,
    *,
    minutes: float = 20.0,
    seed: int = 0,
    first: float = 0.45,
    scale: float = 1.0,
) -> None:
    """Practise today's plan on each of so many days; the clock ends on the day after.

    A new item is right with the chance `first`, another with the recall that the model predicts
    for `scale` times the stability. A miss is tried again at once, and then right.
    """
    draw = Random(seed)
    for _ in range(days):
        today = drill.store.today()
        for planned in plan(drill, minutes)[0]:
            state = drill.store.state(planned.item_id)
            chance = first
            if state is not None and not state.new:
                chance = retrievability(replace(state, stability=scale * state.stability), today)
            right = draw.random() < chance
            sure = draw.choice((1, 2, 2, 3))
            seconds = draw.uniform(0.5, 1.2) * drill.bank.heads[planned.item_id].seconds
            answer(drill, planned.item_id, right=right, confidence=sure, seconds=seconds)
            if not right:
                answer(drill, planned.item_id, right=True, mode="retry", seconds=seconds / 2)
        clock.forward(days=1)


def interview(drill: Drill, count: int, *, seed: int = 0, right: float = 0.5) -> None:
    """A mock interview's answers to so many items of the reserve that none has asked before."""
    draw = Random(seed)
    seen = drill.store.mock_counts()
    fresh = [i for i, head in drill.bank.heads.items() if head.reserve and i not in seen]
    for item in fresh[:count]:
        answer(drill, item, right=draw.random() < right, mode="mock", seconds=120.0)


def crowd(drill: Drill, topics: tuple[str, ...], each: int, **changes: object) -> None:
    """Put `each` items of every level of every topic into the bank, for the sample's own."""
    sample = drill.bank.question("sample:sc.sample-choice", 0)
    heads = bank(topics, each, **changes)

    def question(item_id: str, seed: int) -> Question:
        return replace(sample, head=heads[item_id], prompt=f"What is {item_id}?")

    drill.bank.heads.clear()
    drill.bank.heads.update(heads)
    drill.bank.question = question  # type: ignore[method-assign]
    drill._standings = dict.fromkeys(heads, "proven")
