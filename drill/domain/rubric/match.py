"""Finding a recipe in a sentence: positions of words under every reading, then chains of atoms."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from drill.domain.rubric.recipes import REACH, Alternative, Atom, Clause, Element, Recipe
from drill.domain.rubric.text import Sentence
from drill.domain.rubric.words import (
    EXACT,
    FAMILY,
    LONGEST_PHRASE,
    PHRASE_STARTS,
    PHRASES,
    SPELLING,
    SYNONYM,
    inflections,
    readings,
)

Place = tuple[int, int, int]
"""First token, one past the last token, level of the reading."""
MAX_PLACES = 600
"""Occurrences of one atom that are looked at in a sentence; a sentence with more is padding."""
Corrector = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Hit:
    """The token positions where a recipe was found."""

    places: frozenset[int]


@dataclass(slots=True)
class Lattice:
    """A sentence with every reading of every word, indexed for exact and prefix look-up."""

    words: tuple[str, ...]
    forms: dict[str, list[Place]] = field(default_factory=dict)
    joined: dict[str, list[Place]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    seen: dict[Atom, list[Place]] = field(default_factory=dict)

    @classmethod
    def of(cls, sentence: Sentence, correct: Corrector | None = None) -> Lattice:
        """`correct` maps a word to the known word that it misspells, or to itself."""
        words = sentence.words
        lattice = cls(words)
        forms = lattice.forms
        read = list(words)
        for index, word in enumerate(words):
            for form, level in readings(word):
                forms.setdefault(form, []).append((index, index + 1, level))
            fixed = correct(word) if correct is not None and len(word) > 4 else word
            if fixed != word:
                read[index] = fixed
                for form, level in readings(fixed):
                    place = (index, index + 1, max(level, SPELLING))
                    forms.setdefault(form, []).append(place)
            if index and len(word) > 1 and len(words[index - 1]) > 1:
                pair = words[index - 1] + word
                if len(pair) > 5:
                    lattice.joined.setdefault(pair, []).append((index - 1, index + 1, FAMILY))
                    for form in inflections(pair):
                        lattice.joined.setdefault(form, []).append((index - 1, index + 1, FAMILY))
        for index, word in enumerate(read):
            if word in PHRASE_STARTS:
                lattice._phrases(read, index)
        lattice.order = sorted(forms)
        return lattice

    def _phrases(self, words: list[str], index: int) -> None:
        for length in range(2, LONGEST_PHRASE + 1):
            term = PHRASES.get(tuple(words[index : index + length]))
            if term is not None:
                for form, level in readings(term):
                    place = (index, index + length, max(level, FAMILY))
                    self.forms.setdefault(form, []).append(place)

    def element(self, element: Element) -> Iterator[Place]:
        """Every place where one element may stand."""
        text = element.text
        if not text:
            yield from ((i, i + 1, EXACT) for i in range(len(self.words)))
            return
        if element.prefix:
            for index in range(bisect_left(self.order, text), len(self.order)):
                form = self.order[index]
                if not form.startswith(text):
                    break
                yield from self.forms[form]
            if len(text) > 5:
                for form, places in self.joined.items():
                    if form.startswith(text):
                        for start, end, level in places:
                            if len(self.words[start]) < len(text):
                                yield start, end, level
            return
        yield from self.forms.get(text, ())
        yield from self.joined.get(text, ())
        for base in inflections(text):
            for start, end, level in self.forms.get(base, ()):
                yield start, end, max(level, FAMILY)

    def atom(self, atom: Atom) -> list[Place]:
        """Places of an atom in order, the best level of each, at most MAX_PLACES."""
        if (known := self.seen.get(atom)) is not None:
            return known
        best: dict[tuple[int, int], int] = {}
        for alternative in atom.alternatives:
            for variant in _variants(alternative):
                for start, end, level in self._consecutive(variant):
                    if level < best.get((start, end), SYNONYM + 1):
                        best[start, end] = level
        places = sorted((start, end, level) for (start, end), level in best.items())[:MAX_PLACES]
        self.seen[atom] = places
        return places

    def _consecutive(self, alternative: Alternative) -> list[Place]:
        places = list(self.element(alternative[0]))
        for element in alternative[1:]:
            if not places:
                return places
            following: dict[int, list[Place]] = {}
            for place in self.element(element):
                following.setdefault(place[0], []).append(place)
            places = [
                (start, then[1], max(level, then[2]))
                for start, end, level in places
                for then in following.get(end, ())
            ]
        return places


def _variants(alternative: Alternative) -> Iterator[Alternative]:
    """The alternative, the same written as one word, and the abbreviation of a known phrase."""
    yield alternative
    if len(alternative) < 2:
        return
    texts = tuple(element.text for element in alternative)
    if all(text.isalpha() for text in texts):
        if len(alternative) == 2:
            yield (Element("".join(texts), alternative[-1].prefix),)
        term = PHRASES.get(texts)
        if term is not None and not term.startswith("~"):
            yield (Element(term),)


def chain(
    clause: Clause, lattice: Lattice, open_at: Callable[[int, int], bool], level: int
) -> tuple[Place, ...] | None:
    """The first way in which the atoms of a clause follow each other, or None."""
    per_atom = [
        [p for p in lattice.atom(atom) if p[2] <= level and open_at(p[0], p[1])]
        for atom in clause.atoms
    ]
    if not all(per_atom):
        return None
    dead: set[tuple[int, int]] = set()

    def extend(depth: int, end: int) -> tuple[Place, ...] | None:
        if depth == len(per_atom):
            return ()
        if (depth, end) in dead:
            return None
        places = per_atom[depth]
        for place in places[bisect_left(places, (end,)) :]:
            if place[0] > end - 1 + REACH:
                break
            rest = extend(depth + 1, place[1])
            if rest is not None:
                return (place, *rest)
        dead.add((depth, end))
        return None

    for first in per_atom[0]:
        rest = extend(1, first[1])
        if rest is not None:
            return (first, *rest)
    return None


def present(clause: Clause, lattice: Lattice, level: int) -> bool:
    """Whether a clause occurs anywhere in the sentence."""
    return chain(clause, lattice, lambda _s, _e: True, level) is not None


def find(
    recipe: Recipe,
    lattice: Lattice,
    open_at: Callable[[int, int], bool] = lambda _start, _end: True,
    level: int = SYNONYM,
) -> Hit | None:
    """The recipe in one sentence, using only tokens where `open_at(start, end)` holds.

    `level` is the weakest reading allowed. Clauses that must be absent are judged on the whole
    sentence and only up to FAMILY: a synonym must not take a credit away.
    """
    used: set[int] = set()
    for clause in recipe.wanted:
        found = chain(clause, lattice, open_at, level)
        if found is None:
            return None
        for start, end, _ in found:
            used.update(range(start, end))
    for clause in recipe.unwanted:
        if present(clause, lattice, FAMILY):
            return None
    return Hit(frozenset(used))
