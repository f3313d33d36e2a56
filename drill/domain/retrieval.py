"""Which texts of a small collection a short question is about: BM25 over weighted fields.

Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), section 3.6 (BM25F), with
pairs of neighbouring words as terms of their own. A word that the collection does not know is
corrected towards one that is spelled nearly alike.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from drill.domain.rubric.grammar import FUNCTION
from drill.domain.rubric.roles import base
from drill.domain.rubric.text import plain_words, word_set

K1 = 1.2
LENGTH = 0.6
"""How much a long field weighs less (BM25's b)."""
PAIR_WEIGHT = 0.3
"""What a pair of neighbouring words counts beside a single one."""
SAME_SPELLING = 82.0
"""Least similarity, 0 to 100, at which an unknown word is taken for a known one."""
SHORTEST_CORRECTED = 5

_BOILERPLATE = word_set(
    """explain describe tell walk talk discuss compare define derive implement write show give name
    list say mean means meaning question interview answer example please know think want use
    used using work works happen happens happened difference different differ vs versus
    actually basically exactly detail details briefly scratch pick choose would could should
    thing things way ways kind reason reasons come comes get gets make makes made let lets
    does do did go goes going try tried look looks see one ones lot lots still need needs
    needed happening new good bad best better right wrong like much many long often ever
    person people team company we our us i me my you your yourself time today usually
    typically useful concept idea purpose point model models diffusion image images picture
    pictures without"""
)
"""Words that say little in a question about diffusion models; they count for less."""
FAINT = 0.25
_SPELLED = {"quantize": "quantise", "quantization": "quantise", "quantisation": "quantise",
            "initialize": "initialise", "initialization": "initialise", "color": "colour",
            "optimize": "optimise", "optimization": "optimise"}  # fmt: skip
ALIASES: Mapping[str, str] = {
    "cfg": "guidance", "oom": "out memory", "vram": "gpu memory", "velocity": "v prediction",
    "mmdit": "joint attention", "dit": "transformer", "img2img": "strength", "p95": "p99",
    "txt2img": "text image", "deploy": "release", "rollout": "checkpoint ramp", "twice": "two",
    "roll": "ramp", "sampler": "scheduler", "embedding": "state encoder", "unet": "denoiser",
    "sd": "stable", "t2i": "text image", "pytorch": "torch",
}  # fmt: skip
"""Words of interviewers to those of the bank, tried beside the word itself."""


class Found(Struct, frozen=True):
    """A text that matches."""

    key: str
    share: float
    """Part of the question's weight that the text covers, 0 to 1."""
    common: int = 0
    """Words of the question that say something and that the text has too."""
    evidence: float = 0.0
    """What those words weigh together: their rarity (in nats) times how well each is covered."""


class _Field(Struct, frozen=True):
    terms: Mapping[str, int]
    length: int


def terms(text: str) -> list[str]:
    """Content words of a text in their base forms, and its pairs of neighbours as `one two`."""
    words = [_term(word) for word in plain_words(text) if word[0].isalnum()]
    kept = [word for word in words if word not in FUNCTION]
    return [*kept, *(f"{a} {b}" for a, b in pairwise(kept))]


@lru_cache(maxsize=20_000)
def _term(word: str) -> str:
    word = _SPELLED.get(word, word)
    return base(word) if word.isalpha() and word not in FUNCTION else word


class Collection:
    """Texts that can be searched. Building one takes about a millisecond a text."""

    def __init__(
        self, texts: Mapping[str, Mapping[str, str]], weights: Mapping[str, float]
    ) -> None:
        """`texts`: key to field to text; `weights`: what a word counts in each field."""
        self._weights = weights
        fields: dict[str, dict[str, _Field]] = {}
        for key, parts in texts.items():
            fields[key] = {}
            for name, text in parts.items():
                found = Counter(terms(text))
                fields[key][name] = _Field(found, sum(found.values()))
        count = max(1, len(fields))
        mean = {
            name: sum(f[name].length for f in fields.values() if name in f) / count
            for name in weights
        }
        self._postings: dict[str, dict[str, float]] = {}
        for key, own in fields.items():
            for name, field in own.items():
                shrink = 1 - LENGTH + LENGTH * field.length / max(1.0, mean[name])
                for term, times in field.terms.items():
                    row = self._postings.setdefault(term, {})
                    row[key] = row.get(key, 0.0) + weights[name] * times / shrink
        self._idf = {
            term: math.log(1 + (count - len(row) + 0.5) / (len(row) + 0.5))
            for term, row in self._postings.items()
        }
        self._rarest = math.log(1 + (count + 0.5) / 0.5)
        self._words = [t for t in self._postings if " " not in t and len(t) >= SHORTEST_CORRECTED]

    def search(self, question: str, limit: int = 3) -> list[Found]:
        """The texts that a question is most about, best first; none that share nothing with it."""
        wanted = self._wanted(question)
        whole = sum(weight for weight, _, _ in wanted)
        if not whole:
            return []
        scores: dict[str, float] = {}
        common: dict[str, int] = {}
        evidence: dict[str, float] = {}
        for weight, telling, ways in wanted:
            best: dict[str, float] = {}
            for term, worth in ways:
                for key, amount in self._postings.get(term, {}).items():
                    best[key] = max(best.get(key, 0.0), worth * amount / (K1 + amount))
            for key, part in best.items():
                scores[key] = scores.get(key, 0.0) + weight * part
                if telling:
                    common[key] = common.get(key, 0) + 1
                    evidence[key] = evidence.get(key, 0.0) + weight * part
        ranked = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
        return [
            Found(key, score / whole, common.get(key, 0), evidence.get(key, 0.0))
            for key, score in ranked[:limit]
        ]

    def _wanted(self, question: str) -> list[tuple[float, bool, list[tuple[str, float]]]]:
        """Each term of a question: its weight, whether it tells by itself, and its spellings.

        A pair of words and a word of every such question tell nothing by themselves.
        """
        found = []
        for term in dict.fromkeys(terms(question)):
            pair = " " in term
            if pair and term not in self._postings:
                continue
            ways = [(term, 1.0)]
            if not pair:
                if term not in self._postings:
                    ways += self._corrected(term)
                alias = ALIASES.get(term, "")
                ways += [(_term(word), 0.8) for word in alias.split()]
            known = [self._idf[t] for t, _ in ways if t in self._idf]
            weight = max(known) if known else self._rarest
            if pair:
                weight *= PAIR_WEIGHT
            faint = all(word in _BOILERPLATE for word in term.split())
            if faint:
                weight *= FAINT
            found.append((weight, not pair and not faint, ways))
        return found

    def _corrected(self, term: str) -> Iterable[tuple[str, float]]:
        if len(term) < SHORTEST_CORRECTED or not term.isalpha():
            return
        from rapidfuzz import fuzz, process  # 10 ms; only for a word that nobody knows

        near: Sequence[tuple[str, float, int]] = process.extract(
            term, self._words, scorer=fuzz.ratio, limit=1, score_cutoff=SAME_SPELLING
        )
        for word, likeness, _ in near:
            yield word, likeness / 100
