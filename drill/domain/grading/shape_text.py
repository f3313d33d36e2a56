"""Reading a tensor shape as people type it, and comparing sizes that have names in them."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drill.domain.expressions import Expression, ExpressionError, parse

MAX_AXES = 12
_POINTS = 12
_MULTIPLE = 64
"""Names stand for multiples of 64 when sizes are compared, so that H/8 and H//8 are one size."""

_WRAPPERS = re.compile(
    r"^(?:torch\.)?size\s*(?=[(\[])|^tuple\s*(?=\()|^list\s*(?=\()", re.IGNORECASE
)
_LEAD = re.compile(
    r"^(?:(?:the\s+)?shape(?:\s+is)?|[a-z_][\w.]*(?:\.shape|\.size\(\))?)\s*(?:==?|:)\s*",
    re.IGNORECASE,
)
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_OPEN = ("-1", "?", "*", "_", "none", "null", "any")
_SYNONYMS = (
    ("b", "bs", "batch", "batch_size", "batchsize"),
    ("h", "height"),
    ("w", "width"),
    ("c", "ch", "channel", "channels"),
    ("l", "len", "length", "seq", "seq_len", "seqlen", "tokens", "sequence_length", "s"),
    ("d", "dim", "d_model", "hidden", "hidden_size", "hidden_dim", "embed_dim"),
    ("f", "frames", "num_frames"),
    ("heads", "num_heads", "n_heads", "nheads", "h"),
    ("r", "rank"),
    ("din", "d_in", "in_features"),
    ("dout", "d_out", "out_features"),
)


class ShapeError(ValueError):
    """The text is not one shape that can be read; the message is for the learner."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape: the sizes of the axes, each a number or an expression of names."""

    axes: tuple[Expression, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names in its sizes."""
        return frozenset().union(*(axis.names for axis in self.axes))

    def __str__(self) -> str:
        return f"[{', '.join(axis.text for axis in self.axes)}]"


def read_shape(text: str, known: Sequence[str] = ()) -> Shape:
    """Read a shape; `known` are the names that the key uses, to which spellings are mapped.

    `(2, 4)`, `[2, 4]`, `2x4`, `2 4`, `torch.Size([2, 4])`, `B, 4, H/8` and `()` are read;
    `*` multiplies.

    Raises:
        ShapeError: no shape, an unknown name, or a size left open (`-1`, `...`).
    """
    axes = tuple(_axis(part, known) for part in _parts(text))
    if len(axes) > MAX_AXES:
        raise ShapeError(f"{len(axes)} axes are more than any tensor here has.")
    return Shape(axes)


def same_size(left: Expression, right: Expression, seed: str) -> bool:
    """Whether two sizes agree wherever their names are multiples of 64.

    `/` is read as exact and as floor division: sizes are whole, so `(T-1)/4` and `(T-1)//4`
    mean the same.
    """
    names = sorted(left.names | right.names)
    rng = random.Random(f"{seed}:{names}")  # noqa: S311
    points = [
        {name: _MULTIPLE * rng.randint(1, 500) for name in names}
        for _ in range(_POINTS if names else 1)
    ]
    return any(
        all(_equal(a, b, point) for point in points)
        for a, b in ((left, right), (_floored(left), _floored(right)))
    )


def _equal(left: Expression, right: Expression, point: Mapping[str, int]) -> bool:
    try:
        a, b = left.number_at(point), right.number_at(point)
    except ExpressionError:
        return False
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b))


def _floored(size: Expression) -> Expression:
    return parse(re.sub(r"(?<!/)/(?!/)", "//", size.text))


def _parts(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).strip(" `.;\t\n")
    if "..." in text or "…" in text:
        raise ShapeError("`...` leaves axes open; write every size.")
    plain = re.sub("[×✕✖]", "x", plain)
    plain = re.sub("[−–—]", "-", plain).replace("·", "*").replace("÷", "/")
    for _ in range(3):
        plain = _WRAPPERS.sub("", _LEAD.sub("", plain, count=1)).strip()
    if not plain:
        raise ShapeError("The answer is empty.")
    if plain.casefold() in ("scalar", "0-d", "0d"):
        return []
    while plain and plain[0] in _PAIRS and _closes_at_end(plain):
        plain = plain[1:-1].strip()
        if not plain:
            return []
    if re.search(r"[\[\]{}]", plain):
        raise ShapeError("The brackets do not enclose one shape.")
    plain = re.sub(r"\s*(//|[/*+]|(?<=[\w)])\s-(?=\s*\w))\s*", r"\1", plain)
    if re.search(r"[,;]", plain):
        parts = re.split(r"\s*[,;]\s*", plain)
        if parts[-1] == "" and len(parts) > 1:
            parts.pop()
    elif re.search(r"(?<=[\w)])\s*x\s*(?=[\w(])", plain, re.IGNORECASE) and not re.fullmatch(
        r"x[\w ]*|[\w ]*\b(?:max|text|ctx|idx)\b[\w ]*", plain, re.IGNORECASE
    ):
        parts = re.split(r"\s*x\s*", plain, flags=re.IGNORECASE)
    else:
        parts = plain.split()
        if len(parts) == 1 and re.fullmatch(r"\d+(\*\d+)+", plain):
            raise ShapeError(f"`{plain}` is a product; separate the axes by commas.")
    return parts


def _closes_at_end(text: str) -> bool:
    depth = 0
    for place, char in enumerate(text):
        depth += (char in _PAIRS) - (char in _PAIRS.values())
        if depth == 0:
            return place == len(text) - 1 and _PAIRS[text[0]] == char
    return False


def _axis(part: str, known: Sequence[str]) -> Expression:
    bare = part.strip()
    if not bare:
        raise ShapeError("A size is missing between two separators.")
    if bare.casefold() in _OPEN:
        raise ShapeError(f"`{bare}` leaves an axis open; write the size itself.")
    spelled = re.sub(r"(?<=\d)\s*(?=[A-Za-z_(])", "*", bare)
    spelled = re.sub(r"(?<=[\w)])\^", "**", spelled)
    try:
        size = parse(re.sub(r"[A-Za-z_]\w*", lambda m: _known_name(m.group(), known), spelled))
        if not size.names:
            value = size.number_at({})
            if value != int(value) or value < 0:
                raise ShapeError(f"`{bare}` is no size: sizes are whole and not negative.")
            return parse(str(int(value)))
    except ExpressionError as error:
        raise ShapeError(f"`{bare[:40]}` is no size: {error}.") from None
    unknown = sorted(size.names - set(known))
    if known and unknown:
        raise ShapeError(f"The name `{unknown[0]}` is not used here; known: {', '.join(known)}.")
    return size


def _known_name(name: str, known: Sequence[str]) -> str:
    """Return the key's spelling of a name; the name itself where there is none."""
    if name in known or name in ("floor", "ceil", "round"):
        return name
    by_case = [k for k in known if k.casefold() == name.casefold()]
    if len(by_case) == 1:
        return by_case[0]
    for group in _SYNONYMS:
        if name.casefold() in group:
            meant = [k for k in known if k.casefold() in group]
            if len(meant) == 1:
                return meant[0]
    return name
