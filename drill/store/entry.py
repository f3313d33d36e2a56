"""What goes into the log and what comes back of writing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from drill.domain.memory.events import Event, Kind, Mode
from drill.domain.memory.state import MemoryState


class Review(Struct, frozen=True):
    """A judged answer, as a session hands it over."""

    item_id: str
    """Pack-qualified."""
    type: str
    content_hash: str
    seed: int
    """Of the presentation: which variant and which order were shown."""
    answer: str
    auto_score: float
    auto_grade: int
    grade: int
    """The grade that counts; another than `auto_grade` where the learner overruled it at once."""
    mode: Mode = "session"
    duration_ms: int = 0
    expected_seconds: float = 0.0
    confidence: int | None = None
    hints: int = 0
    self_score: float | None = None
    said_aloud: bool = False
    session_id: str = ""
    points: Mapping[str, str] = {}
    """Point id to `credited`, `ask`, `missed` or `ticked` (by the learner)."""
    misconceptions: tuple[str, ...] = ()
    """Beliefs that the answer showed."""
    run_id: str = ""
    """The experiment run that judged it."""
    schedules: bool | None = None
    """Whether it changes the memory; None: by its mode (mock and cram do not)."""
    uuid: str = ""
    """Given: recording it twice has the effect of once."""


REVIEW_FIELDS = Review.__struct_fields__


class Recorded(Struct, frozen=True):
    """What a write did: the event, and the item's memory before and after it."""

    uuid: str
    at: str
    kind: Kind
    study_day: int
    item_id: str
    before: MemoryState | None
    state: MemoryState
    target: str = ""


def to_event(row: Mapping[str, Any]) -> Event:
    """What replay needs of a row that is about to be written."""
    return Event(
        uuid=row["uuid"],
        at=row["at"],
        kind=row["kind"],
        item_id=row["item_id"],
        study_day=row["study_day"],
        target=row.get("target") or "",
        schedules=bool(row.get("schedules")),
        grade=row.get("grade") or 0,
        confidence=row.get("confidence"),
        mode=row.get("mode") or "",
        until_day=row.get("until_day") or 0,
        parameter_set=row.get("parameter_set") or "",
    )


def new_uuid() -> str:
    """A random UUID as text."""
    import uuid

    return str(uuid.uuid4())
