"""Pictures in a terminal: half blocks everywhere, a sharper protocol where the terminal has one."""

from __future__ import annotations

import io
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

if TYPE_CHECKING:
    from PIL.Image import Image

LINES = 4
"""Lines of a picture that are drawn in one frame. Every cell has colours of its own, so that a
whole picture at once takes 50 ms, in which a key would wait."""
FRAME = 1 / 40
"""Seconds from one frame to the next."""
AROUND = 5
"""Lines of a screen that are not a picture's: header, keys, what is said above and below it."""
NARROWEST = 24
"""Columns under which a tall picture is not made smaller to be seen whole."""


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


def read_png(png: bytes) -> Image:
    """The picture in RGB; for a thread, since the first one loads Pillow."""
    from PIL import Image

    return Image.open(io.BytesIO(png)).convert("RGB")


def picture(image: Image, *, zoom: int = 2) -> Widget:
    """A widget that shows a picture whole, as sharply as this terminal can."""
    if _sharp is not None:
        widget: Widget = _sharp.Image(image)
        widget.styles.width = "auto"
        widget.styles.height = "auto"
        return widget
    return HalfBlocks(image, zoom=zoom)


def whole(image: Image, zoom: int, width: int, height: int) -> int:
    """Columns at which a picture is seen whole on a screen of this size.

    One that is very tall keeps `NARROWEST` columns and is scrolled.
    """
    across, down = int(image.width), int(image.height)
    most = min(width, across * zoom)
    fits = 2 * max(1, height - AROUND) * across // down
    return max(1, min(most, max(fits, NARROWEST)))


def repaint(widget: Widget, image: Image) -> None:
    """Show another picture in a widget that `picture` gave."""
    if isinstance(widget, HalfBlocks):
        widget.show(image)
    else:
        shown: Any = widget
        shown.image = image


class HalfBlocks(Widget):
    """A picture drawn with `▀`: foreground is the upper pixel, background the lower one.

    Scaled down to the width that there is, and so that it is seen whole; enlarged at most `zoom`
    times. With `columns` it is that wide whatever there is. Drawn from the top down, a few lines a
    frame.
    """

    DEFAULT_CSS = "HalfBlocks { height: auto; width: auto; }"

    def __init__(self, image: Image, *, zoom: int = 2, columns: int = 0) -> None:
        super().__init__()
        self.zoom = zoom
        self.columns = columns
        self._image = image
        self._scaled = image
        self._lines: list[Strip] = []
        self._next = 0
        """The line that is drawn next."""
        self._left = 0
        """Lines that do not show the newest picture yet."""
        self._frames: Timer | None = None

    def show(self, image: Image) -> None:
        """Show another picture; what stood there stays until the new lines come."""
        resized = image.size != self._image.size
        self._image = image
        if resized:
            self.refresh(layout=True)
        self._begin()

    def get_content_width(self, container: Size, viewport: Size) -> int:
        if self.columns:
            return self.columns
        return whole(self._image, self.zoom, container.width, viewport.height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._pixels(width)[1] // 2

    def _pixels(self, width: int) -> tuple[int, int]:
        """Columns and rows of pixels in `width` cells; the rows are an even number."""
        width = max(1, self.columns or min(width, self._image.width * self.zoom))
        height = max(1, round(self._image.height * width / self._image.width))
        return width, height + height % 2

    def on_mount(self) -> None:
        self._frames = self.set_interval(FRAME, self._draw_on, pause=True)

    def on_resize(self, event: events.Resize) -> None:
        self._begin()

    def _begin(self) -> None:
        """Draw the picture at the present width; on from where the one before was overtaken."""
        if not self.size.width or self._frames is None:
            return
        from PIL.Image import Resampling

        width, height = self._pixels(self.size.width)
        how = Resampling.BOX if width < self._image.width else Resampling.NEAREST
        self._scaled = self._image.resize((width, height), how)
        self._left = height // 2
        if len(self._lines) != self._left:
            self._lines = [Strip([])] * self._left
            self._next = 0
        self._frames.resume()

    def _draw_on(self) -> None:
        begun = self._next
        end = begun + min(LINES, self._left, len(self._lines) - begun)
        width = self._scaled.width
        rows = self._scaled.crop((0, 2 * begun, width, 2 * end)).tobytes()
        for y in range(begun, end):
            at = 6 * width * (y - begun)
            upper, lower = rows[at : at + 3 * width], rows[at + 3 * width : at + 6 * width]
            self._lines[y] = Strip(_segments(upper, lower), width)
        self._next = end % len(self._lines)
        self._left -= end - begun
        self.refresh(Region(0, begun, self.size.width, end - begun))
        if not self._left and self._frames is not None:
            self._frames.pause()

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else Strip([])
        return line.adjust_cell_length(self.size.width)


def _segments(upper: bytes, lower: bytes) -> list[Segment]:
    """Two rows of RGB pixels as half blocks; neighbours of the same colours are one segment."""
    found: list[Segment] = []
    before, count = b"", 0
    for at in range(0, len(upper), 3):
        pair = upper[at : at + 3] + lower[at : at + 3]
        if pair != before and count:
            found.append(Segment("▀" * count, _style(before)))
            count = 0
        before, count = pair, count + 1
    return [*found, Segment("▀" * count, _style(before))]


@lru_cache(4096)
def _style(pair: bytes) -> Style:
    return Style.from_color(_colour(pair[:3]), _colour(pair[3:]))


@lru_cache(4096)
def _colour(rgb: bytes) -> Color:
    # Without the name that `Color.from_rgb` writes for it, which takes half of the time.
    return Color("", ColorType.TRUECOLOR, triplet=ColorTriplet(*rgb))
