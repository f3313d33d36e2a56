"""The rounds of an interview, what they hold, and how long they last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from drill.domain.questions import LEVELS, Axis, Bar, Head, Round

Mode = Literal["real", "study"]
"""`real`: a visible timer and nothing else until the end; `study`: hints, and feedback after each
question."""

LENGTHS: tuple[int, ...] = (15, 30, 45, 60)
"""Minutes that an interview may last."""
DEBRIEF_MINUTES = 3.0
"""Kept at the end of every length for reading one's answers over."""
MODES: tuple[Mode, ...] = ("real", "study")

ROUNDS: dict[Round, str] = {
    "warmup": "Warm-up",
    "theory": "Theory",
    "reading": "Code reading",
    "coding": "Coding from blank",
    "experiment": "Experiment",
    "estimate": "Estimation",
    "design": "Serving and design",
}
AXES: dict[Axis, str] = {
    "mechanism": "Mechanism",
    "code": "Shapes and code",
    "tradeoff": "Trade-off and cost",
    "debugging": "Debugging and measurement",
}

_ROUND_OF_TYPE: dict[str, Round] = {
    "explain": "theory",
    "line": "reading",
    "mutant": "reading",
    "output": "reading",
    "code": "coding",
    "predict": "experiment",
    "diagnose": "experiment",
}
_AXIS_OF_TYPE: dict[str, Axis] = {
    "shape": "code",
    "line": "code",
    "mutant": "code",
    "output": "code",
    "code": "code",
    "number": "tradeoff",
    "predict": "debugging",
    "diagnose": "debugging",
}


class Part(Struct, frozen=True):
    """A place in the course of an interview."""

    round: Round
    minutes: float


PARTS: Mapping[int, tuple[Part, ...]] = {
    15: (Part("warmup", 2), Part("theory", 6), Part("reading", 4)),
    30: (
        Part("warmup", 2),
        Part("theory", 6),
        Part("theory", 5),
        Part("reading", 4),
        Part("experiment", 4),
        Part("estimate", 6),
    ),
    45: (
        Part("warmup", 2),
        Part("warmup", 2),
        Part("theory", 6),
        Part("theory", 6),
        Part("reading", 5),
        Part("experiment", 5),
        Part("estimate", 6),
        Part("design", 10),
    ),
    60: (
        Part("warmup", 2),
        Part("theory", 6),
        Part("theory", 5),
        Part("reading", 4),
        Part("coding", 20),
        Part("experiment", 5),
        Part("estimate", 6),
        Part("design", 9),
    ),
}
"""What an interview of so many minutes consists of, in order; the rest is the debrief."""


def parts_of(minutes: int, level: Bar) -> tuple[Part, ...]:
    """The course of an interview: half an hour holds a design from senior on, else an estimate.

    Raises ValueError for a length that is not offered.
    """
    if minutes not in PARTS:
        offered = ", ".join(map(str, LENGTHS))
        raise ValueError(f"an interview lasts {offered} minutes, not {minutes}")
    parts = PARTS[minutes]
    if minutes == 30 and level != "mid":
        parts = (*parts[:-1], Part("design", parts[-1].minutes))
    return parts


def round_of(head: Head) -> Round:
    """The round that an item belongs to: its own, or that of its type."""
    return head.round or _ROUND_OF_TYPE.get(head.type, "warmup")  # type: ignore[return-value]


def axis_of(head: Head) -> Axis:
    """What an item measures: its own axis, or that of its type."""
    return head.axis or _AXIS_OF_TYPE.get(head.type, "mechanism")  # type: ignore[return-value]


def rank(level: str) -> int:
    """Place of a level, from junior (0) to staff (3)."""
    return LEVELS.index(level)
