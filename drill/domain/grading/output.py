"""Type `output`: what a snippet prints, compared token by token."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from drill.domain.grading.result import capped, judged, malformed
from drill.domain.questions import OutputBody, Question
from drill.domain.verdict import Fault, Verdict

_SIZE = re.compile(r"(?:torch\.)?Size\(\s*\[([^\[\]]*)\]\s*\)")
_TOKEN = re.compile(
    r"(?<![\w.)\]])[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?![\w.])"
    r"|[-+]?(?:nan|inf)\b|\w+|[^\w\s]",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_QUOTES = str.maketrans("", "", "'\"`‘’“”")
_CONSTANTS = {"true", "false", "none", "nan", "inf", "+inf", "-inf"}
_NOTHING = {"nothing", "(nothing)", "empty", "no output"}
_WHERE_TOLERANT = 1e-12


def grade_output(question: Question, answer: str) -> Verdict:
    """Judge printed text: whitespace and quotes do not count, numbers have a tolerance.

    A number of the key written with a point or an exponent is right within `rel`; a whole
    number must be equal. `torch.Size([2, 4])` may be written as a tuple or list. The credit of a
    text that is not right is the share of its lines that are (lines in order; or, where the
    answer is one line, the lines of the key that it begins with), capped.

    Raises:
        MalformedAnswerError: the answer is empty (an empty output is written `nothing`).
    """
    body = question.body
    assert isinstance(body, OutputBody)
    if not answer.strip():
        raise malformed("The answer is empty; write `nothing` if nothing is printed.", "output")
    said_nothing = answer.strip().casefold() in _NOTHING and answer.strip() != body.key.strip()
    text = "" if said_nothing else answer
    if "\\n" not in body.key:
        text = text.replace("\\n", "\n")
    given, key = _lines(text), _lines(body.key)
    if not given and not said_nothing:
        raise malformed("The answer holds nothing that can be printed.", "output")
    understood = "\n".join(line for line, _ in given) or "nothing"
    if _same(_joined(given), _joined(key), body.rel):
        return judged(1.0, expected=expected_output(question), understood=understood)
    right = _lines_right(given, key, body.rel)
    score = right / max(len(given), len(key), 1)
    good = (f"{right} of {len(key)} lines are right.",) if right else ()
    return judged(
        capped(score),
        expected=expected_output(question),
        understood=understood,
        good=good,
        faults=[_fault(given, key, body)],
    )


def expected_output(question: Question) -> str:
    """Return the text that is printed."""
    assert isinstance(question.body, OutputBody)
    return question.body.key.strip("\n") or "nothing"


_Line = tuple[str, list[str]]


def _lines(text: str) -> list[_Line]:
    """Return the lines that are not blank, each with its tokens."""
    text = unicodedata.normalize("NFKC", text).replace("−", "-")
    pairs = ((" ".join(line.split()), _tokens(line)) for line in text.splitlines())
    return [(line, tokens) for line, tokens in pairs if tokens]


def _tokens(line: str) -> list[str]:
    line = _SIZE.sub(r"Size(\1)", line.translate(_QUOTES))
    tokens = [t for t in _TOKEN.findall(line) if t]
    # `(2,)` and `(2)`, `[1, 2, ]` and `[1, 2]` print the same numbers.
    return [a for a, b in pairwise([*tokens, ""]) if not (a == "," and b and b in ")]}")]


def _joined(lines: Sequence[_Line]) -> list[str]:
    return [token for _, tokens in lines for token in tokens]


def _same(given: Sequence[str], key: Sequence[str], rel: float) -> bool:
    if "Size" in key:
        given, key = _flat_size(given), _flat_size(key)
    return len(given) == len(key) and all(
        _same_token(a, b, rel) for a, b in zip(given, key, strict=True)
    )


def _flat_size(tokens: Sequence[str]) -> list[str]:
    """Drop the word and unify the brackets of shapes: a `Size` may be written as any sequence."""
    brackets = {"[": "(", "]": ")"}
    return [brackets.get(t, t) for t in tokens if t not in ("Size", "torch")]


def _same_token(given: str, key: str, rel: float) -> bool:
    if given == key:
        return True
    if _NUMBER.fullmatch(given) and _NUMBER.fullmatch(key):
        a, b = float(given), float(key)
        if re.fullmatch(r"[-+]?[0-9]+", key):
            return a == b
        return math.isclose(a, b, rel_tol=rel, abs_tol=_WHERE_TOLERANT)
    folded = given.casefold()
    return folded in _CONSTANTS and folded == key.casefold()


def _lines_right(given: Sequence[_Line], key: Sequence[_Line], rel: float) -> int:
    """Count the lines of the key that the answer has in order (longest common subsequence)."""
    row = [0] * (len(key) + 1)
    for _, tokens in given:
        previous = row
        row = [0]
        for j, (_, wanted) in enumerate(key):
            best = max(row[j], previous[j + 1])
            row.append(previous[j] + 1 if _same(tokens, wanted, rel) else best)
    return max(row[-1], _begun(given, key, rel))


def _begun(given: Sequence[_Line], key: Sequence[_Line], rel: float) -> int:
    """Count the lines of the key with which an answer of one line begins."""
    if len(given) != 1 or len(key) < 2:
        return 0
    flat = _flat_size if "Size" in _joined(key) else list[str]
    tokens = flat(given[0][1])
    begun = 0
    for n in range(1, len(key) + 1):
        wanted = flat(_joined(key[:n]))
        if _same(tokens[: len(wanted)], wanted, rel):
            begun = n
    return begun


def _fault(given: Sequence[_Line], key: Sequence[_Line], body: OutputBody) -> Fault:
    for fault in body.faults:
        if _same(_joined(given), _joined(_lines(fault.value)), body.rel):
            return Fault(fault.says or "That is a known wrong output.", fault.misconception)
    if not key:
        return Fault("Nothing is printed.")
    begun = _begun(given, key, body.rel)
    if begun:
        if begun == len(key):
            return Fault("Everything that is printed is there, and then something more.")
        return Fault(f"It is right as far as line {begun}; line {begun + 1} is `{key[begun][0]}`.")
    for n, ((line, tokens), (wanted, wanted_tokens)) in enumerate(zip(given, key, strict=False), 1):
        if not _same(tokens, wanted_tokens, body.rel):
            return Fault(f"Line {n} is the first that differs: `{line}`, printed is `{wanted}`.")
    n = min(len(given), len(key)) + 1
    if len(given) < len(key):
        return Fault(f"Line {n} is missing: `{key[n - 1][0]}`.")
    return Fault(f"Line {n} is not printed: `{given[n - 1][0]}`.")
