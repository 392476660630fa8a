"""Take a picture file's metadata off before anything parses it.

Only the orientation and the colour profile matter here. Everything else in a file (Exif tables,
comments, text chunks, previews, further frames) is written by strangers, can be made to unpack
into gigabytes or to cost minutes, and is cut out by walking over the file's outermost structure.
A file whose structure breaks off is passed on from there as it is: the decoder reports it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from imagesearch.errors import DamagedPicture, PictureBomb

__all__ = ["Bare", "bare", "orientation_of"]

_MAX_SCANS = 100
_PNG_KEPT = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP"))
# Bytes a value of each TIFF field type takes (TIFF 6.0, section 2; BigTIFF adds 16 to 18).
_TIFF_SIZES = {
    **dict.fromkeys((1, 2, 6, 7), 1),
    **dict.fromkeys((3, 8), 2),
    **dict.fromkeys((4, 9, 11, 13), 4),
    **dict.fromkeys((5, 10, 12, 16, 17, 18), 8),
}
_ORIENTATION = 0x0112
_PPM_LONGEST = 4096
# Magic number, width, height and, but for bitmaps, the largest value; comments between them.
_PPM_HEADER = re.compile(
    rb"(P[14]((\s|#[^\n\r]*[\n\r])+\d+){2}|P[2356]((\s|#[^\n\r]*[\n\r])+\d+){3})\s"
)
# The fields that say how pixels are stored (TIFF 6.0), and the ICC profile.
_TIFF_KEPT = frozenset((262, 266, 273, 274, 284, 292, 293, 317, 320, 338, 339, 347, 34675)).union(
    range(254, 260), range(277, 280), range(322, 326), range(332, 335), range(512, 533)
)


@dataclass(frozen=True, slots=True)
class Bare:
    """A picture file without metadata, and the Exif orientation (1 to 8) that it had."""

    body: bytes
    orientation: int = 1


def bare(image: bytes, format: str) -> Bare:
    """Strip a file of ``format`` (a name of :data:`~imagesearch.vision.formats.ACCEPTED`).

    The orientation is found for JPEG and PNG; a WEBP file's is in its Exif chunk, which the
    decoder hands out, and a TIFF file's is applied by the decoder.
    Raises :class:`PictureBomb` or :class:`DamagedPicture` for a file that is made to exhaust.
    """
    if format == "JPEG":
        return _bare_jpeg(image)
    if format == "PNG":
        return _bare_png(image)
    if format == "GIF":
        return Bare(_first_gif_frame(image))
    if format == "TIFF":
        return Bare(_bare_tiff(image))
    if format == "PPM" and not _PPM_HEADER.match(image, 0, _PPM_LONGEST):
        raise DamagedPicture(
            f"the PPM file's first {_PPM_LONGEST} bytes do not hold its header.", field="image"
        )
    return Bare(image)


def orientation_of(exif: bytes) -> int:
    """Return the orientation (1 to 8) that an Exif block gives, 1 if it gives none."""
    table = exif.removeprefix(b"Exif\0\0")
    try:
        layout = _Layout.of(table)
        for tag, kind, _, entry in _tiff_entries(table):
            if tag == _ORIENTATION and kind in (3, 4):
                number = layout.number("H" if kind == 3 else "I", entry, 12 if layout.big else 8)
                return number if 1 <= number <= 8 else 1
    except struct.error:
        pass
    return 1


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a TIFF file keeps its numbers: byte order, and 64-bit offsets or 32-bit ones."""

    order: str
    big: bool

    @classmethod
    def of(cls, table: bytes) -> _Layout:
        order = ">" if table.startswith(b"MM") else "<"
        return cls(order, struct.unpack_from(order + "H", table, 2)[0] == 43)

    def number(self, kind: str, table: bytes, at: int) -> int:
        return int(struct.unpack_from(self.order + kind, table, at)[0])


def _tiff_entries(table: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield tag, type, count and the raw entry of each field of the first directory."""
    layout = _Layout.of(table)
    start = layout.number("Q", table, 8) if layout.big else layout.number("I", table, 4)
    if start >= len(table):
        return
    entries = layout.number("Q" if layout.big else "H", table, start)
    first, step = (start + 8, 20) if layout.big else (start + 2, 12)
    for at in range(first, min(first + entries * step, len(table) - step + 1), step):
        tag, kind = struct.unpack_from(layout.order + "HH", table, at)
        count = layout.number("Q" if layout.big else "I", table, at + 4)
        yield tag, kind, count, table[at : at + step]


def _bare_tiff(image: bytes) -> bytes:
    """Give the file a first and only directory of the fields that its pixels need."""
    try:
        layout = _Layout.of(image)
        fields = [field for field in _tiff_entries(image) if field[0] in _TIFF_KEPT]
    except struct.error:
        raise DamagedPicture("the TIFF file's first directory is cut off.", field="image") from None
    claimed = sum(_TIFF_SIZES.get(kind, 0) * count for _, kind, count, _ in fields)
    if claimed > 2 * len(image) + 65536:
        raise PictureBomb(
            f"the TIFF file's fields claim {claimed} bytes; the whole file has {len(image)}.",
            fix="Save the picture again.",
            field="image",
        )
    padded = image + bytes(-len(image) % 8)
    count, offset = ("Q", "Q") if layout.big else ("H", "I")
    directory = struct.pack(layout.order + count, len(fields)) + b"".join(f[3] for f in fields)
    at = 8 if layout.big else 4
    pointer = struct.pack(layout.order + offset, len(padded))
    nothing_next = bytes(len(pointer))
    return padded[:at] + pointer + padded[at + len(pointer) :] + directory + nothing_next


def _bare_jpeg(image: bytes) -> Bare:
    if (scans := image.count(b"\xff\xda")) > _MAX_SCANS:
        raise PictureBomb(
            f"the JPEG file has {scans} scans; at most {_MAX_SCANS} are read.",
            fix="Save the picture again as a baseline JPEG.",
            field="image",
        )
    kept, orientation = [image[:2]], 0
    for marker, start, end in _jpeg_segments(image):
        if marker == 0xE1 and image[start + 4 : start + 10] == b"Exif\0\0":
            orientation = orientation or orientation_of(image[start + 4 : end])
        elif _keeps(marker, image[start + 4 : start + 16]):
            kept.append(image[start:end])
    return Bare(b"".join(kept), orientation or 1)


def _keeps(marker: int, head: bytes) -> bool:
    if marker == 0xE2:
        return head.startswith(b"ICC_PROFILE\0")
    return marker in (0xE0, 0xEE) or not (0xE0 <= marker <= 0xEF or marker == 0xFE)


def _jpeg_segments(image: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of each segment; the first scan reaches to the file's end."""
    at = 2
    while (at := image.find(b"\xff", at)) >= 0 and at + 4 <= len(image):
        marker = image[at + 1]
        if marker in (0x00, 0xFF) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(image[at + 2 : at + 4], "big")
        if marker in (0xDA, 0xD9) or end > len(image):
            yield marker, at, len(image)
            return
        yield marker, at, end
        at = end


def _bare_png(image: bytes) -> Bare:
    kept, orientation, at = [image[:8]], 1, 8
    while at + 12 <= len(image):
        name = image[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(image[at : at + 4], "big")
        if name in _PNG_KEPT:
            kept.append(image[at:end])
        elif name == b"eXIf":
            orientation = orientation_of(image[at + 8 : end - 4])
        at = end
        if name == b"IEND":
            break
    return Bare(b"".join(kept), orientation)


def _table_size(flags: int) -> int:
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _after_blocks(image: bytes, at: int) -> int:
    """Return where the GIF data sub-blocks that begin at ``at`` end."""
    while at < len(image) and image[at]:
        at += image[at] + 1
    return at + 1


def _first_gif_frame(image: bytes) -> bytes:
    if len(image) < 13:
        return image
    at = 13 + _table_size(image[10])
    kept = [image[:at]]
    while at + 10 <= len(image):
        if image[at] == 0x21:
            end = _after_blocks(image, at + 2)
            if image[at + 1] == 0xF9:
                kept.append(image[at:end])
        elif image[at] == 0x2C:
            end = _after_blocks(image, at + 11 + _table_size(image[at + 9]))
            kept.append(image[at:end] + (b";" if end <= len(image) else b""))
            break
        else:
            end = at + 1
        at = end
    return b"".join(kept)
