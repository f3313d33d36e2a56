"""Keeping the row under a cursor in sight, whichever container scrolls."""

from __future__ import annotations

from textual.widget import Widget


def reveal(widget: Widget, top: int, height: int = 1) -> None:
    """Scroll what is around `widget` just so far that its rows from `top` on are seen.

    `top` counts from the first row inside the widget's border.
    """
    for outer in widget.ancestors:
        if isinstance(outer, Widget) and outer.max_scroll_y > 0:
            area = outer.scrollable_content_region
            first = widget.region.y + widget.gutter.top + top - round(widget.scroll_y)
            if first < area.y:
                outer.scroll_relative(y=first - area.y, animate=False)
            elif first + height > area.bottom:
                below = first + height - area.bottom
                outer.scroll_relative(y=min(below, first - area.y), animate=False)
            return
