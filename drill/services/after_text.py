"""What a learner writes into a log of an interview, read; and a log in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from drill.domain.counted import counted

LONGEST = 2000
"""Characters of one question; a longer line is no question."""
SHORTEST = 3
"""Letters and digits of one; less is a stray key."""
_MARKER = re.compile(r"^\s*(?:[-*•>]+|\(?\d{1,3}[.):]|[Qq]\d{0,3}[.):])\s+")

_ITEM = re.compile(r"- id: *[a-z]+\.[a-z0-9-]+ *$")
_OF_A_CARD = re.compile(r"=(?!=)|!=|- \[[ xX]\] |(?:id|level|type|topic): *\S")
"""What stands below a `##` of a card and not below one of notes."""


class AfterError(ValueError):
    """What was given cannot be logged; the message says why and the way out."""


def refuse_other_files(text: str, name: str) -> None:
    """Refuse what is plainly another kind of file than questions, with the command that reads it.

    `name`: what the file is called in the message. Raises AfterError.
    """
    text = text.removeprefix("\ufeff").lstrip()
    first = text.partition("\n")[0].replace(" ", "")
    if first.startswith('{"type":"drill-export"'):
        way = "is an export of a drill's history; `drill import` merges it"
    elif first.startswith(('{"', "[{", '["')) or first in ("{", "["):
        way = "is JSON; give the questions as plain text, one a line"
    elif any(_ITEM.match(line) for line in text.split("\n")):
        way = "is a file of questions for practice; `drill bank check` and `drill pack add` read it"
    elif _is_cards(text) or _is_table(first):
        way = "is a file of cards; `drill import` makes questions of them"
    else:
        return
    raise AfterError(f"{name} {way}. Nothing was logged")


def _is_cards(text: str) -> bool:
    below = False
    for line in text.split("\n"):
        below = below or line.startswith("## ")
        if below and _OF_A_CARD.match(line):
            return True
    return False


def _is_table(header: str) -> bool:
    names = {cell.strip('"').casefold() for cell in re.split(r"[,;\t]", header)}
    return {"question", "answer"} <= names


def questions_of(lines: Iterable[str]) -> list[str]:
    """The questions of a text, one a line, without the marks of a list."""
    return [text for line in lines if (text := question_of(line))]


def question_of(line: str) -> str:
    """One line as a question; empty where it holds none.

    Raises AfterError for a line that is too long to be one.
    """
    plain = line.encode("utf-8", "replace").decode()
    plain = "".join(char if char.isprintable() else " " for char in plain)
    text = " ".join(_MARKER.sub("", plain).split())
    if len(text) > LONGEST:
        raise AfterError(f"a line of {len(text)} characters is no question; one question a line")
    return text if sum(char.isalnum() for char in text) >= SHORTEST else ""


def day_of(text: str, today: date) -> str:
    """The day of an interview as ISO: `2026-11-20`, `20.11.2026`, `today` or `yesterday`.

    Raises AfterError for anything else and for a day that is still to come.
    """
    words = text.strip().lower()
    days = {"today": 0, "yesterday": 1}
    if words in days:
        return (today - timedelta(days=days[words])).isoformat()
    parts = words.split(".")
    if len(parts) == 3 and all(part.isdigit() for part in parts):
        words = f"{int(parts[2]):04d}-{int(parts[1]):02d}-{int(parts[0]):02d}"
    try:
        day = date.fromisoformat(words)
    except ValueError as error:
        raise AfterError("a date is 2026-11-20, 20.11.2026, today or yesterday") from error
    if day > today:
        raise AfterError(f"{day.isoformat()} is still to come; log an interview after it")
    return day.isoformat()


def summary(document: Mapping[str, Any]) -> str:
    """A log in a sentence or two."""
    counts = document["counts"]
    total = counts["questions"]
    parts = [f"{counts['due']} in the bank and due tomorrow"]
    if counts["kept"]:
        parts.append(f"{counts['kept']} kept for interviews")
    if counts["waiting"]:
        parts.append(f"{counts['waiting']} in the bank, but suspended or not shown here")
    if counts["drafted"]:
        files = document["files"]
        where = files[0] if len(files) == 1 else counted(len(files), "file")
        parts.append(f"{counts['drafted']} drafted in {where}")
    else:
        parts.append("none to draft")
    return f"{counted(total, 'question')}: {', '.join(parts)}."


def removal(removed: Mapping[str, Any]) -> str:
    """A log that was taken back, in a sentence or two."""
    company = f" ({removed['company']})" if removed["company"] else ""
    text = f"the log of {removed['date']}{company}, {counted(removed['questions'], 'question')}; "
    text += f"{counted(removed['no_longer_due'], 'item')} no longer brought forward"
    if removed["drafts"]:
        drafts = "its draft stays" if removed["drafts"] == 1 else "its drafts stay"
        text += f"; {drafts} in {', '.join(removed['files'])}"
    return text
