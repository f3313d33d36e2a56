"""Child's side of a pipe of JSON lines: the protocol owns stdin and stdout, nothing else may."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from drill.worker.child import claim_stdout


class JsonPipe:
    """Messages from and to the owner.

    Made before anything heavy is imported: file descriptor 1 then is stderr and 0 is empty, so
    that no library, and no code that is judged, can read or write the protocol.
    """

    def __init__(self) -> None:
        self._out = claim_stdout()
        self._in: BinaryIO = os.fdopen(os.dup(0), "rb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self._out.write(b"\n")

    def send(self, event: str, **fields: Any) -> None:
        """Send an event; the end of the owner is the end of this process."""
        line = memoryview(json.dumps({"event": event, **fields}).encode() + b"\n")
        try:
            while line:
                line = line[self._out.write(line) or 0 :]
        except OSError:
            os._exit(0)

    def receive(self) -> dict[str, Any] | None:
        """The next message; None at the end of stdin."""
        for line in self._in:
            message = json.loads(line)
            if isinstance(message, dict):
                return message
        return None


def plain(value: Any) -> Any:
    """A result as JSON data: tensors and arrays to numbers or lists, sets sorted, tuples to lists.

    Anything else that JSON does not know (a dtype, an enum) becomes its text.
    """
    if value is None or isinstance(value, bool | int | float | str):
        # A subclass such as numpy.float64 or an IntEnum must not keep its own repr.
        for kind in (bool, int, float, str):
            if isinstance(value, kind):
                return kind(value)
        return None
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(v) for v in value), key=str)
    if isinstance(value, list | tuple | Iterator):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):  # tensors, arrays and their scalars
        return plain(value.detach().tolist() if hasattr(value, "detach") else value.tolist())
    return str(value)
