"""Choose a picture's category from the probabilities that the category head gives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import OTHER
from imagesearch.vision.manifest import Categories, Votes

__all__ = ["blended", "choose", "settled"]

_LEAST = 1e-6


def blended(
    categories: Categories, rows: NDArray[np.float32], *, whole: bool
) -> NDArray[np.float32]:
    """Return the probabilities of a subject, made to sum to one.

    ``rows`` are those of its views, ``(views, len(categories.ids))``; the first counts. With
    ``whole`` the last is the whole picture's: the geometric mean of both, in which the subject
    weighs 1 and the whole picture ``categories.whole``.
    """
    subject: NDArray[np.float32] = rows[0]
    if not whole or categories.whole == 0:
        return subject
    share = np.float32(categories.whole / (1 + categories.whole))
    mean = (subject + _LEAST) ** (1 - share) * (rows[-1] + _LEAST) ** share
    chances: NDArray[np.float32] = mean / mean.sum()
    return chances


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
