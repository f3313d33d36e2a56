"""Cards from CSV: a header names the columns, a row is a card."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator

from drill.services.moving.card import (
    FIELDS,
    Card,
    CardPoint,
    CardProblem,
    Cards,
    Choice,
    Fault,
    Said,
    reply,
)
from drill.services.moving.cards_bodies import quantity

COLUMNS = ("question", "answer", "wrong", "explanation", "code", *FIELDS)
NEEDED = ("question", "answer")
DELIMITERS = ",;\t"


def read_csv(text: str) -> Cards:
    """Every card of a file, with what could not be read of it; places are line and column 1."""
    found = Cards(table=True)
    rows = list(_rows(text, found))
    if not rows:
        found.problems.append(
            CardProblem(1, 1, "the file is empty", f"a header: {', '.join(COLUMNS)}")
        )
        return found
    line, header = rows[0]
    names = [name.strip().casefold() for name in header]
    for name in names:
        if name and name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            wanted = f"`{near[0]}`" if near else f"one of {', '.join(COLUMNS)}"
            found.problems.append(CardProblem(line, 1, f"`{name}` is no column", wanted))
    for name in NEEDED:
        if name not in names:
            found.problems.append(
                CardProblem(line, 1, f"the column `{name}` is missing", "it in the header")
            )
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        found.problems.append(CardProblem(line, 1, f"the column `{name}` stands twice", "it once"))
    if found.problems:
        return found
    for line, row in rows[1:]:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(names):
            said = f"the row has {len(row)} cells and the header {len(names)}"
            found.problems.append(CardProblem(line, 1, said, "text with commas in double quotes"))
            continue
        cells = {name: cell.strip() for name, cell in zip(names, row, strict=False) if name}
        found.cards.append(_card(cells, line, found))
    return found


def dialect(text: str) -> str:
    """The character between cells: that of the header line which parts it most."""
    first = text.removeprefix("\ufeff").partition("\n")[0]
    return max(DELIMITERS, key=first.count)


def _rows(text: str, found: Cards) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line in which they begin."""
    given = io.StringIO(text.removeprefix("\ufeff"), newline="")
    reader = csv.reader(given, delimiter=dialect(text), strict=True)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        found.problems.append(
            CardProblem(
                line, 1, f"cannot be read from here on: {error}", "quotes doubled inside quotes"
            )
        )


def _card(cells: dict[str, str], line: int, found: Cards) -> Card:
    def said(name: str) -> Said | None:
        return Said(cells[name], line) if cells.get(name) else None

    card = Card(Said(cells.get("question", ""), line))
    if not card.question.text:
        found.fault(card.question, "the question is empty", "text in the column `question`")
    for name in FIELDS:
        value = cells.get(name)
        if value:
            card.fields[name] = [Said(value, line)]
    card.code = said("code")
    card.explanation = said("explanation")
    answers = [Said(each, line) for each in parts(cells.get("answer", ""))]
    wrong = [reply(Said(each, line)) for each in parts(cells.get("wrong", ""))]
    kind = cells.get("type", "").casefold()
    if kind == "explain" or (not kind and any("**" in each.text for each in answers)):
        # A bar parts words inside bold marks, so that points stand one a line.
        lines = [each.strip() for each in cells.get("answer", "").splitlines() if each.strip()]
        card.points = [
            CardPoint(Said(each.removeprefix("+").strip(), line), each[0] != "+") for each in lines
        ]
    elif kind in ("short", "number") or not wrong or (not kind and _is_number(answers)):
        card.answers = answers
        card.faults = [Fault(*each) for each in wrong]
    else:
        card.options = [Choice(each, True) for each in answers]
        card.options += [Choice(text, False, says) for text, says in wrong]
    return card


def _is_number(answers: list[Said]) -> bool:
    return len(answers) == 1 and quantity(answers[0].text) is not None


def parts(cell: str) -> list[str]:
    """Several answers in one cell: one a line, or parted by bars."""
    split = cell.splitlines() if "\n" in cell else cell.split("|")
    return [each.strip() for each in split if each.strip()]
