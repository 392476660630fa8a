"""Read a stranger's picture: every refusal is a picture error, nothing else comes out."""

from __future__ import annotations

import functools
import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Region
from imagesearch.errors import (
    DamagedPicture,
    PictureBomb,
    PictureError,
    PictureTooBig,
    UnsupportedSides,
)
from imagesearch.vision.formats import format_of
from imagesearch.vision.manifest import Resize
from imagesearch.vision.metadata import bare, orientation_of

if TYPE_CHECKING:
    from PIL import Image, ImageFile

__all__ = ["MAX_BYTES", "MAX_PIXELS", "MAX_SIDE", "MIN_SIDE", "Original"]

MIN_SIDE, MAX_SIDE = 32, 8192
"""Shortest and longest side that is read, in pixels."""
MAX_PIXELS = MAX_SIDE * MAX_SIDE
MAX_BYTES = 20 << 20

_FRAME = 1024
_SUBJECT = 256


@contextmanager
def _refusing(format: str) -> Iterator[None]:
    """Turn whatever a decoder raises on a hostile file into a picture error."""
    from PIL import Image

    # Each time anew: a filter is global state that others, such as a test runner, put back.
    warnings.filterwarnings("ignore", module=r"PIL\b")
    try:
        yield
    except PictureError:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        seen = re.search(r"\d+", str(error))  # Pillow names the pixels, not the sides
        pixels = f"{seen[0]} pixels" if seen else "more pixels than there is memory for"
        raise PictureBomb(
            f"the {format} picture would unpack to {pixels}; at most {MAX_PIXELS} are read.",
            field="image",
        ) from None
    except Exception as error:
        reason = str(error)[:200] or type(error).__name__
        raise DamagedPicture(
            f"the {format} picture is truncated or damaged: {reason}.", field="image"
        ) from error


def _open(body: bytes, format: str) -> ImageFile.ImageFile:
    from PIL import Image

    if format in ("WEBP", "TIFF"):  # else Pillow would import every plugin it has
        __import__(f"PIL.{'WebP' if format == 'WEBP' else 'Tiff'}ImagePlugin")
    return Image.open(io.BytesIO(body), formats=(format,))


def _check_sides(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PictureBomb(
            f"the picture has {width} × {height} = {width * height} pixels; "
            f"at most {MAX_PIXELS} are read.",
            field="image",
        )
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_SIDE:
        raise UnsupportedSides(
            f"the picture is {width} × {height} pixels; each side must be {MIN_SIDE} to "
            f"{MAX_SIDE}.",
            field="image",
        )


@functools.cache
def _turns() -> dict[int, Image.Transpose]:
    """Map an Exif orientation to the turn that makes the picture upright (Exif 2.32, 4.6.4 A)."""
    from PIL.Image import Transpose

    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }


def _largest(fits: Callable[[int], bool]) -> int:
    return next((factor for factor in (8, 4, 2) if fits(factor)), 1)


@dataclass(slots=True)
class Original:
    """A picture that was sent: its upright size, and its pixels on demand.

    ``width`` and ``height`` are of the full picture after its Exif orientation; regions are in
    these coordinates whatever resolution is decoded. Not thread-safe: one per call.
    """

    width: int
    height: int
    _format: str
    _body: bytes
    _orientation: int
    _file: ImageFile.ImageFile | None
    _decoded: tuple[int, Image.Image] | None = None

    @classmethod
    def open(cls, image: bytes, *, max_bytes: int = MAX_BYTES) -> Original:
        """Check a picture's size and header; pixels stay packed.

        Raises :class:`PictureTooBig` above ``max_bytes``, :class:`NotAPicture`,
        :class:`DamagedPicture`, :class:`PictureBomb` and :class:`UnsupportedSides`.
        """
        if len(image) > max_bytes:
            raise PictureTooBig(
                f"the picture has {len(image)} bytes; at most {max_bytes} are read.",
                fix="Compress the picture or scale it down before sending it.",
                field="image",
            )
        kind = format_of(image)
        stripped = bare(bytes(image), kind)
        with _refusing(kind):
            file = _open(stripped.body, kind)
            _check_sides(*file.size)
        orientation = stripped.orientation
        if kind == "WEBP":
            orientation = orientation_of(file.info.get("exif") or b"")
        width, height = file.size if orientation < 5 else file.size[::-1]
        return cls(width, height, kind, stripped.body, orientation, file)

    @property
    def whole(self) -> Region:
        """Return the region of the whole picture."""
        return Region.whole(self.width, self.height)

    def crop(
        self, region: Region, side: int, *, margin: float = 0.0, resize: Resize = "bicubic"
    ) -> NDArray[np.uint8]:
        """Return the region stretched to a square: ``[side, side, 3]``, sRGB.

        ``margin`` widens the region on all four sides by that share of its width and height, as
        far as the picture reaches. The same region of the same bytes gives the same pixels.
        """
        from PIL.Image import Resampling

        pixels = self._pixels(region)
        across, down = pixels.width / self.width, pixels.height / self.height
        dx, dy = region.width * margin, region.height * margin
        box = (
            max(0.0, region.x1 - dx) * across,
            max(0.0, region.y1 - dy) * down,
            min(self.width, region.x2 + dx) * across,
            min(self.height, region.y2 + dy) * down,
        )
        with _refusing(self._format):
            square = pixels.resize((side, side), Resampling[resize.upper()], box=box)
            return np.asarray(square, np.uint8)

    def thumbnail(self) -> bytes:
        """Return a small copy of the whole picture, made from pixels that are unpacked already."""
        from imagesearch.vision.thumbnail import encoded

        pixels = self._decoded[1] if self._decoded else self._pixels(self.whole)
        with _refusing(self._format):
            return encoded(pixels)

    def decode(self, region: Region) -> None:
        """Unpack the pixels that a crop of ``region`` will need, now rather than then."""
        self._pixels(region)

    def _pixels(self, region: Region) -> Image.Image:
        factor = self._factor(region)
        if self._decoded is None or self._decoded[0] != factor:
            with _refusing(self._format):
                self._decoded = factor, self._unpack(factor)
        return self._decoded[1]

    def _factor(self, region: Region) -> int:
        """Return by how much to shrink: a function of the region alone, not of what was asked."""
        frame, subject = max(self.width, self.height), max(region.width, region.height)
        return _largest(lambda n: frame // n >= _FRAME and subject // n >= _SUBJECT)

    def _unpack(self, factor: int) -> Image.Image:
        file = self._file or _open(self._body, self._format)
        if self._format == "JPEG":
            self._file = None  # a file drafted at one scale cannot be drafted at another
            file.draft(None, (file.width // factor, file.height // factor))
            pixels = _load(file, 1)
        else:
            self._file = file
            pixels = _load(file, factor)
        turn = _turns().get(self._orientation)
        return pixels if turn is None else pixels.transpose(turn)


def _load(file: ImageFile.ImageFile, factor: int) -> Image.Image:
    """Load a file's first frame and return it as sRGB, ``factor`` times smaller."""
    from imagesearch.vision.colour import srgb

    size = file.size
    file.load()
    if file.size != size:
        raise DamagedPicture(
            f"the header says {size[0]} × {size[1]} pixels, the data {file.width} × {file.height}.",
            field="image",
        )
    return srgb(file, factor)
