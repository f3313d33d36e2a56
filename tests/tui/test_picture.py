"""Half blocks show the picture's own colours, a few lines a frame."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image
from textual.app import App, ComposeResult
from textual.color import Color
from textual.geometry import Region
from textual.widget import Widget

from drill.tui.screens.pictures import PicturesScreen
from drill.tui.widgets.picture import LINES, HalfBlocks, read_png, whole

RED, BLUE = (255, 0, 0), (0, 0, 255)


def striped(width: int, height: int, first: tuple[int, ...], second: tuple[int, ...]) -> bytes:
    """A PNG whose rows of pixels alternate between two colours."""
    image = Image.new("RGB", (width, height))
    image.putdata([first if y % 2 == 0 else second for y in range(height) for _ in range(width)])
    raw = io.BytesIO()
    image.save(raw, "PNG")
    return raw.getvalue()


class Shown(App[None]):
    """One picture."""

    def __init__(self, png: bytes) -> None:
        super().__init__()
        self.png = png

    def compose(self) -> ComposeResult:
        yield HalfBlocks(read_png(self.png), zoom=1)


def colours(widget: HalfBlocks, y: int) -> list[tuple[int, str, str]]:
    """(cells, upper, lower) of each run of a line; blanks left out."""
    found = []
    for text, style, _ in widget.render_line(y):
        if style is not None and style.color is not None and style.bgcolor is not None:
            upper, lower = (Color.from_rich_color(c).hex for c in (style.color, style.bgcolor))
            found.append((len(text), upper, lower))
    return found


async def drawn(widget: HalfBlocks) -> None:
    async with asyncio.timeout(5):
        while widget._left or not widget._lines:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_two_rows_of_pixels_make_a_line_of_cells() -> None:
    app = Shown(striped(10, 8, RED, BLUE))
    async with app.run_test(size=(40, 20)) as pilot:
        widget = app.query_one(HalfBlocks)
        await drawn(widget)
        await pilot.pause()
        assert widget.size.height == 4
        assert [colours(widget, y) for y in range(5)] == [[(10, "#FF0000", "#0000FF")]] * 4 + [[]]


async def test_a_later_picture_takes_the_same_place() -> None:
    app = Shown(striped(10, 8, RED, BLUE))
    async with app.run_test(size=(40, 20)) as pilot:
        widget = app.query_one(HalfBlocks)
        await drawn(widget)
        widget.show(read_png(striped(10, 8, BLUE, RED)))
        assert colours(widget, 0) == [(10, "#FF0000", "#0000FF")]  # until the new lines come
        await drawn(widget)
        assert colours(widget, 0) == [(10, "#0000FF", "#FF0000")]
        widget.show(read_png(striped(10, 12, BLUE, RED)))
        await drawn(widget)
        await pilot.pause()
        assert widget.size.height == 6
        assert colours(widget, 5) == [(10, "#0000FF", "#FF0000")]


async def test_no_frame_draws_more_than_a_few_lines() -> None:
    app = Shown(striped(30, 80, RED, BLUE))
    async with app.run_test(size=(40, 60)):
        widget = app.query_one(HalfBlocks)
        await drawn(widget)
        painted: list[int] = []
        refresh = widget.refresh

        def noted(*regions: Region, **how: bool) -> Widget:
            painted.extend(region.height for region in regions)
            return refresh(*regions, **how)

        widget.refresh = noted  # type: ignore[method-assign,assignment]
        widget.show(read_png(striped(30, 80, BLUE, RED)))
        await drawn(widget)
        assert sum(painted) == 40
        assert max(painted) <= LINES


async def test_every_line_is_drawn_although_pictures_overtake_each_other() -> None:
    app = Shown(striped(30, 80, RED, RED))
    async with app.run_test(size=(40, 60)):
        widget = app.query_one(HalfBlocks)
        for _ in range(8):
            await asyncio.sleep(0.06)
            assert widget._left
            widget.show(read_png(striped(30, 80, BLUE, BLUE)))
        assert colours(widget, 39) == [(30, "#0000FF", "#0000FF")]


async def test_a_narrow_terminal_gets_a_smaller_picture() -> None:
    app = Shown(striped(100, 40, RED, RED))
    async with app.run_test(size=(50, 30)) as pilot:
        widget = app.query_one(HalfBlocks)
        await drawn(widget)
        assert (widget.size.height, colours(widget, 9)) == (10, [(50, "#FF0000", "#FF0000")])
        await pilot.resize_terminal(25, 30)
        await drawn(widget)
        await pilot.pause()
        assert (widget.size.height, colours(widget, 4)) == (5, [(25, "#FF0000", "#FF0000")])


@pytest.mark.parametrize(
    ("size", "image", "cells"),
    [
        ((80, 24), (526, 526), (38, 19)),  # as high as there is room between header and keys
        ((120, 36), (526, 526), (62, 31)),
        ((120, 36), (526, 130), (120, 15)),  # as wide as there is room
        ((80, 24), (262, 1200), (24, 55)),  # very tall: still wide enough to see something
        ((80, 24), (20, 10), (20, 5)),  # enlarged no more than asked for
    ],
)
async def test_a_picture_is_seen_whole(
    size: tuple[int, int], image: tuple[int, int], cells: tuple[int, int]
) -> None:
    app = Shown(striped(*image, RED, RED))
    async with app.run_test(size=size) as pilot:
        widget = app.query_one(HalfBlocks)
        await drawn(widget)
        await pilot.pause()
        assert (widget.size.width, widget.size.height) == cells
        assert colours(widget, 0) == [(cells[0], "#FF0000", "#FF0000")]


class Large(App[None]):
    """The screen of two pictures."""

    def on_mount(self) -> None:
        images = [("tall", (526, 869)), ("wide", (526, 130))]
        pictures = [(name, read_png(striped(*size, RED, BLUE))) for name, size in images]
        self.push_screen(PicturesScreen("a run", pictures))


async def test_pictures_are_enlarged_and_changed() -> None:
    app = Large()

    def shown() -> HalfBlocks:
        return app.screen.query_one(HalfBlocks)

    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert shown().columns == 77
        await pilot.press("minus")
        await pilot.pause()
        small = shown().columns
        assert small == whole(shown()._image, 2, 77, 24) < 77
        await pilot.press("minus", "plus", "plus", "plus", "plus")
        await pilot.pause()
        assert shown().columns == 2 * 526
        assert app.screen.query_one("#large").max_scroll_x > 0
        await pilot.press("n")
        await pilot.pause()
        assert shown().columns == 77 and shown()._image.height == 130
        await pilot.press("escape")
        assert not isinstance(app.screen, PicturesScreen)
