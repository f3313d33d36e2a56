"""What is wrong in a pack's files: one `Problem` a fault, with the place and what was expected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct

Loc: TypeAlias = tuple[str | int, ...]
"""Path of a field inside a YAML document: `(0, "options", 2, "text")`."""

Severity = Literal["error", "warning"]


class Problem(Struct, frozen=True):
    """One fault of a file; lines and columns count from 1."""

    file: str
    line: int
    column: int
    field: str
    """Path of the field, such as `options[2].text`; empty for the file as a whole."""
    message: str
    expected: str = ""
    severity: Severity = "error"
    item: str = ""
    """Id of the item where it is known, without the pack's name."""

    def __str__(self) -> str:
        kind = "warning: " if self.severity == "warning" else ""
        where = ": ".join(part for part in (self.item, self.field) if part)
        head = f"{self.file}:{self.line}:{self.column}: {kind}"
        body = f"{where}: {self.message}" if where else self.message
        return f"{head}{body}{f' (expected {self.expected})' if self.expected else ''}"


def field_path(loc: Loc) -> str:
    """`("options", 2, "text")` as `options[2].text`."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is spelled most like `word`; empty when none is close."""
    import difflib

    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean X?`, or what is known when nothing is close and it is a short list."""
    names = list(known)
    near = nearest(word, names)
    if near:
        return f"did you mean `{near}`?"
    if not names or len(names) > 10:
        return f"none of the {len(names)} known is close" if names else "none is known"
    return f"known: {', '.join(names)}"
