"""What is said at the end of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from drill.domain.memory.rating import confidently_wrong
from drill.domain.verdict import PASS_MARK

if TYPE_CHECKING:
    from drill.services.app import Drill


class Summary(Struct, frozen=True):
    """What is said at the end of a session."""

    answered: int
    right: int
    partly: int
    wrong: int
    minutes: float
    sure_and_wrong: tuple[str, ...]
    beliefs: tuple[str, ...]
    tomorrow: str
    empty_reason: str = ""


def summary_of(drill: Drill, session_id: str, empty_reason: str) -> Summary:
    """Count the answers of a session; retries are not counted."""
    store = drill.store
    day = store.today()
    answers = [a for a in store.answers(day - 1) if a.session_id == session_id]
    first = [a for a in answers if a.mode != "retry"]
    scores = [a.auto_score if a.self_score is None else a.self_score for a in first]
    right = sum(score >= PASS_MARK for score in scores)
    wrong = sum(score < 0.5 for score in scores)
    sure = [a.item_id for a in first if confidently_wrong(a.grade, a.confidence)]
    names = dict.fromkeys(name for a in first for name in a.misconceptions)
    registry = drill.bank.misconceptions
    return Summary(
        answered=len(first),
        right=right,
        partly=len(first) - right - wrong,
        wrong=wrong,
        minutes=sum(a.duration_ms for a in answers) / 60000,
        sure_and_wrong=tuple(_title(drill, item) for item in sure),
        beliefs=tuple(registry[n].belief for n in names if n in registry),
        tomorrow=_tomorrow(drill, day),
        empty_reason=empty_reason,
    )


def _tomorrow(drill: Drill, day: int) -> str:
    """What the next day brings: what is due, or the plan to the interview."""
    from drill.services.planning import countdown

    left = countdown(drill)
    if left is not None:
        if left == 0:
            return "The interview is today: good luck."
        if left == 1:
            return "Tomorrow is the interview: good luck."
        return f"Tomorrow's plan starts from today's answers; {left} days to the interview."
    due = len([i for i in drill.store.due(day + 1) if i in drill.bank.heads])
    return f"Tomorrow {due} {'item is' if due == 1 else 'items are'} due."


def _title(drill: Drill, item_id: str) -> str:
    try:
        prompt = drill.bank.question(item_id, 0).prompt
    except (KeyError, ValueError):
        return item_id
    words = " ".join(prompt.split())
    return words if len(words) <= 72 else words[:71] + "…"
