"""Judging a free-text answer against the points of a rubric, offline.

A point is credited when one of its recipes hits a sentence and no guard objects. A guard never
takes a hit away: it turns it into a question to the learner (`ask`), with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from drill.domain.questions import Belief, Point
from drill.domain.rubric import guards, roles, stuffing
from drill.domain.rubric.guards import Scope
from drill.domain.rubric.match import Hit, Lattice, find
from drill.domain.rubric.overlap import Content, contents, coverage
from drill.domain.rubric.recipes import Recipe, parse
from drill.domain.rubric.spelling import correct
from drill.domain.rubric.text import MAX_CHARS, Sentence, plain_words, sentences_of
from drill.domain.rubric.words import SPELLING
from drill.domain.verdict import PointResult, PointState

MISCONCEPTION_SHARE = 0.7
"""Share of a misconception's content words that, in one sentence, shows it without its recipe."""
ASK_SHARE = 0.5
"""Share of a point's content words that, in one sentence, is asked about although no recipe hit."""
DENIED_SHARE = 0.2
"""Share of a point's content words that stand under a negation from which the point is asked."""
PADDING = "reads as a list of words"
NEGATED = "sounds negated"
REPORTED = "told as somebody's belief, or denied"
VACUOUS = "mentioned, but nothing is said about it"
LISTED = "named in a list, but nothing is said about it"
MISCONCEIVED = "possible misconception in the same sentence"
OTHER_SUBJECT = "said of something else"
DENIED = "the sentence denies a part of it"
REVERSED = "the direction looks reversed"
UNLESS = "said with a word that may turn it round"
PARTLY = "partly said"


@dataclass(frozen=True, slots=True)
class RubricResult:
    """What a rubric made of an answer. `misconceptions` are ids, in the order of the rubric."""

    points: tuple[PointResult, ...]
    misconceptions: tuple[str, ...] = ()
    stuffed: bool = False
    """Some sentence is a heap of words; it earns nothing."""
    empty: bool = False
    """Nothing is said, or only that the learner does not know."""


@dataclass(slots=True)
class Reading:
    """A sentence as the guards see it."""

    sentence: Sentence
    lattice: Lattice
    scopes: list[Scope]
    hearsay: frozenset[int]
    directions: dict[str, int]
    objection: str
    listed: bool = False
    misconceived: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return self.sentence.words

    def closed(
        self, negators: frozenset[str] = frozenset(), own: frozenset[int] = frozenset()
    ) -> frozenset[int]:
        """Tokens under a negation; one whose word is in `negators` or that is itself in `own`
        does not count."""
        return frozenset(
            index
            for scope in self.scopes
            if own.isdisjoint(scope.at) and negators.isdisjoint(self.words[i] for i in scope.at)
            for index in range(scope.start, scope.end)
        )


def judge(
    text: str,
    points: Sequence[Point],
    misconceptions: Sequence[Belief] = (),
    *,
    reply: bool = False,
) -> RubricResult:
    """Judge an answer of any length; what lies beyond `MAX_CHARS` characters is not read.

    A `reply` answers a probe of one point: a phrase without a verb is enough for it.

    Raises RecipeError when a recipe cannot be parsed (`lint_item` finds that beforehand).
    """
    statements = tuple(point.statement for point in points)
    beliefs = tuple(belief.statement for belief in misconceptions)
    cut = contents(statements + beliefs)
    own, others = cut[: len(statements)], cut[len(statements) :]
    if guards.says_nothing(plain_words(text[:200])) and len(text) < 200:
        results = tuple(_result(point, "missed") for point in points)
        return RubricResult(results, empty=True)
    vocabulary = vocabulary_of(statements + beliefs)
    readings = [
        read_sentence(sentence, vocabulary, reply) for sentence in sentences_of(text[:MAX_CHARS])
    ]
    shown = tuple(
        belief.id
        for belief, content in zip(misconceptions, others, strict=True)
        if [reading for reading in readings if _shows(belief, content, own, reading)]
    )
    results = tuple(
        _judge_point(text, point, content, statements, index, readings)
        for index, (point, content) in enumerate(zip(points, own, strict=True))
    )
    stuffed = any(reading.objection == PADDING for reading in readings)
    return RubricResult(results, shown, stuffed)


def vocabulary_of(statements: Sequence[str]) -> frozenset[str]:
    """Words of the statements that a typo may be corrected towards."""
    words = (word for statement in statements for word in plain_words(statement))
    return frozenset(word for word in words if len(word) > 4 and word.isalpha())


def read_sentence(sentence: Sentence, vocabulary: frozenset[str], reply: bool = False) -> Reading:
    """Read a sentence under all guards; `vocabulary` is what words may be corrected towards."""
    words = sentence.words
    objection = ""
    if guards.is_padding(words, reply) or guards.is_scrambled(words) or stuffing.is_stuffed(words):
        objection = PADDING
    elif guards.is_vacuous(words) or stuffing.is_topic(words) or stuffing.is_slogan(words):
        objection = VACUOUS
    hearsay = frozenset(i for s in guards.reported(words) for i in range(s.start, s.end))
    return Reading(
        sentence,
        Lattice.of(sentence, lambda word: correct(word, vocabulary)),
        guards.negations(words),
        hearsay,
        roles.directions(words),
        objection,
        stuffing.is_list(words),
    )


def _outside(closed: frozenset[int]) -> Callable[[int, int], bool]:
    return lambda start, end: closed.isdisjoint(range(start, end))


def _shows(belief: Belief, content: Content, points: Sequence[Content], reading: Reading) -> bool:
    """Whether a sentence shows a misconception; marks the sentence."""
    if reading.objection == PADDING:
        return False
    shown = any(believes(parse(recipe), reading) for recipe in belief.accept)
    if not shown and len(content.words) >= 4:
        closed = frozenset() if content.negated else reading.closed() | reading.hearsay
        share, _ = coverage(content, reading.lattice, _outside(closed))
        if share >= MISCONCEPTION_SHARE and not roles.reversed_direction(
            belief.statement, reading.directions
        ):
            # A sentence that says a point more fully than the misconception is about the point.
            open_at = _outside(reading.closed())
            shown = all(share > coverage(p, reading.lattice, open_at)[0] for p in points)
    reading.misconceived |= shown
    return shown


def believes(recipe: Recipe, reading: Reading) -> bool:
    """Whether a misconception's recipe hits outside every negation that it does not hold."""
    hit = find(recipe, reading.lattice, level=SPELLING)
    if hit is None:
        return False
    closed = reading.closed(own=hit.places) | reading.hearsay
    return not closed or find(recipe, reading.lattice, _outside(closed), SPELLING) is not None


def _judge_point(
    text: str,
    point: Point,
    content: Content,
    statements: tuple[str, ...],
    index: int,
    readings: Sequence[Reading],
) -> PointResult:
    asked: PointResult | None = None
    said: list[tuple[float, str, tuple[str, ...]]] = []
    for reading in readings:
        for source in point.accept:
            hit, reason = _open_hit(parse(source), reading)
            if hit is None:
                continue
            reason = reason or _objection(reading, hit, point, content, statements, index)
            matched = _quotes(text, reading.sentence, hit.places)
            if not reason:
                share, _ = coverage(content, reading.lattice, _outside(frozenset()))
                said.append((share, _text(text, reading.sentence), matched))
                break
            asked = asked or _result(point, "ask", matched, reason)
    if said:
        _, best, _ = max(said, key=lambda each: each[0])
        return replace(_result(point, "credited", said[0][2]), evidence=best)
    if asked is None:
        for reading in readings:
            share, places = coverage(content, reading.lattice, _outside(frozenset()))
            if share >= ASK_SHARE and reading.objection != PADDING:
                return _result(point, "ask", _quotes(text, reading.sentence, places), PARTLY)
    return asked or _result(point, "missed")


def _open_hit(recipe: Recipe, reading: Reading) -> tuple[Hit | None, str]:
    """A hit of the recipe outside every negation; else one inside, and why it must be asked."""
    hit = find(recipe, reading.lattice)
    if hit is None:
        return None, ""
    closed = reading.closed(recipe.negators)
    if closed or reading.hearsay:
        outside = find(recipe, reading.lattice, _outside(closed | reading.hearsay))
        if outside is None:
            return hit, REPORTED if closed.isdisjoint(hit.places) else NEGATED
        hit = outside
    return hit, ""


def _objection(
    reading: Reading,
    hit: Hit,
    point: Point,
    content: Content,
    statements: tuple[str, ...],
    index: int,
) -> str:
    if reading.objection:
        return reading.objection
    if reading.misconceived:
        return MISCONCEIVED
    if (
        reading.listed
        and not stuffing.wants_names(point.statement)
        and stuffing.is_unsaid(reading.words, hit.places)
    ):
        return LISTED
    if roles.other_subject(reading.words, hit.places, index, statements):
        return OTHER_SUBJECT
    if roles.reversed_direction(point.statement, reading.directions):
        return REVERSED
    if roles.opposed(point.statement, reading.words, hit.places):
        return REVERSED
    if _denied(reading, content, hit):
        return DENIED
    if any(find(parse(recipe), reading.lattice) for recipe in point.unless):
        return UNLESS
    return ""


def _denied(reading: Reading, content: Content, hit: Hit) -> bool:
    """Whether the sentence puts a negation on words that the statement affirms."""
    under = frozenset(
        index
        for scope in reading.scopes
        if scope.denies and hit.places.isdisjoint(scope.at)
        for index in range(scope.start, scope.end)
    )
    if not under or content.negated:
        return False
    whole, _ = coverage(content, reading.lattice, _outside(frozenset()))
    left, _ = coverage(content, reading.lattice, _outside(under))
    return whole - left >= DENIED_SHARE


def _text(text: str, sentence: Sentence) -> str:
    """The sentence as the learner wrote it."""
    return text[sentence.tokens[0].start : sentence.tokens[-1].end]


def _quotes(text: str, sentence: Sentence, places: frozenset[int]) -> tuple[str, ...]:
    """The learner's own words at these tokens, neighbours in one quote."""
    spans: list[tuple[int, int]] = []
    last = -2
    for place in sorted(places):
        token = sentence.tokens[place]
        if spans and place == last + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], token.end))
        elif not spans or (token.start, token.end) != spans[-1]:
            spans.append((token.start, token.end))
        last = place
    return tuple(text[start:end] for start, end in spans)


def _result(
    point: Point, state: PointState, matched: tuple[str, ...] = (), reason: str = ""
) -> PointResult:
    return PointResult(
        point.id, point.statement, state, point.weight == "essential", matched, reason
    )
