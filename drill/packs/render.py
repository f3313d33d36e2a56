"""Params put into texts and expressions: the grid of an item and `{name}` templates."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from drill.domain.expressions import Expression, ExpressionError, parse
from drill.domain.questions import Param
from drill.packs.problems import nearest

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
BRACES = "`{name}`; a brace itself is written twice: `{{` or `}}`"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class RenderError(ValueError):
    """A text cannot be filled; `expected` says what would do."""

    def __init__(self, message: str, expected: str = "") -> None:
        super().__init__(message)
        self.expected = expected


def grid(variants: Mapping[str, Sequence[Param]]) -> Iterator[dict[str, Param]]:
    """Every combination of the params' values; one empty mapping where there are none.

    The names are taken in alphabetical order, so that the numbers of the variants do not depend on
    the order of the keys in the file.
    """
    names = sorted(variants)
    for values in itertools.product(*(variants[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def names_in(text: str) -> set[str]:
    """The params that a template names.

    Raises:
        RenderError: a brace without a partner, or something in braces that is no expression.
    """
    found: set[str] = set()
    for literal, inside in _parts(text):
        if literal is None:
            found |= {inside} if _NAME.fullmatch(inside) else _expression(inside).names
    return found


def fill(text: str, params: Mapping[str, object]) -> str:
    """Put the params into a template.

    `{name}` is a param as it is, `{width // 8}` the value of an expression of the params; `{{` and
    `}}` stand for single braces.

    Raises:
        RenderError: a brace without a partner, an unknown name, an expression without a value.
    """
    made: list[str] = []
    for literal, inside in _parts(text):
        if literal is not None:
            made.append(literal)
        elif inside in params:
            made.append(str(params[inside]))
        elif _NAME.fullmatch(inside):
            near = nearest(inside, params)
            hint = f"; did you mean `{{{near}}}`?" if near else ""
            known = ", ".join(f"`{{{n}}}`" for n in sorted(params))
            raise RenderError(f"`{{{inside}}}` is no param{hint}", f"one of {known}")
        else:
            made.append(_value(inside, params))
    return "".join(made)


def _value(inside: str, params: Mapping[str, object]) -> str:
    try:
        value = _expression(inside).at(params)
    except ExpressionError as error:
        raise RenderError(f"`{{{inside}}}`: {error}", "an expression of the params") from error
    return shown_number(value) if isinstance(value, int | float) else str(value)


def _expression(inside: str) -> Expression:
    try:
        return parse(inside)
    except ExpressionError as error:
        raise RenderError(f"`{{{inside}}}` is no param and no expression", BRACES) from error


def shown_number(value: float) -> str:
    """A number as a learner would write it: `20`, `7.5`, `0.0001`."""
    if isinstance(value, int):
        return str(value)
    if value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return repr(value)


def _parts(text: str) -> Iterator[tuple[str | None, str]]:
    """The literal parts `(text, "")` and what stands in braces `(None, inside)` of a template."""
    end = 0
    for match in _PART.finditer(text):
        if match.start() > end:
            yield text[end : match.start()], ""
        end = match.end()
        found = match.group()
        if found in ("{{", "}}"):
            yield found[0], ""
        elif match.group(1) is None:
            raise RenderError(f"a `{found}` without its partner", BRACES)
        else:
            yield None, match.group(1).strip()
    if end < len(text):
        yield text[end:], ""
