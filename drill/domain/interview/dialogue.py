"""What an interviewer does next about one question: probe, come back to a belief, or move on.

After the opening answer every essential point that the level expects and that was not said gets a
neutral probe, then a pointed one, then the interviewer gives it and moves on; at most `MOST_PROBES`
probes a question. A misconception gets one probe of its own before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from drill.domain.interview.credit import how_said
from drill.domain.interview.rounds import rank
from drill.domain.interview.state import ProbeStyle, Turn
from drill.domain.questions import Bar, ExplainBody, Point, Question

MOST_PROBES = 3
"""Neutral and pointed probes for one question."""


class Move(Struct, frozen=True):
    """What the interviewer does."""

    kind: Literal["open", "probe", "done"]
    text: str = ""
    """The words of the probe."""
    target: str = ""
    """The point or belief that it is about."""
    style: ProbeStyle = ""
    given: str = ""
    """The statement of a point that two probes did not bring out."""


OPEN = Move("open")
DONE = Move("done")


def next_move(question: Question, level: Bar, turns: Sequence[Turn]) -> Move:
    """The move after what was said so far about a question."""
    if not turns:
        return OPEN
    body = question.body
    if not isinstance(body, ExplainBody) or turns[-1].kind == "cut":
        return DONE
    if turns[-1].kind == "pass" and not turns[-1].style:
        return DONE
    belief = _belief_probe(body, turns)
    if belief is not None:
        return belief
    given = _given(body, level, turns)
    if _probes(turns) >= MOST_PROBES:
        return Move("done", given=given)
    for point in expected(body, level):
        if how_said(point.id, turns) in ("missed", "asked"):
            style = _next_style(point, body, turns)
            if style is not None:
                return Move("probe", _words(point, body, style), point.id, style, given)
    return Move("done", given=given)


def expected(body: ExplainBody, level: Bar) -> list[Point]:
    """The essential points that an interviewer at this level waits for."""
    return [
        point
        for point in body.points
        if point.weight == "essential" and (not point.bar or rank(point.bar) <= rank(level))
    ]


def _probes(turns: Sequence[Turn]) -> int:
    return sum(turn.style in ("neutral", "pointed") for turn in turns)


def _styles(point: str, turns: Sequence[Turn]) -> set[str]:
    """Probes about a point that were answered in any way; a claim or a pass ends them."""
    styles: set[str] = {turn.style for turn in turns if turn.target == point}
    if any(turn.target == point and turn.kind in ("claim", "pass") for turn in turns):
        styles |= {"neutral", "pointed"}
    return styles


def _next_style(point: Point, body: ExplainBody, turns: Sequence[Turn]) -> ProbeStyle | None:
    probe = next((p for p in body.probes if p.point == point.id), None)
    if probe is None:
        return None
    done = _styles(point.id, turns)
    if "neutral" not in done:
        return "neutral"
    return "pointed" if "pointed" not in done and probe.pointed else None


def _words(point: Point, body: ExplainBody, style: ProbeStyle) -> str:
    probe = next(p for p in body.probes if p.point == point.id)
    return probe.neutral if style == "neutral" else probe.pointed


def _belief_probe(body: ExplainBody, turns: Sequence[Turn]) -> Move | None:
    if any(turn.style == "belief" for turn in turns):
        return None
    shown = [b for turn in turns if turn.judged for b in turn.judged.beliefs]
    for belief in body.misconceptions:
        if belief.id in shown:
            words = belief.probe or (
                f"Let me check that I understood you: {belief.statement} Is that what you mean?"
            )
            return Move("probe", words, belief.id, "belief")
    return None


def _given(body: ExplainBody, level: Bar, turns: Sequence[Turn]) -> str:
    """What the interviewer gives away before moving on: the point of the last probe, where that
    was its last one and it is still missing."""
    last = turns[-1]
    if last.style not in ("neutral", "pointed") or last.kind not in ("reply", "pass"):
        return ""
    point = next((p for p in expected(body, level) if p.id == last.target), None)
    if point is None or how_said(point.id, turns) not in ("missed", "asked"):
        return ""
    more = _probes(turns) < MOST_PROBES and _next_style(point, body, turns) is not None
    return "" if more else point.statement
