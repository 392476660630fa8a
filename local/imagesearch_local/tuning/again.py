"""Show a picture again as somebody else might have taken it: the views a map is fitted to."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from imagesearch.catalogue import Region, Service
from imagesearch.vision.manifest import Embedder
from imagesearch.vision.picture import Original
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

__all__ = ["shown_again", "taken_again"]

Square = NDArray[np.uint8]

_SLIP = 0.1  # deviation of each side of the box, in shares of the box
_TURN = 15.0
_MIRRORED = {Service.PRODUCT, Service.GENERIC, Service.FABRIC}


def shown_again(
    rng: Generator, original: Original, region: Region, service: Service, spec: Embedder
) -> Square:
    """Return one more view of the subject ``region``, ``(side, side, 3)``.

    The box slips and sometimes is the whole picture; of cloth it is another part, turned by a
    quarter at times. Then the view is turned a little, mirrored (never a mark), recoloured,
    blurred and compressed.
    """
    box = _part(rng, original) if service is Service.FABRIC else _slipped(rng, original, region)
    square = original.crop(box, spec.side, margin=spec.margin, resize=spec.resize)
    if service is Service.FABRIC:
        square = np.rot90(square, int(rng.integers(4)))
    if service in _MIRRORED and rng.random() < 0.4:
        square = square[:, ::-1]
    return _spoilt(rng, Image.fromarray(np.ascontiguousarray(square)))


def taken_again(rng: Generator, original: Original, service: Service, side: int = 512) -> bytes:
    """Return a JPEG file of the whole picture, or most of it, changed in the same ways."""
    share = rng.uniform(0.55, 1.0)
    box = _part(rng, original, share=None if service is Service.FABRIC else share)
    factor = min(1.0, side / max(box.width, box.height))
    square = original.crop(box, side)
    shape = max(32, int(box.width * factor)), max(32, int(box.height * factor))
    picture = Image.fromarray(square).resize(shape, Image.Resampling.BICUBIC)
    if service in _MIRRORED and rng.random() < 0.4:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    buffer = io.BytesIO()
    Image.fromarray(_spoilt(rng, picture)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _slipped(rng: Generator, original: Original, region: Region) -> Region:
    if rng.random() < 0.15:
        return original.whole
    left, right, top, bottom = rng.normal(0, _SLIP, 4)
    x1 = region.x1 + left * region.width
    x2 = region.x2 + right * region.width
    y1 = region.y1 + top * region.height
    y2 = region.y2 + bottom * region.height
    return _inside(original, x1, x2, y1, y2)


def _part(rng: Generator, original: Original, share: float | None = None) -> Region:
    share = share or rng.uniform(0.45, 1.0)
    width, height = original.width * share, original.height * share
    x, y = rng.uniform(0, original.width - width), rng.uniform(0, original.height - height)
    return _inside(original, x, x + width, y, y + height)


def _inside(original: Original, x1: float, x2: float, y1: float, y2: float) -> Region:
    left, top = max(0, int(x1)), max(0, int(y1))
    right = min(original.width, max(int(x2), left + 8))
    bottom = min(original.height, max(int(y2), top + 8))
    return Region(min(left, right - 8), right, min(top, bottom - 8), bottom)


def _spoilt(rng: Generator, picture: Image.Image) -> Square:
    ground = tuple(int(c) for c in np.asarray(picture)[:2].reshape(-1, 3).mean(axis=0))
    done = picture.rotate(
        float(rng.uniform(-_TURN, _TURN)), Image.Resampling.BILINEAR, fillcolor=ground
    )
    for enhancer, low, high in _changes():
        done = enhancer(done).enhance(float(rng.uniform(low, high)))
    if rng.random() < 0.3:
        done = done.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.5))))
    buffer = io.BytesIO()
    done.save(buffer, "JPEG", quality=int(rng.integers(35, 90)))
    return np.asarray(Image.open(buffer).convert("RGB"))


def _changes() -> Iterator[tuple[type, float, float]]:
    yield ImageEnhance.Brightness, 0.6, 1.35
    yield ImageEnhance.Contrast, 0.6, 1.4
    yield ImageEnhance.Color, 0.3, 1.5
