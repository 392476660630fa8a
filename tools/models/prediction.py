"""The category head in numpy: its inputs, its answer, and how a whitening is folded into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.models.embedder import FLOOR, LOGIT_SCALE
from tools.models.groups import IDS, grouping

__all__ = ["category_inputs", "fold_category", "predict"]

Array = NDArray[np.floating[Any]]

_STEPS = 127
"""Steps of the gallery's ``int8``."""


def category_inputs(v: Array, logits: Array) -> NDArray[np.float32]:
    """Return the head's input [n, 1136 + 1000 + 14]: ``v``, scaled logits, logarithms of shares."""
    exponent = np.exp(logits - logits.max(axis=1, keepdims=True))
    known = np.log((exponent / exponent.sum(axis=1, keepdims=True)) @ grouping() + FLOOR)
    return np.concatenate([v, LOGIT_SCALE * logits, known], axis=1).astype(np.float32)


def fold_category(
    head: Mapping[str, NDArray[np.float32]], mean: Array, matrix: Array, length: float
) -> dict[str, NDArray[Any]]:
    """Return the head for ``v`` itself, given one for ``(v − mean) · matrix · length``.

    The gallery's rows become ``int8``, all by one scale; the map into its space is of any scale.
    """
    width = matrix.shape[1]
    own, rest = head["category.matrix"][:width], head["category.matrix"][width:]
    direct = matrix * length @ own
    vectors = head["gallery.vectors"]
    scale = np.abs(vectors).max() / _STEPS
    return {
        "category.matrix": np.concatenate([direct, rest]).astype(np.float16),
        "category.bias": (head["category.bias"] - mean @ direct).astype(np.float16),
        "category.mixture": head["category.mixture"],
        "gallery.mean": np.asarray(mean, np.float16),
        "gallery.matrix": (matrix @ head["gallery.axes"]).astype(np.float16),
        "gallery.vectors": np.round(vectors / scale).astype(np.int8),
        "gallery.scale": np.array([scale], np.float32),
        "gallery.column": head["gallery.column"].astype(np.int8),
        "gallery.weight": head["gallery.weight"],
    }


def predict(inputs: NDArray[np.float32], head: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Return probabilities [n, 14] in the order of ``IDS``.

    The head is as :func:`fold_category` makes it: share^s · chance^t, made to sum to one, where a
    category's share is that of the gallery's votes plus a floor.
    """
    slope, floor, share, trust = head["category.mixture"]
    scores = inputs @ head["category.matrix"].astype(np.float32) + head["category.bias"]
    votes = _votes(inputs[:, : len(head["gallery.mean"])], head, slope)
    mixed = share * np.log(votes + floor) + trust * np.log(_softmax(scores))
    return _softmax(mixed)


def _votes(v: Array, head: Mapping[str, NDArray[Any]], slope: float) -> Array:
    """Return each category's share of the gallery's votes, [n, 14]."""
    asked = (v - head["gallery.mean"].astype(np.float32)) @ head["gallery.matrix"].astype(
        np.float32
    )
    asked = asked / np.linalg.norm(asked, axis=1, keepdims=True)
    column = head["gallery.column"]
    likeness = asked @ (head["gallery.vectors"].astype(np.float32) * head["gallery.scale"]).T
    chosen = _softmax(slope * likeness + head["gallery.weight"][column])
    votes: Array = chosen @ np.eye(len(IDS), dtype=np.float32)[column]
    return votes


def _softmax(scores: Array) -> NDArray[np.float32]:
    exponent = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = exponent / exponent.sum(axis=1, keepdims=True)
    return shares
