"""The order in which options and steps are shown, and their letters."""

from __future__ import annotations

import random
from typing import TypeVar

from msgspec.structs import replace

from drill.domain.grading.precedence import broken_pairs
from drill.domain.questions import ChoiceBody, DiagnoseBody, MutantBody, OrderBody, Question

T = TypeVar("T")
_ATTEMPTS = 20


def letter(index: int) -> str:
    """Return the letter of the option at a 0-based place: a to z, then aa, ab, ..."""
    if index < 0:
        raise ValueError(f"no letter for place {index}")
    name = ""
    while index >= 0:
        name = chr(ord("a") + index % 26) + name
        index = index // 26 - 1
    return name


def shown(question: Question, seed: int) -> Question:
    """Return the question with its options, effects, causes or steps in the order of this showing.

    The order depends on the item and the seed alone. Steps are never shown in a right order,
    unless every order of them is right. The fields of a `predict` question keep their order,
    because their options are often a scale.
    """
    # Not a matter of security: the same seed must give the same showing.
    rng = random.Random(f"{question.head.id}:{seed}")  # noqa: S311
    body = question.body
    if isinstance(body, ChoiceBody):
        return replace(question, body=replace(body, options=_shuffled(body.options, rng)))
    if isinstance(body, MutantBody):
        return replace(question, body=replace(body, effects=_shuffled(body.effects, rng)))
    if isinstance(body, DiagnoseBody):
        return replace(question, body=replace(body, causes=_shuffled(body.causes, rng)))
    if isinstance(body, OrderBody):
        return replace(question, body=_shuffled_steps(body, rng))
    return question


def _shuffled(things: tuple[T, ...], rng: random.Random) -> tuple[T, ...]:
    order = list(things)
    rng.shuffle(order)
    return tuple(order)


def _shuffled_steps(body: OrderBody, rng: random.Random) -> OrderBody:
    shuffled = body
    for _ in range(_ATTEMPTS):
        shuffled = replace(body, steps=_shuffled(body.steps, rng))
        if broken_pairs([s.id for s in shuffled.steps], body):
            return shuffled
    # The key backwards breaks a constraint wherever there is one.
    place = {step_id: i for i, step_id in enumerate(body.key)}
    backwards = sorted(shuffled.steps, key=lambda s: -place.get(s.id, len(place)))
    return replace(body, steps=tuple(backwards))
