"""Where in a picture a likeness rests: what is lost when a part of it is covered.

Zeiler and Fergus, Visualizing and Understanding Convolutional Networks (2014), section 4.2: cover
one part after the other and look again. It needs nothing of a model but its vector, so it works
with every bundle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Region

__all__ = ["Reasons", "covered", "shares"]


@dataclass(frozen=True, slots=True)
class Reasons:
    """What of a subject makes it alike to another picture.

    ``cells`` (n, n) are shares of ``region``, row by row from its top left, that add up to 1: how
    much of the likeness is lost when that cell is covered. All are 0 where covering costs nothing.
    ``cosine`` is the likeness with nothing covered.
    """

    region: Region
    cosine: float
    cells: NDArray[np.float32]


def covered(square: NDArray[np.uint8], cells: int) -> Iterator[NDArray[np.uint8]]:
    """Yield a square (side, side, 3) with one cell after the other in its mean colour."""
    side = square.shape[0]
    edges = [side * i // cells for i in range(cells + 1)]
    grey = square.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    for row in range(cells):
        for column in range(cells):
            hidden = square.copy()
            hidden[edges[row] : edges[row + 1], edges[column] : edges[column + 1]] = grey
            yield hidden


def shares(cosine: float, without: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Return the share of each cell in what covering costs, (cells, cells)."""
    lost: NDArray[np.float32] = np.maximum(np.float32(cosine) - without, 0).reshape(cells, cells)
    total = float(lost.sum())
    return (lost / np.float32(total)).astype(np.float32) if total > 0 else lost
