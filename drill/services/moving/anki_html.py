"""Texts of the bank as HTML for Anki: nothing in them is taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_OBEYED = re.compile(r"\[(?=(?:sound:|anki:|latex\]|\$\$?\]|/?latex|/?\$))")
"""What Anki would play or typeset where it stands in a field."""


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    """The little Markdown that prompts have: paragraphs and code spans."""
    from markdown_it import MarkdownIt

    return MarkdownIt("zero", {"html": False}).enable("backticks")


def prose(text: str) -> str:
    """Paragraphs, with `code spans` set apart."""
    return guarded(str(_markdown().render(text.strip())).strip()) if text.strip() else ""


def inline(text: str) -> str:
    """A text on one line, with `code spans` set apart."""
    return guarded(str(_markdown().renderInline(" ".join(text.split()))))


def guarded(html: str) -> str:
    """HTML in which Anki finds no command of its own."""
    return _OBEYED.sub("&#91;", html)


def code(text: str, lang: str, *, numbered: bool = False) -> str:
    """A block of code, its words coloured by classes; numbered where an answer names a line."""
    lines = _highlighted(text.rstrip("\n"), lang)
    if numbered:
        lines = [f'<span class="line">{n}</span>{line}' for n, line in enumerate(lines, start=1)]
    return f'<pre class="code">{guarded(chr(10).join(lines))}</pre>'


def _highlighted(text: str, lang: str) -> list[str]:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(lang, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(text).split("\n")
    made = highlight(text, lexer, HtmlFormatter(nowrap=True)).removesuffix("\n").split("\n")
    # A lexer that swallows lines would shift the numbers that answers name.
    return made if len(made) == len(text.split("\n")) else escape(text).split("\n")


def items(texts: Iterable[str], kind: str = "") -> str:
    """A list; `kind` is a class, `letters` for options."""
    made = "".join(f"<li>{text}</li>" for text in texts)
    tag = "ol" if kind == "letters" else "ul"
    named = f' class="{kind}"' if kind else ""
    return f"<{tag}{named}>{made}</{tag}>" if made else ""


def titled(title: str, html: str) -> str:
    """A part of the back with its heading; empty where there is nothing."""
    return f"<h2>{escape(title)}</h2>{html}" if html else ""
