"""Choose a picture's category from the probabilities that the category head gives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import OTHER
from imagesearch.vision.manifest import Categories, Votes

__all__ = ["choose", "settled"]


def choose(categories: Categories, probabilities: NDArray[np.float32]) -> tuple[int, float]:
    """Return the category id and its probability (0…1), ``OTHER`` when the head is unsure.

    ``probabilities`` is ``(len(categories.ids),)``.
    """
    best = int(np.nan_to_num(probabilities).argmax())
    sure = float(np.nan_to_num(probabilities)[best])
    return (categories.ids[best] if sure >= categories.unsure else OTHER), sure


def settled(
    votes: Votes, chances: Mapping[int, float], neighbours: Iterable[tuple[int, float]]
) -> int:
    """Return the category by the head's probabilities and the votes of what looks alike.

    ``neighbours`` are the category and the cosine of pictures, most alike first.
    """
    weights: dict[int, float] = {}
    for category, cosine in islice(neighbours, votes.most):
        weights[category] = weights.get(category, 0.0) + math.exp(cosine / votes.spread)
    cast = sum(weights.values()) + math.exp(votes.doubt / votes.spread)

    def merit(category: int) -> float:
        share = weights.get(category, 0.0) / cast
        return math.log(share + votes.floor) + votes.head * math.log(chances[category] + 1e-3)

    return max(chances, key=merit)
