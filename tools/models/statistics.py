"""The PCA and the means inside the embedder, and what numpy needs to repeat them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.models.embedder import BLOCKS, GRIDS, Grid, Statistics

__all__ = [
    "combine",
    "describe",
    "fit_layout",
    "fit_statistics",
    "lay_out",
    "principal_map",
    "unit",
]

Array = NDArray[np.floating[Any]]

_EPSILON = 1e-9


def unit(x: Array) -> Array:
    """Return the rows divided by their length."""
    return x / (np.linalg.norm(x, axis=-1, keepdims=True) + _EPSILON)


def fit_statistics(head: Array, blocks: Array, width: int = 512) -> dict[str, NDArray[np.float16]]:
    """Fit the embedder's statistics on raw outputs (``head`` [n, 1280], ``blocks`` [n, 624]).

    The PCA is half whitened: each direction divided by the fourth root of its variance.
    """
    mean = head.mean(axis=0)
    _, spread, directions = np.linalg.svd(head - mean, full_matrices=False)
    variance = spread[:width] ** 2 / len(head)
    matrix = directions[:width].T * variance**-0.25
    fitted = {"embedding.mean": mean, "embedding.matrix": matrix / np.abs(matrix).max()}
    fitted |= {name: block.mean(axis=0) for name, block in _split(blocks)}
    return {name: values.astype(np.float16) for name, values in fitted.items()}


def describe(head: Array, blocks: Array, fitted: Statistics) -> tuple[Array, Array]:
    """Return ``embedding`` and ``mid`` from raw outputs, as the graph does it."""
    values = {name: array.astype(np.float32) for name, array in fitted.items()}
    embedding = unit((head - values["embedding.mean"]) @ values["embedding.matrix"])
    weights = {block.name: block.weight for block in BLOCKS}
    parts = [unit(part - values[name]) * weights[name] for name, part in _split(blocks)]
    return embedding, np.concatenate(parts, axis=1)


def fit_layout(cells: Array) -> dict[str, NDArray[np.float16]]:
    """Fit what ``layout`` needs on raw ``cells`` [n, 3712]: a PCA and a centre for each grid."""
    found: dict[str, Array] = {}
    for grid, part in _of_grids(cells):
        channels = part.reshape(-1, grid.channels)
        mean = channels.mean(axis=0)
        variance, directions = np.linalg.eigh(np.cov((channels - mean).T))
        kept = np.maximum(variance[::-1][: grid.width], _EPSILON) ** -0.25
        matrix = directions[:, ::-1][:, : grid.width] * kept
        found[f"{grid.name}.mean"], found[f"{grid.name}.matrix"] = mean, matrix
        found[f"{grid.name}.centre"] = _laid(part, mean, matrix).mean(axis=0)
    return {name: values.astype(np.float16) for name, values in found.items()}


def lay_out(cells: Array, fitted: Statistics) -> Array:
    """Return ``layout`` from raw ``cells``, as the graph does it."""
    parts = []
    for grid, part in _of_grids(cells):
        mean, matrix, centre = (
            fitted[f"{grid.name}.{name}"].astype(np.float32)
            for name in ("mean", "matrix", "centre")
        )
        parts.append(unit(_laid(part, mean, matrix) - centre) * grid.weight)
    return np.concatenate(parts, axis=1)


def _laid(part: Array, mean: Array, matrix: Array) -> Array:
    narrow = (part - mean) @ matrix
    return unit((narrow - narrow.mean(axis=1, keepdims=True)).reshape(len(part), -1))


def _of_grids(cells: Array) -> Iterator[tuple[Grid, Array]]:
    """Yield each grid with its part of the raw cells, [n, cells, channels]."""
    ends = np.cumsum([grid.raw_width for grid in GRIDS])
    for grid, part in zip(GRIDS, np.split(cells, ends[:-1], axis=1), strict=True):
        yield grid, part.reshape(len(part), grid.channels, -1).transpose(0, 2, 1)


def combine(embedding: Array, mid: Array, weight: float, layout: Array | None = None) -> Array:
    """Return ``v`` = L2(embedding ⊕ weight · mid (⊕ weight · layout)), the input of every map."""
    parts = [embedding, weight * mid, *([] if layout is None else [weight * layout])]
    return unit(np.concatenate(parts, axis=1))


def principal_map(
    v: Array, width: int = 512, exponent: float = 0.15
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Return mean and matrix of a PCA of ``v``, each direction divided by variance^exponent."""
    mean = v.mean(axis=0)
    _, spread, directions = np.linalg.svd(v - mean, full_matrices=False)
    variance = spread[:width] ** 2 / len(v)
    matrix = directions[:width].T * variance**-exponent
    return mean.astype(np.float16), (matrix / np.abs(matrix).max()).astype(np.float16)


def _split(blocks: Array) -> list[tuple[str, Array]]:
    ends = np.cumsum([block.width for block in BLOCKS])
    parts = np.split(blocks, ends[:-1], axis=1)
    return [(block.name, part) for block, part in zip(BLOCKS, parts, strict=True)]
