"""Events and requests of the experiment child, one JSON object a line in UTF-8.

Standard library only: the child may run under an interpreter that holds torch and little else.
A reader ignores everything before the first `hello`, lines that are no JSON object, event kinds it
does not know and fields it does not know; so either side can be the newer one.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, get_args

PROTOCOL_VERSION = 1
LINE_LIMIT = 64 * 1024 * 1024
"""Longest line in bytes that a reader takes: a grid of large pictures in base64 fits."""

ErrorKind = Literal["crash", "oom", "timeout", "cancelled", "unavailable", "params", "lost"]
ERROR_KINDS: tuple[str, ...] = get_args(ErrorKind)


class ProtocolError(ValueError):
    """A line of a known kind that lacks a field or holds one of the wrong type."""


@dataclass(frozen=True, slots=True)
class Hello:
    """First event of a child, sent before torch is imported."""

    kind: ClassVar[str] = "hello"
    versions: Mapping[str, str]
    """Distribution name to installed version; a package that is not installed is left out."""
    devices: Sequence[str]
    """Devices that can be seen without importing torch; `ready` says which of them torch takes."""
    pack_hash: str
    """Hash of the labs of the child's own built-in pack; empty where there is none."""
    pid: int = 0
    threads: int = 1
    protocol: int = PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class Ready:
    """torch and diffusers are imported (or cannot be: then `missing` says why)."""

    kind: ClassVar[str] = "ready"
    devices: Sequence[str] = ()
    seconds: float = 0.0
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Warmed:
    """What `warm` asked for is loaded (or cannot be: then `error` says why)."""

    kind: ClassVar[str] = "warmed"
    name: str
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Pong:
    kind: ClassVar[str] = "pong"


@dataclass(frozen=True, slots=True)
class Progress:
    kind: ClassVar[str] = "progress"
    done: float
    total: float
    label: str = ""
    eta: float | None = None
    """Seconds that are left, where they can be told."""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    kind: ClassVar[str] = "metric"
    name: str
    value: float
    step: float | None = None
    """Where on the metric's axis the value stands: a step, or a guidance scale."""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as PNG bytes; on the line they are base64 in the field `png`."""

    kind: ClassVar[str] = "image"
    name: str
    png: bytes
    """A later picture of the same name replaces the earlier one."""
    caption: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    kind: ClassVar[str] = "plot"
    name: str
    series: Mapping[str, Sequence[Sequence[float]]]
    """Label to points (x, y)."""
    x_label: str = ""
    y_label: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Log:
    kind: ClassVar[str] = "log"
    text: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a run, with the claims checked on it."""

    kind: ClassVar[str] = "done"
    metrics: Mapping[str, Any]
    claims: Sequence[Mapping[str, Any]]
    """{name, says, holds, measured, expected}; `holds` is null for a claim that does not apply."""
    outcomes: Mapping[str, Any]
    """Named results that `predict` questions are judged by."""
    sentence: str
    transfers: Mapping[str, str]
    """{answer: yes|no|unknown, reason}."""
    device: str
    versions: Mapping[str, str]
    seed: int
    seconds: float
    experiment: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""
    artefacts: Sequence[str] = ()
    """Names of the pictures; the service replaces them by the paths of the files."""
    run: str = ""
    recorded: str = ""
    """Date of a recorded run that is shown in place of a live one; empty for a live run."""


@dataclass(frozen=True, slots=True)
class Error:
    kind: ClassVar[str] = "error"
    error: ErrorKind
    message: str
    log: str = ""
    """Path of the file that holds the traceback and the child's other output."""
    run: str = ""


Event: TypeAlias = (
    Hello | Ready | Warmed | Pong | Progress | Metric | Image | Plot | Log | Done | Error
)
EVENTS: tuple[type[Event], ...] = get_args(Event)


@dataclass(frozen=True, slots=True)
class Run:
    """Run an experiment."""

    kind: ClassVar[str] = "run"
    run: str
    """Id of this run; the events it causes carry it."""
    name: str
    file: str
    """experiment.py, relative to the pack's root."""
    pack: str = ""
    """Root of the pack; empty for the child's own built-in pack."""
    params: Mapping[str, Any] = field(default_factory=dict)
    device: str = "auto"
    model: str = ""
    """Folder or hub id of a pipeline; empty for the bundled model."""
    seed: int = 0
    budget: float = 0.0
    """Seconds after which the run ends with a `timeout` error; 0 for no limit."""


@dataclass(frozen=True, slots=True)
class Warm:
    """Load what a run will need, so that its first progress comes at once; answered by `warmed`."""

    kind: ClassVar[str] = "warm"
    name: str = ""
    file: str = ""
    pack: str = ""
    device: str = "auto"
    model: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    kind: ClassVar[str] = "cancel"
    run: str


@dataclass(frozen=True, slots=True)
class Ping:
    kind: ClassVar[str] = "ping"


@dataclass(frozen=True, slots=True)
class Exit:
    kind: ClassVar[str] = "exit"


Request: TypeAlias = Run | Warm | Cancel | Ping | Exit
Message = TypeVar("Message", bound="Event | Request")
REQUESTS: tuple[type[Request], ...] = get_args(Request)

_EVENT_KINDS: dict[str, type[Event]] = {cls.kind: cls for cls in EVENTS}
_REQUEST_KINDS: dict[str, type[Request]] = {cls.kind: cls for cls in REQUESTS}
# What a field must be on the line, by its annotation; others may hold any JSON.
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "float | None": (int, float, type(None)),
    "bytes": (str,),
    "ErrorKind": (str,),
}


def to_dict(message: Event | Request) -> dict[str, Any]:
    """The JSON object of a message; `event` (or `request`) names its kind, bytes are base64.

    NaN and infinities become null: they are no JSON, and other programs read these lines.
    """
    tag = "event" if type(message) in EVENTS else "request"
    data: dict[str, Any] = {tag: message.kind}
    for each in dataclasses.fields(message):
        value = getattr(message, each.name)
        data[each.name] = base64.b64encode(value).decode() if type(value) is bytes else value
    return data


def encode(message: Event | Request) -> bytes:
    """One line, ended by a newline."""
    data = to_dict(message)
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(data), ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return value


def decode_event(line: bytes) -> Event | None:
    """The event on a line; None for anything else, an unknown kind included.

    Raises ProtocolError for a known kind that lacks a field or holds one of the wrong type.
    """
    return _decode(line, "event", _EVENT_KINDS)


def decode_request(line: bytes) -> Request | None:
    """The request on a line; None for anything else. Raises ProtocolError as `decode_event`."""
    return _decode(line, "request", _REQUEST_KINDS)


def _decode(line: bytes, tag: str, kinds: Mapping[str, type[Message]]) -> Message | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):  # the latter for brackets without end
        return None
    if not isinstance(data, dict) or not isinstance(data.get(tag), str):
        return None
    cls = kinds.get(data[tag])
    if cls is None:
        return None
    return from_dict(cls, data)


def from_dict(cls: type[Message], data: Mapping[str, Any]) -> Message:
    """A message of class `cls` from its JSON object; raises ProtocolError."""
    values: dict[str, Any] = {}
    for each in dataclasses.fields(cls):
        if each.name not in data:
            if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
                raise ProtocolError(f"{cls.__name__.lower()} without {each.name!r}")
            continue
        values[each.name] = _value(cls, each, data[each.name])
    return cls(**values)


def _value(cls: type, each: dataclasses.Field[Any], value: Any) -> Any:
    where = f"{cls.__name__.lower()}.{each.name}"
    annotation = str(each.type)
    expected: tuple[type, ...] = _JSON_TYPES.get(annotation, ())
    if annotation.startswith("Mapping"):
        expected = (dict,)
    elif annotation.startswith("Sequence"):
        expected = (list,)
    if expected and (not isinstance(value, expected) or isinstance(value, bool)):
        raise ProtocolError(f"{where} is {type(value).__name__}, not {annotation}")
    if annotation == "bytes":
        try:
            return base64.b64decode(value, validate=True)
        except ValueError:
            raise ProtocolError(f"{where} is no base64") from None
    if annotation == "ErrorKind" and value not in ERROR_KINDS:
        return "crash"
    return value
