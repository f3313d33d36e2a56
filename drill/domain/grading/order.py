"""Type `order`: put steps in order, where some of them may commute."""

from __future__ import annotations

from drill.domain.grading.picking import labelled, pick_many
from drill.domain.grading.precedence import (
    all_constraints,
    broken_pairs,
    direct_constraints,
    longest_consistent,
)
from drill.domain.grading.result import capped, judged, malformed
from drill.domain.presentation import letter
from drill.domain.questions import Option, OrderBody, Question, Step
from drill.domain.verdict import Fault, Verdict

_SHOWN_FAULTS = 4


def grade_order(question: Question, answer: str) -> Verdict:
    """Judge an order of steps against the constraints, not against one sequence.

    An answer that holds every step of the key and breaks no constraint is right, however it
    differs from the key's own order. Otherwise the credit counts the ordered pairs that the
    constraints name, also through other steps: (kept - broken) / all of them, so that a random
    order earns 0 on average; a pair with a missing step counts as neither. It is multiplied by
    n / (n + distractors used), n being the steps of the key, and capped at `PARTIAL_CAP`.
    """
    body = question.body
    assert isinstance(body, OrderBody)
    if not answer.strip():
        raise malformed("The answer is empty.", "order")
    options = [Option(s.id, s.text) for s in body.steps]
    placed = [body.steps[i] for i in pick_many(answer, options, "order")]
    in_key = set(body.key)
    order = [s.id for s in placed if s.id in in_key]
    strays = [s for s in placed if s.id not in in_key]
    missing = [s for s in _key_steps(body) if s.id not in order]
    broken = broken_pairs(order, body)
    right = not (strays or missing or broken)

    pairs = sum(len(b) for b in all_constraints(body).values())
    present = set(order)
    known = sum(
        early in present and late in present
        for late, before in all_constraints(body).items()
        for early in before
    )
    kept = known - len(broken)
    n = len(body.key)
    score = (kept - len(broken)) / pairs if pairs else len(order) / n
    score *= n / (n + len(strays))

    in_place = longest_consistent(order, body)
    faults = [
        Fault(
            f"{_named(s, body)}: does not belong here.{' ' + s.says if s.says else ''}",
            s.misconception,
        )
        for s in strays
    ]
    faults += _displaced(order, in_place, broken, body)
    if missing:
        faults.append(Fault("Missing: " + "; ".join(_named(s, body) for s in missing) + "."))
    good = []
    if order and not right:
        good.append(f"{len(in_place)} of {n} steps stand in a right order among themselves.")
    summary = "Right."
    if right and tuple(order) != body.key:
        summary = "Right: another order than the key's, and no constraint is broken."
    elif not right:
        counts = [
            (len(order) - len(in_place), "out of place"),
            (len(missing), "missing"),
            (len(strays), "not belonging"),
        ]
        said = ", ".join(f"{count} {what}" for count, what in counts if count)
        summary = f"{'Partly' if score > 0 else 'Not'} right: {said}."
    return judged(
        1.0 if right else capped(score),
        expected=expected_order(question),
        understood=" ".join(letter(body.steps.index(s)) for s in placed),
        summary=summary,
        good=good,
        faults=faults,
    )


def expected_order(question: Question) -> str:
    """Return the key's order, one step a line with its letter as shown."""
    body = question.body
    assert isinstance(body, OrderBody)
    return "\n".join(_named(step, body) for step in _key_steps(body))


def _displaced(
    order: list[str], in_place: tuple[str, ...], broken: list[tuple[str, str]], body: OrderBody
) -> list[Fault]:
    """Name each step that must move, with a constraint it breaks: a stated one if it can."""
    steps = {s.id: s for s in body.steps}
    direct = direct_constraints(body)
    faults = []
    for step_id in order:
        if step_id in in_place:
            continue
        mine = [pair for pair in broken if step_id in pair]
        # A stated constraint says more than an implied one, a conflict with a step that stays
        # more than one with another that moves.
        mine.sort(key=lambda p: (p[0] not in direct[p[1]], not set(p) & set(in_place)))
        early, late = mine[0]
        # The constraint belongs to the later step; what is said of that one fits best.
        told = next((steps[s] for s in (late, step_id) if steps[s].says), steps[late])
        says = f"{_named(steps[late], body)}: comes only after {_named(steps[early], body)}."
        belief = steps[late].misconception or steps[step_id].misconception
        faults.append(Fault(f"{says} {told.says}".strip(), belief))
    more = len(faults) - _SHOWN_FAULTS
    if more > 0:
        faults = [*faults[:_SHOWN_FAULTS], Fault(f"And {more} more out of place.")]
    return faults


def _key_steps(body: OrderBody) -> list[Step]:
    steps = {s.id: s for s in body.steps}
    return [steps[step_id] for step_id in body.key]


def _named(step: Step, body: OrderBody) -> str:
    return labelled(body.steps.index(step), step.text)
