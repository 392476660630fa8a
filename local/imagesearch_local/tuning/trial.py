"""Judge a bundle on the owner's own things, the way the service sees their pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from imagesearch.catalogue import Service
from imagesearch.errors import PictureError
from imagesearch.vision import Vision
from imagesearch.vision.picture import Original

from imagesearch_local.calibration import calibration_points, pairs_of_views
from imagesearch_local.tuning.again import taken_again
from imagesearch_local.tuning.fitting import Figures, figures
from imagesearch_local.tuning.owned import HELD, Owned, numbered

__all__ = ["trial"]

_QUERIES = 3
_MOST = 1000
_ENOUGH = 30


def trial(
    vision: Vision, service: Service, pictures: Sequence[Owned], seed: int
) -> tuple[Figures, list[list[float]] | None]:
    """Return how well the kept-out things are found, and a calibration if they are enough.

    The catalogue is the first picture of each thing, of at most a thousand; queries are the other
    pictures of the kept-out things, and their pictures changed as a whole.
    """
    rows, shown, asked = [], [], set()
    seen: set[int] = set()
    for number, (thing, picture) in enumerate(zip(numbered(pictures), pictures, strict=True)):
        if len(seen) >= _MOST or (thing in seen and thing % HELD):
            continue
        rng = np.random.default_rng([seed, 1, number])
        try:
            image = picture.read()
            images = [image]
            if thing % HELD == 0:
                original = Original.open(image)
                images += [taken_again(rng, original, service) for _ in range(_QUERIES)]
            rows += [vision.look(one, service).vector for one in images]
        except (PictureError, OSError):
            continue
        shown += [thing] * len(images)
        seen.add(thing)
        asked |= {thing} if thing % HELD == 0 else set()
    vectors, things = np.stack(rows), np.array(shown)
    points = None
    if len(asked) >= _ENOUGH:
        scores, truth = pairs_of_views(vectors, things)
        points = calibration_points(scores, truth)
    return figures(vectors, things, asked), points
