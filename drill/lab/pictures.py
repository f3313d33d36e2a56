"""Pictures of experiments: grids and PNG bytes. Pillow and numpy are imported when called."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GAP = 2
GAP_SHADE = 128
CELL = 64


def to_bytes(pixels: Any) -> NDArray[np.uint8]:
    """Pictures as uint8 (N, H, W, 3) from a tensor or array (N, 3, H, W) in [0, 1]; clips."""
    import numpy as np

    array = pixels.detach().float().cpu().numpy() if hasattr(pixels, "detach") else pixels
    array = np.nan_to_num(np.asarray(array, dtype=np.float32), nan=0.0)
    array = np.clip(array, 0.0, 1.0).transpose(0, 2, 3, 1)
    rounded: NDArray[np.uint8] = (array * 255.0).round().astype(np.uint8)
    return rounded


def grid(rows: Sequence[NDArray[np.uint8]], cell: int | None = None) -> NDArray[np.uint8]:
    """One picture (H, W, 3) of rows of pictures (N, h, w, 3), with a grey line in between.

    All pictures have one size; a shorter row is filled up with grey. `cell` shrinks pictures that
    are larger to so many pixels a side.
    """
    import numpy as np

    if not rows or not len(rows[0]):
        raise ValueError("a grid of no pictures")
    if cell is not None and max(rows[0].shape[1:3]) > cell:
        rows = [np.stack([_shrunk(each, cell) for each in row]) for row in rows]
    height, width = rows[0].shape[1:3]
    columns = max(len(row) for row in rows)
    shape = (
        len(rows) * (height + GAP) - GAP,
        columns * (width + GAP) - GAP,
        3,
    )
    canvas = np.full(shape, GAP_SHADE, dtype=np.uint8)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            top, left = y * (height + GAP), x * (width + GAP)
            canvas[top : top + height, left : left + width] = picture
    return canvas


def _shrunk(picture: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image

    height, width = picture.shape[:2]
    ratio = cell / max(height, width)
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def png(picture: NDArray[np.uint8]) -> bytes:
    """PNG bytes of a picture (H, W, 3) uint8."""
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", optimize=False)
    return buffer.getvalue()
