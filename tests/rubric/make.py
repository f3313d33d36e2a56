"""Short ways to write rubrics in tests."""

from __future__ import annotations

from drill.domain.questions import Belief, Point
from drill.domain.rubric import RubricResult, judge


def point(
    *accept: str, statement: str = "", unless: tuple[str, ...] = (), name: str = "p"
) -> Point:
    return Point(name, statement, "essential", accept, unless)


def belief(*accept: str, statement: str = "", name: str = "m") -> Belief:
    return Belief(name, statement, accept)


def state(recipe: str, text: str) -> str:
    """State of a single point with one recipe and no statement."""
    return judge(text, [point(recipe)]).points[0].state


def found(recipe: str, text: str) -> bool:
    return state(recipe, text) == "credited"


def states(result: RubricResult) -> dict[str, str]:
    return {p.id: p.state for p in result.points}
