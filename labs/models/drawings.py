"""Drawings of one coloured shape on a plain background, their attributes and their captions.

Every picture is made by rule, so what a caption asks for can be checked in what a model paints.
Pictures are uint8 RGB of shape (64, 64, 3); attributes are class indices in the order of
``ATTRIBUTES``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

IMAGE_SIZE = 64
SUPERSAMPLING = 4
SHAPES = ("circle", "square", "triangle", "star", "heart", "cross")
PALETTE: dict[str, tuple[int, int, int]] = {
    "red": (222, 40, 44),
    "orange": (246, 140, 28),
    "yellow": (250, 222, 60),
    "green": (48, 164, 76),
    "blue": (44, 92, 218),
    "purple": (142, 60, 184),
    "white": (244, 244, 244),
    "black": (22, 22, 24),
}
COLOURS = tuple(PALETTE)
BACKGROUNDS = tuple(PALETTE)
SIZES = ("small", "large")
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "shape": SHAPES,
    "colour": COLOURS,
    "size": SIZES,
    "background": BACKGROUNDS,
}
# Radius of the circle around the shape, in pixels of the final picture.
RADII = {"small": (10.0, 13.0), "large": (19.0, 24.0)}
MARGIN = 2.0
MAX_ROTATION = math.radians(15)
# Radius of the round hole of a hollow shape, as a share of the shape's radius. Only large circles
# and squares are drawn hollow: the autoencoder cannot hold the hole of a small shape, and a hole
# cuts pointed shapes to pieces.
HOLE = 0.34
HOLLOW_SHAPES = ("circle", "square")
# Each channel of each colour moves by up to this much, so that a colour is a region, not a point.
COLOUR_JITTER = 8
NO_VALUE = -1


@dataclass(frozen=True)
class Drawings:
    """Pictures (N, 64, 64, 3) uint8 and attributes (N, 4) int64 in the order of ATTRIBUTES."""

    pixels: NDArray[np.uint8]
    attributes: NDArray[np.int64]


def _outline(shape: str) -> NDArray[np.float64]:
    """Vertices (K, 2) of a shape inside the unit circle, y pointing down."""
    if shape == "circle":
        angles = np.linspace(0, 2 * math.pi, 64, endpoint=False)
        return 0.88 * np.stack([np.cos(angles), np.sin(angles)], 1)
    if shape == "square":
        angles = math.pi / 4 + np.arange(4) * math.pi / 2
        return np.stack([np.cos(angles), np.sin(angles)], 1)
    if shape == "triangle":
        angles = -math.pi / 2 + np.arange(3) * 2 * math.pi / 3
        return np.stack([np.cos(angles), np.sin(angles)], 1)
    if shape == "star":
        angles = -math.pi / 2 + np.arange(10) * math.pi / 5
        radii = np.where(np.arange(10) % 2 == 0, 1.0, 0.42)
        spikes: NDArray[np.float64] = np.stack([np.cos(angles), np.sin(angles)], 1)
        return radii[:, None] * spikes
    if shape == "heart":
        t = np.linspace(0, 2 * math.pi, 64, endpoint=False)
        x = 16 * np.sin(t) ** 3
        y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
        return np.stack([x, y + 2.5], 1) / 17.0
    if shape == "cross":
        arm, half = 0.95, 0.31
        corners = [
            (-half, -arm), (half, -arm), (half, -half), (arm, -half), (arm, half), (half, half),
            (half, arm), (-half, arm), (-half, half), (-arm, half), (-arm, -half), (-half, -half),
        ]  # fmt: skip
        return np.array(corners)
    raise ValueError(f"unknown shape {shape!r}; known: {', '.join(SHAPES)}")


_OUTLINES = {shape: _outline(shape) for shape in SHAPES}


def _jittered(name: str, rng: np.random.Generator) -> tuple[int, ...]:
    moved = np.array(PALETTE[name]) + rng.integers(-COLOUR_JITTER, COLOUR_JITTER + 1, 3)
    return tuple(int(v) for v in np.clip(moved, 0, 255))


def draw(
    shape: str,
    colour: str,
    size: str,
    background: str,
    rng: np.random.Generator,
    hole: float = 0.0,
) -> NDArray[np.uint8]:
    """One picture (64, 64, 3) uint8: position, rotation, exact radius and shades from ``rng``.

    ``hole`` is the radius of a round hole in the shape's middle, as a share of the shape's radius.
    """
    radius = rng.uniform(*RADII[size])
    reach = radius + MARGIN
    centre = rng.uniform(reach, IMAGE_SIZE - reach, 2)
    angle = rng.uniform(-MAX_ROTATION, MAX_ROTATION)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    points = (_OUTLINES[shape] @ turn * radius + centre) * SUPERSAMPLING
    side = IMAGE_SIZE * SUPERSAMPLING
    behind = _jittered(background, rng)
    canvas = Image.new("RGB", (side, side), behind)
    outline = [(float(x), float(y)) for x, y in points]
    ImageDraw.Draw(canvas).polygon(outline, fill=_jittered(colour, rng))
    if hole:
        x, y = (float(v) for v in centre * SUPERSAMPLING)
        ImageDraw.Draw(canvas).circle((x, y), hole * radius * SUPERSAMPLING, fill=behind)
    return np.asarray(canvas.reduce(SUPERSAMPLING))


def make_drawings(count: int, seed: int, hollow: bool = False) -> Drawings:
    """``count`` random drawings; the shape's colour always differs from the background's.

    With ``hollow`` every large circle and square has a round hole, through which the background
    shows.
    """
    rng = np.random.default_rng(seed)
    attributes = np.stack(
        [rng.integers(0, len(values), count) for values in ATTRIBUTES.values()], axis=1
    )
    # Shifting the background by 1 to 7 from the colour draws evenly from the seven others.
    shift = rng.integers(1, len(BACKGROUNDS), count)
    attributes[:, 3] = (attributes[:, 1] + shift) % len(BACKGROUNDS)
    pixels = np.empty((count, IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.uint8)
    for row, (shape, colour, size, background) in enumerate(attributes):
        pierced = hollow and SIZES[size] == "large" and SHAPES[shape] in HOLLOW_SHAPES
        pixels[row] = draw(
            SHAPES[shape],
            COLOURS[colour],
            SIZES[size],
            BACKGROUNDS[background],
            rng,
            HOLE if pierced else 0.0,
        )
    return Drawings(pixels, attributes.astype(np.int64))


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def caption(
    shape: str | None = None,
    colour: str | None = None,
    size: str | None = None,
    background: str | None = None,
) -> str:
    """A caption that names the given attributes, e.g. ``a small red star on a blue background``.

    An attribute that is ``None`` is left out; a shape left out is called ``shape``.
    """
    words = [word for word in (size, colour, shape or "shape") if word]
    text = f"{_article(words[0])} {' '.join(words)}"
    if background:
        text += f" on {_article(background)} {background} background"
    return text


class CaptionTable:
    """All captions, each once, so that training looks a caption up by attributes.

    Row 0 is the empty caption. ``rows`` maps (N, 4) attributes, where ``NO_VALUE`` leaves an
    attribute out, to rows of ``texts``.
    """

    def __init__(self) -> None:
        self._counts = [len(values) + 1 for values in ATTRIBUTES.values()]
        options = [(None, *values) for values in ATTRIBUTES.values()]
        self.texts: list[str] = ["", *(caption(*combination) for combination in product(*options))]

    def rows(self, attributes: NDArray[np.int64]) -> NDArray[np.int64]:
        flat = np.zeros(len(attributes), dtype=np.int64)
        for column, count in enumerate(self._counts):
            flat = flat * count + attributes[:, column] + 1
        return flat + 1

    def sample(
        self,
        attributes: NDArray[np.int64],
        rng: np.random.Generator,
        drop_attribute: float,
        drop_caption: float,
    ) -> NDArray[np.int64]:
        """Caption rows (N,) with attributes and whole captions left out at random."""
        kept = np.where(rng.random(attributes.shape) < drop_attribute, NO_VALUE, attributes)
        rows = self.rows(kept)
        rows[rng.random(len(rows)) < drop_caption] = 0
        return rows


def vocabulary_words() -> tuple[str, ...]:
    """Every word that a caption can hold, sorted."""
    words: set[str] = set()
    for text in CaptionTable().texts:
        words.update(text.split())
    return tuple(sorted(words))
