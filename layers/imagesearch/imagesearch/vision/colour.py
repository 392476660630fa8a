"""Bring the pixels of any picture to 8-bit sRGB on white."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image, ImageCms

__all__ = ["srgb"]

_BAND = 256
_MAX_PROFILE = 4 << 20


def srgb(picture: Image.Image, factor: int = 1) -> Image.Image:
    """Return a loaded picture as ``RGB``, each side ``factor`` times shorter (rounded up).

    Transparency lies on white, samples of more than 8 bits keep their high bits, and an embedded
    profile of an RGB or CMYK picture is converted to sRGB. Work goes in bands of rows, so that a
    large picture is never held twice. A damaged profile is ignored.
    """
    profile = picture.info.get("icc_profile")
    bounds = _bounds(picture)
    if factor == 1 and not (bounds or picture.has_transparency_data):
        return _managed(_plain(picture, None), profile)
    size = -(-picture.width // factor), -(-picture.height // factor)
    small = _blank("CMYK" if picture.mode == "CMYK" else "RGB", size)
    for top in range(0, picture.height, _BAND):
        rows = picture.crop((0, top, picture.width, min(top + _BAND, picture.height)))
        small.paste(_plain(rows, bounds).reduce(factor), (0, top // factor))
    return _managed(small, profile)


def _blank(mode: str, size: tuple[int, int]) -> Image.Image:
    from PIL import Image

    return Image.new(mode, size, "white")


def _plain(picture: Image.Image, bounds: tuple[float, float] | None) -> Image.Image:
    """Return the picture as opaque ``RGB``, or as ``CMYK`` if it is that."""
    if bounds is not None:
        return _from_deep(picture, bounds)
    if picture.mode == "LAB":
        return _from_lab(picture)
    if picture.mode == "CMYK":
        return picture
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        ground = _blank("RGB", layer.size)
        ground.paste(layer, mask=layer.getchannel("A"))
        return ground
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _bounds(picture: Image.Image) -> tuple[float, float] | None:
    """Return the values that stand for black and white where samples have more than 8 bits."""
    if picture.mode.startswith("I;16"):
        return 0.0, 65535.0
    if picture.mode not in ("I", "F"):
        return None
    low, high = (float(value) for value in picture.getextrema())  # type: ignore[arg-type]
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    usual = (255.0, 65535.0) if picture.mode == "I" else (1.0, 255.0)
    white = next((value for value in usual if high <= value), None)
    return (0.0, white) if low >= 0 and white else (low, max(high, low + 1))


def _from_deep(picture: Image.Image, bounds: tuple[float, float]) -> Image.Image:
    from PIL import Image

    black, white = bounds
    values = np.nan_to_num(np.asarray(picture, np.float32), posinf=white, neginf=black)
    values = (values - black) * (255.999 / (white - black))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")


def _from_lab(picture: Image.Image) -> Image.Image:
    from PIL import ImageCms

    return _to_srgb(picture, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))


def _managed(picture: Image.Image, profile: object) -> Image.Image:
    """Return an ``RGB`` or ``CMYK`` picture in sRGB; without a usable profile, naively."""
    if isinstance(profile, bytes) and 0 < len(profile) <= _MAX_PROFILE and not _is_srgb(profile):
        from PIL import ImageCms

        try:
            return _to_srgb(picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _to_srgb(picture: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    from PIL import ImageCms

    target = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
    if converted is None:
        raise ValueError("the profile was applied in place")
    return converted


def _is_srgb(profile: bytes) -> bool:
    return b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile
