"""Find where the subjects of a picture are, from the mask that the subject finder gives."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Region
from imagesearch.vision.manifest import Subject

__all__ = ["regions_of"]


@dataclass(slots=True)
class _Blob:
    """A connected part of the mask: its mass and the box around it, ends exclusive."""

    mass: float
    left: int
    right: int
    top: int
    bottom: int

    def join(self, other: _Blob) -> None:
        self.mass += other.mass
        self.left, self.right = min(self.left, other.left), max(self.right, other.right)
        self.top, self.bottom = min(self.top, other.top), max(self.bottom, other.bottom)

    def region(self, mask: NDArray[np.float32], width: int, height: int) -> Region:
        rows, columns = mask.shape
        return Region(
            self.left * width // columns,
            min(width, math.ceil(self.right * width / columns)),
            self.top * height // rows,
            min(height, math.ceil(self.bottom * height / rows)),
        )


def regions_of(
    mask: NDArray[np.float32], width: int, height: int, rules: Subject
) -> tuple[Region, ...]:
    """Return the subjects of a ``width`` × ``height`` picture, the main one first.

    ``mask`` is ``(rows, columns)`` of values 0…1 over the whole picture. The main subject is the
    heaviest connected part together with every part of at least ``rules.keep`` of its mass; parts
    of at least ``rules.further`` are subjects of their own as well. The whole picture alone is
    returned when the mask is unsure or the main subject is too small or nearly everything.
    """
    whole = (Region.whole(width, height),)
    mask = _enlarged(np.nan_to_num(mask.astype(np.float32)), rules.enlarge)
    peak = float(mask.max())
    if peak <= 0 or peak < rules.unsure:
        return whole
    blobs = sorted(_blobs(mask, mask >= rules.threshold * peak), key=lambda b: -b.mass)
    heaviest = blobs[0].mass
    own = [
        blob.region(mask, width, height) for blob in blobs if blob.mass >= rules.further * heaviest
    ]
    main = _union([blob for blob in blobs if blob.mass >= rules.keep * heaviest])
    first = main.region(mask, width, height)
    if not rules.smallest <= first.area / (width * height) < rules.largest:
        return whole
    return tuple(dict.fromkeys((first, *own)))


def _enlarged(mask: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    if factor == 1:
        return mask
    from PIL import Image

    size = mask.shape[1] * factor, mask.shape[0] * factor
    return np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR))


def _union(blobs: Iterable[_Blob]) -> _Blob:
    first, *rest = (_Blob(b.mass, b.left, b.right, b.top, b.bottom) for b in blobs)
    for blob in rest:
        first.join(blob)
    return first


def _blobs(mask: NDArray[np.float32], inside: NDArray[np.bool_]) -> list[_Blob]:
    """Return the 8-connected parts: runs of each row, joined to those they touch above."""
    found: list[_Blob] = []
    above: list[tuple[int, int, _Blob]] = []
    alias: dict[int, _Blob] = {}

    def root(blob: _Blob) -> _Blob:
        while id(blob) in alias:
            blob = alias[id(blob)]
        return blob

    for row, (left, right) in enumerate(map(_runs, inside)):
        here: list[tuple[int, int, _Blob]] = []
        for start, end in zip(left, right, strict=True):
            blob = _Blob(float(mask[row, start:end].sum()), start, end, row, row + 1)
            found.append(blob)
            for other in {id(b): b for s, e, b in above if s <= end and e >= start}.values():
                older = root(other)
                if older is not (newer := root(blob)):
                    older.join(newer)
                    alias[id(newer)] = older
            here.append((start, end, blob))
        above = here
    return [blob for blob in found if id(blob) not in alias]


def _runs(row: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    edges = np.flatnonzero(np.diff(row, prepend=False, append=False))
    return edges[::2].tolist(), edges[1::2].tolist()
