"""An answer in an interview judged by the graders of practice, with the learner's sentences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from drill.domain.grading import grade
from drill.domain.interview.facts import sentences
from drill.domain.interview.state import Judged
from drill.domain.questions import ExplainBody, Question
from drill.domain.rubric import judge
from drill.domain.rubric.grammar import FUNCTION
from drill.domain.rubric.stuffing import (
    claims,
    enumerates,
    is_list,
    is_slogan,
    parts_of,
    wants_names,
)
from drill.domain.rubric.text import plain_words
from drill.domain.verdict import PointState


def judged(
    question: Question,
    answer: str,
    outcomes: Mapping[str, object] | None = None,
    *,
    reply: bool = False,
) -> Judged:
    """Judge an answer to the opening question, or a `reply` to a probe of free text.

    Raises what `drill.domain.grading.grade` raises.
    """
    body = question.body
    if isinstance(body, ExplainBody):
        return judged_text(body, answer, reply=reply)
    verdict = grade(question, answer, outcomes)
    return Judged(
        verdict.score,
        beliefs=tuple(verdict.misconceptions),
        summary=verdict.summary,
        expected=verdict.expected,
    )


def judged_text(body: ExplainBody, text: str, *, reply: bool = False) -> Judged:
    """Judge free text, an opening answer or a `reply` to a probe, against a rubric.

    A list of names, a slogan, and a sentence with more points than claims earn nothing here by
    themselves: the points stay in doubt until the learner ticks them.
    """
    result = judge(text, body.points, body.misconceptions, reply=reply)
    own = sentences(text)
    found = [p for p in result.points if p.state in ("credited", "ask")]
    first = {p.id: quoted(own, p.matched) for p in found}
    quotes = {p.id: quoted(own, (p.evidence,) if p.evidence else p.matched) for p in found}
    load = Counter(first[p.id] for p in result.points if p.state == "credited")
    states: dict[str, PointState] = {
        p.id: "ask"
        if p.state == "credited" and _in_doubt(first[p.id], load, p.statement, reply)
        else p.state
        for p in result.points
    }
    essential = [p for p in result.points if p.essential] or list(result.points)
    share = sum(states[p.id] == "credited" for p in essential) / max(1, len(essential))
    return Judged(
        share,
        points=states,
        quotes={name: quote for name, quote in quotes.items() if quote},
        beliefs=result.misconceptions,
        belief_quotes={
            belief.id: sentence
            for belief in body.misconceptions
            if belief.id in result.misconceptions and (sentence := _showing(own, body, belief.id))
        },
        stuffed=result.stuffed,
    )


_BETWEEN = re.compile(r"[,;:]|\band\b|\bor\b")
_SIGNS = re.compile(r"[=<>+*^/→×~]|->")
LONGEST_PART, FEWEST_PARTS, LEAST_GLUE = 3.0, 3, 0.12
FEWEST_CROWDED = 4
"""Points in one sentence from which it has to make half as many claims; one more in a reply."""
CLAIM_EVERY = 3
"""A row of short parts earns nothing with no more than a claim in that many of them."""
SHORTEST_SLOGAN = 5
"""Words from which a slogan earns nothing; practice is more lenient."""


def only_lists(sentence: str) -> bool:
    """Whether a sentence only names things, one after the other, and says nothing of them.

    Practice takes such a list for an answer where it holds the right words. An interviewer asks
    what is meant: the point stays in doubt until the learner ticks it. Terse notation with signs
    is no list.
    """
    if _SIGNS.search(sentence):
        return False
    parts = [part.split() for part in _BETWEEN.split(sentence) if part.strip()]
    words = [word for word in plain_words(sentence) if word[0].isalpha()]
    if len(parts) < FEWEST_PARTS or not words:
        return False
    glue = sum(word in FUNCTION for word in words) / len(words)
    return sum(map(len, parts)) / len(parts) <= LONGEST_PART and glue <= LEAST_GLUE


def _in_doubt(sentence: str, load: Mapping[str, int], statement: str, reply: bool) -> bool:
    """Whether the sentence that holds a point names more than it says.

    `load` counts the points by their sentence. A reply of up to three names is an answer where
    the point is a row of names.
    """
    words = plain_words(sentence)
    row = is_list(words, CLAIM_EVERY) and not wants_names(statement)
    if row or only_lists(sentence):
        few = reply and len(parts_of(words)) <= FEWEST_PARTS
        if not (few and enumerates(statement)):
            return True
    fewest = FEWEST_CROWDED + reply
    crowded = load[sentence] >= fewest and 2 * claims(words) < load[sentence]
    return crowded or is_slogan(words, SHORTEST_SLOGAN)


def quoted(own: list[str], matched: tuple[str, ...]) -> str:
    """The sentence that holds most of the words that matched."""
    if not own or not matched:
        return ""
    words = {word for part in matched for word in plain_words(part)}
    words = words - FUNCTION or words

    def found(sentence: str) -> int:
        return len(words.intersection(plain_words(sentence)))

    best = max(own, key=found)
    return best if found(best) else ""


def _showing(own: list[str], body: ExplainBody, belief: str) -> str:
    """The sentence in which a belief shows, judged each on its own."""
    for sentence in own:
        if belief in judge(sentence, body.points, body.misconceptions).misconceptions:
            return sentence
    return own[0] if own else ""
