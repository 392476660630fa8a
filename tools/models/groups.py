"""Which ImageNet classes speak for which product category: our reading of the class names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["IDS", "IMAGENET_TO_CATEGORY", "OTHER", "grouping"]

IMAGENET_TO_CATEGORY: dict[int, tuple[int, ...]] = {
    0: (411, 474, 501, 568, 610, 617, 652, 735, 834, 841, 869, 887),
    1: (399, 400, 578, 601, 614, 689, 775),
    2: (608, 655, 842),
    3: (414, 636, 709, 728, 748, 893),
    4: (502, 514, 630, 770, 774, 788),
    5: (
        433,
        439,
        451,
        452,
        457,
        464,
        515,
        518,
        531,
        552,
        584,
        591,
        658,
        667,
        679,
        715,
        793,
        808,
        824,
        826,
        836,
        837,
        903,
        906,
    ),
    6: (415, 509, 692, *range(924, 958), *range(959, 966), 987, 988),
    7: (551, 585, 629, 631, 711, 838),
    8: (440, 653, 720, 737, 898, 899, 901, 907),
    9: (
        423,
        431,
        453,
        492,
        493,
        495,
        516,
        520,
        526,
        532,
        548,
        553,
        559,
        564,
        619,
        648,
        703,
        721,
        736,
        750,
        765,
        789,
        799,
        831,
        846,
        857,
        894,
        905,
    ),
    20: (417, 430, 611, 719, 723, 805, 850, 852, 865, 870, 890),
    21: (445, 459, 529, 638, 639, 697, 806),
    22: (
        473,
        481,
        482,
        485,
        487,
        508,
        527,
        528,
        530,
        590,
        592,
        598,
        605,
        613,
        620,
        622,
        632,
        650,
        662,
        664,
        673,
        681,
        707,
        713,
        732,
        742,
        745,
        754,
        759,
        761,
        782,
        810,
        848,
        851,
        878,
    ),
}
"""Category id → indices of ImageNet-1k classes in the usual order (0 tench … 999 toilet tissue)."""


OTHER = 88888888
"""The category of everything else."""

IDS = (*IMAGENET_TO_CATEGORY, OTHER)
"""The category of each output of the category head."""

_REST_COUNTS = 0.3


def grouping() -> NDArray[np.float32]:
    """Return the (1000, 14) matrix summing class shares by category; Other has 0.3 of the rest."""
    matrix = np.zeros((1000, len(IDS)), np.float32)
    for column, indices in enumerate(IMAGENET_TO_CATEGORY.values()):
        matrix[list(indices), column] = 1.0
    matrix[:, -1] = _REST_COUNTS * (1 - matrix.sum(axis=1))
    return matrix
