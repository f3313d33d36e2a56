"""Text that cannot be mistaken for anything else: what of it would act is made visible."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

_CONTROL = re.compile(
    # C0 and C1 but for tab and newline, directions of text, separators of lines, surrogates.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Text without control characters: C0 as their pictures, others as `<U+202E>` in corners.

    Line ends become `\\n`. Escape sequences, overrides of the direction of text and lone surrogates
    are shown and not obeyed.
    """
    return _CONTROL.sub(_picture, text.replace("\r\n", "\n").replace("\r", "\n"))


def _picture(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else f"‹U+{code:04X}›"


def cleaned(document: T) -> T:
    """The document with every text in it `visible`, keys of mappings too."""
    made = msgspec.convert(_clean(msgspec.to_builtins(document)), type(document))
    assert isinstance(made, type(document))
    return made


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {_clean(key): _clean(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(each) for each in value]
    return value
