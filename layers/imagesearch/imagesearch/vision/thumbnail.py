"""A small copy of a picture, for people to look at."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["SIDE", "encoded"]

SIDE = 256
"""Longest side of a thumbnail in pixels."""
_QUALITY = 78


def encoded(pixels: Image.Image) -> bytes:
    """Return an upright sRGB picture as a JPEG file of at most :data:`SIDE` pixels a side.

    The file is written from pixels: nothing of the file that was sent is in it.
    """
    from PIL import Image

    scale = min(1.0, SIDE / max(pixels.size))
    size = (max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale)))
    small = pixels.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    file = io.BytesIO()
    small.convert("RGB").save(file, "JPEG", quality=_QUALITY, subsampling="4:2:0")
    return file.getvalue()
