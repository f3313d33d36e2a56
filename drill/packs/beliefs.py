"""An entry of the registry of misconceptions."""

from __future__ import annotations

from msgspec import Struct


class Misconception(Struct, frozen=True):
    """A wrong belief and what is right instead, as the learner reads them."""

    id: str
    belief: str
    correction: str
    topic: str
