"""What is remembered of an item, and its predicted recall: pure Python, no `fsrs` import."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import force_setattr

Grade: TypeAlias = Literal[1, 2, 3, 4]
"""FSRS rating: 1 Again, 2 Hard, 3 Good, 4 Easy. Hard is a pass."""
AGAIN: Grade = 1
HARD: Grade = 2
GOOD: Grade = 3
EASY: Grade = 4
GRADE_NAMES: dict[int, str] = {1: "again", 2: "hard", 3: "good", 4: "easy"}

DEFAULT_DECAY = 0.1542
"""w20 of the default FSRS-6 parameters: how flat the forgetting curve is."""


def as_grade(value: int) -> Grade:
    """`value` as a grade; raises ValueError when it is none of 1 to 4."""
    for grade in (AGAIN, HARD, GOOD, EASY):
        if value == grade:
            return grade
    raise ValueError(f"a grade is 1 (again), 2 (hard), 3 (good) or 4 (easy), got {value!r}")


class MemoryState(Struct, frozen=True):
    """Memory of one item after the log so far. Days are study days."""

    item_id: str
    stability: float = 0.0
    """Days until predicted recall has fallen to 0.9; 0 while never answered."""
    difficulty: float = 0.0
    """1 to 10; 0 while never answered."""
    due_day: int | None = None
    """None: a new item that nobody scheduled."""
    last_day: int | None = None
    first_day: int | None = None
    reps: int = 0
    """Answers that count for the memory, in-session retries included."""
    lapses: int = 0
    """Times it was forgotten on a later day than it had been answered."""
    last_grade: int = 0
    suspended: bool = False
    buried_until: int = 0
    """Hidden before this day."""
    leech: bool = False
    """Forgotten again and again; cleared once its stability passes 21 days."""
    known: bool = False
    """Marked as known by the placement and not yet confirmed by an answer."""
    retest_day: int = 0
    """Asked again on this day whatever the model says: it was wrong with full confidence."""
    decay: float = DEFAULT_DECAY

    @property
    def new(self) -> bool:
        """Whether nothing is known about the learner's memory of the item."""
        return self.stability <= 0

    def is_due(self, day: int) -> bool:
        """Whether it is to be asked on `day`."""
        return (
            self.due_day is not None
            and self.due_day <= day
            and self.buried_until <= day
            and not self.suspended
        )


STATE_FIELDS: tuple[str, ...] = MemoryState.__struct_fields__


class ParameterSet(Struct, frozen=True):
    """What the scheduler computed with; named by every answer, so that a replay is exact."""

    parameters: tuple[float, ...] = ()
    """The 21 weights of FSRS-6; empty: the package's defaults."""
    desired_retention: float = 0.90
    maximum_interval: int = 365
    """Days."""
    leech_lapses: int = 4
    origin: str = "default"
    """Where the weights come from: `default`, or which tuning produced them."""

    def __post_init__(self) -> None:
        force_setattr(self, "parameters", tuple(float(p) for p in self.parameters))
        force_setattr(self, "desired_retention", clamp_retention(self.desired_retention))
        force_setattr(self, "maximum_interval", clamp_interval(self.maximum_interval))

    @property
    def id(self) -> str:
        """Digest of the content: equal sets have the same id on every machine."""
        import hashlib
        import json

        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """JSON form without the id, which is its digest."""
        return {
            "parameters": list(self.parameters),
            "desired_retention": self.desired_retention,
            "maximum_interval": self.maximum_interval,
            "leech_lapses": self.leech_lapses,
            "origin": self.origin,
        }

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> ParameterSet:
        """The inverse of `to_json`."""
        return cls(
            parameters=tuple(body["parameters"]),
            desired_retention=body["desired_retention"],
            maximum_interval=body["maximum_interval"],
            leech_lapses=body["leech_lapses"],
            origin=body["origin"],
        )


def clamp_retention(value: float) -> float:
    """Desired retention within 0.70 to 0.97.

    Outside, intervals explode or the work does; `fsrs` itself accepts anything, even 0.
    """
    return min(0.97, max(0.70, float(value)))


def clamp_interval(days: int) -> int:
    """Longest interval within 1 to 365 days: nobody prepares for an interview for longer."""
    return min(365, max(1, int(days)))


def retrievability(state: MemoryState, day: int) -> float:
    """Predicted recall, 0 to 1, on study day `day`; 0 for an item never answered.

    FSRS-6: R(t, S) = (1 + F t / S)^-w20 with F = 0.9^(-1/w20) - 1, so that R(S, S) = 0.9.
    Equal to `Scheduler.get_card_retrievability` of the `fsrs` package (a test compares them).
    """
    if state.stability <= 0 or state.last_day is None:
        return 0.0
    elapsed = max(0, day - state.last_day)
    return recall_after(elapsed, state.stability, state.decay)


def recall_after(elapsed: float, stability: float, decay: float = DEFAULT_DECAY) -> float:
    """Predicted recall `elapsed` days after an answer that left `stability` days."""
    factor = 0.9 ** (-1.0 / decay) - 1.0
    return float((1.0 + factor * elapsed / stability) ** -decay)
