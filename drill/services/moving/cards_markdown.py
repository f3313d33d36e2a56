"""Cards from Markdown: a heading is the question, marked lines the answer, the rest explains."""

from __future__ import annotations

import difflib
import re

from drill.services.moving.card import (
    FIELDS,
    MANY,
    Card,
    CardPoint,
    Cards,
    Choice,
    Fault,
    Said,
    lines_of,
    reply,
)

_HEADING = re.compile(r"(#{1,6})\s+(\S.*?)(?:\s+#+)?\s*$")
_FIELD = re.compile(r"([A-Za-z]+):\s*(.*)$")
_FENCE = re.compile(r"(`{3,}|~{3,})\s*([A-Za-z0-9+-]*)\s*$")
_PART = re.compile(r"(- \[[ xX]\]|!=|=(?!=)|[*+](?=\s|$))\s*(.*)$")
_NEAR = 0.75


def read_markdown(text: str) -> Cards:
    """Every card of a file, with what could not be read of it."""
    return _Reading(text).read()


class _Reading:
    """One pass over the lines."""

    def __init__(self, text: str) -> None:
        self.lines = [line.rstrip("\r\n") for line in lines_of(text.removeprefix("\ufeff"))]
        self.found = Cards()
        self.topic: Said | None = None
        self.card: Card | None = None
        self.at_fields = False
        self.question: list[str] = []
        self.explanation: list[Said] = []
        self.part: list[Said] = []
        """Lines of the answer part that is being read."""

    def read(self) -> Cards:
        number = 0
        while number < len(self.lines):
            number = self._line(number)
        self._close()
        return self.found

    def _line(self, number: int) -> int:
        """Read the line with this index; gives the index of the next one to read."""
        raw = self.lines[number]
        here = Said(raw.strip(), number + 1, len(raw) - len(raw.lstrip()) + 1)
        heading = _HEADING.match(raw)
        if heading:
            self._heading(len(heading[1]), Said(heading[2], here.line, heading.start(2) + 1))
            return number + 1
        if self.card is None:
            return number + 1  # notes before the first question are the author's own
        fence = _FENCE.match(here.text)
        if fence:
            return self._code(number, fence[1], fence[2], here)
        if self.at_fields and self._field(here):
            return number + 1
        self.at_fields = False
        part = _PART.match(here.text)
        if part and not raw.startswith(("    ", "\t")):
            self._flush()
            self.part = [
                Said(part[1], here.line, here.column),
                Said(part[2].strip(), here.line, here.column + part.start(2)),
            ]
        elif self.part and here.text and raw[:1].isspace():
            self.part.append(here)  # an indented line goes on with the part above
        else:
            self._flush()
            self._prose(here)
        return number + 1

    def _heading(self, depth: int, said: Said) -> None:
        self._close()
        if depth == 1:
            self.topic = said
        elif depth == 2:
            self.card = Card(said, topic=self.topic)
            self.question = [said.text]
            self.at_fields = True
        else:
            self.found.fault(said, "a heading of the third level", "`# topic` or `## question`")

    def _field(self, here: Said) -> bool:
        found = _FIELD.match(here.text)
        if found is None or self.card is None:
            return False
        name = found[1].lower()
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, n=1, cutoff=_NEAR)
            if not near:
                return False
            self.found.fault(here, f"`{found[1]}` is no field", f"`{near[0]}:`, or a blank line")
            return True
        value = Said(found[2].strip(), here.line, here.column + found.start(2))
        if not value.text:
            return True  # left empty: to be filled in, such as an id
        if name in self.card.fields and name not in MANY:
            self.found.fault(here, f"`{name}` is said twice", "it once")
            return True
        self.card.fields.setdefault(name, []).append(value)
        return True

    def _code(self, number: int, fence: str, lang: str, here: Said) -> int:
        self._flush()
        self.at_fields = False
        end = number + 1
        while end < len(self.lines) and self.lines[end].strip() != fence:
            end += 1
        if end == len(self.lines):
            self.found.fault(here, "the code does not end", f"a line {fence} after it")
        card = self.card
        assert card is not None
        if card.code is not None or self._answered(card):
            self.found.fault(here, "code that cannot be shown", "one block, before the answer")
        elif number + 1 < end:
            card.code = Said("\n".join(self.lines[number + 1 : end]), number + 2)
            card.lang = lang
        return end + 1

    def _answered(self, card: Card) -> bool:
        return bool(card.answers or card.options or card.points or card.faults)

    def _prose(self, here: Said) -> None:
        assert self.card is not None
        field = _FIELD.match(here.text)
        if field and field[1].lower() in FIELDS and field[1].islower():
            wanted = f"`{field[1]}:` right below the question"
            self.found.fault(here, "a field that stands too low to be one", wanted)
        if self._answered(self.card):
            if here.text or self.explanation:
                self.explanation.append(here)
        else:
            self.question.append(here.text)

    def _flush(self) -> None:
        """Take in the answer part that was read."""
        if not self.part or self.card is None:
            return
        mark, first, *more = self.part
        self.part = []
        text = " ".join(part.text for part in (first, *more) if part.text)
        if not text:
            self.found.fault(mark, f"nothing stands after `{mark.text}`", "text in the same line")
            return
        said = Said(text, first.line, first.column)
        if self.explanation:
            self.found.fault(mark, "an answer after the explanation", "all answers above it")
        kind = mark.text.lower()
        if kind == "=":
            self.card.answers.append(said)
        elif kind == "!=":
            self.card.faults.append(Fault(*reply(said)))
        elif kind in ("*", "+"):
            self.card.points.append(CardPoint(said, kind == "*"))
        else:
            value, says = reply(said)
            self.card.options.append(Choice(value, kind == "- [x]", says))

    def _close(self) -> None:
        """The card is over."""
        self._flush()
        card, self.card = self.card, None
        if card is None:
            return
        text = "\n".join(self.question).strip()
        card.question = Said(text, card.question.line, card.question.column)
        written = "\n".join(said.text for said in self.explanation).strip()
        if written:
            card.explanation = Said(written, self.explanation[0].line, self.explanation[0].column)
        self.question, self.explanation = [], []
        self.found.cards.append(card)
