"""The pictures of a run, one at a time, as large as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.widgets import Static

from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.text import styled
from drill.tui.widgets.picture import HalfBlocks, whole

if TYPE_CHECKING:
    from PIL.Image import Image


class PicturesScreen(BaseScreen):
    """Begins with the picture in the width of the terminal; arrows scroll it."""

    BINDINGS = bindings("pictures")
    CSS = """
    #large { height: 1fr; padding: 0 1; overflow: auto auto; }
    #caption { height: auto; max-height: 3; padding: 0 1; }
    """

    def __init__(self, title: str, pictures: Sequence[tuple[str, Image]]) -> None:
        """`pictures` are captions with their pictures; at least one."""
        super().__init__()
        self.title = title
        self.pictures = list(pictures)
        self.shown = 0
        self.scale: int | None = None
        """Which of `_scales`; None for the width of the terminal."""

    def body(self) -> ComposeResult:
        yield ScrollableContainer(id="large")
        yield Static("", id="caption", markup=False)

    async def on_mount(self) -> None:
        self.query_one("#large").focus()
        await self._draw()

    def _scales(self) -> list[int]:
        """Columns of each scale: seen whole, as wide as there is room, a pixel a column, more."""
        _, image = self.pictures[self.shown]
        room = self.app.size.width - 3  # the padding, the scrollbar
        small = whole(image, 2, room, self.app.size.height)
        larger = {room, image.width, 2 * image.width}
        return [small, *sorted(columns for columns in larger if columns > small)]

    async def _draw(self) -> None:
        caption, image = self.pictures[self.shown]
        scales = self._scales()
        room = self.app.size.width - 3
        if self.scale is None:
            self.scale = scales.index(room) if room in scales else 0
        self.scale = max(0, min(len(scales) - 1, self.scale))
        holder = self.query_one("#large", ScrollableContainer)
        await holder.remove_children()
        await holder.mount(HalfBlocks(image, columns=scales[self.scale]))
        holder.scroll_home(animate=False)
        place = f"{self.shown + 1} of {len(self.pictures)} · " if len(self.pictures) > 1 else ""
        share = scales[self.scale] / image.width
        self.head(styled(self.title or "Picture", "bold"), f"{place}{share:.0%}")
        self.query_one("#caption", Static).update(Content(caption))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "other":
            return len(self.pictures) > 1
        if action == "scale" and self.scale is not None:
            return 0 <= self.scale + int(str(parameters[0])) < len(self._scales()) or None
        return True

    async def action_other(self, by: int) -> None:
        self.shown = (self.shown + by) % len(self.pictures)
        self.scale = None
        await self._draw()

    async def action_scale(self, by: int) -> None:
        self.scale = (self.scale or 0) + by
        await self._draw()

    def action_back(self) -> None:
        self.app.pop_screen()
