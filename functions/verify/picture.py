"""A picture made of nothing but arithmetic, as a PNG file."""

import struct
import zlib

__all__ = ["shaded_square"]


def shaded_square(side: int = 256) -> bytes:
    """Return a PNG of an orange square on a shaded ground, ``side`` pixels wide and high."""
    rows = bytearray()
    for y in range(side):
        rows.append(0)  # no row filter
        for x in range(side):
            inside = side // 4 <= x < 3 * side // 4 and side // 4 <= y < 3 * side // 4
            shade = 255 * (x + y) // (2 * side)
            rows += bytes((240, 130, 20) if inside else (shade, shade, 255 - shade // 2))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
