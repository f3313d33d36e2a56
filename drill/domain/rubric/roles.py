"""Who does what, and which way: subjects and directions that contradict a statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from drill.domain.rubric.grammar import FUNCTION, clause_bounds, subject
from drill.domain.rubric.text import plain_words, word_set
from drill.domain.rubric.words import inflections

_UP = word_set(
    """increase raise higher high larger large bigger big more greater grow boost stronger strong
    improve gain rise climb enlarge amplify longer slower worsen expand"""
)
_DOWN = word_set(
    """decrease reduce lower low less fewer smaller small shrink drop cut save lose weaker weak
    diminish limit narrow shorter faster fall halve decline sacrifice hurt minimize"""
)
_INTRANSITIVE_PARTICLES = {"up": 1, "down": -1}
_SKIP = word_set("the a an of in its their each per every all any your our much very to on with")


def base(word: str) -> str:
    """The shortest base form of a word."""
    return min(inflections(word) | {word}, key=lambda form: (len(form), form))


@lru_cache(maxsize=8192)
def _direction(word: str) -> int:
    forms = inflections(word) | {word}
    return 1 if not _UP.isdisjoint(forms) else -1 if not _DOWN.isdisjoint(forms) else 0


def _is_noun_like(word: str) -> bool:
    return word not in FUNCTION and word[0].isalpha() and len(word) > 2 and not _direction(word)


def directions(words: Sequence[str]) -> dict[str, int]:
    """Quantities that a sentence says go up (+1) or down (-1); one with both is left out."""
    said: dict[str, set[int]] = {}
    for index, word in enumerate(words):
        sign = _direction(word) or _INTRANSITIVE_PARTICLES.get(word, 0)
        if not sign:
            continue
        target = None
        if word not in _INTRANSITIVE_PARTICLES:
            for ahead in words[index + 1 : index + 4]:
                if ahead in _SKIP:
                    continue
                target = ahead if _is_noun_like(ahead) else None
                break
        if target is None and index:
            behind = [w for w in words[max(0, index - 3) : index] if w not in FUNCTION]
            if behind and _is_noun_like(behind[-1]):
                target = behind[-1]
        if target is not None:
            said.setdefault(base(target), set()).add(sign)
    return {noun: signs.copy().pop() for noun, signs in said.items() if len(signs) == 1}


@lru_cache(maxsize=1024)
def _stated(statement: str) -> dict[str, int]:
    return directions(plain_words(statement))


def reversed_direction(statement: str, said: dict[str, int]) -> bool:
    """Whether a sentence moves a quantity of the statement the other way.

    Two quantities that are both reversed say the same thing from the other end (a lower scale
    gives more diversity) and contradict nothing.
    """
    stated = _stated(statement)
    common = stated.keys() & said.keys()
    if not common:
        return False
    reversed_ = sum(stated[noun] != said[noun] for noun in common)
    return 0 < reversed_ < len(common) or (reversed_ == len(common) == 1)


@lru_cache(maxsize=256)
def _rivals(statements: tuple[str, ...]) -> tuple[tuple[tuple[frozenset[str], ...], ...], ...]:
    """For each statement, its own and the other subject's words for each parallel statement.

    Two statements are parallel when their subjects share a word (`x0-prediction`, `v-prediction`)
    or are both a single name (DDIM, DDPM): only there does a wrong subject mean swapped roles.
    """
    subjects = [frozenset(base(word) for word in subject(plain_words(s))) for s in statements]
    stated = [{base(word) for word in plain_words(s)} for s in statements]
    named = [
        len(words) == 1 and any(char.isupper() for char in statement.split()[0][1:])
        for words, statement in zip(subjects, statements, strict=True)
    ]

    def pair(index: int, other: int) -> tuple[frozenset[str], ...] | None:
        mine, theirs = subjects[index] - subjects[other], subjects[other] - subjects[index]
        parallel = subjects[index] & subjects[other] or (named[index] and named[other])
        theirs -= stated[index]
        return (mine, theirs) if parallel and mine and theirs else None

    everyone = range(len(statements))
    return tuple(
        tuple(found for other in everyone if other != index and (found := pair(index, other)))
        for index in everyone
    )


def other_subject(
    words: Sequence[str], places: frozenset[int], index: int, statements: tuple[str, ...]
) -> bool:
    """Whether the words found say it of the subject of another statement than number `index`."""
    rivals = _rivals(statements)[index]
    if not rivals or not places:
        return False
    start, end = clause_bounds(words, max(places))
    clause = {base(word) for word in words[start:end]}
    before = {base(word) for word in words[start : max(places) + 1]}
    return any(mine.isdisjoint(clause) and not theirs.isdisjoint(before) for mine, theirs in rivals)


_ANTONYMS: dict[str, frozenset[str]] = {}
_PAIRS = (
    "add/remove,subtract",
    "double/halve",
    "encode/decode",
    "compress/expand,upsample,enlarge",
    "deterministic/stochastic,random",
    "forward/reverse,backward",
    "conditional/unconditional",
    "cheap/expensive,costly",
    "stable/unstable",
    "always/never",
    "easy/hard",
    "separate/shared,same",
    "fast/slow",
    "faster/slower",
    "cheaper/costlier",
    "good/bad",
    "better/worse",
    "maximum/minimum",
    "positive/negative",
    "input/output",
    "clean/noisy",
    "freeze,frozen/unfreeze,unfrozen",
    "increase,raise/decrease,reduce,lower",
    "higher/lower",
    "more/less,fewer",
    "larger/smaller",
    "gain/lose",
    "high/low",
    "away/towards",
    "linear/quadratic,exponential",
)
for _pair in _PAIRS:
    _left, _right = (side.split(",") for side in _pair.split("/"))
    for _word in _left:
        _ANTONYMS[_word] = _ANTONYMS.get(_word, frozenset()) | frozenset(_right)
    for _word in _right:
        _ANTONYMS[_word] = _ANTONYMS.get(_word, frozenset()) | frozenset(_left)


def _bases(words: Iterable[str]) -> frozenset[str]:
    return frozenset(form for word in words for form in (word, *inflections(word)))


@lru_cache(maxsize=1024)
def _opposites(statement: str) -> frozenset[str]:
    """Antonyms of the statement's words that the statement does not use itself."""
    words = _bases(plain_words(statement))
    return frozenset(
        opposite for word in words for opposite in _ANTONYMS.get(word, ()) if opposite not in words
    )


def opposed(statement: str, words: Sequence[str], places: frozenset[int]) -> bool:
    """Whether a clause of the hit says the opposite of a word of the statement, and not the word.

    A word that the recipe itself found is what the key accepts, and opposes nothing. Two opposites
    undo each other: smaller batches reduce what larger batches raise.
    """
    opposites = _opposites(statement)
    if not opposites:
        return False
    stated = _bases(plain_words(statement))
    start, _ = clause_bounds(words, min(places))
    _, end = clause_bounds(words, max(places))
    forms = _bases(words[start:end])
    turned = sum(
        any(
            forms.isdisjoint(_ANTONYMS[opposite] & stated)
            for opposite in opposites & {words[place], *inflections(words[place])}
        )
        for place in range(start, end)
        if place not in places
    )
    return turned % 2 == 1
