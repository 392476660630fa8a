"""What is stored of a picture's look, and how alike two looks are.

A feature vector is kept as 512 signed bytes (the *row*) and as 512 sign bits (the *bits*). Both
follow from the vector by arithmetic that gives the same bytes on every platform.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BIT_BYTES",
    "DIMENSIONS",
    "MAX_RELEVANCE",
    "Features",
    "Likeness",
    "bits_of",
    "direction",
    "encode",
    "levels",
    "likeness",
    "relevance",
    "squared_distance",
    "squares_of",
]

DIMENSIONS = 512
"""Components of a vector, bytes of a row and bits of a code."""
BIT_BYTES = DIMENSIONS // 8
_ROUNDS = 2
_CHUNK = 512
_NEAREST = 1e-24
_SCALE = 7.33136443711219
MAX_RELEVANCE = float(np.float32(_SCALE / _NEAREST))
"""Relevance of equal rows; prints as ``7.33136443711219e+24``."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """A picture's look as it is stored: ``row`` (512,) int8 and ``bits`` (64,) uint8."""

    row: NDArray[np.int8]
    bits: NDArray[np.uint8]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Features) and bool(np.array_equal(self.row, other.row))

    def __hash__(self) -> int:
        return hash(self.row.tobytes())


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two pictures look.

    ``relevance`` is 7.33136443711219 divided by the squared distance of the two unit vectors, as
    a float32, at most :data:`MAX_RELEVANCE`; ``hamming`` counts differing sign bits, 0 to 512;
    ``score`` is the cosine, 0 where it is negative, 1 for equal rows.
    """

    relevance: float
    hamming: int
    score: float

    @property
    def sort_expr_values(self) -> str:
        """Return the two figures as the vendor prints them, ``"relevance;hamming"``."""
        return f"{self.relevance:.15g};{self.hamming}"


def encode(vector: NDArray[np.float32]) -> Features:
    """Return the stored form of a vector of 512 finite numbers that are not all zero.

    Each component is scaled by 127 / max|x| and rounded half to even, so that all 255 levels are
    used whatever the vector's length. Raises :class:`ValueError` for any other vector.
    """
    row = levels(vector)
    return Features(row, bits_of(row[np.newaxis])[0])


def levels(vector: NDArray[np.floating[Any]]) -> NDArray[np.int8]:
    """Return a vector's row, (512,) int8, as :func:`encode` does."""
    exact = np.asarray(vector, np.float64)
    if exact.shape != (DIMENSIONS,):
        raise ValueError(f"a feature vector has shape ({DIMENSIONS},), not {exact.shape}.")
    largest = float(np.abs(exact).max())
    if not 0 < largest < np.inf:
        raise ValueError(f"a feature vector must be finite and not zero; its maximum is {largest}.")
    return np.rint(exact / largest * 127).astype(np.int8)


def direction(row: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return the unit vector that a row, or a meaning, stands for, (512,)."""
    wide = row.astype(np.float32)
    return wide / np.float32(np.linalg.norm(wide))


def bits_of(rows: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Return the sign bits (n, 64) of rows (n, 512): which rotated components are positive.

    The rotation is two rounds of random signs followed by a Walsh-Hadamard transform, which
    spreads every component over all bits. Sums stay below 2**53, so float64 is exact.
    """
    bits = np.empty((len(rows), BIT_BYTES), np.uint8)
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK].astype(np.float64)
        for signs in _signs():
            part = _transformed(part * signs)
        bits[start : start + _CHUNK] = np.packbits(part > 0, axis=1)
    return bits


def _transformed(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Walsh-Hadamard transforms of rows (n, 512).

    The transform of 512 is the Kronecker product of those of 16 and of 32.
    """
    squares = rows.reshape(-1, 16, 32)
    transformed: NDArray[np.float64] = _hadamard(16) @ (squares @ _hadamard(32))
    return transformed.reshape(rows.shape)


@cache
def _hadamard(size: int) -> NDArray[np.float64]:
    places = np.arange(size)
    parity: NDArray[np.uint8] = np.bitwise_count(places[:, np.newaxis] & places) & 1
    return 1 - 2 * parity.astype(np.float64)


@cache
def _signs() -> list[NDArray[np.float64]]:
    """Return the random signs (512,) of each round."""
    digests = (
        hashlib.sha512(f"imagesearch rotation {number}".encode()).digest()
        for number in range(_ROUNDS)
    )
    bits = (np.unpackbits(np.frombuffer(digest, np.uint8)) for digest in digests)
    return [1 - 2 * ones.astype(np.float64) for ones in bits]


def squares_of(rows: NDArray[np.int8]) -> NDArray[np.uint32]:
    """Return the squared length of each of ``rows`` (n, 512), exactly: (n,).

    Every partial sum is a whole number below 2**24, so float32 is exact in any order.
    """
    squares = np.empty(len(rows), np.uint32)
    for start in range(0, len(rows), _CHUNK):
        wide = rows[start : start + _CHUNK].astype(np.float32)
        squares[start : start + _CHUNK] = np.einsum("ij,ij->i", wide, wide)
    return squares


def relevance(
    square: int, dots: NDArray[np.float64], squares: NDArray[np.uint32]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return relevance (n,) and score (n,) of rows.

    ``square`` and ``squares`` (n,) are squared lengths, ``dots`` (n,) the dot products. The
    squared distance of the unit vectors is 2 - 2 cos; near 0 it is taken as
    2 (ab - dot²) / (√ab (√ab + dot)), which loses nothing to rounding and is 0 for equal rows
    only.
    """
    product = float(square) * squares
    root = np.sqrt(product)
    near = dots > 0
    close = 2 * (product - dots * dots) / (root * (root + np.where(near, dots, 0)))
    distance = np.where(near, close, 2 - 2 * dots / root)
    relevances = (_SCALE / np.maximum(distance, _NEAREST)).astype(np.float32)
    return relevances, np.clip(dots / root, 0, 1)


def squared_distance(relevance: float) -> float:
    """Return the squared distance of two unit vectors of that relevance."""
    return _SCALE / relevance


def likeness(a: Features, b: Features) -> Likeness:
    """Return how alike two pictures look."""
    squares = squares_of(np.stack([a.row, b.row]))
    dot = np.dot(a.row.astype(np.float64), b.row.astype(np.float64))
    relevances, scores = relevance(int(squares[0]), np.array([dot]), squares[1:])
    hamming = int(np.bitwise_count(a.bits ^ b.bits).sum())
    return Likeness(float(relevances[0]), hamming, float(scores[0]))
