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
        self._reveal = False

    def on_resize(self) -> None:
        if self._reveal:
            self._reveal = False
            self.scroll_visible(animate=False, immediate=True)

    def tell(self, content: Content | str, *, reveal: bool = False) -> None:
        """Say this, or nothing; `reveal` scrolls to it once it has its place."""
        self._reveal = reveal
        content = content if isinstance(content, Content) else Content(content)
        self.display = bool(content.plain)
        self.update(content)
