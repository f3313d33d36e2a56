"""What of a judge's claims is taken over: a point in doubt, credited by a quote that holds.

Only points that the rules left as `ask` or `missed` are sent, and all that can happen to one is a
credit. A "no" changes nothing: it needs no evidence, so it could be made up. For the same reason
an automatic credit is never turned back into a question, although a judge's "no" could do so in
practice: in an interview `ask` has no automatic credit, so that would take it away.

A quote holds when it stands literally in the answer (white space aside), is long enough to say
something, does not only repeat the question, is not cut out of a denial or of what others are
said to believe, does not stand in a heap of words, has to do with the matter, and is not the
passage that is given for another point as well. From an answer that addresses whoever judges it no
quote holds, since a judge that can be talked to may believe the rest of it too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from drill.domain.counted import counted
from drill.domain.interview.state import Judged
from drill.domain.questions import ExplainBody, Question
from drill.domain.rubric import guards
from drill.domain.rubric.grammar import FUNCTION
from drill.domain.rubric.roles import base
from drill.domain.rubric.text import MAX_CHARS, Sentence, plain_words, sentences_of
from drill.services.outside_judge.protocol import MOST_QUOTE, Said

LEAST_WORDS, LEAST_CHARS, LEAST_CONTENT = 3, 12, 2
"""Least words, characters and content words of a quote."""
SAME_SHARE = 0.5
"""Two quotes that share more than this part of the shorter one are one passage."""

_TO_THE_JUDGE = re.compile(
    r"""
    \b(ignore|disregard|forget|override|bypass)\b.{0,60}
      \b(instructions?|rubrics?|rules|everything
        |(your|system|previous|prior|earlier)\s(prompts?|messages?|text)|the\sabove|all\sabove)\b
    | \b(mark|credit|grade|score|rate|count|accept|award|give|treat|consider|set|return|respond
        |reply|assume|judge)\b.{0,60}
      \b(every\s?(thing|point|item|statement|criterion)|each\s(point|item|statement)
        |(all|any)(\sof)?(\s(the|my|these))?\s(points?|items?|statements?|criteria|answers?)
        |(full|maximum|top|perfect)\s(marks?|credit|score|points)
        |as\s(said|true|correct|credited|met|passed|mentioned)|yes|said)\b
    | \b(rubrics?|grader|graders|examiner|interviewer)\b
    | \b(dear|the|to|hey|hello)\sjudge\b
    | \b(you\sare|act\sas|pretend|as\san?)\s(now\s)?(an?\s|the\s)?
      (ai|assistant|language\smodel|llm|judge|grader|chatbot|examiner)\b
    | \b(system|developer)\s(prompt|message|instruction)s?\b
    | \bsaid\b\W{0,3}[:=]\W{0,3}true
    | </?\s*(system|user|assistant|answer|instructions?|points?)\s*> | \[/?INST\] | <\|\w+\|>
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def settle(
    question: Question, text: str, judged: Judged, claims: Mapping[str, Said]
) -> tuple[Judged, str]:
    """What the rules found, with the points that a judge's quotes settle, and a line about it."""
    assert isinstance(question.body, ExplainBody)
    doubt = doubtful(judged)
    if addresses_the_judge(text):
        return judged, _note(0, len(doubt), len(claims))
    claimed = {n: c.quote for n, c in claims.items() if c.said and n in doubt}
    reading = _Reading(question, question.body, text[:MAX_CHARS])
    spans = {n: s for n, q in claimed.items() if (s := reading.place(q)) is not None}
    taken = [n for n, s in spans.items() if not _shared(s, n, spans)]
    note = _note(len(taken), len(doubt), len(claimed) - len(taken))
    if not taken:
        return judged, note
    points = {**judged.points, **dict.fromkeys(taken, "credited")}
    quotes = {**judged.quotes, **{n: reading.words_at(spans[n]) for n in taken}}
    essential = [p.id for p in question.body.points if p.weight == "essential"] or list(points)
    score = sum(points.get(p) == "credited" for p in essential) / max(1, len(essential))
    return replace(judged, points=points, quotes=quotes, score=score), note


def addresses_the_judge(text: str) -> bool:
    """Whether some sentence of an answer speaks to whoever judges it, or of the marking."""
    return any(
        _TO_THE_JUDGE.search(_flat(text[s.tokens[0].start : s.tokens[-1].end + 1]))
        for s in sentences_of(text)
    )


def doubtful(judged: Judged) -> tuple[str, ...]:
    """The points that the rules did not credit."""
    return tuple(name for name, state in judged.points.items() if state != "credited")


def _note(taken: int, doubt: int, refused: int) -> str:
    said = f"The outside judge settled {taken} of {counted(doubt, 'point')} in doubt."
    if refused:
        said += f" {counted(refused, 'quote')} of its did not hold."
    return said


Span = tuple[int, int]


def _shared(span: Span, name: str, spans: Mapping[str, Span]) -> bool:
    """Whether the passage was given for another point as well."""
    for other, (start, end) in spans.items():
        common = min(end, span[1]) - max(start, span[0])
        shorter = min(end - start, span[1] - span[0])
        if other != name and common > SAME_SHARE * shorter:
            return True
    return False


class _Reading:
    """An answer, prepared for looking up quotes."""

    def __init__(self, question: Question, body: ExplainBody, text: str) -> None:
        self._text = text
        self._asked = _flat(f"{question.scenario} {question.prompt}").casefold()
        self._sentences: Sequence[Sentence] = sentences_of(text)
        about = (
            question.scenario, question.prompt, question.explanation, body.model_answer,
            *(p.statement for p in body.points), *(b.statement for b in body.misconceptions),
        )  # fmt: skip
        self._matter = {base(word) for part in about for word in _content(plain_words(part))}

    def words_at(self, span: Span) -> str:
        """The learner's own words at a place."""
        return _flat(self._text[span[0] : span[1]])

    def place(self, quote: str) -> Span | None:
        """Where a quote that holds stands in the answer; None for one that does not."""
        wanted = quote.split()
        flat = " ".join(wanted)
        if len(wanted) < LEAST_WORDS or not LEAST_CHARS <= len(flat) <= MOST_QUOTE:
            return None
        if len(set(_content(plain_words(flat)))) < LEAST_CONTENT:
            return None
        if flat.casefold().strip(" .?!\"'") in self._asked:
            return None
        pattern = r"\s+".join(re.escape(word) for word in wanted)
        for found in re.finditer(rf"(?<!\w){pattern}(?!\w)", self._text):
            if self._holds(found.span()):
                return found.span()
        return None

    def _holds(self, span: Span) -> bool:
        around = [s for s in self._sentences if _overlap(s, span)]
        if not any(base(word) in self._matter for s in around for word in _content(s.words)):
            return False
        return all(self._earns(s, _overlap(s, span)) for s in around)

    def _earns(self, sentence: Sentence, quoted: frozenset[int]) -> bool:
        """Whether a sentence may earn credit by its tokens that are quoted."""
        words = sentence.words
        if guards.is_padding(words) or guards.is_scrambled(words):
            return False
        # A negation inside the quote is part of what is said.
        return not any(
            quoted.isdisjoint(scope.at) and not quoted.isdisjoint(range(scope.start, scope.end))
            for scope in (*guards.negations(words), *guards.reported(words))
        )


def _overlap(sentence: Sentence, span: Span) -> frozenset[int]:
    return frozenset(
        n for n, t in enumerate(sentence.tokens) if t.start < span[1] and t.end > span[0]
    )


def _content(words: Sequence[str]) -> list[str]:
    return [word for word in words if word[0].isalnum() and word not in FUNCTION]


def _flat(text: str) -> str:
    return " ".join(text.split())
