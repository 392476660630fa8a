"""The two kernels that everything is found with: Hamming distances and dot products."""

from __future__ import annotations

import numkong
import numpy as np
from numpy.typing import NDArray

__all__ = ["dot_products", "hamming"]


def hamming(code: NDArray[np.uint8], bits: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return in how many bits ``code`` (64,) differs from each of ``bits`` (n, 64): (n,)."""
    if not len(bits):
        return np.zeros(0, np.uint16)
    distances = numkong.cdist(code[np.newaxis], bits, metric="hamming", dtype="uint1")
    found: NDArray[np.float64] = np.asarray(distances)[0]
    return found.astype(np.uint16)


def dot_products(row: NDArray[np.int8], rows: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the exact dot products of ``row`` (512,) with each of ``rows`` (n, 512): (n,)."""
    if not len(rows):
        return np.zeros(0)
    found: NDArray[np.float64] = np.asarray(numkong.cdist(row[np.newaxis], rows, metric="dot"))[0]
    return found
