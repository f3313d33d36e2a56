"""Types `line` (pick lines of the code) and `mutant` (find the changed one and its effect)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from drill.domain.grading.picking import labelled, pick
from drill.domain.grading.result import capped, judged, malformed
from drill.domain.questions import AnswerType, LineBody, LineFault, MutantBody, Question
from drill.domain.verdict import Fault, Verdict

_WORDS = re.compile(r"\b(?:lines?|and|ln)\b|[#&]", re.IGNORECASE)
_NUMBERS = re.compile(r"\s*[,;\s]\s*")
_SPAN = re.compile(r"([0-9]{1,6})\s*(?:-|–|to)\s*([0-9]{1,6})")
_LINE_FIRST = re.compile(
    r"^(?:lines?\b|ln\b|l(?=\d)|#)?\s*(\d{1,6})(?!\d|\.\d)\s*[;,:.)\s-]*(.*)$",
    re.IGNORECASE | re.DOTALL,
)
_LETTER_FIRST = re.compile(r"^\(?([a-z])\)?[;,:\s]+(?:line\s*)?(\d{1,6})$", re.IGNORECASE)


def grade_line(question: Question, answer: str) -> Verdict:
    """Judge one or several line numbers; several earn |both| / |either| (Jaccard), capped."""
    body = question.body
    assert isinstance(body, LineBody)
    code = _code_lines(question)
    given = _read_lines(answer, code, "line")
    right = set(body.lines)
    faults = [_line_fault(n, body.faults, code) for n in sorted(given - right)]
    missed = sorted(right - given)
    if missed and given & right:
        faults.append(Fault(f"Missing: line {_listed(missed)}."))
    both, either = given & right, given | right
    return judged(
        1.0 if given == right else capped(len(both) / len(either)),
        expected=expected_lines(question),
        understood=_shown_lines(sorted(given), code),
        good=[f"Line {_listed(sorted(both))} is right."] if both and faults else (),
        faults=faults,
    )


def grade_mutant(question: Question, answer: str) -> Verdict:
    """Judge the changed line and what it breaks: half of the credit each."""
    body = question.body
    assert isinstance(body, MutantBody)
    code = _code_lines(question)
    number, effect_text = _read_mutant(answer, bool(body.effects))
    _in_range(number, code, "mutant")
    line_right = number == body.line
    good = []
    faults = []
    if line_right:
        good.append(f"Line {number} is the changed one.")
    else:
        faults.append(_line_fault(number, body.faults, code))
    effect_right = True
    understood = f"line {number}"
    if body.effects:
        place = pick(effect_text, body.effects, "mutant")
        effect = body.effects[place]
        effect_right = effect.right
        understood += f"; {labelled(place, effect.text)}"
        if effect.right:
            good.append(f"The effect is right: {' '.join(effect.text.split())}.")
        else:
            says = effect.says or "That is not what it breaks."
            faults.append(Fault(f"{labelled(place, effect.text)}: {says}", effect.misconception))
    parts = [line_right, effect_right] if body.effects else [line_right]
    score = sum(parts) / len(parts)
    summary = {1.0: "Right.", 0.0: "Not right."}.get(score, "")
    if not summary:
        summary = (
            "Half right: the line is, the effect is not."
            if line_right
            else "Half right: the effect is, the line is not."
        )
    return judged(
        score,
        expected=expected_mutant(question),
        understood=understood,
        summary=summary,
        good=good if score < 1 else (),
        faults=faults,
    )


def expected_lines(question: Question) -> str:
    """Return the right lines with their text."""
    body = question.body
    assert isinstance(body, LineBody)
    return _shown_lines(body.lines, _code_lines(question))


def expected_mutant(question: Question) -> str:
    """Return the changed line, its original and the right effect."""
    body = question.body
    assert isinstance(body, MutantBody)
    said = f"line {body.line}, which was: {body.was.strip()}"
    for place, effect in enumerate(body.effects):
        if effect.right:
            said += f"\n{labelled(place, effect.text)}"
    return said


def _code_lines(question: Question) -> list[str]:
    return question.code.text.splitlines() if question.code else []


def _read_lines(answer: str, code: Sequence[str], kind: AnswerType) -> set[int]:
    text = answer.strip()
    if not text:
        raise malformed("The answer is empty.", kind)
    pasted = [n for n, line in enumerate(code, 1) if line.strip() == text and not text.isdigit()]
    if len(pasted) == 1:
        return set(pasted)
    text = re.sub(r"\bl(?=\d)", "", _WORDS.sub(" ", text), flags=re.IGNORECASE)
    text = _SPAN.sub(lambda m: _spread(m, code, kind), text).strip(" .,;()[]{}:\n\t")
    found = set()
    for part in _NUMBERS.split(text):
        if not re.fullmatch(r"[0-9]{1,6}", part):
            reason = f"`{answer.strip()[:40]}` is not a line number."
            raise malformed(reason if part else "No line number was found.", kind)
        _in_range(int(part), code, kind)
        found.add(int(part))
    return found


def _spread(span: re.Match[str], code: Sequence[str], kind: AnswerType) -> str:
    first, last = int(span.group(1)), int(span.group(2))
    _in_range(first, code, kind)
    _in_range(last, code, kind)
    if first > last:
        raise malformed(f"`{span.group()}` runs backwards.", kind)
    return " ".join(str(n) for n in range(first, last + 1))


def _in_range(number: int, code: Sequence[str], kind: AnswerType) -> None:
    if number < 1 or (code and number > len(code)):
        last = f"1 to {len(code)}" if code else "from 1"
        raise malformed(f"There is no line {number}; the lines are {last}.", kind)


def _read_mutant(answer: str, with_effect: bool) -> tuple[int, str]:
    text = answer.strip()
    if not text:
        raise malformed("The answer is empty.", "mutant")
    swapped = _LETTER_FIRST.match(text)
    if swapped:
        return int(swapped.group(2)), swapped.group(1)
    found = _LINE_FIRST.match(text)
    if not found or not found.group(1).isascii():
        raise malformed("The answer does not begin with the number of a line.", "mutant")
    effect = found.group(2).strip()
    if with_effect and not effect:
        raise malformed("Say also what the change breaks.", "mutant")
    if effect and not with_effect:
        raise malformed("Only the number of the line is asked.", "mutant")
    return int(found.group(1)), effect


def _line_fault(number: int, faults: Collection[LineFault], code: Sequence[str]) -> Fault:
    text = f" ({code[number - 1].strip()})" if 0 < number <= len(code) else ""
    for fault in faults:
        if fault.line == number:
            return Fault(f"Line {number}: {fault.says}".rstrip(": "), fault.misconception)
    return Fault(f"Line {number}{text} is not it.")


def _shown_lines(numbers: Sequence[int], code: Sequence[str]) -> str:
    return "\n".join(
        f"line {n}: {code[n - 1].strip()}" if 0 < n <= len(code) else f"line {n}" for n in numbers
    )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(str(n) for n in numbers)
