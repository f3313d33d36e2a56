"""Pictures of runs as `data:` URIs, made small enough for a file that is sent around."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from pathlib import Path

from drill.services.report.document import Picture

KEPT_BYTES = 48_000
"""A PNG of at most so many bytes is taken as it is."""
WIDEST, HIGHEST = 720, 1080
"""Pixels; a larger picture is scaled down."""
LARGEST_FILE = 20_000_000
"""Bytes of a file that is opened at all."""
LARGEST_PIXELS = 40_000_000
QUALITY = 80
_PNG = b"\x89PNG\r\n\x1a\n"


def picture(path: Path, root: Path, alt: str) -> Picture | None:
    """A picture below the folder of runs; None where it is none, is missing or lies elsewhere.

    A run that came from another machine names its files: one outside `root` is not read.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(root.resolve()) or real.stat().st_size > LARGEST_FILE:
            return None
        raw = real.read_bytes()
        if not raw.startswith(_PNG):
            return None
        with Image.open(BytesIO(raw), formats=["PNG"]) as image:
            width, height = image.size
            if width * height > LARGEST_PIXELS:
                return None
            small = len(raw) <= KEPT_BYTES and width <= WIDEST and height <= HIGHEST
            if small:
                image.verify()
                return Picture(_uri("png", raw), width, height, alt)
            image.thumbnail((WIDEST, HIGHEST))
            kept = BytesIO()
            image.convert("RGB").save(kept, "WEBP", quality=QUALITY, method=2)
            return Picture(_uri("webp", kept.getvalue()), image.width, image.height, alt)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None


def _uri(kind: str, raw: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(raw).decode('ascii')}"
