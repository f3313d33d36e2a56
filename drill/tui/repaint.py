"""What Textual keeps or forgets of widgets that are gone, put right."""

from __future__ import annotations

from textual._compositor import Compositor, CompositorMap, ReflowResult
from textual._styles_cache import StylesCache
from textual.geometry import Region, Size
from textual.widget import Widget


class Repainting(Compositor):
    """Compares each layout with the one before it.

    Textual 8.2.8 compares with its latest map of the widgets, which it draws up afresh whenever a
    region is asked for after something out of sight was updated. What came or went before that
    was never painted over, shown or resized.
    """

    _laid_out: CompositorMap | None = None

    @property
    def visible_widgets(self) -> dict[Widget, tuple[Region, Region]]:
        """Without what was removed since the last layout: it has no styles to be drawn with."""
        found = super().visible_widgets
        if all(widget.parent is not None for widget in found):
            return found
        return {widget: place for widget, place in found.items() if widget.parent is not None}

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        if self._laid_out is not None:
            self._full_map = self._laid_out
        result = super().reflow(parent, size)
        self._laid_out = self._full_map
        return result


def forget_removed() -> None:
    """Let go of the drawn lines of removed widgets.

    Textual 8.2.8 caches a method by its object, and so keeps the lines of the last 1,024 widgets:
    after an hour of questions the collector would look through a million objects.
    """
    StylesCache.get_inner_outer.cache_clear()
