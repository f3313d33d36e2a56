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


class AfterError(ValueError):
    """What was given cannot be logged; the message says why and the way out."""


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
