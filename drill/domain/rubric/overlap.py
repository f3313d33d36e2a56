"""How much of a statement a sentence says, by its content words under every reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from drill.domain.rubric.grammar import FUNCTION
from drill.domain.rubric.guards import negations
from drill.domain.rubric.match import Lattice
from drill.domain.rubric.recipes import Element
from drill.domain.rubric.roles import base
from drill.domain.rubric.text import plain_words
from drill.domain.rubric.words import SYNONYM


@dataclass(frozen=True, slots=True)
class Content:
    """Content words of a statement: each word once, with its weight, and which are negated."""

    words: tuple[tuple[str, float], ...]
    negated: frozenset[str]


@lru_cache(maxsize=512)
def contents(statements: tuple[str, ...]) -> tuple[Content, ...]:
    """Content words of each statement; a word that many of them share weighs less."""
    cut = [plain_words(statement) for statement in statements]
    kept = [
        tuple(dict.fromkeys(w for w in words if w[0].isalnum() and w not in FUNCTION))
        for words in cut
    ]
    shared = Counter(base(word) for words in kept for word in {base(w): w for w in words}.values())
    found: list[Content] = []
    for words, content in zip(cut, kept, strict=True):
        closed = {words[i] for s in negations(words) for i in range(s.start, s.end)}
        found.append(
            Content(tuple((w, shared[base(w)] ** -0.5) for w in content), frozenset(closed))
        )
    return tuple(found)


def coverage(
    content: Content, lattice: Lattice, open_at: Callable[[int, int], bool]
) -> tuple[float, frozenset[int]]:
    """Weighted share of the content words that stand in the sentence, and where they stand."""
    total = sum(weight for _, weight in content.words)
    found = 0.0
    places: set[int] = set()
    for word, weight in content.words:
        for start, end, level in lattice.element(Element(word)):
            if level <= SYNONYM and open_at(start, end):
                found += weight
                places.update(range(start, end))
                break
    return (found / total if total else 0.0), frozenset(places)
