"""An interview while it runs: what was asked and said, as values that are stored as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from drill.domain.interview.choosing import Settings, Slot
from drill.domain.interview.rounds import DEBRIEF_MINUTES
from drill.domain.verdict import PointState

TurnKind = Literal["answer", "reply", "claim", "pass", "cut"]
"""`answer`: to the opening question; `reply`: to a probe; `claim`: "I said that", to a probe;
`pass`: the learner moves on; `cut`: time was up, this was typed so far."""
ProbeStyle = Literal["", "neutral", "pointed", "belief"]
Phase = Literal["asking", "debrief", "done"]


class Judged(Struct, frozen=True, omit_defaults=True):
    """What the grader made of a text, kept as it was judged at the time."""

    score: float
    """0 to 1."""
    points: Mapping[str, PointState] = {}
    quotes: Mapping[str, str] = {}
    """Point to the learner's sentence that matched."""
    beliefs: tuple[str, ...] = ()
    belief_quotes: Mapping[str, str] = {}
    stuffed: bool = False
    summary: str = ""
    expected: str = ""


class Turn(Struct, frozen=True, omit_defaults=True):
    """One thing that the learner said or did."""

    kind: TurnKind
    at: float
    """Seconds of the interview that were used by then."""
    text: str = ""
    target: str = ""
    """The point or belief that the probe was about."""
    style: ProbeStyle = ""
    probe: str = ""
    """The words of the probe."""
    judged: Judged | None = None
    by: str = ""
    """One line about what an outside judge did with the answer; empty where it had no part."""


class Record(Struct, frozen=True, omit_defaults=True):
    """One item of the interview."""

    item_id: str
    seed: int
    began: float
    """Seconds of the interview that were used when it was first shown."""
    turns: tuple[Turn, ...] = ()
    hints: int = 0
    findings: tuple[Any, ...] = ()
    """What was seen and bought of the broken pipeline of a `diagnose` item, as JSON."""
    locked: str = ""
    """An answer that stands and waits for the run that judges it."""
    ended: float | None = None
    run_id: str = ""
    ticks: tuple[str, ...] = ()
    """Points that the learner ticked at the debrief; `-id` takes an automatic credit back."""


class Interview(Struct, frozen=True, omit_defaults=True):
    """The whole state of an interview; store it as JSON after every change."""

    settings: Settings
    slots: tuple[Slot, ...]
    lacks: tuple[str, ...] = ()
    slot: int = 0
    stage: int = 0
    """Place in the items of the slot, from 0."""
    phase: Phase = "asking"
    seconds: float = 0.0
    """Active time used: pauses, while drill is closed, do not count."""
    running: bool = False
    """Whether the clock ran when this was stored."""
    draft: str = ""
    """What was typed so far for the present item."""
    records: tuple[Record, ...] = ()
    """One for each item that was shown, in order."""

    def to_json(self) -> dict[str, Any]:
        """A form that JSON can hold."""
        made: dict[str, Any] = msgspec.to_builtins(self)
        return made

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Interview:
        """The inverse of `to_json`."""
        return msgspec.convert(body, cls)

    @property
    def item(self) -> str:
        """The item in front of the learner; empty from the debrief on."""
        return self.slots[self.slot].items[self.stage] if self.phase == "asking" else ""

    @property
    def total_seconds(self) -> float:
        """Length of the whole interview."""
        return self.settings.minutes * 60.0

    @property
    def seconds_left(self) -> float:
        """Until the interview is over; not below 0."""
        return max(0.0, self.total_seconds - self.seconds)

    @property
    def asking_seconds_left(self) -> float:
        """Until the debrief begins; not below 0."""
        return max(0.0, self.total_seconds - DEBRIEF_MINUTES * 60.0 - self.seconds)

    def record(self, item_id: str) -> Record | None:
        """What was said about an item, if it was shown."""
        return next((r for r in self.records if r.item_id == item_id), None)


def with_record(interview: Interview, record: Record) -> Interview:
    """The interview with a record put in the place of the one of its item, or after all others."""
    known = [r.item_id for r in interview.records]
    if record.item_id not in known:
        return replace(interview, records=(*interview.records, record))
    records = tuple(record if r.item_id == record.item_id else r for r in interview.records)
    return replace(interview, records=records)


def shown(interview: Interview, seed: int) -> Interview:
    """The interview after its present item was put in front of the learner for the first time."""
    item = interview.item
    if not item or interview.record(item) is not None:
        return interview
    return with_record(interview, Record(item, seed, interview.seconds))


def said(interview: Interview, turn: Turn) -> Interview:
    """The interview with a turn added to its present item."""
    record = interview.record(interview.item)
    if record is None:
        raise ValueError(f"{interview.item!r} was not shown yet")
    return with_record(interview, replace(record, turns=(*record.turns, turn)))


def moved_on(interview: Interview) -> Interview:
    """The interview at its next item: the next stage, the next slot, or the debrief.

    When the time for questions is used up, the debrief comes next, whatever is left.
    """
    record = interview.record(interview.item)
    if record is not None and record.ended is None:
        interview = with_record(interview, replace(record, ended=interview.seconds))
    if interview.asking_seconds_left <= 0:
        return replace(interview, phase="debrief")
    if interview.stage + 1 < len(interview.slots[interview.slot].items):
        return replace(interview, stage=interview.stage + 1)
    if interview.slot + 1 < len(interview.slots):
        return replace(interview, slot=interview.slot + 1, stage=0)
    return replace(interview, phase="debrief")


def ticked(interview: Interview, item_id: str, point: str, *, credited: bool) -> Interview:
    """The interview with the learner's own tick on a point put on or taken off.

    `credited` says whether the point has automatic credit: then the tick takes it back.
    """
    record = interview.record(item_id)
    if record is None:
        raise KeyError(item_id)
    name = f"-{point}" if credited else point
    ticks = tuple(t for t in record.ticks if t != name)
    if len(ticks) == len(record.ticks):
        ticks = (*ticks, name)
    return with_record(interview, replace(record, ticks=ticks))
