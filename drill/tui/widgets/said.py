"""A text that comes and goes."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Said(Static):
    """Takes no room while there is nothing to say."""

    DEFAULT_CSS = "Said { height: auto; }"

    def __init__(self, content: Content | None = None, *, widget_id: str) -> None:
        content = content or Content("")
        super().__init__(content, id=widget_id, markup=False)
        self.display = bool(content.plain)

    def tell(self, content: Content | str) -> None:
        """Say this, or nothing."""
        content = content if isinstance(content, Content) else Content(content)
        self.display = bool(content.plain)
        self.update(content)
