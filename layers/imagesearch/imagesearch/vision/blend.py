"""Make a service's vector from what the embedder says about a picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Service
from imagesearch.vision.bundle import Bundle

__all__ = ["Blend", "unit"]

# Keeps a vector of zeros (a picture the network says nothing about) from dividing by zero.
_TINY = np.float32(1e-12)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows divided by their Euclidean length."""
    lengths = np.sqrt(np.einsum("...i,...i->...", rows, rows))[..., np.newaxis]
    divided: NDArray[np.float32] = rows / np.maximum(lengths, _TINY)
    return divided


class Blend:
    """One service's recipe with its map read in: parts, joined, mapped, of unit length."""

    def __init__(self, bundle: Bundle, service: Service) -> None:
        recipe = bundle.manifest.services[service]
        self.views = recipe.views
        self.whole = np.float32(recipe.whole)
        self.outputs = tuple(part.output for part in recipe.parts)
        self._weights = tuple(np.float32(part.weight) for part in recipe.parts)
        self._map = bundle.map(service)

    def vector(
        self, said: Mapping[str, NDArray[np.float32]], *, whole: bool = False
    ) -> NDArray[np.float32]:
        """Return the unit vector ``(512,)`` of one picture.

        ``said`` has each output ``[views, width]``; the views' vectors are summed. With ``whole``
        the last one is the whole picture and counts by its own weight. A picture of which the
        network says nothing gets the first axis.
        """
        parts = [said[name] * w for name, w in zip(self.outputs, self._weights, strict=True)]
        rows = unit(np.concatenate(parts, axis=1, dtype=np.float32))
        if self._map is not None:
            mean, matrix = self._map
            # Not a BLAS product: its last bits may depend on how many threads happen to be free.
            rows = unit(np.einsum("ni,ij->nj", rows - mean, matrix))
        if whole:
            rows[-1] *= self.whole
        vector = unit(rows.sum(axis=0))
        if not vector.any():
            vector[0] = 1  # says nothing of the picture, so all such pictures are alike
        return vector
