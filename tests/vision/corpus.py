"""Picture files made on the spot: right ones in every form, and hostile ones."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageCms

from tests.pictures import as_bytes

__all__ = [
    "exif",
    "hostile",
    "png",
    "png_of_16_bits",
    "scene",
    "truncations",
    "valid",
]


def scene(width: int = 96, height: int = 64) -> Image.Image:
    """Draw a picture in which every corner and edge differs from every other."""
    across = np.linspace(0, 255, width, dtype=np.uint8)
    down = np.linspace(0, 255, height, dtype=np.uint8)
    values = np.empty((height, width, 3), np.uint8)
    values[..., 0], values[..., 1] = across, down[:, None]
    values[..., 2] = 90
    values[: height // 4, : width // 3] = (250, 240, 20)
    return Image.fromarray(values)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(
    width: int, height: int, depth: int, colour: int, rows: bytes, *extra: tuple[bytes, bytes]
) -> bytes:
    """Write a PNG file by hand; ``rows`` is the raw data, each row after its filter byte."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, data) for name, data in parts)


def png_of_16_bits(picture: Image.Image, alpha: int | None = None) -> bytes:
    """Encode an RGB picture with 16 bits a sample; ``alpha`` (0…255) is put over all of it."""
    values = np.asarray(picture).astype(np.uint16) * 257
    if alpha is not None:
        values = np.dstack([values, np.full(values.shape[:2], alpha * 257, np.uint16)])
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(*picture.size, 16, 2 if alpha is None else 6, rows)


def exif(orientation: int) -> bytes:
    table = Image.Exif()
    table[0x0112] = orientation
    return table.tobytes()


def _palette_with_holes() -> bytes:
    picture = scene().quantize(32)
    return as_bytes(picture, "PNG", transparency=bytes(range(0, 256, 8)))


def _ycck() -> bytes:
    """Return a CMYK JPEG whose Adobe marker says YCCK."""
    plain = as_bytes(scene().convert("CMYK"), "JPEG", quality=95)
    return plain.replace(b"Adobe\0\x64\0\0\0\0\0", b"Adobe\0\x64\0\0\0\0\x02")


def valid() -> Iterator[tuple[str, bytes]]:
    """Yield pictures in every accepted format and every kind of pixel."""
    picture = scene()
    for kind in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM"):
        yield kind, as_bytes(picture, kind)
    for mode in ("1", "L", "LA", "P", "RGBA", "I;16"):
        yield f"PNG {mode}", as_bytes(_as_mode(picture, mode), "PNG")
    for mode in ("L", "CMYK"):
        yield f"JPEG {mode}", as_bytes(picture.convert(mode), "JPEG")
    for mode in ("1", "L", "I;16", "I", "F", "CMYK", "LAB", "YCbCr", "RGBA"):
        yield f"TIFF {mode}", as_bytes(_as_mode(picture, mode), "TIFF")
    for how in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"):
        yield f"TIFF {how}", as_bytes(picture, "TIFF", compression=how)
    yield "big TIFF", as_bytes(picture, "TIFF", big_tiff=True)
    yield "YCCK JPEG", _ycck()
    yield "16-bit RGB PNG", png_of_16_bits(picture)
    yield "16-bit RGBA PNG", png_of_16_bits(picture, 128)
    yield "palette with alpha", _palette_with_holes()
    yield "progressive JPEG", as_bytes(picture, "JPEG", progressive=True)
    yield "animated GIF", as_bytes(picture, "GIF", save_all=True, append_images=[picture] * 30)
    yield "animated PNG", as_bytes(picture, "PNG", save_all=True, append_images=[picture] * 3)
    yield "animated WEBP", as_bytes(picture, "WEBP", save_all=True, append_images=[picture] * 3)
    yield "TIFF of pages", as_bytes(picture, "TIFF", save_all=True, append_images=[picture] * 3)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield "JPEG with profile", as_bytes(picture, "JPEG", icc_profile=profile)


def _as_mode(picture: Image.Image, mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    if mode == "LAB":
        rgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(picture, rgb, lab, outputMode="LAB")
    return picture.convert(mode)


def truncations(image: bytes, count: int = 12) -> Iterator[bytes]:
    """Yield the file cut at ``count`` places spread over its length."""
    for cut in np.linspace(1, len(image) - 1, count).astype(int):
        yield image[:cut]


def _lying_png(width: int, height: int) -> bytes:
    return png(width, height, 8, 2, b"\0" * 1000)


def _lying_jpeg(width: int, height: int) -> bytes:
    image = bytearray(as_bytes(scene(), "JPEG"))
    frame = image.index(b"\xff\xc0")
    image[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(image)


def _jpeg_of_scans(count: int) -> bytes:
    image = as_bytes(scene(), "JPEG", progressive=True)
    first = image.index(b"\xff\xda")
    second = image.index(b"\xff\xda", first + 2)
    return image[:second] + image[first:second] * count + image[second:]


def _heavy_directory(table_bytes: int, tags: int) -> bytes:
    """Return an Exif/TIFF table in which each tag claims nearly the whole table as its value."""
    entries = b"".join(
        struct.pack("<HHII", 0x8000 + tag, 1, table_bytes - 64, 8) for tag in range(tags)
    )
    body = struct.pack("<2sHIH", b"II", 42, 8, tags) + entries + bytes(4)
    return body.ljust(table_bytes, b"\0")


def _tiff_with(extra: list[bytes]) -> bytes:
    """Return a small TIFF file with entries added to its directory."""
    image = as_bytes(scene(), "TIFF")
    at = struct.unpack_from("<I", image, 4)[0]
    count = struct.unpack_from("<H", image, at)[0]
    entries = image[at + 2 : at + 2 + count * 12]
    moved = struct.pack("<H", count + len(extra)) + entries + b"".join(extra) + bytes(4)
    return image[:4] + struct.pack("<I", len(image)) + image[8:] + moved


def _gif_with_comment(size: int) -> bytes:
    image = as_bytes(scene(), "GIF")
    after = 13 + 3 * (2 << (image[10] & 7))
    comment = b"\x21\xfe" + (b"\xff" + b"x" * 255) * (size // 255) + b"\0"
    return image[:after] + comment + image[after:]


def _exif_segments(table: bytes) -> bytes:
    image = as_bytes(scene(), "JPEG")
    pieces = [table[at : at + 65000] for at in range(0, len(table), 65000)]
    segments = (b"Exif\0\0" + piece for piece in pieces)
    marked = b"".join(b"\xff\xe1" + struct.pack(">H", len(s) + 2) + s for s in segments)
    return image[:2] + marked + image[2:]


def hostile() -> Iterator[tuple[str, bytes]]:
    """Yield files that lie, exhaust or confuse."""
    picture = scene()
    jpeg, whole_png, gif = (as_bytes(picture, kind) for kind in ("JPEG", "PNG", "GIF"))
    tiff, webp = as_bytes(picture, "TIFF", compression="tiff_lzw"), as_bytes(picture, "WEBP")
    heavy = _heavy_directory(2_000_000, 5000)
    yield "nothing", b""
    yield "zeros", bytes(5000)
    yield "random", random.Random(1).randbytes(5000)
    for side in (0, 1, 31, 8193, 50_000, 2**31 - 1):
        yield f"PNG that says {side}", _lying_png(side, side)
    yield "PNG that says 8192", _lying_png(8192, 8192)
    yield "PNG that says 40 × 60000", _lying_png(40, 60_000)
    for side in (0, 1, 8000, 9000, 65535):
        yield f"JPEG that says {side}", _lying_jpeg(side, side)
    yield "PPM that says 50000", b"P6 50000 50000 255\n" + bytes(100)
    yield "PPM without end", b"P6 #" + b"x" * 100_000
    yield (
        "BMP that says 50000",
        b"BM"
        + struct.pack(
            "<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 50_000, 50_000, 1, 24, 0, 0, 0, 0, 0, 0
        ),
    )
    yield "GIF that says 65535", gif[:6] + b"\xff\xff\xff\xff" + gif[10:]
    yield "GIF frame outside its canvas", gif[:6] + struct.pack("<HH", 40, 40) + gif[10:]
    yield "JPEG of 2000 scans", _jpeg_of_scans(2000)
    yield "JPEG with a heavy Exif table", _exif_segments(heavy)
    yield (
        "PNG with a heavy Exif table",
        png(96, 64, 8, 0, (b"\0" + bytes(96)) * 64, (b"eXIf", heavy)),
    )
    yield "WEBP with a heavy Exif table", as_bytes(picture, "WEBP", exif=b"Exif\0\0" + heavy)
    yield (
        "PNG with a text bomb",
        png(
            96,
            64,
            8,
            0,
            (b"\0" + bytes(96)) * 64,
            *[(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000)))] * 200,
        ),
    )
    yield (
        "PNG with a damaged profile",
        png(
            96,
            64,
            8,
            0,
            (b"\0" + bytes(96)) * 64,
            (b"iCCP", b"a\0\0" + zlib.compress(b"x" * 500_000)),
        ),
    )
    yield "JPEG with a damaged profile", as_bytes(picture, "JPEG", icc_profile=b"sRGB?" * 100)
    yield (
        "JPEG with a random profile",
        as_bytes(picture, "JPEG", icc_profile=random.Random(2).randbytes(1_000_000)),
    )
    yield (
        "JPEG with a profile of another kind",
        as_bytes(
            picture,
            "JPEG",
            icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        ),
    )
    yield (
        "TIFF with heavy tags",
        _tiff_with([struct.pack("<HHII", 0x9000 + n, 1, 15_000, 8) for n in range(2000)]),
    )
    yield (
        "TIFF with heavy strips",
        _tiff_with([struct.pack("<HHII", 279, 16, 2**31 - 1, 8) for n in range(20)]),
    )
    yield "TIFF whose directory is itself", tiff[:4] + struct.pack("<I", 4) + tiff[8:]
    yield "TIFF without a directory", b"II*\0" + struct.pack("<I", 2**32 - 1)
    yield "BigTIFF cut in its header", b"II+\0\x08\0\0\0"
    yield "TIFF of two sizes", _tiff_with([struct.pack("<HHII", 256, 4, 1, 60_000)])
    yield "GIF with a long comment", _gif_with_comment(2_000_000)
    yield (
        "GIF of 500 frames",
        as_bytes(
            picture, "GIF", save_all=True, append_images=[picture.rotate(n) for n in range(500)]
        ),
    )
    yield "PNG of a palette of nothing", png(64, 64, 8, 3, (b"\0" + b"\xff" * 64) * 64)
    yield (
        "PNG with a mad tRNS",
        png(64, 64, 8, 3, (b"\0" + b"\xff" * 64) * 64, (b"PLTE", b"abc"), (b"tRNS", bytes(300))),
    )
    yield "PNG of 3 bits", png(64, 64, 3, 0, (b"\0" + b"\xff" * 64) * 64)
    yield "PNG with too little data", png(64, 64, 8, 2, b"\0" * 100)
    yield "PNG then ZIP", whole_png + b"PK\3\4" + bytes(1000)
    yield "ZIP then JPEG", b"PK\3\4" + jpeg
    yield "JPEG called PNG inside", jpeg[:100] + whole_png
    yield "GIF with script", b"GIF89a/*" + b"*/=1;alert(1)" + gif[6:]
    yield "SVG", b"<svg xmlns='http://www.w3.org/2000/svg' width='99' height='99'/>"
    yield "HEIC", b"\0\0\0\x18ftypheic" + bytes(100)
    yield "a WEBP of junk", webp[:20] + random.Random(3).randbytes(200)
    yield "RIFF without WEBP", b"RIFF" + bytes(4) + b"WAVE" + bytes(100)
    yield "JPEG of marker bytes", b"\xff\xd8" + b"\xff" * 200_000
    yield "JPEG of empty segments", b"\xff\xd8" + b"\xff\xe1\0\0" * 50_000
    yield "PNG of empty chunks", whole_png[:33] + chunk(b"IDAT", b"") * 20_000 + whole_png[33:]
    yield "PNG chunk of 4 GB", whole_png[:33] + b"\xff\xff\xff\xffIDAT" + bytes(50)
    yield (
        "float TIFF of not a number",
        as_bytes(Image.fromarray(np.full((64, 64), np.nan, np.float32)), "TIFF"),
    )
    yield "old-style JPEG in TIFF", _tiff_with([struct.pack("<HHII", 259, 3, 1, 6)])
    for name, file in (("JPEG", jpeg), ("PNG", whole_png), ("GIF", gif), ("TIFF", tiff)):
        for number, cut in enumerate(truncations(file)):
            yield f"{name} cut {number}", cut
    for number, cut in enumerate(truncations(webp)):
        yield f"WEBP cut {number}", cut
