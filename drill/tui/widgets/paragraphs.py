"""Paragraphs with hanging leads: a mark or a label stands alone in its column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

Row: TypeAlias = tuple[Content, Content]
"""A lead and a text, which wraps under its own start."""


def hung(lead: Content, text: Content, width: int) -> list[Content]:
    """The lines of a row at a width."""
    lines = text.wrap(max(8, width - lead.cell_length)) or [Content("")]
    indent = Content(" " * lead.cell_length)
    return [Content("").join([indent if n else lead, line]) for n, line in enumerate(lines)]


class Paragraphs(Widget):
    """Groups of rows, a blank line between the groups."""

    DEFAULT_CSS = "Paragraphs { height: auto; width: 1fr; max-width: 80; }"

    def __init__(self, widget_id: str | None = None, groups: Sequence[Sequence[Row]] = ()) -> None:
        super().__init__(id=widget_id)
        self.groups = [group for group in groups if group]

    def tell(self, groups: Sequence[Sequence[Row]]) -> None:
        """Show these; empty groups are left out."""
        self.groups = [group for group in groups if group]
        self.refresh(layout=True)

    def _lines(self, width: int) -> list[Content]:
        lines: list[Content] = []
        for group in self.groups:
            if lines:
                lines.append(Content(""))
            for lead, text in group:
                lines += hung(lead, text, width)
        return lines

    def line_of(self, lead: str) -> int:
        """The first line that starts with a text; 0 where none does."""
        lines = self._lines(self.size.width)
        return next((n for n, line in enumerate(lines) if line.plain.startswith(lead)), 0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))
