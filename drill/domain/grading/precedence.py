"""Partial orders of the steps of an `order` question."""

from __future__ import annotations

from collections.abc import Sequence

from drill.domain.questions import OrderBody


def direct_constraints(body: OrderBody) -> dict[str, tuple[str, ...]]:
    """Map each step of the key to the steps that must come before it.

    A step without `after` follows the step that stands before it in the key.
    """
    steps = {step.id: step for step in body.steps}
    befores: dict[str, tuple[str, ...]] = {}
    previous = ""
    for step_id in body.key:
        after = steps[step_id].after
        if after is None:
            after = (previous,) if previous else ()
        befores[step_id] = after
        previous = step_id
    return befores


def all_constraints(body: OrderBody) -> dict[str, frozenset[str]]:
    """Map each step of the key to every step before it, also through others."""
    direct = direct_constraints(body)
    closed: dict[str, frozenset[str]] = {}
    for step_id in body.key:
        found: set[str] = set()
        todo = list(direct[step_id])
        while todo:
            before = todo.pop()
            if before not in found:
                found.add(before)
                todo.extend(direct.get(before, ()))
        closed[step_id] = frozenset(found)
    return closed


def broken_pairs(order: Sequence[str], body: OrderBody) -> list[tuple[str, str]]:
    """Return the pairs (early, late) that must stand so and stand the other way round."""
    before = all_constraints(body)
    place = {step_id: i for i, step_id in enumerate(order)}
    return [
        (early, late)
        for late in body.key
        for early in body.key
        if early in before[late] and early in place and late in place and place[early] > place[late]
    ]


def longest_consistent(order: Sequence[str], body: OrderBody) -> tuple[str, ...]:
    """Return a largest set of the steps in `order` whose places contradict no constraint.

    The contradicting pairs form a partial order themselves (one order reversed, cut with
    another), so a largest set without such a pair is a largest antichain, which a maximum
    bipartite matching finds (Dilworth; König). `order` holds steps of the key only.
    """
    later: dict[str, list[str]] = {step_id: [] for step_id in order}
    for early, late in broken_pairs(order, body):
        later[early].append(late)
    matched: dict[str, str] = {}
    """Right side to left side."""

    def augment(left: str, seen: set[str]) -> bool:
        for right in later[left]:
            if right not in seen:
                seen.add(right)
                if right not in matched or augment(matched[right], seen):
                    matched[right] = left
                    return True
        return False

    for left in order:
        augment(left, set())
    # König: what an alternating path from an unmatched left vertex reaches is not in the cover.
    reached_left = set(order) - set(matched.values())
    reached_right: set[str] = set()
    todo = list(reached_left)
    while todo:
        for right in later[todo.pop()]:
            if right not in reached_right:
                reached_right.add(right)
                left = matched[right]
                if left not in reached_left:
                    reached_left.add(left)
                    todo.append(left)
    return tuple(s for s in order if s in reached_left and s not in reached_right)
