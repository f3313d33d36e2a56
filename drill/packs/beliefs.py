"""An entry of the registry of misconceptions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Misconception:
    """A wrong belief and what is right instead, as the learner reads them."""

    id: str
    belief: str
    correction: str
    topic: str
