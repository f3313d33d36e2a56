"""Finding the option that an answer names by letter, id or text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from drill.domain.grading.result import malformed
from drill.domain.presentation import letter
from drill.domain.questions import AnswerType, Option

_SEPARATORS = re.compile(r"\s*(?:[,;&+\n>→]|->|\band\b)\s*|\s+", re.IGNORECASE)
_DECORATED = re.compile(
    r"^(?:(?:option|answer|step|letter)\s+)?\(?([a-z])\)?[.:)]?$", re.IGNORECASE
)


def same_text(text: str) -> str:
    """Reduce a text to what counts when it is compared: letters, digits and signs."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(text.replace("`", "").split()).strip(" .;")


def labelled(index: int, text: str) -> str:
    """Return an option as it is shown: `b) text`."""
    return f"{letter(index)}) {' '.join(text.split())}"


def pick(answer: str, options: Sequence[Option], answer_type: AnswerType) -> int:
    """Return the place of the one option that `answer` names.

    Raises:
        MalformedAnswerError: it names none, or it can be read as two of them.
    """
    places = _candidates(answer, options)
    if len(places) == 1:
        return places[0]
    last = letter(len(options) - 1)
    if len(places) > 1:
        named = " and ".join(f"`{letter(i)}`" for i in places)
        raise malformed(f"`{_short(answer)}` can mean the options {named}.", answer_type)
    raise malformed(f"`{_short(answer)}` is no option; they are `a` to `{last}`.", answer_type)


def pick_many(answer: str, options: Sequence[Option], answer_type: AnswerType) -> list[int]:
    """Return the places that `answer` names, in its order.

    The answer is a list of letters or ids, letters run together (`acd`), or texts separated by
    `;` or line breaks.

    Raises:
        MalformedAnswerError: a part names no option, or one is named twice.
    """
    whole = _candidates(answer, options)
    if len(whole) == 1:
        return whole
    parts = [p for p in _SEPARATORS.split(answer.strip()) if p]
    if not all(_candidates(p, options) for p in parts):
        together = answer.strip().casefold()
        texts = [p.strip() for p in re.split(r"[;\n]", answer) if p.strip()]
        commas = [p.strip() for p in answer.split(",") if p.strip()]
        letters = {letter(i) for i in range(len(options))}
        if together.isalpha() and set(together) <= letters:
            parts = list(together)
        elif len(texts) > 1 and all(_candidates(p, options) for p in texts):
            parts = texts
        elif len(commas) > 1 and all(_candidates(p, options) for p in commas):
            parts = commas
    places = [pick(part, options, answer_type) for part in parts]
    if not places:
        raise malformed("The answer is empty.", answer_type)
    doubled = [i for i in dict.fromkeys(places) if places.count(i) > 1]
    if doubled:
        raise malformed(f"`{letter(doubled[0])}` is named twice.", answer_type)
    return places


def _candidates(answer: str, options: Sequence[Option]) -> list[int]:
    """Return every option that the answer can mean; a letter or id outranks a similar text."""
    bare = answer.strip()
    places = {letter(i): i for i in range(len(options))}
    found: list[int] = []
    decorated = _DECORATED.match(bare)
    name = decorated.group(1).casefold() if decorated else bare.casefold()
    if name in places:
        found.append(places[name])
    found += [i for i, o in enumerate(options) if o.text.strip() == bare and i not in found]
    if found:
        return found
    found = [i for i, o in enumerate(options) if o.id.casefold() == bare.casefold()]
    if found:
        return found
    wanted = same_text(bare)
    if not wanted:
        return []
    found = [i for i, o in enumerate(options) if same_text(o.text) == wanted]
    if found:
        return found
    # As shown, with its letter before the text.
    lettered = re.match(r"^\(?([a-z])[).:]\s+(.+)$", bare, re.IGNORECASE | re.DOTALL)
    if lettered and lettered.group(1).casefold() in places:
        place = places[lettered.group(1).casefold()]
        if same_text(options[place].text) == same_text(lettered.group(2)):
            return [place]
    return []


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:39] + "…"
