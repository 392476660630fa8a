"""Choose a picture's category from the probabilities that the category head gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import OTHER
from imagesearch.vision.manifest import Categories

__all__ = ["choose"]


def choose(categories: Categories, probabilities: NDArray[np.float32]) -> tuple[int, float]:
    """Return the category id and its probability (0…1), ``OTHER`` when the head is unsure.

    ``probabilities`` is ``[views, len(categories.ids)]``; views are averaged.
    """
    mean = np.nan_to_num(probabilities).mean(axis=0)
    best = int(mean.argmax())
    sure = float(mean[best])
    return (categories.ids[best] if sure >= categories.unsure else OTHER), sure
