"""Whether a record of an export can be taken in: what SQLite's own checks do not say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from drill.domain.memory.state import ParameterSet
from drill.domain.memory.study_day import study_day
from drill.store import log, runs, sessions

LAST_DAY = 2_932_896
"""Study day of 9999-12-31, the last that a date can be made of."""
MAX_OFFSET = 24 * 60
SAFE_NAME = 200
"""Characters of a file's or folder's name."""


class RefusedError(ValueError):
    """The record is none that drill writes; the message says why."""


def check(kind: str, body: Mapping[str, Any]) -> None:
    """Raises RefusedError where a record cannot be one that drill wrote."""
    known = _FIELDS.get(kind)
    if known is None:
        raise RefusedError(f"an unknown kind of line, {kind!r}")
    strange = sorted(set(body).difference(known))
    if strange:
        raise RefusedError(f"an unknown field {strange[0]!r}")
    missing = [name for name in _NEEDED[kind] if not _is_text(body.get(name))]
    if missing:
        raise RefusedError(f"the field {missing[0]!r} is missing")
    _CHECKS[kind](body)


def _event(body: Mapping[str, Any]) -> None:
    at = log.from_text(body["at"])
    offset = _whole(body, "offset_minutes", -MAX_OFFSET, MAX_OFFSET)
    day = _whole(body, "study_day", -LAST_DAY, LAST_DAY)
    if day not in (study_day(at, offset, 0), study_day(at, offset, 23)):
        raise RefusedError(f"study day {day} does not fit its time and offset")
    for name in ("other_day", "until_day"):
        if body.get(name) is not None:
            _whole(body, name, -LAST_DAY, LAST_DAY)
    _json(body, "points", dict)
    _json(body, "before", dict)
    _json(body, "after", dict)
    beliefs = _json(body, "misconceptions", list)
    if beliefs is not None and not all(isinstance(each, str) for each in beliefs):
        raise RefusedError("`misconceptions` is no list of names")


def _session(body: Mapping[str, Any]) -> None:
    log.from_text(body["started"])
    if body.get("ended") is not None:
        log.from_text(body["ended"])
    _whole(body, "study_day", -LAST_DAY, LAST_DAY)
    _whole(body, "position", 0, 1 << 31)
    for name in ("plan", "draft", "summary"):
        _json(body, name, object)


def _run(body: Mapping[str, Any]) -> None:
    for name in ("params", "metrics", "outcomes", "versions", "extra"):
        _json(body, name, dict)
    for name in ("claims", "artefacts"):
        _json(body, name, list)
    for path in json.loads(body["artefacts"]):
        if not isinstance(path, str) or not inside(path):
            raise RefusedError("a picture lies outside the folder of runs")


def inside(path: str) -> bool:
    """Whether a relative path stays below the folder that it is taken from, on any system."""
    for flavour in (PurePosixPath(path), PureWindowsPath(path)):
        if flavour.is_absolute() or flavour.drive or ".." in flavour.parts:
            return False
    return bool(path) and "\0" not in path and len(path) <= 2 * SAFE_NAME


def _parameter_set(body: Mapping[str, Any]) -> None:
    from drill.domain.memory.fsrs_memory import check as weights

    try:
        parameters = ParameterSet.from_json(json.loads(body["body"]))
        weights(parameters)
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError(f"weights that the scheduler does not take: {error}") from error
    if parameters.id != body["id"]:
        raise RefusedError("weights that do not fit their id")


def _setting(body: Mapping[str, Any]) -> None:
    _json(body, "value", object)


def _device(body: Mapping[str, Any]) -> None:
    log.from_text(body["created"])


def _json(body: Mapping[str, Any], name: str, kind: type) -> Any:
    if body.get(name) is None:
        return None
    try:
        value = json.loads(body[name])
    except (ValueError, TypeError) as error:
        raise RefusedError(f"`{name}` is no JSON") from error
    if not isinstance(value, kind):
        raise RefusedError(f"`{name}` holds another kind of JSON")
    return value


def _whole(body: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RefusedError(f"`{name}` is no whole number from {low} to {high}")
    return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


_CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "device": _device,
    "parameter_set": _parameter_set,
    "base": lambda body: None,
    "event": _event,
    "session": _session,
    "run": _run,
    "setting": _setting,
}
_FIELDS: dict[str, frozenset[str]] = {
    "device": frozenset(("id", "name", "created")),
    "parameter_set": frozenset(("id", "created", "body")),
    "base": frozenset(("item_id", "uuid")),
    "event": frozenset(log.COLUMNS),
    "session": frozenset(sessions.COLUMNS.split(", ")),
    "run": frozenset(runs.COLUMNS.split(", ")),
    "setting": frozenset(("name", "value")),
}
_NEEDED: dict[str, tuple[str, ...]] = {
    "device": ("id", "name", "created"),
    "parameter_set": ("id", "created", "body"),
    "base": ("item_id", "uuid"),
    "event": ("uuid", "at", "kind", "item_id", "device_id"),
    "session": ("id", "kind", "started", "plan"),
    "run": ("id", "name", "started", "artefacts"),
    "setting": ("name", "value"),
}
