"""The category head: a linear layer and a gallery of known things that vote, mixed.

The linear layer works on ``v``, the ImageNet logits and the grouped class shares (``groups``), and
is solved in closed form. The gallery holds one vector of each known
thing and kind of picture, the mean of its views; those nearest to a picture vote, weighed by their
likeness. The layer is the better one for things never seen, the gallery for those it has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.models.groups import IDS

__all__ = ["Labelled", "fit_category"]

_BALANCE = 0.7
_RIDGE = 100.0
_SHARPNESS = 3.0
_DIMENSIONS = 256
_SPREAD = 1 / 32
_FLOOR = 0.02
_SHARE = 0.7
_TRUST = 1.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """Views with a known category, one a row.

    ``white`` (n, 512) are whitened vectors, ``inputs`` (n, width) those of the linear layer,
    ``column`` the place of the category in ``IDS``, ``weight`` how much a view counts;
    ``picture`` numbers what is shown and in which kind of picture.
    """

    white: NDArray[np.float32]
    inputs: NDArray[np.float32]
    column: NDArray[np.int64]
    weight: NDArray[np.float32]
    picture: NDArray[np.int64]


def fit_category(views: Labelled) -> dict[str, NDArray[np.float32]]:
    """Return the arrays that ``prediction.fold_category`` takes, for ``white`` and ``inputs``."""
    mixture = np.array([1 / _SPREAD, _FLOOR, _SHARE, _TRUST], np.float32)
    return {**_layer(views), **_gallery(views), "category.mixture": mixture}


def _layer(views: Labelled) -> dict[str, NDArray[np.float32]]:
    """Return matrix and bias by weighted ridge regression on targets of ±1.

    Views count by their weight and by their category's number of views^-0.7, on the average 1;
    a score is ``_SHARPNESS`` × the target's estimate.
    """
    balance = (_counts(views.column) ** -_BALANCE)[views.column] * views.weight
    balance *= len(balance) / balance.sum()
    x = np.concatenate([views.inputs, np.ones((len(balance), 1), np.float32)], axis=1)
    weighed = x * balance.astype(np.float32)[:, None]
    target = 2 * np.eye(len(IDS), dtype=np.float32)[views.column] - 1
    spread = (weighed.T @ x).astype(np.float64)
    spread[np.diag_indices_from(spread)] += _RIDGE
    solved = _SHARPNESS * np.linalg.solve(spread, weighed.T @ target).astype(np.float32)
    return {"category.matrix": solved[:-1], "category.bias": solved[-1]}


def _gallery(views: Labelled) -> dict[str, NDArray[np.float32]]:
    """Return the known things in the views' first principal directions, unit length each.

    A thing's vote counts by its category's number of things^-0.7.
    """
    _, first = np.unique(views.picture, return_index=True)
    column = views.column[first]
    unit = views.white / np.linalg.norm(views.white, axis=1, keepdims=True)
    values, axes = np.linalg.eigh(unit.T @ unit)
    axes = axes[:, np.argsort(-values)[:_DIMENSIONS]]
    things = np.zeros((len(first), unit.shape[1]), np.float32)
    np.add.at(things, views.picture, unit)
    placed = things @ axes
    return {
        "gallery.axes": axes.astype(np.float32),
        "gallery.vectors": placed / np.linalg.norm(placed, axis=1, keepdims=True),
        "gallery.column": column.astype(np.float32),
        "gallery.weight": np.log(_counts(column) ** -_BALANCE).astype(np.float32),
    }


def _counts(column: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how often each category is there, at least 1."""
    return np.maximum(np.bincount(column, minlength=len(IDS)), 1).astype(np.float64)
