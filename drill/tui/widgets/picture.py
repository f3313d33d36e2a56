"""Pictures in a terminal: half blocks everywhere, a sharper protocol where the terminal has one."""

from __future__ import annotations

import io
import os
from typing import Protocol

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget


class _Sharp(Protocol):
    """What `textual_image.widget` offers."""

    Image: type[Widget]


_sharp: _Sharp | None = None


def probe(images: str) -> None:
    """Before the app starts: load the sharper protocols where asked for or likely to be there.

    textual-image asks the terminal at import, which is impossible once Textual runs, and costs
    start-up time; so in `auto` it is only loaded where the environment names such a terminal.
    """
    global _sharp
    names = (os.environ.get("TERM", ""), os.environ.get("TERM_PROGRAM", "").lower())
    likely = (
        "KITTY_WINDOW_ID" in os.environ
        or names[0] in ("xterm-kitty", "xterm-ghostty", "foot", "foot-extra", "mlterm")
        or names[1] in ("iterm.app", "wezterm", "ghostty")
    ) and "TMUX" not in os.environ
    if images == "sharp" or (images == "auto" and likely):
        import textual_image.widget

        _sharp = textual_image.widget  # type: ignore[assignment]


def picture(png: bytes, *, zoom: int = 2) -> Widget:
    """A widget that shows the PNG as sharply as this terminal can."""
    if _sharp is not None:
        from PIL import Image

        widget: Widget = _sharp.Image(Image.open(io.BytesIO(png)))
        widget.styles.width = "auto"
        widget.styles.height = "auto"
        return widget
    return HalfBlocks(png, zoom=zoom)


class HalfBlocks(Widget):
    """A PNG drawn with `▀`: foreground is the upper pixel, background the lower one.

    Scaled down to the width that there is; enlarged at most `zoom` times.
    """

    DEFAULT_CSS = "HalfBlocks { height: auto; width: 100%; }"

    def __init__(self, png: bytes, *, zoom: int = 2) -> None:
        from PIL import Image

        super().__init__()
        self.zoom = zoom
        self._image = Image.open(io.BytesIO(png)).convert("RGB")
        self._rows: tuple[int, list[Strip]] = (0, [])

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return min(container.width, int(self._image.width) * self.zoom)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._strips(width))

    def _strips(self, width: int) -> list[Strip]:
        from PIL import Image

        width = max(1, min(width, self._image.width * self.zoom))
        if self._rows[0] != width:
            height = max(1, round(self._image.height * width / self._image.width))
            smaller = width < self._image.width
            how = Image.Resampling.BOX if smaller else Image.Resampling.NEAREST
            scaled = self._image.resize((width, height + height % 2), how)
            data = scaled.tobytes()
            strips = []
            for y in range(0, scaled.height, 2):
                segments = []
                for x in range(width):
                    i, j = 3 * (y * width + x), 3 * ((y + 1) * width + x)
                    upper, lower = data[i : i + 3].hex(), data[j : j + 3].hex()
                    segments.append(Segment("▀", Style(color=f"#{upper}", bgcolor=f"#{lower}")))
                strips.append(Strip(segments))
            self._rows = (width, strips)
        return self._rows[1]

    def render_line(self, y: int) -> Strip:
        strips = self._strips(self.size.width)
        if y >= len(strips):
            return Strip.blank(self.size.width)
        return strips[y].extend_cell_length(self.size.width)
