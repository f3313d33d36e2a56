"""What a verification says: one outcome an item, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from drill.domain.questions import Param

ProofKind = Literal["function", "code", "source", "mutant", "solution", "none"]


@dataclass(frozen=True, slots=True)
class ProofOutcome:
    """What became of one item."""

    id: str
    ok: bool
    kind: ProofKind
    key: str = ""
    """The key as written, of the first variant or of the one that failed."""
    recomputed: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    """Of the variant that failed."""
    error: str = ""
    """One sentence that names what disagrees."""
    trace: str = ""
    seconds: float = 0.0
    stamp: str = ""
    """Versions of the libraries that the result depends on."""
    versions: Mapping[str, str] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    """Recomputed key of each variant."""
    file: str = ""
    line: int = 0
    """Where the item stands in its pack."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file else ""
        if self.ok:
            more = f", {len(self.values)} variants" if len(self.values) > 1 else ""
            return f"{where}{self.id}: holds ({self.key or self.recomputed}{more})"
        variant = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{where}{self.id}{f' [{variant}]' if variant else ''}: {self.error}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a verification is."""

    done: int
    total: int
    running: tuple[str, ...] = ()
    failed: int = 0
    last: ProofOutcome | None = None
    """The outcome that has just come in; None when an item was begun."""
