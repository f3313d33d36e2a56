"""Type `short`: one term, with typos forgiven where they cannot be another term."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from drill.domain.grading.result import judged, malformed
from drill.domain.grading.terms import KNOWN_TERMS
from drill.domain.questions import Question, ShortBody
from drill.domain.verdict import Fault, Verdict

_ARTICLES = {"the", "a", "an"}
_KINDS = {
    "scheduler",
    "sampler",
    "method",
    "function",
    "class",
    "attribute",
    "argument",
    "parameter",
    "keyword",
    "property",
    "module",
    "layer",
}
"""Words that may stand behind a term without changing it: `DDIM scheduler`."""
_ALIASES = {
    "eps": "epsilon",
    "pred": "prediction",
    "float16": "fp16",
    "bfloat16": "bf16",
    "float32": "fp32",
}
_GREEK = str.maketrans(
    {"ε": "epsilon", "ϵ": "epsilon", "σ": "sigma", "α": "alpha", "β": "beta", "η": "eta"}
)
_MORE_WORDS = 4
_SHORT_WORD = 3


def grade_short(question: Question, answer: str) -> Verdict:
    """Judge a term: right or not, whatever its case, hyphens, spaces, articles or plural s.

    A typo of one edit in 5 to 8 letters, or two in more, is forgiven (edits after Damerau and
    Levenshtein), unless digits or signs differ or another known term is as near: DDIM is not a
    typo of DDPM.

    Raises:
        MalformedAnswerError: no term, a sentence, or several terms at once.
    """
    body = question.body
    assert isinstance(body, ShortBody)
    term = " ".join(answer.split()).strip(" `'\"“”.!?,;:")
    if not _squeezed(term):
        raise malformed("The answer holds no term.", "short")
    _refuse_many(term, body)
    accepted = {form for value in body.accept for form in _forms(value)}
    expected = expected_short(question)
    understood = term
    given = _answer_forms(term)
    if given & accepted:
        return judged(1.0, expected=expected, understood=understood)
    for other in body.others:
        if given & _forms(other.value):
            says = other.says or f"`{other.value}` is something else."
            fault = Fault(says, other.misconception)
            return judged(0.0, expected=expected, understood=other.value, faults=[fault])

    known = (*(o.value for o in body.others), *KNOWN_TERMS)
    rivals = [t for t in known if not _forms(t) & accepted]
    named = next((t for t in rivals if _forms(t) & given), None)
    if named is not None:
        fault = Fault(f"`{named}` is another term.")
        return judged(0.0, expected=expected, understood=understood, faults=[fault])
    if "." in term and _answer_forms(term.rpartition(".")[2]) & accepted:
        return judged(1.0, expected=expected, understood=understood)
    near, edits = _nearest(term, body.accept)
    rival, rival_edits = _nearest(term, rivals)
    if near is not None and (rival is None or rival_edits > edits):
        return judged(
            1.0,
            expected=expected,
            understood=near,
            summary=f"Right: `{term}` is read as `{near}`, a typo forgiven.",
        )
    meant = [o for o in body.others if o.value == rival]
    if meant:
        fault = Fault(meant[0].says or f"`{rival}` is something else.", meant[0].misconception)
        return judged(0.0, expected=expected, understood=meant[0].value, faults=[fault])
    if near is not None:
        # As near to another term: not a typo that can be forgiven, and worth saying.
        fault = Fault(f"`{term}` is as near to `{rival}` as to the answer.")
    else:
        fault = Fault(f"`{term}` is not the term.")
    return judged(0.0, expected=expected, understood=understood, faults=[fault])


def expected_short(question: Question) -> str:
    """Return the first accepted form, and the others that are not spellings of it."""
    assert isinstance(question.body, ShortBody)
    first, *more = question.body.accept
    distinct: list[str] = []
    for form in more:
        if not any(_forms(form) & _forms(said) for said in (first, *distinct)):
            distinct.append(form)
    return f"{first} (also: {', '.join(distinct)})" if distinct else first


def _words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text).casefold().translate(_GREEK)
    text = re.sub(r"\(\s*\)$", "", text.strip(" `'\"“”.!?,;:"))
    # A point inside a number stays: SD1.5 is not SD15.
    text = re.sub(r"(?<![0-9])\.|\.(?![0-9])|[-_‐‑–—\s/()\[\]`'\"]", " ", text)
    words = [_ALIASES.get(w, w) for w in text.split()]
    return [w for w in words if w not in _ARTICLES] or words


@lru_cache(maxsize=1024)
def _squeezed(text: str) -> str:
    return "".join(re.findall(r"[^\W_]|[+.#]", "".join(_words(text)))).strip(".")


@lru_cache(maxsize=1024)
def _forms(text: str) -> frozenset[str]:
    """Return what a term is compared by: its letters, digits and signs, in the singular."""
    words = [_singular(w) for w in _words(text)]
    squeezed = "".join(re.findall(r"[^\W_]|[+.#]", "".join(words)))
    return frozenset(f for f in (squeezed, _singular(squeezed)) if f)


def _answer_forms(text: str) -> frozenset[str]:
    """Return the forms of an answer, which may name the kind of thing too: `DDIM scheduler`."""
    forms = set(_forms(text))
    for kind in _KINDS:
        forms |= {f.removesuffix(kind) for f in forms if f != kind}
    return frozenset(forms)


def _singular(word: str) -> str:
    if len(word) <= 3 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") else word


def _allowed_edits(form: str) -> int:
    letters = sum(c.isalpha() for c in form)
    if letters < 5:
        return 0
    return 1 if letters <= 8 else 2


def _nearest(term: str, candidates: tuple[str, ...] | list[str]) -> tuple[str | None, int]:
    """Return the candidate within its allowed edits that is nearest, and the edits."""
    from rapidfuzz.distance import DamerauLevenshtein

    best: tuple[str | None, int] = (None, 0)
    given_forms = _answer_forms(term)
    for candidate in candidates:
        form = _singular(_squeezed(candidate))
        allowed = _allowed_edits(form)
        for given in given_forms:
            if not _only_letters_differ(term, given, candidate, form):
                continue
            edits = DamerauLevenshtein.distance(given, form, score_cutoff=allowed)
            if edits <= allowed and (best[0] is None or edits < best[1]):
                best = (candidate, edits)
    return best


def _only_letters_differ(term: str, given: str, candidate: str, form: str) -> bool:
    """Whether the difference can be a typo: the first letter, digits, signs, short words agree.

    A changed short word is another word: `v prediction` and `x prediction`, `min` and `max`.
    """
    if given[0] != form[0] or _signs(given) != _signs(form):
        return False
    words, others = _words(term), _words(candidate)
    return len(words) != len(others) or all(
        a == b for a, b in zip(words, others, strict=True) if min(len(a), len(b)) <= _SHORT_WORD
    )


def _signs(form: str) -> str:
    """Return the digits and signs of a form, which no typo may change."""
    return "".join(c for c in form if not c.isalpha())


def _refuse_many(term: str, body: ShortBody) -> None:
    forms = (*body.accept, *(o.value for o in body.others))
    longest = max(len(form.split()) for form in forms)
    if len(term.split()) > longest + _MORE_WORDS:
        raise malformed("A term is asked, not a sentence.", "short")
    parts = [p for p in re.split(r"\s*[,;|/]\s*|\s+or\s+|\s+and\s+", term) if p.strip()]
    accepted = {f for value in body.accept for f in _forms(value)}
    if len(parts) > 1 and not _forms(term) & accepted and any(_forms(p) & accepted for p in parts):
        raise malformed("Several terms are given; give one.", "short")
