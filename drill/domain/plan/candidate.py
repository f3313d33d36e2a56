"""What the plan is made from, and what it says of each item that it takes."""

from __future__ import annotations

from msgspec import Struct

from drill.domain.memory.state import DEFAULT_DECAY


class Candidate(Struct, frozen=True):
    """An item that may be asked today: what it is worth, what it costs, how well it is known."""

    item_id: str
    weight: float
    """Importance of recalling it on the day of the interview."""
    seconds_right: float
    """Time of an answer that is right, feedback included."""
    seconds_wrong: float
    """The same when it is wrong: feedback and the retry of the session included."""
    first_right: float = 0.45
    """Chance that an item that was never answered is answered right."""
    stability: float = 0.0
    """Days; 0: never answered."""
    difficulty: float = 0.0
    last_day: int = 0
    decay: float = DEFAULT_DECAY
    must: bool = False
    """Retest of a confident error that is due today: taken before everything else."""


class Choice(Struct, frozen=True):
    """An item taken for today. Recall is a chance, 0 to 1."""

    item_id: str
    gain: float
    """Weighted recall on the day of the interview that asking it today adds, in expectation."""
    seconds: float
    """Expected: right and wrong by their chances."""
    recall: float
    """Predicted recall today; `first_right` for an item never answered."""
    at_date: float
    """Expected recall on the day of the interview if it is asked today and not again."""
    without: float
    """The same if it is not asked; 0 for an item never answered."""
