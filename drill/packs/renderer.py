"""One variant's texts filled, expressions evaluated and line patterns found, faults reported."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from drill.domain import questions as run
from drill.domain.expressions import ExpressionError, evaluate
from drill.packs.parts import LineFaultModel
from drill.packs.problems import Loc
from drill.packs.render import RenderError, fill


class Renderer:
    """Fills the texts and evaluates the expressions of one variant.

    Faults are given to `report(loc, message, expected, warning)`, and what could not be made comes
    back as empty text or NaN, so that one fault never hides the next.
    """

    def __init__(
        self,
        params: Mapping[str, run.Param],
        report: Callable[[Loc, str, str, bool], None],
    ) -> None:
        self.params = params
        self.report = report
        self.key: object = None
        """The key of this variant as expressions see it: a number, else None."""
        self.shown_key = ""
        """The key of this variant as `{key}` shows it."""

    def text(self, text: str, loc: Loc, *, key: bool = False) -> str:
        """A template filled; where the item has no variants, the text as it is."""
        if not self.params or not ("{" in text or "}" in text):
            return text
        values: dict[str, object] = dict(self.params)
        if key and self.shown_key:
            values["key"] = self.shown_key
        try:
            return fill(text, values)
        except RenderError as error:
            self.report(loc, str(error), error.expected, False)
            return ""

    def texts(self, texts: Iterable[str], loc: Loc) -> tuple[str, ...]:
        """A list of templates filled."""
        return tuple(self.text(text, (*loc, n)) for n, text in enumerate(texts))

    def number(self, expression: Any, loc: Loc, *, key: bool = False) -> float:
        """A number or an expression's value; NaN after a fault."""
        value = self.value(expression, loc, key=key)
        if value is None:
            return math.nan
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.report(loc, f"`{expression}` gives {value!r}{self.where()}", "a number", False)
            return math.nan
        return value

    def value(self, expression: Any, loc: Loc, *, key: bool = False) -> object:
        """An expression's value, None after a fault."""
        if not isinstance(expression, str):
            return expression
        names: dict[str, object] = dict(self.params)
        if key and self.key is not None:
            names["key"] = self.key
        try:
            return evaluate(expression, names)
        except ExpressionError as error:
            self.report(loc, f"{error}{self.where()}", "", False)
            return None

    def where(self) -> str:
        """Which variant this is, for messages."""
        said = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f" (variant {said})" if said else ""


def line_of(line: int | None, pattern: str | None, code: str, loc: Loc, render: Renderer) -> int:
    """The line by its number, or the only line that contains the pattern; 0 after a fault."""
    lines = code.split("\n")
    if line is not None:
        if line > len(lines):
            render.report((*loc, "line"), f"there is no line {line}", f"1 to {len(lines)}", False)
            return 0
        if not lines[line - 1].strip():
            render.report((*loc, "line"), f"line {line} is blank", "a line of code", False)
        return line
    text = render.text(pattern or "", (*loc, "pattern")).strip()
    if not text:
        return 0
    hits = [n for n, shown in enumerate(lines, start=1) if text in shown]
    if len(hits) == 1:
        return hits[0]
    found = f"stands in lines {', '.join(map(str, hits))}" if hits else "stands in no line"
    render.report((*loc, "pattern"), f"`{text}` {found}", "text that only one line contains", False)
    return 0


def line_faults(
    faults: Sequence[LineFaultModel], code: str, right: Iterable[int], render: Renderer
) -> tuple[run.LineFault, ...]:
    """The faults of shown code, their patterns resolved; none may name a right or a named line."""
    taken = dict.fromkeys(right, "the key")
    made = []
    for n, fault in enumerate(faults):
        line = line_of(fault.line, fault.pattern, code, ("faults", n), render)
        if line in taken and line:
            render.report(("faults", n), f"line {line} is {taken[line]}", "another line", False)
        taken.setdefault(line, f"faults[{n}] already")
        says = render.text(fault.says, ("faults", n, "says"), key=True)
        made.append(run.LineFault(line, says, fault.misconception))
    return tuple(made)
