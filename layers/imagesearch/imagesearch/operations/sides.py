"""How large a picture is, without unpacking it."""

from __future__ import annotations

__all__ = ["sides"]


def sides(image: bytes) -> tuple[int, int]:
    """Return the width and height in pixels of the upright picture.

    Raises a :class:`~imagesearch.errors.PictureError` leaf for what is not a readable picture.
    """
    from imagesearch.vision.picture import Original

    original = Original.open(image)
    return original.width, original.height
