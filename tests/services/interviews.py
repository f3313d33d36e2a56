"""Interviews over the reserve for tests: a timer that tests move, and chosen questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from drill.config import Config
from drill.domain.interview.choosing import Settings, Slot
from drill.domain.interview.rounds import Mode, round_of
from drill.domain.interview.state import Interview
from drill.domain.questions import Bar
from drill.services.app import Drill
from drill.services.mock import KIND, Mock
from tests.conftest import Clock

GUIDANCE = "sample:sc.r-theory-guidance"
NOISE = "sample:sc.r-theory-noise"
NUMBER = "sample:sc.r-warm-number"
CODE = "sample:sc.r-code"
MUTANT = "sample:sc.r-read-mutant"
DIAGNOSE = "sample:sc.r-diagnose"
RUN = ("sample:sc.r-run-1", "sample:sc.r-run-2")
ESTIMATE = tuple(f"sample:sv.r-estimate-{stage}" for stage in (1, 2, 3))
DESIGN = tuple(f"sample:sv.r-design-{stage}" for stage in (1, 2))


class Timer:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


def open_drill(home: Path, pack: Path, clock: Clock) -> Drill:
    """The services over a pack, with every item asked as if proven."""
    opened = Drill(home=home, packs=[pack], clock=clock, config=Config(new_per_day=50))
    opened._standings = dict.fromkeys(opened.bank.heads, "proven")
    return opened


def hold(
    drill: Drill,
    *items: str | Sequence[str],
    level: Bar = "senior",
    mode: Mode = "real",
    minutes: int = 30,
    timer: Timer | None = None,
) -> Mock:
    """An interview of just these questions and cases, its clock running."""
    slots = []
    for item in items:
        stages = (item,) if isinstance(item, str) else tuple(item)
        slots.append(Slot(round_of(drill.bank.heads[stages[0]]), stages, 5.0))
    interview = Interview(Settings(minutes, level, 7, mode=mode), tuple(slots))
    stored = drill.store.sessions.start(KIND, interview.to_json(), drill.store.today(), 7, minutes)
    mock = Mock(drill, stored, timer or Timer())
    mock.start_clock()
    return mock


def again(drill: Drill, mock: Mock, timer: Timer | None = None) -> Mock:
    """The interview as the next process finds it."""
    return Mock(drill, drill.store.sessions.get(mock.id), timer or Timer())
