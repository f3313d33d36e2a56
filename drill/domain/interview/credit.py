"""What each thing that an interview asked for is worth: said unprompted, after a probe, or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from drill.domain.interview.rounds import axis_of, rank
from drill.domain.interview.state import Record, Turn
from drill.domain.questions import Axis, Bar, ExplainBody, Point, Question

How: TypeAlias = Literal["unprompted", "neutral", "pointed", "claimed", "asked", "missed"]
"""How a point came out. `claimed`: the learner answered a probe with "I said that"; `asked`: the
grader is in doubt; neither has credit before the learner ticks it."""

CREDIT: dict[How, float] = {"unprompted": 1.0, "neutral": 0.7, "pointed": 0.4}
BONUS_WEIGHT = 0.5
LIFT_WEIGHT = 0.25
"""What a point above the level adds where it was said; where it was not, it costs nothing."""
BELIEF_WEIGHT = 1.0
"""A misconception that was held against its probe counts as one essential point that was missed."""
HINT_COST = 0.15
LEAST_WITH_HINTS = 0.4
LONGEST_WEIGHT = 4.0
"""A question without a rubric counts as many points as it takes minutes, from 1 to this."""


class Atom(Struct, frozen=True):
    """One thing that is scored: a point of a rubric, a held belief, or a whole question."""

    item_id: str
    id: str
    """The point's id; empty for a whole question."""
    statement: str
    axis: Axis
    bar: Bar | Literal[""]
    """Level from which on it is expected; empty: at all of them."""
    weight: float
    how: How
    low: float
    """Automatic credit, 0 to 1."""
    high: float
    """Credit after the learner's own ticks, 0 to 1."""
    quote: str = ""
    essential: bool = True
    belief: bool = False


def how_said(point: str, turns: Sequence[Turn]) -> How:
    """How a point came out of what was said; a claim counts where nothing was found."""
    doubt = claimed = False
    for turn in turns:
        if turn.kind == "claim" and turn.target == point:
            claimed = True
        state = turn.judged.points.get(point) if turn.judged else None
        if state == "ask":
            doubt = True
        if state != "credited":
            continue
        if not turn.style or turn.style == "belief":
            return "unprompted" if not turn.style else "neutral"
        # What a probe about something else brings out was not asked for by name.
        return "pointed" if turn.style == "pointed" and turn.target == point else "neutral"
    if claimed:
        return "claimed"
    return "asked" if doubt else "missed"


def quote_of(point: str, turns: Sequence[Turn]) -> str:
    """The learner's sentence that earned a point."""
    for turn in turns:
        if turn.judged and turn.judged.points.get(point) == "credited":
            return turn.judged.quotes.get(point, "")
    return ""


def held_beliefs(turns: Sequence[Turn]) -> tuple[str, ...]:
    """Misconceptions that were shown and not taken back.

    A belief is taken back by a reply to its own probe that does not show it again and earns a
    point or says that it was wrong (`taken_back`); one that was never probed counts as held.
    """
    shown: dict[str, bool] = {}
    for turn in turns:
        if turn.style == "belief" and turn.target in shown:
            again = turn.judged is not None and turn.target in turn.judged.beliefs
            shown[turn.target] = again or not taken_back(turn)
        for belief in turn.judged.beliefs if turn.judged else ():
            shown.setdefault(belief, True)
    return tuple(name for name, held in shown.items() if held)


_TURNS_BACK = (
    "no,",
    "no.",
    "not ",
    "n't",
    "wrong",
    "mistake",
    "misspoke",
    "mis-spoke",
    "correct myself",
    "take that back",
    "rather",
    "actually",
    "sorry",
    "instead",
    "i meant",
)


def taken_back(turn: Turn) -> bool:
    """Whether the reply to a belief's probe turns from it."""
    if turn.kind != "reply" or turn.judged is None:
        return False
    if "credited" in turn.judged.points.values():
        return True
    text = f"{turn.text.strip().lower()} "
    return any(word in text for word in _TURNS_BACK)


def atoms(question: Question, record: Record) -> list[Atom]:
    """Everything that is scored of one item; none where it was shown and never answered.

    An answer that nothing judged, because the time was up or because it cannot be judged here, is
    not scored either.
    """
    if not any(turn.kind == "pass" or turn.text.strip() for turn in record.turns):
        return []
    if isinstance(question.body, ExplainBody):
        return _rubric(question, question.body, record)
    if not any(turn.kind == "pass" or turn.judged for turn in record.turns):
        return []
    return [_whole(question, record)]


def _rubric(question: Question, body: ExplainBody, record: Record) -> list[Atom]:
    made = [_point(question, point, record) for point in body.points]
    held = held_beliefs(record.turns)
    for belief in body.misconceptions:
        if belief.id in held:
            quote = next(
                (
                    turn.judged.belief_quotes.get(belief.id, "")
                    for turn in record.turns
                    if turn.judged and belief.id in turn.judged.beliefs
                ),
                "",
            )
            made.append(
                Atom(
                    record.item_id,
                    belief.id,
                    belief.statement,
                    axis_of(question.head),
                    "",
                    BELIEF_WEIGHT,
                    "missed",
                    0.0,
                    0.0,
                    quote,
                    belief=True,
                )
            )
    return made


def _point(question: Question, point: Point, record: Record) -> Atom:
    how = how_said(point.id, record.turns)
    low = CREDIT.get(how, 0.0) * _with_hints(record)
    high = low
    if point.id in record.ticks:
        high = 1.0
    if f"-{point.id}" in record.ticks:
        high = 0.0
    axis: Axis = point.axis or axis_of(question.head)  # type: ignore[assignment]
    return Atom(
        record.item_id,
        point.id,
        point.statement,
        axis,
        point.bar,  # type: ignore[arg-type]
        1.0 if point.weight == "essential" else BONUS_WEIGHT,
        how,
        low,
        high,
        quote_of(point.id, record.turns),
        point.weight == "essential",
    )


def _whole(question: Question, record: Record) -> Atom:
    judged = next((t.judged for t in reversed(record.turns) if t.judged), None)
    score = (judged.score if judged else 0.0) * _with_hints(record)
    text = next((t.text for t in reversed(record.turns) if t.text), "")
    weight = min(LONGEST_WEIGHT, max(1.0, question.head.seconds / 60))
    how: How = "unprompted" if score > 0 else "missed"
    return Atom(
        record.item_id,
        "",
        question.prompt.strip().splitlines()[0] if question.prompt.strip() else "",
        axis_of(question.head),
        "",
        weight,
        how,
        score,
        score,
        " ".join(text.split())[:160],
    )


def _with_hints(record: Record) -> float:
    return max(LEAST_WITH_HINTS, 1.0 - HINT_COST * record.hints)


def weight_at(atom: Atom, level: Bar) -> tuple[float, float]:
    """Weight of an atom in what is earned and in what is expected, at a level's bar."""
    if not atom.bar or rank(atom.bar) <= rank(level):
        return atom.weight, atom.weight
    return LIFT_WEIGHT * atom.weight, 0.0
