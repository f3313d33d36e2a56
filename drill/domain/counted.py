"""A number with what it counts, in the right number."""

from __future__ import annotations


def counted(count: int, thing: str, things: str = "") -> str:
    """`1 item`, `1,204 items`, `2 entries`; `things` only where it is not `thing` with an s."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"
