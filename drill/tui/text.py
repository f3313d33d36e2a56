"""The one gateway from text to the screen: nothing that a person wrote is ever read as markup."""

from __future__ import annotations

import re

from textual.content import Content

_SPAN = re.compile(r"`([^`\n]+)`")


def plain(text: str) -> Content:
    """Text as it is."""
    return Content(text)


def prose(text: str) -> Content:
    """Paragraphs with `code spans` set apart; single line breaks are folded into the paragraph."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    return spans("\n\n".join(paragraphs))


def spans(text: str, style: str = "$text-accent") -> Content:
    """Text with `code spans` in the accent colour or another style, the backticks left out."""
    parts: list[Content] = []
    at = 0
    for found in _SPAN.finditer(text):
        parts.append(Content(text[at : found.start()]))
        parts.append(Content.styled(found.group(1), style))
        at = found.end()
    parts.append(Content(text[at:]))
    return Content("").join(parts)


def styled(text: str, style: str) -> Content:
    """Text in one style, never parsed."""
    return Content.styled(text, style)


def lines(*parts: Content) -> Content:
    """Contents one below the other."""
    return Content("\n").join(parts)


def row(*parts: Content) -> Content:
    """Contents one after the other."""
    return Content("").join(parts)
