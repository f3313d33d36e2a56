"""Keywords dressed up as sentences: lists behind a colon, topics, genitive chains, slogans.

A heap of bare words is seen by `guards.is_padding`. The same heap passes it behind `GAN:`, after
`It is about`, joined by `of the`, with participles in place of nouns, or around one verb that
says nothing. What all of these lack is a claim: a finite verb, a relation written as a sign, a
denial, or a comparison. So a sentence that is a list has to make a claim where it is to earn a
point, unless the point itself asks for names. A guard that looks for claims has to stay below
the terse notes of an honest learner, who drops articles and verbs too; those keep signs, short
sentences and a claim for nearly each point.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from drill.domain.rubric.grammar import AUXILIARIES, FUNCTION, is_verb
from drill.domain.rubric.text import plain_words, word_set
from drill.domain.rubric.words import inflections

_PART_ENDS = frozenset((",", ";", ":", "and", "or", "plus", "/", '"'))
_SIGNS = word_set("-> = + * / < > <= >= == ~ | ^ % - x")
_RELATIONS = word_set("-> = < > <= >= == ~")
_DENIALS = word_set("no not never without neither nor cannot unlike instead")
_DIRECTIONS = word_set(
    """up down more less fewer lower higher larger smaller faster slower longer shorter better
    worse cheaper bigger greater weaker stronger too than versus vs equal identical unchanged twice
    once"""
)
_JOINTS = word_set(
    """because since so if when until while whereas but although though therefore thus hence then
    that which who otherwise else unless why how whether under before after during against
    despite"""
)
_NOUN_FOLLOWS = word_set(
    """a an the of in on at by for with from into onto per between via to each every all any no some
    this that these those its their our my your own same one two three"""
)
_MOSTLY_NOUNS = word_set("compute end force output pass speed target")
_POINTERS = word_set("this that these those one each not")
_SUBJECTS = word_set("i we you they he she it")
_GENERAL = word_set("mean give help matter bring involve concern")
_PLAIN = word_set(
    """of and with for in or to at by on per vs into from as same one less more fewer than no
    without each both all most off out"""
)
_TOPICS = word_set("it this that topic answer question everything all subject here theme")
_TOPIC_WORDS = word_set("all mainly mostly basically really just simply")
_ACTIONS = word_set(
    """bisect bridge cache check count cut draw guard list log measure monitor own plot profile
    record roll run sample set shift sort test time trace track validate verify warm watch"""
)
_LONG, _VERY_LONG = 12, 18
_LEAST_FUNCTION, _LEAST_FUNCTION_LONG = 0.09, 0.16
"""Share of small words under which a sentence of that many words is a heap."""
_CHAIN = 3
SLOGAN = 7
"""Words from which a slogan is no terse claim."""
_LIST_PARTS, _LIST_PART, _LIST_WORDS = 4, 3.4, 8
"""A list has at least four parts of 3.4 tokens on average, and eight words that are no symbols."""
CLAIM_EVERY = 5
"""One claim in so many parts still is a list."""
TOPIC_VERB_EVERY = 3
"""One verb in so many parts behind `It is about` still is a topic."""


def parts_of(words: Sequence[str]) -> list[tuple[int, int]]:
    """Where the parts of a sentence lie: start and end between commas, colons, `and` and `or`."""
    found: list[tuple[int, int]] = []
    start = 0
    for index, word in enumerate((*words, ",")):
        if word in _PART_ENDS:
            if index > start:
                found.append((start, index))
            start = index + 1
    return found


def is_finite(words: Sequence[str], index: int) -> bool:
    """Whether the word at `index` is a verb that makes a claim, and no participle or noun.

    There is no tagger: a verb behind an article or a preposition is taken for a noun (`the
    draws`), one in -ed or -ing without an auxiliary for an adjective (`the reserved memory`).
    """
    word = words[index]
    if word in AUXILIARIES:
        return word not in ("be", "been", "being")
    if not is_verb(word):
        return False
    before = words[index - 1] if index else ""
    if before in _SUBJECTS:
        return True
    if before in _NOUN_FOLLOWS or word in _MOSTLY_NOUNS:
        return before in _POINTERS and word[-1] == "s" and word[-2] != "s"
    return not (word.endswith(("ed", "ing")) or _is_participle(word))


@lru_cache(maxsize=2048)
def _is_participle(word: str) -> bool:
    return word.endswith(("en", "wn", "ought", "aught", "ost")) and bool(inflections(word))


def claims(words: Sequence[str], start: int = 0, end: int | None = None) -> int:
    """How many claims the tokens from `start` to `end` make.

    Counted are finite verbs, relations written as signs, denials, comparisons, the words that
    join two clauses, and a pronoun whose verb is hidden (`it's` is cut to `it`).
    """
    end = len(words) if end is None else end
    return sum(
        words[i] in _RELATIONS
        or words[i] in _DENIALS
        or words[i] in _DIRECTIONS
        or words[i] in _JOINTS
        or is_finite(words, i)
        or (words[i] in _SUBJECTS and not (i + 1 < end and is_finite(words, i + 1)))
        for i in range(start, end)
    )


def topic_end(words: Sequence[str]) -> int:
    """How many tokens at the start only name a topic (`It is all about`), 0 if none do."""
    for index, word in enumerate(words[:7]):
        if word == "about" and index >= 2:
            before = [w for w in words[:index] if w not in _TOPIC_WORDS]
            following = words[index + 1] if index + 1 < len(words) else ""
            if before[-1] in AUXILIARIES and before[-2:-1] and before[-2] in _TOPICS:
                return 0 if following[:1].isdigit() else index + 1
    return 0


def is_topic(words: Sequence[str]) -> bool:
    """Whether a sentence says what something is about, in noun phrases, and claims nothing."""
    start = topic_end(words)
    if not start:
        return False
    verbs = sum(is_finite(words, i) for i in range(start, len(words)))
    return verbs * TOPIC_VERB_EVERY <= len(parts_of(words)) - 1


def is_chain(words: Sequence[str]) -> bool:
    """Whether a sentence hangs nouns on each other (`the x of the y of the z of ...`)."""
    of = [i for i, word in enumerate(words) if word == "of"]
    near = sum(b - a <= 5 for a, b in pairwise(of))
    return near >= _CHAIN - 1 and not any(is_finite(words, i) for i in range(len(words)))


def is_heap(words: Sequence[str]) -> bool:
    """Whether a long sentence has hardly a word that binds the others, nor signs in their place."""
    start = topic_end(words)
    letters = [word for word in words[start:] if word[0].isalpha()]
    signs = sum(word in _SIGNS for word in words)
    if len(letters) < _LONG or signs * 8 > len(letters):
        return False
    bound = sum(word in FUNCTION for word in letters) / len(letters)
    if len(letters) >= _VERY_LONG:
        return bound < _LEAST_FUNCTION_LONG
    ties = sum(w in _JOINTS or w in _RELATIONS or w in _DENIALS for w in words[start:])
    ties += _orders(words[0]) and words[1] not in _PART_ENDS
    return bound < _LEAST_FUNCTION and ties * CLAIM_EVERY <= len(parts_of(words))


def is_stuffed(words: Sequence[str]) -> bool:
    """Whether a sentence is a heap of words in any of the dresses that need no second look."""
    return is_chain(words) or is_heap(words)


def is_slogan(words: Sequence[str], shortest: int = SLOGAN) -> bool:
    """Whether nouns stand around one verb that fits any two things (`X of Y gives Z of W`).

    One shorter than `shortest` words may be a terse claim (`more steps means more time`).
    """
    letters = [word for word in words if word[0].isalpha()]
    verbs = [word for i, word in enumerate(words) if is_finite(words, i)]
    if len(letters) < shortest or not verbs:
        return False
    if any(_GENERAL.isdisjoint({word, *inflections(word)}) for word in verbs):
        return False
    small = [word for word in letters if word in FUNCTION and word not in verbs]
    return _PLAIN.issuperset(small) and not any(word in _RELATIONS for word in words)


def is_list(words: Sequence[str], every: int = CLAIM_EVERY) -> bool:
    """Whether a sentence is a row of short parts with at most a claim in `every` of them.

    Short notes (`fp16, vae tiling, cpu offload`) and formulas are no such row.
    """
    parts = parts_of(words)
    size = sum(word[0].isalnum() for word in words)
    named = sum(len(word) >= 3 and word[0].isalpha() for word in words)
    signs = sum(word in _SIGNS for word in words)
    return (
        len(parts) >= _LIST_PARTS
        and named >= _LIST_WORDS
        and size <= _LIST_PART * len(parts)
        and signs * 8 <= size
        and claims(words) * every <= len(parts)
    )


def is_unsaid(words: Sequence[str], places: Iterable[int]) -> bool:
    """Whether the parts of a list in which a recipe hit make no claim about what they name."""
    at = frozenset(places)
    return not any(
        claims(words, start, end)
        for start, end in parts_of(words)
        if not at.isdisjoint(range(start, end))
    )


@lru_cache(maxsize=1024)
def enumerates(statement: str) -> bool:
    """Whether a statement is itself a row of names, so that naming them says it."""
    words = plain_words(statement)
    if ("such", "as") in pairwise(words):
        return True
    run = 0
    for start, end in parts_of(words):
        bare = end - start <= 4 and not any(is_finite(words, i) for i in range(start, end))
        run = run + 1 if bare else 0
        if run >= 3:
            return True
    return False


@lru_cache(maxsize=1024)
def wants_names(statement: str) -> bool:
    """Whether a point is met by naming things: it enumerates, or says what to do or to measure."""
    words = plain_words(statement)
    claimed = any(is_finite(words, i) for i in range(len(words)))
    return not claimed or _orders(words[0]) or enumerates(statement)


def _orders(word: str) -> bool:
    """Whether a statement that begins with this word says what to do."""
    bare = is_verb(word) and word not in AUXILIARIES and not word.endswith(("s", "ed", "ing"))
    return bare or word in _ACTIONS
