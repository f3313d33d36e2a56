"""How much recalling an item on the day of the interview is worth: one number from 0 to 1.

A judgement, kept in small tables so that it can be argued with. It weighs what the plan spends
minutes on and how the expected readiness is averaged; it never changes what is right.
"""

from __future__ import annotations

from drill.domain.questions import LEVELS, Head, Level, Role

TOPIC: dict[str, tuple[float, float, float, float]] = {
    # Junior, mid, senior, staff. Asked of everyone, at any level: the loss, the forward process,
    # guidance and the loop are the mechanism itself, and a weak answer there ends an interview.
    "objective": (0.9, 1.0, 1.0, 0.9),
    "process": (0.9, 1.0, 0.9, 0.8),
    "cfg": (1.0, 1.0, 1.0, 0.9),
    "loop": (1.0, 1.0, 0.9, 0.8),
    # What the models are for opens an interview with a junior; later it is taken for granted.
    "overview": (1.0, 0.8, 0.6, 0.5),
    # Samplers are the senior's favourite follow-up: order, stochasticity, steps against quality.
    "scheduler": (0.7, 0.9, 1.0, 0.9),
    # Parts of the pipeline: shapes and factors for all, their design more with experience.
    "vae": (0.7, 0.8, 0.8, 0.8),
    "backbone": (0.5, 0.7, 0.8, 0.8),
    "conditioning": (0.6, 0.7, 0.7, 0.7),
    # Names and order of the API: what a junior touches first, what a staff engineer looks up.
    "pipeline": (0.8, 0.8, 0.7, 0.6),
    "adapters": (0.5, 0.7, 0.8, 0.8),
    # Cost and operation: senior and staff interviews are decided here.
    "memory": (0.4, 0.6, 0.9, 1.0),
    "serving": (0.3, 0.5, 0.9, 1.0),
}
OTHER_TOPIC = 0.7
"""A topic of a user's own pack: they wrote it because it matters to them."""
RELEVANCE = {"core": 1.0, "deep": 0.6, "quirk": 0.25}
"""Core is asked outright, deep is a follow-up, a quirk is luck."""
EASIER = (1.0, 0.7, 0.45, 0.3)
"""By levels under the learner's: taken for granted and sometimes asked to warm up."""
HARDER = (1.0, 0.5, 0.2, 0.08)
"""By levels above it: a bonus, then beside the point."""
FOCUS: dict[Role, frozenset[str]] = {
    "serving": frozenset({"memory", "serving", "loop", "pipeline", "backbone"}),
    "research": frozenset({"objective", "process", "scheduler", "cfg", "backbone", "vae"}),
    "applied": frozenset({"pipeline", "adapters", "conditioning", "cfg", "loop", "scheduler"}),
}
"""What interviews for a role dwell on."""
OUTSIDE_FOCUS = 0.75
OTHER_ROLE = 0.5
"""An item that names its roles and not this one."""


def importance(head: Head, level: Level, role: Role | None = None) -> float:
    """Weight of an item for an interview at `level` and for `role` (None: any), 0 to 1.

    The product of its topic's importance at that level, its relevance, how far its own level is
    from the learner's, and whether the role is asked about it.
    """
    own = LEVELS.index(level)
    weights = TOPIC.get(head.topic)
    weight = OTHER_TOPIC if weights is None else weights[own]
    away = LEVELS.index(head.level) - own
    weight *= RELEVANCE[head.relevance] * (HARDER[away] if away > 0 else EASIER[-away])
    if role is not None:
        if head.roles and role not in head.roles:
            weight *= OTHER_ROLE
        elif weights is not None and head.topic not in FOCUS[role]:
            weight *= OUTSIDE_FOCUS
    return weight
