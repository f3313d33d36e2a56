"""YAML read with the place of every key and value, and the scalars of YAML 1.2.

Only the core schema is understood: `yes`, `no`, `on`, `off` and dates are strings, `1e-4` is a
number, a key stands once in a mapping, and no tag beyond the core ones is accepted, so that reading
a file can neither run code nor lose a value in silence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.resolver import BaseResolver

from drill.packs.hidden import HIDDEN as HIDDEN
from drill.packs.problems import Loc, Problem, field_path

MAX_VALUES = 200_000
"""Aliases may repeat a value; a file that unfolds to more values than this is refused."""
MAX_DEPTH = 60
MAX_DIGITS = 400
"""A longer row of digits is text."""
_MAY_BE_DEEP = 2000
"""A text with fewer signs that open a level cannot exhaust the stack of libyaml's composer."""

_CORE = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULL = ("", "~", "null", "Null", "NULL")


class _Resolver(BaseResolver):
    """Plain scalars by the core schema of YAML 1.2."""


for _tag, _pattern, _first in (
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
    ("bool", re.compile("|".join(_BOOL)), "tTfF"),
    ("null", re.compile("~|null|Null|NULL|"), ["~", "n", "N", ""]),
):
    _Resolver.add_implicit_resolver(
        _CORE + _tag, re.compile(f"(?:{_pattern.pattern})$"), list(_first)
    )

if yaml.__with_libyaml__:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]

    class _Loader(CParser, _Resolver):
        """libyaml's parser: about ten times as fast as the Python one."""

        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            _Resolver.__init__(self)

else:  # pragma: no cover - wheels of PyYAML carry libyaml
    from yaml.composer import Composer
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class _Loader(Reader, Scanner, Parser, Composer, _Resolver):  # type: ignore[no-redef]
        """PyYAML's own parser, where libyaml is missing."""

        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)
            _Resolver.__init__(self)


Place = tuple[int, int]
"""Line and column, from 1."""


@dataclass(slots=True)
class Marks:
    """Where each value and each key of a document stands."""

    values: dict[Loc, Place] = field(default_factory=dict)
    keys: dict[Loc, Place] = field(default_factory=dict)

    def at(self, loc: Loc, *, key: bool = False) -> Place:
        """The place of the value (or of the key) at `loc`, or of what holds it."""
        if key and loc in self.keys:
            return self.keys[loc]
        while loc and loc not in self.values:
            loc = loc[:-1]
        return self.values.get(loc, (1, 1))


@dataclass(slots=True)
class Document:
    """The data of one YAML file, the places in it, and what could not be read."""

    data: Any
    marks: Marks
    problems: list[Problem]
    readable: bool = True
    """False where the syntax is broken, so that `data` says nothing."""


def read_scalar(text: str) -> str | int | float | bool | None:
    """A plain scalar's value by the core schema of YAML 1.2."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if len(text) > MAX_DIGITS:
        return text
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if _FLOAT.fullmatch(text):
        dotted = text.lower().endswith((".inf", ".nan"))
        return float(text.replace(".", "") if dotted else text)
    return text


def parse(raw: bytes | str, file: str) -> Document:
    """Read one YAML file.

    Every fault becomes a `Problem`; a broken syntax gives an unreadable document with one problem.
    """
    try:
        text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        return _broken(file, line, column, "the file is not UTF-8", "text saved as UTF-8")
    try:
        deep = _too_deep(text)
        if deep is not None:
            return _broken(file, *deep, "nested too deeply", f"at most {MAX_DEPTH} levels")
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        begun = error.context_mark
        if begun and mark and (begun.line, begun.column) != (mark.line, mark.column):
            said += f" (begun on line {begun.line + 1}, column {begun.column + 1})"
        return _broken(file, *place, f"YAML syntax: {said}", "")
    except yaml.reader.ReaderError as error:
        # The position is a count of bytes or of characters, by parser; both lie on this line.
        before_text = text[: int(error.position)]
        column = len(before_text) - (before_text.rfind("\n") + 1) + 1
        return _broken(file, before_text.count("\n") + 1, column, f"YAML: {error.reason}", "")
    except RecursionError:
        return _broken(file, 1, 1, "nested too deeply", f"at most {MAX_DEPTH} levels")
    if node is None:
        return Document(None, Marks(), [])
    building = _Building(file)
    data = building.build(node, ())
    return Document(data, building.marks, building.problems, readable=not building.refused)


def _too_deep(text: str) -> Place | None:
    """Where a text goes below `MAX_DEPTH`; None where it never does.

    The composer calls itself once a level, and libyaml's ends the process where the stack does.
    """
    if sum(map(text.count, ("[", "{", "- ", "-\t", "-\n", "? ", "?\t", ":"))) < _MAY_BE_DEEP:
        return None
    loader, depth = _Loader(text), 0
    while loader.check_event():
        event = loader.get_event()
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark = event.start_mark
                return (mark.line + 1, mark.column + 1) if mark else (1, 1)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


def _broken(file: str, line: int, column: int, message: str, expected: str) -> Document:
    return Document(
        None, Marks(), [Problem(file, line, column, "", message, expected)], readable=False
    )


class _Building:
    """Node tree to plain data, keeping the marks."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.marks = Marks()
        self.problems: list[Problem] = []
        self.refused = False
        self._count = 0
        self._open: set[int] = set()

    def build(self, node: yaml.Node, loc: Loc) -> Any:
        self._count += 1
        place = _place(node)
        self.marks.values.setdefault(loc, place)
        if self.refused:
            return None
        if self._count > MAX_VALUES or len(loc) > MAX_DEPTH:
            self._problem(place, loc[:4], "nested too deeply, or aliases that unfold without end")
            self.refused = True
            return None
        if id(node) in self._open:
            self._problem(place, loc, "an alias stands inside its own anchor")
            self.refused = True
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, loc, place)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                self._core(node, "seq", loc, place)
                return [self.build(child, (*loc, n)) for n, child in enumerate(node.value)]
            if isinstance(node, yaml.MappingNode):
                self._core(node, "map", loc, place)
                return self._mapping(node, loc)
        finally:
            self._open.discard(id(node))
        raise TypeError(type(node).__name__)

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = _place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(place, loc, "a list or mapping stands as a key", "a name")
                continue
            name = self._seen(str(key_node.value), loc, place)
            if key_node.tag not in (_CORE + t for t in ("str", "int", "float", "bool", "null")):
                self._problem(place, loc, f"unknown tag `{_short(key_node.tag)}`", "no tag")
            child = (*loc, name)
            if name in made:
                first = self.marks.keys[child][0]
                self._problem(
                    place,
                    child,
                    f"the key `{name}` stands twice (first on line {first})",
                    "it once",
                )
                continue
            self.marks.keys[child] = place
            made[name] = self.build(value_node, child)
        return made

    def _scalar(self, node: yaml.ScalarNode, loc: Loc, place: Place) -> Any:
        text = str(node.value)
        kind = str(node.tag).removeprefix(_CORE)
        if kind == "str":
            return self._seen(text, loc, place)
        if kind in ("int", "float", "bool", "null"):
            value = read_scalar(text)
            if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if kind in type(value).__name__.replace("NoneType", "null"):
                return value
            self._problem(place, loc, f"`{text}` is no {kind}", f"a {kind} after `!!{kind}`")
            return None
        self._problem(place, loc, f"unknown tag `{_short(node.tag)}`", "no tag")
        return None

    def _seen(self, text: str, loc: Loc, place: Place) -> str:
        """The text; one with hidden characters is a problem, and is told without them."""
        hidden = HIDDEN.search(text)
        if hidden is None:
            return text
        said = f"a control character (U+{ord(hidden[0]):04X}) in the text"
        self._problem(place, loc, said, "text that can be seen")
        return HIDDEN.sub("\ufffd", text)

    def _core(self, node: yaml.Node, kind: str, loc: Loc, place: Place) -> None:
        if node.tag != _CORE + kind:
            self._problem(place, loc, f"unknown tag `{_short(node.tag)}`", "no tag")

    def _problem(self, place: Place, loc: Loc, message: str, expected: str = "") -> None:
        self.problems.append(Problem(self.file, *place, field_path(loc), message, expected))


def _short(tag: str) -> str:
    return tag.replace(_CORE, "!!")


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1
