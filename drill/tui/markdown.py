"""Markdown as lines for the screen: paragraphs, lists, code, tables; never read as markup.

markdown-it parses (Textual depends on it); what it finds is drawn in the few styles that drill has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token
from textual.content import Content

from drill.tui.widgets.paragraphs import hung

_CODE = "$text-accent"
_MUTED = "$foreground 60%"


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph with its lead, such as a bullet; or a line of code, which is never wrapped."""

    lead: Content
    text: Content
    wraps: bool = True

    def drawn(self, width: int) -> list[Content]:
        """The lines on the screen at a width."""
        if self.wraps:
            return hung(self.lead, self.text, width)
        whole = Content("").join([self.lead, self.text])
        return [whole.truncate(width, ellipsis=True)]


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table: in columns where they fit, else its cells one after the other."""

    lead: Content
    cells: Sequence[Content]
    widths: Sequence[int]
    head: bool

    @property
    def text(self) -> Content:
        return Content(" · ").join(self.cells)

    def drawn(self, width: int) -> list[Content]:
        """The lines on the screen at a width."""
        style = "bold" if self.head else ""
        if self.lead.cell_length + sum(self.widths) + 2 * len(self.widths) - 2 > width:
            return hung(
                Content("").join([self.lead, Content("• ")]), self.text.stylize(style), width
            )
        padded = [
            cell.pad_right(wide - cell.cell_length)
            for cell, wide in zip(self.cells, self.widths, strict=False)
        ]
        return [Content("").join([self.lead, Content("  ").join(padded).stylize(style)])]


Block: TypeAlias = "list[Line | TableRow]"


def blocks(text: str) -> list[Block]:
    """The blocks of a text; a blank line stands between two of them."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    return [block for block in _Reader(parser.parse(text)).blocks() if block]


def drawn(found: Sequence[Block], width: int) -> list[Content]:
    """All lines of blocks at a width."""
    lines: list[Content] = []
    for block in found:
        if lines:
            lines.append(Content(""))
        for line in block:
            lines += line.drawn(width)
    return lines


class _Reader:
    """Walks the parser's flat list of tokens once."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def blocks(self) -> Iterator[Block]:
        while self._at < len(self._tokens):
            yield self._block(Content(""), Content(""))

    def _block(self, lead: Content, rest: Content) -> Block:
        """One block; its first line begins with `lead`, the others with `rest`."""
        token = self._tokens[self._at]
        self._at += 1
        kind = token.type
        if kind == "inline":
            return [Line(lead, _inline(token.children or []))]
        if kind in ("fence", "code_block"):
            return [
                Line(Content("").join([rest, Content("  ")]), Content.styled(each, _CODE), False)
                for each in token.content.rstrip("\n").expandtabs(4).split("\n")
            ]
        if kind == "heading_open":
            inside = self._until("heading_close", lead, rest)
            return [Line(line.lead, line.text.stylize("bold")) for line in inside]
        if kind == "hr":
            return [Line(lead, Content.styled("─" * 20, _MUTED))]
        if kind == "table_open":
            return self._table(rest)
        if kind == "blockquote_open":
            bar = Content("").join([rest, Content.styled("│ ", _MUTED)])
            return self._until("blockquote_close", bar, bar)
        if kind in ("bullet_list_open", "ordered_list_open"):
            return self._list(kind.replace("open", "close"), lead, rest)
        if kind.endswith("_open"):
            return self._until(kind.replace("_open", "_close"), lead, rest)
        return [Line(lead, Content(token.content))] if token.content else []

    def _until(self, close: str, lead: Content, rest: Content) -> Block:
        lines: Block = []
        while self._tokens[self._at].type != close:
            lines += self._block(lead if not lines else rest, rest)
        self._at += 1
        return lines

    def _list(self, close: str, lead: Content, rest: Content) -> Block:
        lines: Block = []
        while self._tokens[self._at].type != close:
            item = self._tokens[self._at]
            self._at += 1
            bullet = f"{item.info}{item.markup} " if "ordered" in close else "• "
            outer = lead if not lines else rest
            first = Content("").join([outer, Content.styled(bullet, _MUTED)])
            under = Content("").join([rest, Content(" " * len(bullet))])
            lines += self._until("list_item_close", first, under)
        self._at += 1
        return lines

    def _table(self, lead: Content) -> Block:
        rows: list[list[Content]] = []
        while (token := self._tokens[self._at]).type != "table_close":
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(_inline(token.children or []))
            self._at += 1
        self._at += 1
        widths = [max(cell.cell_length for cell in column) for column in zip(*rows, strict=False)]
        return [TableRow(lead, row, widths, n == 0) for n, row in enumerate(rows)]


def _inline(tokens: Sequence[Token]) -> Content:
    """Spans of a paragraph; single line ends are blanks."""
    parts: list[Content] = []
    styles: list[str] = []
    hrefs: list[str] = []
    for token in tokens:
        kind, text = token.type, token.content
        if kind in ("strong_open", "em_open"):
            styles.append("bold" if kind == "strong_open" else "italic")
        elif kind in ("strong_close", "em_close"):
            styles.pop()
        elif kind == "link_open":
            hrefs.append(str(token.attrs.get("href", "")))
        elif kind == "link_close":
            href = hrefs.pop()
            if href and parts and parts[-1].plain != href:
                parts.append(Content.styled(f" ({href})", _MUTED))
        elif kind == "softbreak":
            parts.append(Content(" "))
        elif kind == "hardbreak":
            parts.append(Content("\n"))
        elif kind == "code_inline":
            parts.append(Content.styled(text, " ".join([*styles, _CODE])))
        elif text:
            parts.append(Content.styled(text, " ".join(styles)) if styles else Content(text))
    return Content("").join(parts)
