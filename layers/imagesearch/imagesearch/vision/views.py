"""The ways in which one subject is shown to the embedder.

A vector that sums several views of a subject is steadier than that of one: mirrored or turned, it
forgets which way round the picture was taken; from parts, it forgets from how near.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Region
from imagesearch.vision.manifest import Embedder, ViewName
from imagesearch.vision.picture import Original

__all__ = ["ink", "squares"]

_RIM = 10  # pixels of a square that count as its edge


def squares(
    original: Original, region: Region, names: Sequence[ViewName], spec: Embedder
) -> NDArray[np.uint8]:
    """Return the views of a region, ``[n, side, side, 3]``.

    ``plain`` is the region with its margin; ``mirror`` and ``turn`` are that mirrored left to right
    and turned by a quarter; ``ink`` is that in greys of full contrast, dark on light, whatever its
    colours were; ``centre`` is the middle 60 % of the region's width and height; ``quarters`` are
    its four quarters. The plain view always comes first.
    """
    plain = original.crop(region, spec.side, margin=spec.margin, resize=spec.resize)
    views = [plain]
    for name in names:
        if name == "mirror":
            views.append(plain[:, ::-1])
        elif name == "turn":
            views.append(np.rot90(plain))
        elif name == "ink":
            views.append(ink(plain))
        elif name != "plain":
            parts = _quarters(region) if name == "quarters" else [_part(region, 0.2, 0.8, 0.2, 0.8)]
            views += [original.crop(part, spec.side, resize=spec.resize) for part in parts]
    return np.stack(views)


def ink(square: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a square in the shades along the direction in which its colours differ most.

    The darkest and lightest 2 % become black and white; what is commonest at the edges is light.
    """
    colours = square.reshape(-1, 3).astype(np.float32)
    away = colours - colours.mean(axis=0)
    _, directions = np.linalg.eigh(np.einsum("ni,nj->ij", away, away) / len(away))
    shades = np.einsum("ni,i->n", away, directions[:, -1]).reshape(square.shape[:2])
    low, high = np.quantile(shades, (0.02, 0.98))
    dark = np.clip((shades - low) / max(float(high - low), 1e-3), 0, 1)
    rim = np.concatenate([dark[:_RIM], dark[-_RIM:], dark[:, :_RIM].T, dark[:, -_RIM:].T])
    if np.median(rim) < 0.5:
        dark = 1 - dark
    return np.repeat((dark * 255).astype(np.uint8)[..., np.newaxis], 3, axis=2)


def _quarters(region: Region) -> Iterator[Region]:
    for left in (0.0, 0.5):
        for top in (0.0, 0.5):
            yield _part(region, left, left + 0.5, top, top + 0.5)


def _part(region: Region, left: float, right: float, top: float, bottom: float) -> Region:
    """Return the part of a region between shares of its width and height, a pixel at least."""
    x1, y1 = region.x1 + int(left * region.width), region.y1 + int(top * region.height)
    x2, y2 = region.x1 + int(right * region.width), region.y1 + int(bottom * region.height)
    return Region(x1, max(x2, x1 + 1), y1, max(y2, y1 + 1))
