"""Recognise a picture's format by its first bytes."""

from __future__ import annotations

import re

from imagesearch.errors import NotAPicture

__all__ = ["ACCEPTED", "format_of"]

ACCEPTED = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""The formats that are read, by the names Pillow gives them."""

_ACCEPTED = (
    ("JPEG", rb"\xff\xd8\xff"),
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("WEBP", rb"RIFF....WEBP"),
    ("GIF", rb"GIF8[79]a"),
    ("BMP", rb"BM.{12}"),
    ("TIFF", rb"II\*\0|MM\0\*|II\+\0|MM\0\+"),
    ("PPM", rb"P[1-6][\s#]"),
)
# What people send by mistake: an answer that names it saves them a search.
_REFUSED = (
    ("an AVIF picture", rb"....ftypavi[fs]"),
    ("a HEIC picture", rb"....ftyp(hei[cmsx]|hev[cx]|mif1|msf1)"),
    ("a video", rb"....ftyp|\x1a\x45\xdf\xa3|RIFF....AVI "),
    ("a JPEG XL picture", rb"\xff\x0a|\0\0\0\x0cJXL "),
    ("a JPEG 2000 picture", rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"),
    ("an icon file", rb"\0\0[\x01\x02]\0"),
    ("a Photoshop document", rb"8BPS"),
    ("a PDF document", rb"%PDF-"),
    ("a PostScript document", rb"%!PS|\xc5\xd0\xd3\xc6"),
    ("an archive", rb"PK\x03\x04|\x1f\x8b|Rar!|7z\xbc\xaf"),
    (
        "an SVG drawing",
        rb"(?i)(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE\s+)?<?svg[\s>]",
    ),
    ("a web page or XML", rb"(?i)(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|\w+)"),
    ("JSON", rb"\s*[{\[]"),
    ("Base64 text, not the bytes it stands for", rb"(data:image/|/9j/|iVBORw0KGgo|R0lGOD|UklGR)"),
)
_LOOK = 1024


def _first(table: tuple[tuple[str, bytes], ...], head: bytes) -> str | None:
    return next((name for name, pattern in table if re.match(pattern, head, re.DOTALL)), None)


def format_of(image: bytes) -> str:
    """Return which of :data:`ACCEPTED` the bytes begin like.

    Raises :class:`~imagesearch.errors.NotAPicture`, which says what they look like instead.
    """
    head = bytes(image[:_LOOK])
    found = _first(_ACCEPTED, head)
    if found is not None:
        return found
    if not head:
        raise NotAPicture("image is empty: 0 bytes.", field="image")
    other = _first(_REFUSED, head)
    looks = f"looks like {other}" if other else f"begins with {head[:8].hex(' ')}"
    raise NotAPicture(
        f"image is not a picture of a known format; it {looks}.",
        fix=f"Send {', '.join(ACCEPTED[:-1])} or {ACCEPTED[-1]}.",
        field="image",
    )
