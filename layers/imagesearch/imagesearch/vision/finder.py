"""Ask the subject finder for its mask of a picture, and once more for that of what it found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Region
from imagesearch.vision.manifest import Subject
from imagesearch.vision.network import Network
from imagesearch.vision.picture import Original
from imagesearch.vision.subject import regions_of, sharpened, surroundings

__all__ = ["Finder"]


class Finder:
    """A subject finder and the rules by which its masks become regions."""

    def __init__(self, network: Network, rules: Subject) -> None:
        """Take the finder's network, opened when first needed."""
        self._network = network
        self._rules = rules

    def find(self, original: Original) -> tuple[Region, ...]:
        """Return the subjects of a decoded picture, the main one first."""
        rules, size = self._rules, (original.width, original.height)
        mask = self._mask(original, original.whole)
        regions = regions_of(mask, *size, rules)
        around = surroundings(regions, *size, rules)
        if around is None:
            return regions
        closer = self._mask(original, around, mirrored=True)
        return sharpened(regions, (mask, closer), around, size, rules)

    def _mask(
        self, original: Original, part: Region, *, mirrored: bool = False
    ) -> NDArray[np.float32]:
        """Return the mask over a part of the picture, looked at mirrored or not."""
        rules = self._rules
        square = original.crop(part, rules.side, resize=rules.resize)
        shown = np.ascontiguousarray(square[:, ::-1] if mirrored else square)
        (mask,) = self._network.run(rules.pixels, shown[np.newaxis], [rules.output])
        flat = np.nan_to_num(mask.reshape(mask.shape[-2:]))
        return flat[:, ::-1] if mirrored else flat
