"""What a case of `diagnose` is: a broken service, looks at it, and the mend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

    from drill.lab import Context
else:
    Tensor = Any

patched = load_module(Path(__file__).with_name("patched.py"))
BROKEN, HEALTHY = patched.BROKEN, patched.HEALTHY
PREFIX = "probe_"


@dataclass(frozen=True)
class Curves:
    """A plot: label to points (x, y)."""

    series: Mapping[str, Sequence[tuple[float, float]]]
    x_label: str
    y_label: str


@dataclass(frozen=True)
class Seen:
    """What one look shows."""

    lines: Sequence[str]
    """As an engineer would see it in a terminal."""
    says: str
    """The finding with its numbers."""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, tuple[Tensor, ...]] = field(default_factory=dict)
    """Caption to rows of pixels (N, 3, H, W) in [0, 1]."""
    plots: Mapping[str, Curves] = field(default_factory=dict)


@dataclass(frozen=True)
class Bound:
    """What a healthy service measures, and the broken one does not."""

    what: str
    bound: float
    at_least: bool = True

    def passes(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'at least' if self.at_least else 'at most'} {self.bound:g}"


class Case(ABC):
    """A broken service. Methods called `probe_*` are its probes, in their order.

    An instance is one run of the experiment: what the broken and the mended service do is run when
    it is first asked for, and kept.
    """

    name: ClassVar[str]
    cause: ClassVar[str]
    """Id of the right answer."""
    service: ClassVar[Any]
    """A `patched.Service`."""
    bound: ClassVar[Bound]
    mended_by: ClassVar[str]
    """What the mend does, in a clause."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @classmethod
    def probes(cls) -> dict[str, str]:
        """Name of each probe to the method that takes it, in the order of the code."""
        found = [key for base in reversed(cls.__mro__) for key in vars(base)]
        own = dict.fromkeys(key for key in found if key.startswith(PREFIX))
        return {key.removeprefix(PREFIX).replace("_", "-"): key for key in own}

    @cached_property
    def broken(self) -> Any:
        return self.run(BROKEN)

    @cached_property
    def mended(self) -> Any:
        return self.run(HEALTHY)

    @abstractmethod
    def run(self, state: str) -> Any:
        """Run the service in a state, for real, from the beginning."""

    @abstractmethod
    def view(self, ran: Any) -> Seen:
        """What a user or an alarm sees of a run; never a word about the cause."""

    @abstractmethod
    def measure(self, ran: Any) -> float:
        """What `bound` speaks of."""

    def symptom(self) -> Seen:
        return self.view(self.broken)

    def probe(self, name: str) -> Seen:
        seen: Seen = getattr(self, self.probes()[name])()
        return seen

    def mend(self) -> Seen:
        """The change, and the same view of the mended service."""
        before, after = self.measure(self.broken), self.measure(self.mended)
        view = self.view(self.mended)
        told = f"{self.bound.what}: {before:.3g} before, {after:.3g} after; it takes {self.bound}"
        return Seen(
            lines=[*self.service.mend(), "", told, "", *view.lines],
            says=f"{self.mended_by}; {told}.",
            numbers={"broken": before, "mended": after},
            pictures=view.pictures,
            plots=view.plots,
        )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Lines of a table; numbers stand to the right, texts to the left."""
    cells = [[_cell(each) for each in row] for row in rows]
    widths = [max(len(row[n]) for row in [list(head), *cells]) for n in range(len(head))]
    right = [all(isinstance(row[n], (int, float)) for row in rows) for n in range(len(head))]

    def line(row: Sequence[str]) -> str:
        parts = [
            each.rjust(width) if flush else each.ljust(width)
            for each, width, flush in zip(row, widths, right, strict=True)
        ]
        return "  ".join(parts).rstrip()

    return [line(list(head)), *(line(row) for row in cells)]


def _cell(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"
