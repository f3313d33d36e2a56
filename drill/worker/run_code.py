"""Run the code that a question shows, or that a learner wrote, and catch what it prints."""

from __future__ import annotations

import contextlib
import io
import linecache
import sys
import traceback
from typing import Any

STDOUT_LIMIT = 20_000
"""Characters of standard output that are kept."""


class BoundedText(io.TextIOBase):
    """A text stream that keeps the first `limit` characters and counts the rest."""

    def __init__(self, limit: int = STDOUT_LIMIT) -> None:
        self.limit = limit
        self.dropped = 0
        self._parts: list[str] = []
        self._kept = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() takes str, not {type(text).__name__}")
        room = self.limit - self._kept
        if room > 0 and text:
            self._parts.append(text[:room])
            self._kept += min(room, len(text))
        self.dropped += max(0, len(text) - max(0, room))
        return len(text)

    def text(self) -> str:
        """What was kept, with a last line that says how much was not."""
        kept = "".join(self._parts)
        return f"{kept}\n[{self.dropped:,} more characters]" if self.dropped else kept


def execute(source: str, name: str, stdout: BoundedText | None = None) -> dict[str, Any]:
    """Run `source` as a module and return its namespace.

    `name`, such as `<your code>`, stands for the file in tracebacks, with its lines. Prints go to
    `stdout`, by default to stderr. What the code raises, SyntaxError included, passes through.
    """
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {"__name__": "__code__", "__builtins__": __builtins__}
    code = compile(source, name, "exec", dont_inherit=True)
    target: io.TextIOBase | Any = stdout if stdout is not None else sys.stderr
    with contextlib.redirect_stdout(target):
        exec(code, namespace)  # noqa: S102 - running code is what this process is for
    return namespace


def error_text(error: BaseException) -> str:
    """`NameError: name 'x' is not defined`, in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:600] if text else type(error).__name__


def error_line(error: BaseException, name: str) -> str:
    """The innermost line of the file `name` in a traceback as `line 3: ...`, or empty."""
    if isinstance(error, SyntaxError) and error.filename == name:
        return f"line {error.lineno}: `{(error.text or '').strip()}`"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == name:
            return f"line {frame.lineno}: `{(frame.line or '').strip()}`"
    return ""
