"""Typed parameters of an experiment: defaults, ranges, and reading them from `name=value`."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Kind = Literal["int", "float", "bool", "text", "ints", "floats", "texts"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Scalar: TypeAlias = int | float | bool | str
Value: TypeAlias = Scalar | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]

_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})


class ParamError(ValueError):
    """A parameter that does not exist, cannot be read or is out of range; says what is taken."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of an experiment.

    `low` and `high` bound a number, or each number of a list, both ends included; `most` bounds
    the length of a list; `choices` lists the only texts that are taken.
    """

    name: str
    kind: Kind
    default: Value
    help: str
    low: float | None = None
    high: float | None = None
    least: int = 1
    most: int | None = None
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ParamError(f"{self.name}: kind {self.kind!r} is none of {', '.join(KINDS)}")
        object.__setattr__(self, "default", self.check(self.default))

    def parse(self, text: str) -> Value:
        """The value written as `text`; a list is separated by commas, a list of texts by `;`."""
        if self.kind in ("ints", "floats"):
            return self.check([part for part in text.split(",") if part.strip()])
        if self.kind == "texts":
            return self.check([part.strip() for part in text.split(";") if part.strip()])
        return self.check(text)

    def written(self, value: object) -> str:
        """A value as `parse` reads it."""
        if isinstance(value, (list, tuple)):
            between = ";" if self.kind == "texts" else ","
            return between.join(self.written(each) for each in value)
        if isinstance(value, bool):
            return "true" if value else "false"
        return f"{value:g}" if isinstance(value, float) else str(value)

    def check(self, value: object) -> Value:
        """The value of the declared type, from JSON, YAML or text; raises ParamError."""
        if self.kind == "text":
            return self._text(value)
        if self.kind == "texts":
            return tuple(self._text(each) for each in self._items(value))
        if self.kind == "bool":
            return self._bool(value)
        if self.kind == "int":
            return self._int(value)
        if self.kind == "float":
            return self._float(value)
        if self.kind == "ints":
            return tuple(self._int(each) for each in self._items(value))
        return tuple(self._float(each) for each in self._items(value))

    def accepted(self) -> str:
        """What is taken, in a few words: `numbers from 0 to 50, separated by commas`."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        names = {
            "int": "a whole number", "ints": "whole numbers", "float": "a number",
            "floats": "numbers", "bool": "true or false", "text": "text", "texts": "texts",
        }  # fmt: skip
        says = names[self.kind]
        if self.low is not None and self.high is not None:
            says += f" from {self.low:g} to {self.high:g}"
        elif self.low is not None:
            says += f" from {self.low:g} up"
        elif self.high is not None:
            says += f" up to {self.high:g}"
        if self.kind in ("ints", "floats", "texts"):
            says += f", separated by {'semicolons' if self.kind == 'texts' else 'commas'}"
            says += f", at most {self.most}" if self.most is not None else ""
        return says

    def _fail(self, value: object) -> ParamError:
        return ParamError(f"{self.name}: {value!r} is not taken; give {self.accepted()}")

    def _items(self, value: object) -> list[object]:
        items: list[object]
        if isinstance(value, (list, tuple)):
            items = list(value)
        elif isinstance(value, (int, float, str)):
            items = [value]
        else:
            raise self._fail(value)
        if len(items) < self.least or (self.most is not None and len(items) > self.most):
            wanted = f"{self.least} to {self.most}" if self.most is not None else f"{self.least} up"
            raise ParamError(f"{self.name}: {len(items)} values; from {wanted} are taken")
        return items

    def _float(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise self._fail(value)
        try:
            number = float(value)
        except ValueError:
            raise self._fail(value) from None
        if not math.isfinite(number) or not self._within(number):
            raise self._fail(value)
        return number

    def _int(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise self._fail(value)
        try:
            number = int(value) if isinstance(value, str) else value
        except ValueError:
            raise self._fail(value) from None
        if not float(number).is_integer() or not self._within(number):
            raise self._fail(value)
        return int(number)

    def _within(self, number: float) -> bool:
        above = self.low is None or number >= self.low
        return above and (self.high is None or number <= self.high)

    def _bool(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in _YES | _NO:
            return value.strip().lower() in _YES
        raise self._fail(value)

    def _text(self, value: object) -> str:
        if not isinstance(value, str) or (self.choices and value not in self.choices):
            raise self._fail(value)
        return value


def resolve(params: Iterable[Param], given: Mapping[str, object]) -> dict[str, Value]:
    """All parameters by name: those given, checked, and the defaults of the others.

    Raises ParamError for a name that no parameter has, naming the nearest.
    """
    known = {param.name: param for param in params}
    for name in given:
        if name not in known:
            raise _unknown(name, known)
    return {
        name: param.check(given[name]) if name in given else param.default
        for name, param in known.items()
    }


def parse_settings(params: Iterable[Param], settings: Iterable[str]) -> dict[str, Value]:
    """The parameters set by `name=value` texts (`--set`), without the defaults of the others."""
    known = {param.name: param for param in params}
    values: dict[str, Value] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        if not equals:
            raise ParamError(f"{setting!r} is no setting; write name=value, as in seeds=8")
        if name not in known:
            raise _unknown(name, known)
        values[name] = known[name].parse(text.strip())
    return values


def _unknown(name: str, known: Mapping[str, Param]) -> ParamError:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    has = f"it takes {', '.join(known)}" if known else "it takes none"
    return ParamError(f"the experiment has no parameter {name!r}{hint} ({has})")
