"""Closed word classes and the verbs by which a claim is told from a list of words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from drill.domain.rubric.text import word_set
from drill.domain.rubric.words import inflections

CLAUSE_ENDS = word_set(
    ', ; : ( ) -> " but because since although though while whereas however so then therefore thus '
    "which who where when if until unless yet thereby hence"
)
FUNCTION = word_set(
    """a an the this that these those it its i we you they he she him her us them my our your their
    his what which who whom whose where when why how of in on at by for with from to into onto
    over under about as than then so and or but if because since while not no nor without is are
    was were be been being am do does did done have has had can could will would shall should
    may might must there here each every all any some more less most just only also very too
    again up down out off until after before between during through per via instead rather both
    such same other one let lets"""
)
GLUE = FUNCTION - word_set("up down more less same one all each every no not without off")
"""Function words that hold a sentence together; the rest may well be the message of a list."""
AUXILIARIES = word_set(
    """is are was were be been being am do does did have has had can could will would shall should
    may might must let lets"""
)

_VERBS = word_set(
    """accept add adjust affect aim allow amplify appear apply approximate ask assume attach
    attend avoid become begin behave belong blow break bring build burn calculate call capture
    carry cause choose climb collapse come compare compress compute concatenate contain converge
    convert copy corrupt create decide decode decrease define degrade deliver denoise depend
    describe destroy determine differ disable discard divide double draw drop eliminate emit
    enable encode encourage end ensure estimate evaluate evict exaggerate expect explain extend
    extract extrapolate fail fall feed fetch fill find fit follow force forget freeze gain
    generate get give go grow guess happen help hold hurt ignore implement improve increase inject
    integrate keep know lead learn let lie look lose maintain make mean measure merge minimise
    minimize mitigate modify modulate move multiply need notify occur offload operate optimize
    output pass perform pick predict prefer preserve prevent produce provide push put raise reach
    read receive recover reduce refer refuse reject remain remember remove repeat replace
    represent reproduce require rescale retrain return reuse rewrite rise run saturate save say
    see select send serve share show shrink skip slow solve speed split stabilize start stay steer
    stick stop subtract swap take target teach tell tend tokenize transform translate try turn
    understand undo update use wait want work write"""
)
_ALSO_NOUNS = word_set(
    """batch block cache check compile condition control filter guide limit load log monitor
    profile process quantize sample scale scan step store train warm watch"""
)
VACUOUS = word_set("involve concern relate mention touch matter")


@lru_cache(maxsize=8192)
def is_verb(word: str) -> bool:
    """Whether a word is, or is an inflection of, a verb that a technical sentence is built on."""
    if word in AUXILIARIES:
        return True
    if word in _VERBS:
        return True
    return not _VERBS.isdisjoint(inflections(word)) and not word.endswith("ing")


@lru_cache(maxsize=8192)
def may_be_verb(word: str) -> bool:
    """Whether a word is a verb or a noun that is used as one (`check`, `filters`, `trained`)."""
    return is_verb(word) or not _ALSO_NOUNS.isdisjoint({word, *inflections(word)})


def clause_bounds(words: Sequence[str], index: int) -> tuple[int, int]:
    """The clause around a token: from the last to the next boundary.

    A colon does not end it, so that in `eps: predicts the noise` the name stays with its claim.
    """
    start = index
    while start > 0 and not _breaks(words, start - 1):
        start -= 1
    end = index
    while end < len(words) and not _breaks(words, end):
        end += 1
    return start, max(end, index + 1)


def _breaks(words: Sequence[str], index: int) -> bool:
    word = words[index]
    return (word in CLAUSE_ENDS and word not in (":", "(", ")", '"')) or word in ("and", "or")


def subject(words: Sequence[str]) -> tuple[str, ...]:
    """Content words before the first verb, at most six tokens in; empty without a verb there."""
    for index, word in enumerate(words[:7]):
        if is_verb(word) and index:
            return tuple(w for w in words[:index] if w not in FUNCTION and w[0].isalnum())
    return ()
