"""Questions to JSON and back. Their heads stand in the bank's index, not in each variant."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from drill.domain.questions import (
    BODIES,
    Code,
    ExperimentLink,
    Head,
    Param,
    Question,
    Source,
)


class Variant(Struct, frozen=True, omit_defaults=True):
    """A question without its head, whose type says how to read the body."""

    variant: int
    prompt: str
    body: Raw
    explanation: str
    scenario: str = ""
    params: Mapping[str, Param] = {}
    code: Code | None = None
    hints: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    experiment: ExperimentLink | None = None
    follow_up: tuple[str, ...] = ()


_SHARED = tuple(name for name in Variant.__struct_fields__ if name != "body")


def to_line(question: Question) -> bytes:
    """A question without its head as one line of JSON."""
    shared = {name: getattr(question, name) for name in _SHARED}
    body = Raw(msgspec.json.encode(question.body))
    return msgspec.json.encode(Variant(body=body, **shared)) + b"\n"


def from_line(line: bytes, head: Head) -> Question:
    """The question of a line; raises `msgspec.MsgspecError` where `to_line` did not write it."""
    read = msgspec.json.decode(line, type=Variant)
    shared = {name: getattr(read, name) for name in _SHARED}
    body = msgspec.json.decode(read.body, type=BODIES[head.type])
    return Question(head=head, body=body, **shared)
