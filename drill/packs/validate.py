"""One item of a file against its model: every fault as a `Problem` with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from drill.domain.questions import ANSWER_TYPES
from drill.packs.fields import WANTED
from drill.packs.parts import SOURCE_MODELS
from drill.packs.problems import Loc, Problem, did_you_mean, field_path, nearest
from drill.packs.rules import KEY, rule_faults
from drill.packs.schema import MODELS, Item
from drill.packs.yaml_source import Marks


class Reporter:
    """Makes problems of one item, from locs relative to the item."""

    def __init__(self, file: str, marks: Marks, base: Loc, item: str) -> None:
        self.file = file
        self.marks = marks
        self.base = base
        self.item = item

    def problem(
        self,
        loc: Loc,
        message: str,
        expected: str = "",
        *,
        key: bool = False,
        warning: bool = False,
    ) -> Problem:
        """A problem of the field at `loc`, at the place of its value (or of its key)."""
        line, column = self.marks.at(self.base + loc, key=key)
        return Problem(
            self.file,
            line,
            column,
            field_path(loc),
            message,
            expected,
            "warning" if warning else "error",
            self.item,
        )


def validate(raw: Any, report: Reporter) -> tuple[Item | None, list[Problem]]:
    """Check one raw item.

    Returns:
        The item, or None where a field is wrong, and all its problems.
    """
    if not isinstance(raw, Mapping):
        return None, [report.problem((), f"{_kind(raw)} stands for an item", "a mapping of fields")]
    kind = raw.get("type")
    if kind not in MODELS:
        expected = "one of " + ", ".join(ANSWER_TYPES)
        if "type" not in raw:
            return None, [report.problem((), "the field `type` is missing", expected)]
        near = nearest(kind, MODELS) if isinstance(kind, str) else ""
        hint = f"; did you mean `{near}`?" if near else ""
        return None, [report.problem(("type",), f"unknown type {_quoted(kind)}{hint}", expected)]
    model = MODELS[kind]
    try:
        item = model.model_validate(dict(raw))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        return None, [translated(fault, raw, model, report) for fault in faults]
    found = [
        report.problem(loc[:-1], message, wanted, key=True)
        if loc[-1:] == (KEY,)
        else report.problem(loc, message, wanted)
        for loc, message, wanted in rule_faults(item)
    ]
    return (None if found else item), found


def translated(
    fault: Mapping[str, Any], raw: Mapping[str, Any], model: type[BaseModel], report: Reporter
) -> Problem:
    loc, is_key = _known_loc(fault["loc"], raw)
    kind = str(fault["type"])
    context = dict(fault.get("ctx") or {})
    value = fault.get("input")
    if kind == "missing":
        name = str(fault["loc"][-1])
        return report.problem(
            loc, f"the field `{name}` is missing", _described(model, (*_models_loc(loc), name))
        )
    if kind == "extra_forbidden":
        name = str(fault["loc"][-1])
        tagged = [SOURCE_MODELS[p] for p in fault["loc"] if p in SOURCE_MODELS]
        known = list(tagged[0].model_fields) if tagged else _fields(model, _models_loc(loc[:-1]))
        hint = did_you_mean(name, [k for k in known if k not in _held(raw, loc[:-1])] or known)
        return report.problem(loc, f"unknown key `{name}`; {hint}", "", key=True)
    if kind == "literal_error":
        wanted = str(context.get("expected", ""))
        near = nearest(value, wanted.replace("'", " ").split()) if isinstance(value, str) else ""
        hint = f"; did you mean `{near}`?" if near else ""
        return report.problem(loc, f"{_quoted(value)} is not known here{hint}", wanted)
    if kind == "string_pattern_mismatch":
        wanted = WANTED.get(str(context.get("pattern")), str(context.get("pattern")))
        return report.problem(loc, f"{_quoted(value)} does not fit", wanted, key=is_key)
    if kind in ("too_short", "too_long"):
        bound = context.get("min_length", context.get("max_length"))
        word = "at least" if kind == "too_short" else "at most"
        entries = "entry" if bound == 1 else "entries"
        count = context.get("actual_length")
        return report.problem(loc, f"{count} given", f"{word} {bound} {entries}")
    if kind in ("string_too_short", "string_too_long"):
        bound = context.get("min_length", context.get("max_length"))
        word = "at least" if kind == "string_too_short" else "at most"
        return report.problem(loc, f"{_quoted(value)} does not fit", f"{word} {bound} characters")
    if kind in _EXPECTED:
        return report.problem(loc, f"{_kind(value)} stands here", _EXPECTED[kind])
    if kind in _BOUNDS:
        word, name = _BOUNDS[kind]
        return report.problem(loc, f"{value} is out of range", f"{word} {context.get(name)}")
    return report.problem(loc, str(fault["msg"]), str(context.get("wanted", "")), key=is_key)


_EXPECTED = {
    "string_type": "text; put a number, `true` or `null` that is meant as text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping of fields",
}
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def _known_loc(loc: Iterable[str | int], raw: Any) -> tuple[Loc, bool]:
    """The part of pydantic's path that exists in the data (tags of unions are dropped)."""
    found: list[str | int] = []
    here = raw
    is_key = False
    for part in loc:
        inside = part in here if isinstance(here, Mapping) else False
        if isinstance(here, list) and isinstance(part, int):
            inside = part < len(here)
        if inside:
            here = here[part]
            found.append(part)
        else:
            is_key = is_key or part == KEY
    return tuple(found), is_key


def _held(raw: Any, loc: Loc) -> Mapping[str, Any]:
    for part in loc:
        raw = raw[part]
    return raw if isinstance(raw, Mapping) else {}


def _models_loc(loc: Loc) -> tuple[str, ...]:
    return tuple(part for part in loc if isinstance(part, str))


def _model_at(model: type[BaseModel], path: tuple[str, ...]) -> type[BaseModel] | None:
    """The nested model at a path of field names, as far as the annotations tell."""
    here: type[BaseModel] | None = model
    for name in path:
        if here is None or name not in here.model_fields:
            return None if here is None else here
        here = _first_model(here.model_fields[name].annotation)
    return here


def _first_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _first_model(inner)
        if found is not None:
            return found
    return None


def _fields(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    found = _model_at(model, path)
    return list(found.model_fields) if found is not None else []


def _described(model: type[BaseModel], path: tuple[str, ...]) -> str:
    found = _model_at(model, path[:-1])
    info = found.model_fields.get(path[-1]) if found is not None else None
    return (info.description or "").rstrip(".") if info is not None else ""


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return "text"
    return "a mapping" if isinstance(value, Mapping) else "a list"


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"
