"""Where a picture lies among the meanings of texts, and which classes it shows.

Half of the place is the mean of the likeliest classes' names, weighed by probability (Norouzi and
others, ConSE, 2014); half is learned from named pictures by kernel ridge regression. The text
encoder itself is not needed: its vectors of names are in the bundle.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import ModelError
from imagesearch.vision.blend import unit
from imagesearch.vision.bundle import Bundle
from imagesearch.vision.manifest import MeaningRecipe

__all__ = ["MOST_CLASSES", "MeaningMap"]

MOST_CLASSES = 3
"""How many classes are told of a picture at most."""

Rows = NDArray[np.float32]


class MeaningMap:
    """The bundle's recipe with its arrays read in. All products are the same bit for bit."""

    def __init__(self, bundle: Bundle, recipe: MeaningRecipe) -> None:
        self.outputs = recipe.outputs
        self.encoder = recipe.encoder
        self._recipe = recipe
        self._arrays = dict(bundle.meaning())
        for name in ("axes", "weights"):  # sums run along rows, which is many times faster
            self._arrays[name] = np.ascontiguousarray(self._arrays[name].T)
        points = self._arrays["points"]
        self._squares = np.einsum("ni,ni->n", points, points)

    @property
    def centre(self) -> Rows:
        """Return the mean of the classes' names, which is taken away from every text, (512,)."""
        return self._arrays["centre"]

    def place(self, said: Mapping[str, Rows]) -> Rows:
        """Return a picture's place, (512,) of unit length.

        ``said`` has each output ``(views, width)``; the first view counts.
        """
        logits = said[self._recipe.logits][0]
        parts = [said[part.output][0] * np.float32(part.weight) for part in self._recipe.parts]
        own = unit(logits - logits.mean()) * np.float32(self._recipe.logit_weight)
        share = np.float32(self._recipe.share)
        learned = self._learned(unit(np.concatenate([*parts, own])))
        place = unit((1 - share) * learned + share * self._told(logits))
        if not np.isfinite(place).all():
            raise ModelError("the bundle gave a meaning that is not 512 numbers.")
        return place

    def classes(self, said: Mapping[str, Rows]) -> tuple[int, ...]:
        """Return the classes that a picture shows, the likeliest first; 3 at most, perhaps none."""
        chances = _softmax(said[self._recipe.logits][0])
        best = np.argsort(-chances, kind="stable")[:MOST_CLASSES]
        return tuple(int(i) for i in best if chances[i] >= self._recipe.floor)

    def _learned(self, inputs: Rows) -> Rows:
        a = self._arrays
        # Not a BLAS product, as in blend.py.
        place = np.einsum("ji,i->j", a["axes"], inputs - a["mean"])
        near = np.einsum("ni,i->n", a["points"], place)
        distances = self._squares + np.einsum("i,i->", place, place) - 2 * near
        kernel = np.exp(np.float32(-self._recipe.gamma) * distances)
        return unit(np.einsum("jn,n->j", a["weights"], kernel) + a["offset"])

    def _told(self, logits: Rows) -> Rows:
        chances = _softmax(logits / np.float32(self._recipe.temperature))
        best = np.argsort(-chances, kind="stable")[: self._recipe.keep]
        return unit(np.einsum("n,nj->j", chances[best], self._arrays["classes"][best]))


def _softmax(logits: Rows) -> Rows:
    powers = np.exp(logits - logits.max())
    shares: Rows = powers / powers.sum()
    return shares
