"""The answers of cards as fields of an item: numbers with units, points with their recipes."""

from __future__ import annotations

import re
from typing import Any

from drill.domain.rubric.text import word_set
from drill.services.moving.card import Card, Cards, Said

_NUMBER = re.compile(r"([-+]?(?:\d[\d_,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(\s*)([^\d\s][^\s]*)?$")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_SMALL = word_set(
    """a an the is are was do does did you your we our of in on at to for and or how what why which
    would can could so it its that this with"""
)
_ATTACHED = word_set("% x B kB MB GB TB KiB MiB GiB TiB s ms px")
"""Units that stand right behind a number; `3D` and `50step` are terms."""
_WORDS, _CHARS = 6, 48


def fault(value: object, at: Said, says: Said | None, found: Cards) -> dict[str, Any]:
    """A wrong answer that is known."""
    if says is None:
        line = f"`{'' if found.table else '!= '}{at.text} => why not`"
        found.fault(at, "a wrong answer without a reply", line)
        return {"value": value}
    return {"value": value, "says": says.text}


def quantity(text: str) -> tuple[float, str] | None:
    """`1,000 calls`, `42 %`, `1.5GB` as number and unit; None for anything else."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    digits, space, unit = match[1], match[2], match[3] or ""
    if "," in digits and not _THOUSANDS.fullmatch(digits):
        return None
    if unit and not space and unit not in _ATTACHED:
        return None  # `3D` is a term
    value = float(digits.replace(",", "").replace("_", ""))
    return (int(value) if value.is_integer() and abs(value) < 1e15 else value), unit


def number(card: Card, found: Cards) -> dict[str, Any] | None:
    """The fields of a `number` item; None where they cannot be made."""
    key = card.answers[0]
    read = quantity(key.text)
    assert read is not None
    value, unit = read
    body: dict[str, Any] = {"key": value}
    if unit:
        body["unit"] = unit
    given = card.one("tolerance")
    body["tolerance"] = 0 if isinstance(value, int) else {"rel": 0.01}
    if given is not None:
        width = quantity(given.text)
        if width is None or width[1] not in ("", "%"):
            found.fault(given, f"`{given.text}` is no tolerance", "`0`, `0.5` or `2 %`")
            return None
        body["tolerance"] = {"rel": width[0] / 100} if width[1] else {"abs": width[0]}
    faults = []
    for each in card.faults:
        wrong = quantity(each.value.text)
        if wrong is None:
            found.fault(each.value, f"`{each.value.text}` is no number", "a number")
            continue
        if wrong[1] not in ("", unit):
            found.fault(each.value, f"`{each.value.text}` has another unit", f"`{unit}` or none")
        faults.append(fault(wrong[0], each.value, each.says, found))
    return {**body, "faults": faults} if faults else body


def explained(card: Card, found: Cards) -> dict[str, Any] | None:
    """The fields of an `explain` item: its bold words become recipes."""
    points: list[dict[str, Any]] = []
    names: set[str] = set()
    for point in card.points:
        bold = _BOLD.findall(point.text.text)
        clauses = [_atom(each) for each in bold]
        if not all(clauses) or not clauses:
            wanted = "the words that an answer must say in bold: `The **UNet** runs **twice**.`"
            found.fault(point.text, "nothing tells when an answer makes this point", wanted)
            continue
        statement = _BOLD.sub(lambda match: match[1].split("|")[0].strip(), point.text.text)
        name = slug(bold[0].split("|")[0], 3) or "point"
        name = name if len(name) > 1 else f"point-{name}"
        number = 2
        while name in names:
            name = f"{name.rstrip('0123456789').rstrip('-')}-{number}"
            number += 1
        names.add(name)
        points.append(
            {
                "id": name,
                "statement": statement,
                "weight": "essential" if point.essential else "bonus",
                "accept": [" & ".join(clauses)],
            }
        )
    answer = " ".join(_sentence(point["statement"]) for point in points)
    return {"points": points, "model_answer": answer} if points else None


def _atom(bold: str) -> str:
    """Bold words as an atom of a recipe: its signs mean something there."""
    choices = (" ".join(re.findall(r"[\w.'-]*\w", choice)) for choice in bold.split("|"))
    return "|".join(choice.replace("..", " ") for choice in choices if choice)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def slug(text: str, words: int = _WORDS) -> str:
    """The first words of a text as a part of an id; may be empty."""
    found = re.findall(r"[a-z0-9]+", text.lower())
    kept = [word for word in found if word not in _SMALL] or found
    made = "-".join(kept[:words])
    return made if len(made) <= _CHARS else made[:_CHARS].rpartition("-")[0] or made[:_CHARS]
