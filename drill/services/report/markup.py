"""Text as markup: the only places where something of a text becomes an element of the report.

Everything else is escaped by the templates' environment. Here `code spans` of the bank's prose
become code, and handbook pages, which are Markdown, become paragraphs without links and pictures.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_SPAN = re.compile(r"`([^`\n]+)`")
_PARAGRAPH = re.compile(r"\n\s*\n")


# -- HTML -----------------------------------------------------------------------------


def prose(text: str) -> Markup:
    """Text on one line with `code spans` as code."""
    return _spans(" ".join(str(text).split()))


def block(text: str) -> Markup:
    """Paragraphs with `code spans` as code; single line ends are blanks."""
    parts = _PARAGRAPH.split(str(text).strip())
    return Markup("").join(
        Markup("<p>{}</p>").format(_spans(" ".join(part.split()))) for part in parts if part.strip()
    )


def _spans(text: str) -> Markup:
    made = Markup("")
    at = 0
    for found in _SPAN.finditer(text):
        made += escape(text[at : found.start()])
        made += Markup("<code>{}</code>").format(found.group(1))
        at = found.end()
    return made + escape(text[at:])


def reading(text: str) -> Markup:
    """A section of a handbook page: Markdown without HTML, links and pictures."""
    return Markup(_parser().render(str(text)))  # noqa: S704  (the parser escapes all text)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    return parser.disable(["link", "image", "autolink", "reference", "heading", "lheading"])


# -- Markdown -------------------------------------------------------------------------

_SPECIAL = re.compile(r"([\\`*_\[\]<>&|~$#])")
_LEADING = re.compile(r"^([+\-=:]|\d+(?=[.)](?:\s|$)))")
_SCHEME = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)


def markdown(value: Any) -> Any:
    """A value as Markdown text on one line that reads as it is; what is marked up already stays.

    The environment calls it on everything that a template writes.
    """
    if isinstance(value, Markup) or value is None:
        return "" if value is None else value
    return Markup(markdown_text(str(value)))  # noqa: S704


def markdown_text(text: str) -> str:
    """Plain text as CommonMark (and GitHub's tables) that is rendered as just this text."""
    line = " ".join(text.split())
    line = _SPECIAL.sub(r"\\\1", line)
    line = _SCHEME.sub(lambda found: f"\\{found.group()}", line)
    found = _LEADING.match(line)
    if found is None:
        return line
    mark = found.group(1)
    rest = line[len(mark) :]
    return f"{mark}\\{rest}" if mark.isdigit() else f"\\{mark}{rest}"


def markdown_prose(text: str) -> Markup:
    """Text on one line, its `code spans` as code spans."""
    line = " ".join(str(text).split())
    made, at = [], 0
    for found in _SPAN.finditer(line):
        made.append(_inner(line[at : found.start()], at == 0))
        made.append(_code(found.group(1)))
        at = found.end()
    made.append(_inner(line[at:], at == 0))
    return Markup("".join(made))  # noqa: S704


def _inner(text: str, leading: bool) -> str:
    """A part of a line, with the blanks around it."""
    stripped = text.strip()
    if not stripped:
        return text
    start = text[: len(text) - len(text.lstrip())]
    end = text[len(text.rstrip()) :]
    safe = markdown_text(stripped) if leading else markdown_text(f"x {stripped}")[2:]
    return f"{start}{safe}{end}"


def _code(text: str) -> str:
    """A code span. `|` would end a cell of a table even in one, so that it is escaped text."""
    if "|" in text or not text.strip():
        return markdown_text(f"x {text}")[2:]
    return f"`{text}`"


def markdown_block(text: str) -> Markup:
    """Text with its line ends, as a fenced block that nothing in it can close."""
    longest = max((len(run) for run in re.findall(r"`+", str(text))), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup(f"{fence}text\n{str(text).strip(chr(10))}\n{fence}")  # noqa: S704


def inside_code(text: str) -> Markup:
    """Text for between two backticks, on one line; what would end the span is left out."""
    return Markup(" ".join(str(text).replace("`", "'").split()) or "-")  # noqa: S704
