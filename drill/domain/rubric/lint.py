"""Checks of a rubric's keys: what a pack's author must know before a learner does."""

from __future__ import annotations

from collections.abc import Iterable

from drill.domain.questions import Belief, ExplainBody, Point
from drill.domain.rubric.engine import believes, judge, read_sentence, vocabulary_of
from drill.domain.rubric.recipes import RecipeError, parse
from drill.domain.rubric.text import sentences_of


def lint_item(body: ExplainBody) -> list[str]:
    """Return what is wrong with the keys of an `explain` item, one sentence a fault.

    Every recipe can be read; each statement earns its own point and shows no misconception; each
    misconception's statement trips its own recipe and earns no point; the model answer, where one
    is given, earns every essential point and shows no misconception. With a recipe that cannot be
    read nothing else is checked.
    """
    faults = list(_syntax(body))
    if faults:
        return faults
    for point in body.points:
        faults.extend(_point_faults(point, body))
    for belief in body.misconceptions:
        faults.extend(_belief_faults(belief, body))
    if body.model_answer.strip():
        faults.extend(_model_faults(body))
    return faults


def _syntax(body: ExplainBody) -> Iterable[str]:
    for point in body.points:
        if not point.accept:
            yield f"point {point.id}: has no recipe under `accept`"
        for recipe in (*point.accept, *point.unless):
            yield from _unreadable(f"point {point.id}", recipe)
    for belief in body.misconceptions:
        if not belief.accept:
            yield f"misconception {belief.id}: has no recipe under `accept`"
        for recipe in belief.accept:
            yield from _unreadable(f"misconception {belief.id}", recipe)


def _unreadable(owner: str, recipe: str) -> Iterable[str]:
    try:
        parse(recipe)
    except RecipeError as error:
        yield f"{owner}: {error}"


def _point_faults(point: Point, body: ExplainBody) -> Iterable[str]:
    result = judge(point.statement, body.points, body.misconceptions)
    own = next(found for found in result.points if found.id == point.id)
    for belief in result.misconceptions:
        yield f"point {point.id}: its statement trips misconception {belief}; narrow that recipe"
    if own.state != "credited" and not result.misconceptions:
        why = f" ({own.reason})" if own.reason else ""
        yield (
            f"point {point.id}: its own statement is {own.state}, not credited{why}; "
            f"add a recipe that matches {point.statement!r}"
        )


def _belief_faults(belief: Belief, body: ExplainBody) -> Iterable[str]:
    statements = [p.statement for p in body.points] + [b.statement for b in body.misconceptions]
    vocabulary = vocabulary_of(statements)
    readings = [read_sentence(s, vocabulary) for s in sentences_of(belief.statement)]
    if not any(
        believes(parse(recipe), reading) for recipe in belief.accept for reading in readings
    ):
        yield (
            f"misconception {belief.id}: its own statement does not trip it; "
            f"add a recipe that matches {belief.statement!r}"
        )
    for found in judge(belief.statement, body.points).points:
        if found.state == "credited":
            yield (
                f"misconception {belief.id}: its statement earns point {found.id} "
                f"(by {', '.join(map(repr, found.matched))}); "
                "name the subject in that recipe or add an `unless`"
            )


def _model_faults(body: ExplainBody) -> Iterable[str]:
    result = judge(body.model_answer, body.points, body.misconceptions)
    for found in result.points:
        if found.essential and found.state != "credited":
            why = f" ({found.reason})" if found.reason else ""
            yield f"model_answer: essential point {found.id} is {found.state}, not credited{why}"
    for belief in result.misconceptions:
        yield f"model_answer: trips misconception {belief}"
