"""Within-class whitening: the closed-form map that makes views of one thing come out alike.

Source: the standard within-class covariance normalisation (Hatch, Kajarekar, Stolcke 2006),
followed by a PCA.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["within_class_map"]

Array = NDArray[np.floating[Any]]


def within_class_map(
    v: Array, thing: NDArray[np.int64], *, ridge: float = 0.3, width: int = 512
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Return ``mean`` [d] and ``matrix`` [d, width] fitted on vectors ``v`` of numbered things.

    S, the covariance of the differences from each thing's mean, is whitened with ``ridge`` times
    its mean eigenvalue added; the leading directions of the whitened vectors are kept.
    """
    x = v.astype(np.float64)
    mean = x.mean(axis=0)
    away = x - _means(x, thing)[thing]
    eigenvalues, directions = np.linalg.eigh(away.T @ away / len(x))
    eigenvalues = np.clip(eigenvalues, 0, None)
    scale = 1 / np.sqrt(eigenvalues + ridge * eigenvalues.mean())
    whitener = directions * scale @ directions.T
    white = (x - mean) @ whitener
    _, leading = np.linalg.eigh(white.T @ white / len(x))
    matrix = whitener @ leading[:, ::-1][:, :width]
    return mean.astype(np.float16), (matrix / np.abs(matrix).max()).astype(np.float16)


def _means(x: Array, thing: NDArray[np.int64]) -> Array:
    sums = np.zeros((int(thing.max()) + 1, x.shape[1]))
    np.add.at(sums, thing, x)
    counts = np.bincount(thing, minlength=len(sums))[:, None]
    return sums / np.maximum(counts, 1)
