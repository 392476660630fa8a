"""The data of every run: vectors as pictures have them, queries, tags, and the exact answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

__all__ = ["DIMENSIONS", "SHARES", "TAGS", "TOP", "Data", "make"]

DIMENSIONS = 512
TOP = 10
"""Neighbours that a query asks for."""
TAGS = 1000
"""Every vector has a tag, 0 to 999, that a filter compares."""
SHARES = (0.01, 0.1, 0.5)
"""Shares of the vectors that the filters let pass."""

_LATENT = 64
_FAMILY = 50
_KIND = 2500
_SPREAD = (1.0, 0.7, 0.45)
_GRAIN = 0.02
_CHUNK = 20_000


class Data:
    """A folder of data. All of it is float32 but tags and answers, which are integers."""

    def __init__(self, folder: Path) -> None:
        self.vectors = np.load(folder / "vectors.npy", mmap_mode="r")
        self.queries = np.load(folder / "queries.npy")
        self.tags = np.load(folder / "tags.npy")
        self._answers = np.load(folder / "answers.npz")

    def answers(self, share: float = 1.0) -> NDArray[np.int64]:
        """Return the exact answers (queries, 10) among those of a filter's share."""
        return np.asarray(self._answers[f"{share:g}"])


def make(folder: Path, rows: int, queries: int, seed: int) -> Data:
    """Make the data, or find it made: unit vectors in families of 50 within kinds of 2500.

    A vector is a kind's centre, a family's and its own part in 64 latent dimensions, turned into
    512 with a little noise. Queries are further members of families, not among the vectors.
    """
    if not (folder / "answers.npz").exists():
        folder.mkdir(parents=True, exist_ok=True)
        dice = np.random.default_rng(seed)
        _write(folder, rows, queries, dice)
        np.save(folder / "tags.npy", dice.integers(0, TAGS, rows, np.int32))
        _answer(folder)
    return Data(folder)


def _write(folder: Path, rows: int, queries: int, dice: np.random.Generator) -> None:
    turn = np.linalg.qr(dice.standard_normal((DIMENSIONS, _LATENT)))[0].T.astype(np.float32)
    kinds = _normal(dice, -(-rows // _KIND), _SPREAD[0])
    families = _normal(dice, -(-rows // _FAMILY), _SPREAD[1])

    def members(family: NDArray[np.int64]) -> NDArray[np.float32]:
        own = _normal(dice, family.size, _SPREAD[2])
        latent = kinds[family // (_KIND // _FAMILY)] + families[family] + own
        full = latent @ turn + _GRAIN * dice.standard_normal((family.size, DIMENSIONS), np.float32)
        return full / np.linalg.norm(full, axis=1, keepdims=True)

    vectors = open_memmap(folder / "vectors.npy", "w+", np.float32, (rows, DIMENSIONS))
    order = dice.permutation(rows) // _FAMILY
    for start in range(0, rows, _CHUNK):
        vectors[start : start + _CHUNK] = members(order[start : start + _CHUNK])
    vectors.flush()
    np.save(folder / "queries.npy", members(dice.integers(0, families.shape[0], queries)))


def _normal(dice: np.random.Generator, rows: int, spread: float) -> NDArray[np.float32]:
    return spread * dice.standard_normal((rows, _LATENT), np.float32)


def _answer(folder: Path) -> None:
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    queries, tags = np.load(folder / "queries.npy"), np.load(folder / "tags.npy")
    answers = {}
    for share in (1.0, *SHARES):
        best = np.full((len(queries), TOP), -2, np.float32)
        which = np.zeros((len(queries), TOP), np.int64)
        for start in range(0, len(vectors), _CHUNK):
            cosines = queries @ np.asarray(vectors[start : start + _CHUNK]).T
            cosines[:, tags[start : start + _CHUNK] >= share * TAGS] = -2
            both = np.concatenate([best, cosines], axis=1)
            places = np.concatenate(
                [which, np.broadcast_to(np.arange(start, start + cosines.shape[1]), cosines.shape)],
                axis=1,
            )
            order = np.argsort(-both, axis=1, kind="stable")[:, :TOP]
            best = np.take_along_axis(both, order, axis=1)
            which = np.take_along_axis(places, order, axis=1)
        answers[f"{share:g}"] = which
    np.savez(folder / "answers.npz", **answers)
