"""Choose a picture's category from the probabilities that the category head gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import OTHER
from imagesearch.vision.manifest import Categories

__all__ = ["choose"]


def choose(categories: Categories, probabilities: NDArray[np.float32]) -> tuple[int, float]:
    """Return the category id and its probability (0…1), ``OTHER`` when the head is unsure.

    ``probabilities`` is ``(len(categories.ids),)``.
    """
    best = int(np.nan_to_num(probabilities).argmax())
    sure = float(np.nan_to_num(probabilities)[best])
    return (categories.ids[best] if sure >= categories.unsure else OTHER), sure
