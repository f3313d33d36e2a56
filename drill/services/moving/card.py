"""A card as its author wrote it, with the place of everything in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

FIELDS = ("id", "topic", "level", "relevance", "type", "source", "tolerance", "hint")
"""What may be said of a card besides its texts; `hint` and `source` more than once."""
MANY = ("hint", "source")


class CardsError(Exception):
    """Nothing can be imported; the message names the file and the way out."""


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of text with its line and column, from 1."""

    text: str
    line: int
    column: int = 1

    @property
    def place(self) -> tuple[int, int]:
        return self.line, self.column


@dataclass(slots=True)
class Choice:
    """An option; `says` is the reply to choosing it."""

    text: Said
    right: bool
    says: Said | None = None


@dataclass(slots=True)
class Fault:
    """A wrong answer that is known, and the reply to it."""

    value: Said
    says: Said | None = None


@dataclass(slots=True)
class CardPoint:
    """A point of a free answer, bold words not yet taken out."""

    text: Said
    essential: bool


@dataclass(slots=True)
class Card:
    """One question."""

    question: Said
    fields: dict[str, list[Said]] = field(default_factory=dict)
    topic: Said | None = None
    """Of the heading above it; a field `topic` goes before it."""
    code: Said | None = None
    lang: str = ""
    answers: list[Said] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    options: list[Choice] = field(default_factory=list)
    points: list[CardPoint] = field(default_factory=list)
    explanation: Said | None = None
    id: str = ""
    """As it is given, or made."""

    def one(self, name: str) -> Said | None:
        """A field that is said once."""
        found = self.fields.get(name)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class CardProblem:
    """What is wrong in a file of cards."""

    line: int
    column: int
    message: str
    expected: str = ""


@dataclass(slots=True)
class Cards:
    """A file of cards, read."""

    cards: list[Card] = field(default_factory=list)
    problems: list[CardProblem] = field(default_factory=list)
    table: bool = False
    """Whether it is a table: its author knows columns, not marked lines."""

    def fault(self, at: Said, message: str, expected: str = "") -> None:
        """Note a problem at a place."""
        self.problems.append(CardProblem(at.line, at.column, message, expected))


def lines_of(text: str) -> list[str]:
    """The lines with their ends; only CR and LF end one, whatever else may look like it."""
    return re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)


def reply(said: Said) -> tuple[Said, Said | None]:
    """`text => reply` taken apart."""
    text, arrow, says = said.text.partition("=>")
    head = Said(text.strip(), said.line, said.column)
    if not arrow or not says.strip():
        return head, None
    ahead = len(text) + len(arrow) + len(says) - len(says.lstrip())
    return head, Said(says.strip(), said.line, said.column + ahead)
