"""A made-up catalogue whose looks lie as those of real pictures do, of any size.

Categories hold designs, designs hold products, products have pictures. A few designs and
categories are much larger than others; pictures of a product are nearly alike, those of a design
are the hard ones to tell apart; every hundredth picture is filed twice. Components have the
falling variances that embeddings have, around a common mean. Looks come in chunks that need
nothing of each other, so that no size has to fit into memory or onto a disk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from imagesearch.catalogue import CATEGORIES
from numpy.typing import NDArray

__all__ = ["CHUNK", "Chunk", "World"]

DIMENSIONS = 512
CHUNK = 20_000
"""Pictures that are made at once."""
TAGS = 1000

_PICTURES_PER_PRODUCT = 2.4
_MOST_PICTURES = 10
_PICTURES_PER_DESIGN = 60
_TWICE = 100
_SHARES = (12, 7, 10, 8, 10, 8, 9, 4, 4, 8, 6, 3, 6, 5)
_DECAY = 0.55
_MEAN, _CATEGORY, _DESIGN, _PRODUCT = 0.45, 0.55, 0.7, 0.3
_PICTURE = (0.12, 0.35)
_QUERY = (0.25, 0.5)

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive pictures, the first of them numbered ``first``.

    Their unit vectors (n, 512), and the number of the product of each, the id of its category and
    its tag from 0 to 999, (n,).
    """

    first: int
    vectors: Floats
    products: Integers
    categories: Integers
    tags: Integers

    def __len__(self) -> int:
        return len(self.vectors)


class World:
    """The pictures of one size and seed; the same for the same two numbers."""

    def __init__(self, rows: int, seed: int = 1) -> None:
        self.rows = rows
        self._seed = seed
        dice = np.random.default_rng([seed, rows])
        self._scale = np.arange(1, DIMENSIONS + 1, dtype=np.float32) ** -_DECAY
        self._scale /= np.linalg.norm(self._scale)
        turn = np.linalg.qr(dice.standard_normal((DIMENSIONS, DIMENSIONS)))[0]
        self._turn = turn.astype(np.float32)
        self._mean = _MEAN * self._turn[0]
        designs = max(20, rows // _PICTURES_PER_DESIGN)
        shares = np.array(_SHARES) / sum(_SHARES)
        self._category = dice.choice(len(_SHARES), designs, p=shares)
        self._popularity = np.cumsum(np.arange(1, designs + 1) ** -0.75)
        self._popularity /= self._popularity[-1]
        centres = _CATEGORY * self._drawn(dice, len(_SHARES))
        self._designs = centres[self._category] + _DESIGN * self._drawn(dice, designs)

    @property
    def chunks(self) -> int:
        """Return the number of chunks."""
        return math.ceil(self.rows / CHUNK)

    def chunk(self, number: int) -> Chunk:
        """Return one chunk."""
        first = number * CHUNK
        size = min(CHUNK, self.rows - first)
        dice, products, designs, centres = self._products(number)
        counts = np.minimum(dice.geometric(1 / _PICTURES_PER_PRODUCT, len(centres)), _MOST_PICTURES)
        of = np.repeat(np.arange(len(centres)), counts)
        of = dice.permutation(np.resize(of, size))
        vectors = self._pictures(dice, centres[of], _PICTURE)
        twice = np.arange(_TWICE, size, _TWICE)
        vectors[twice] = vectors[twice - 1]
        ids = np.array([*CATEGORIES], np.int64)
        categories = ids[self._category[designs[of]]]
        return Chunk(first, vectors, products[of], categories, dice.integers(0, TAGS, size))

    def queries(self, count: int) -> Floats:
        """Return further pictures of products that are catalogued, poorer ones: (count, 512)."""
        dice = np.random.default_rng([self._seed, self.rows, 1])
        from_chunks = np.sort(dice.integers(0, self.chunks, count))
        centres = [
            dice.choice(self._products(int(number))[3], int(wanted))
            for number, wanted in zip(*np.unique(from_chunks, return_counts=True), strict=True)
        ]
        return self._pictures(dice, np.concatenate(centres), _QUERY)

    def _products(self, number: int) -> tuple[np.random.Generator, Integers, Integers, Floats]:
        """Return a chunk's products: dice for what follows, numbers, designs, centres."""
        dice = np.random.default_rng([self._seed, self.rows, 2, number])
        count = int(CHUNK / _PICTURES_PER_PRODUCT)
        designs = np.searchsorted(self._popularity, dice.random(count))
        centres = self._designs[designs] + _PRODUCT * self._drawn(dice, count, flat=0.5)
        return dice, number * count + np.arange(count), designs, centres

    def _pictures(
        self, dice: np.random.Generator, centres: Floats, spread: tuple[float, float]
    ) -> Floats:
        """Return pictures of products, each as far off as it happens."""
        size = dice.uniform(*spread, (len(centres), 1)).astype(np.float32)
        latent = centres + size * self._drawn(dice, len(centres), flat=0.5)
        found = latent @ self._turn + self._mean
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return found

    def _drawn(self, dice: np.random.Generator, count: int, *, flat: float = 0.0) -> Floats:
        """Return directions of about unit length; ``flat`` is the share of noise without shape."""
        scale = np.sqrt((1 - flat) * self._scale**2 + flat / DIMENSIONS)
        drawn: Floats = scale * dice.standard_normal((count, DIMENSIONS), np.float32)
        return drawn
