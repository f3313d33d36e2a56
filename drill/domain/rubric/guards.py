"""What takes a credit back: words under a negation, reported beliefs, and padding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from drill.domain.rubric.grammar import (
    AUXILIARIES,
    CLAUSE_ENDS,
    FUNCTION,
    GLUE,
    VACUOUS,
    is_verb,
    may_be_verb,
)
from drill.domain.rubric.text import word_set
from drill.domain.rubric.words import inflections

_NEW_CLAUSE = word_set(
    """it we you they i he she this that these those there then also only instead the a an its
    their is are was has have can will so"""
)
_SCOPE_ENDS = CLAUSE_ENDS - frozenset((":", "(", ")", '"'))
_OPENERS = frozenset(("that", "say", "think", "to"))
_SHORT_NEGATORS = word_set("no without lack lacks lacking neither nor zero")
_LONG_NEGATORS = word_set(
    """not never none nothing nobody hardly barely rarely fail fails failing refuse refuses unable
    impossible avoid avoids avoiding forbid forbids prevent prevents stop stops"""
)
_REPLACED = {
    ("instead", "of"): 2, ("rather", "than"): 2, ("unlike",): 1, ("as", "opposed", "to"): 3,
    ("contrary", "to"): 2, ("other", "than"): 2, ("in", "contrast", "to"): 3, ("except",): 1,
    ("far", "from"): 2, ("free", "of"): 2, ("nothing", "to", "do", "with"): 4,
}  # fmt: skip
_NOT_NEGATIONS = {
    ("not", "only"), ("not", "just"), ("not", "merely"), ("not", "simply"), ("no", "matter"),
    ("no", "more", "than"), ("no", "longer", "than"), ("no", "problem"), ("not", "surprisingly"),
    ("nothing", "but"), ("no", "doubt"), ("not", "until"),
}  # fmt: skip
_SKIPPED = word_set(
    """really very at all actually even that be been being a an any the of real much practical to
    by itself ever longer"""
)
_DISMISSED = word_set(
    """useful needed used necessary required help helps matter matters work works true correct
    right involved related important relevant exist exists happen happens apply applies good
    recommended worth effect use role impact point purpose influence need reason idea part thing
    difference affect affects possible valid case sense"""
)
_DISMISSALS = word_set(
    """useless pointless irrelevant unnecessary wrong false untrue impossible myth nonsense
    meaningless needless unneeded unrelated"""
)
_REPORTERS = word_set(
    """think thinks thought believe believes believed claim claims claimed say says said assume
    assumes assumed expect imagine suppose argue argues"""
)
_REPORTED_BY = word_set(
    """some people many others someone somebody beginners they most folks might could used"""
)
_HEDGES = (
    ("not", "sure"), ("not", "remember"), ("not", "know"), ("not", "certain"), ("not", "recall"),
    ("forgot",), ("forget", "how"), ("no", "idea"), ("wonder", "if"), ("wonder", "whether"),
    ("popular", "belief"), ("if", "only"), ("as", "if"), ("as", "though"),
)  # fmt: skip
_DENIALS = word_set(
    """true right correct case false wrong untrue incorrect mistaken myth misconception mistake
    nonsense"""
)
_SELF_DENYING = _DENIALS - word_set("true right correct case")
_DENIES = word_set("do does did can could will would should")
_TURNS = word_set("but however actually fact reality yet")
_ARTICLES = frozenset(("a", "an", "the"))
_PREPOSITIONS = word_set("of in on at by for with from into onto per between via")
_JOINED = _PREPOSITIONS | word_set("without out off after before")
_TOPIC_STARTS = word_set("the a an how what why its this that")
_NO_NOUN = word_set(
    """of in on at by for with from into to and or but is are was were be has have can will must
    should does do a an the it its they we you he she which who then so because . , ; )"""
)
_NO_OBJECT = word_set("of and or but is are was were has have can will must should does do . , ; )")
_SEPARATORS = word_set(", ; : -> + = ( ) - * < >")


@dataclass(frozen=True, slots=True)
class Scope:
    """Tokens from `start` to `end` stand under the negation at `at`."""

    start: int
    end: int
    at: frozenset[int]
    denies: bool = True
    """False: it only names an alternative (`instead of X`)."""


def _clause_start(words: Sequence[str], index: int) -> int:
    while index > 0 and words[index - 1] not in CLAUSE_ENDS and words[index - 1] != "and":
        index -= 1
    return index


def _scope_end(words: Sequence[str], start: int, reach: int) -> int:
    """Where a negation that begins to act at `start` stops."""
    index = start
    while index < len(words) and index - start < reach:
        word = words[index]
        following = words[index + 1] if index + 1 < len(words) else ""
        if word == ",":
            ahead = words[index + 1 : index + 6]
            alternative = next((k for k, w in enumerate(ahead) if w in ("or", "nor")), None)
            broken = alternative is None or any(
                w in CLAUSE_ENDS and w != "," for w in ahead[:alternative]
            )
            if broken:
                break
        elif (index > start and word in _SCOPE_ENDS) or (
            word == "and" and following in _NEW_CLAUSE
        ):
            break
        index += 1
    return index


def negations(words: Sequence[str]) -> list[Scope]:
    """Every stretch of a sentence that a negation, a contrast or a dismissal takes back."""
    scopes: list[Scope] = []
    for index, word in enumerate(words):
        for phrase, length in _REPLACED.items():
            if word == phrase[0] and tuple(words[index : index + length]) == phrase:
                at = frozenset(range(index, index + length))
                end = _scope_end(words, index + length, 7)
                scopes.append(Scope(index + length, end, at, denies=False))
                if phrase[0] == "nothing":
                    scopes.append(Scope(_clause_start(words, index), index, at))
        if word in _DISMISSALS:
            scopes.append(Scope(_clause_start(words, index), index, frozenset((index,))))
            if word in ("wrong", "false", "untrue", "myth", "unnecessary", "impossible"):
                scopes.append(
                    Scope(index + 1, _scope_end(words, index + 1, 14), frozenset((index,)))
                )
            continue
        if word not in _SHORT_NEGATORS and word not in _LONG_NEGATORS:
            continue
        if any(tuple(words[index : index + len(p)]) == p for p in _NOT_NEGATIONS):
            continue
        if word == "zero" or (word == "no" and index + 1 == len(words)):
            continue
        reach = 7 if word in _SHORT_NEGATORS else 14
        at = frozenset((index,))
        scopes.append(Scope(index + 1, _scope_end(words, index + 1, reach), at))
        ahead = [w for w in words[index + 1 : index + 6] if w not in _SKIPPED][:1]
        verbless = index > 0 and words[index - 1] not in ("if", "or")
        dismissed = bool(ahead) and ahead[0] in _DISMISSED and word in ("not", "no", "never")
        denied = word in ("not", "never") and index > 0 and words[index - 1] in _DENIES
        if verbless and (dismissed or denied):
            scopes.append(Scope(_clause_start(words, index), index, at))
    return [scope for scope in scopes if scope.end > scope.start]


def reported(words: Sequence[str]) -> list[Scope]:
    """Stretches that tell what others believe, what is denied whole, or what is not remembered.

    `Some people think that ...`, `it is not true that ...` and `... is a myth` take back all that
    follows, or all that came before, up to a word such as `but` or `actually`.
    """
    scopes: list[Scope] = []
    for index, word in enumerate(words):
        before = words[max(0, index - 4) : index]
        denies = word in _SELF_DENYING or (word in _DENIALS and "not" in before)
        reports = word in _REPORTERS and not _REPORTED_BY.isdisjoint(before)
        opens = denies and not _OPENERS.isdisjoint(words[index + 1 : index + 4])
        if reports or opens:
            scopes.append(_until_turn(words, index + 1, index))
        elif denies and not AUXILIARIES.isdisjoint(before):
            start = index
            while start > 0 and words[start - 1] not in _TURNS:
                start -= 1
            scopes.append(Scope(start, index, frozenset((index,))))
        for phrase in _HEDGES:
            if word == phrase[0] and tuple(words[index : index + len(phrase)]) == phrase:
                scopes.append(_until_turn(words, _clause_start(words, index), index))
    return [scope for scope in scopes if scope.end > scope.start]


def _until_turn(words: Sequence[str], start: int, at: int) -> Scope:
    end = start
    while end < len(words) and words[end] not in _TURNS:
        end += 1
    return Scope(start, end, frozenset((at,)))


def is_scrambled(words: Sequence[str]) -> bool:
    """Whether the small words stand where no sentence has them.

    That is an article before a preposition, a verb or the end, or a preposition before a verb.
    """
    broken = 0
    padded = (*words, ".", ".")
    for word, following, after in zip(words, padded[1:], padded[2:], strict=False):
        if word in _ARTICLES:
            broken += following in _NO_NOUN
        elif word in _PREPOSITIONS:
            joined = following in ("and", "or") and after in _JOINED  # `with and without`
            broken += following in _NO_OBJECT and not joined
    return broken >= 2 or (broken == 1 and len(words) <= 10)


_NOTHING = word_set(
    """idk dunno i we do not no none know remember recall sure idea clue skip pass unsure this that
    it one the answer to have am is nothing any of about sorry never heard really ? - yet dont"""
)
_NOTHING_KEYS = word_set(
    """idk dunno know remember recall sure idea clue skip pass unsure nothing no none heard"""
)


def says_nothing(words: Sequence[str]) -> bool:
    """Whether an answer is empty, or only says that the learner does not know."""
    letters = [word for word in words if word[0].isalnum()]
    return _NOTHING.issuperset(letters) and (not letters or not _NOTHING_KEYS.isdisjoint(letters))


LONGEST_PHRASE = 14
"""Words of a reply that may be a phrase without a verb."""


def is_padding(words: Sequence[str], reply: bool = False) -> bool:
    """Whether a sentence only lists or repeats words: nothing is said about anything.

    A list with separators or signs (`fp16, torch.compile`; `noise -> unet -> image`) is an answer;
    a run of bare words is not, nor is one held together by articles and prepositions alone. A
    `reply` to one narrow question may be such a phrase, as the verb stands in the question.
    """
    letters = [word for word in words if word[0].isalpha()]
    if len(letters) < 6:
        return False
    separated = any(word in _SEPARATORS for word in words)
    glued = sum(word in GLUE for word in letters) / len(letters)
    if not separated and (glued <= 0.05 or (glued <= 0.12 and not any(map(is_verb, letters)))):
        return True
    phrase = reply and len(letters) <= LONGEST_PHRASE
    if not phrase and not separated and len(letters) >= 8 and not any(map(may_be_verb, letters)):
        return True
    small = sum(word in _ARTICLES or word in _PREPOSITIONS or word == "and" for word in letters)
    if not phrase and small >= 0.45 * len(letters) and not any(map(is_verb, letters)):
        return True
    counts = Counter(word for word in letters if word not in FUNCTION and len(word) > 2)
    most = counts.most_common(1)[0][1] if counts else 0
    if is_bare_list(words):
        return True
    return most >= 4 and most > 0.25 * len(letters)


def is_bare_list(words: Sequence[str]) -> bool:
    """Whether a sentence is a long run of single words, joined by commas or by `and`."""
    sizes = [0]
    for word in words:
        if word in (",", ";", "and", "or", "/"):
            sizes.append(0)
        elif word[0].isalnum():
            sizes[-1] += 1
    filled = [size for size in sizes if size]
    return len(filled) >= 6 and sum(filled) < 1.5 * len(filled)


def is_vacuous(words: Sequence[str]) -> bool:
    """Whether the only verbs of a sentence say that something is involved or matters."""
    verbs = [word for word in words if is_verb(word) and word not in AUXILIARIES]
    empty = [word for word in words if {word, *inflections(word)} & VACUOUS]
    about = any(
        word == "about" and before in AUXILIARIES and after in _TOPIC_STARTS
        for before, word, after in zip(words, words[1:], words[2:], strict=False)
    )
    return not verbs and (bool(empty) or about)
