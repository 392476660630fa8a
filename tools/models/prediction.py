"""The category head in numpy: its inputs, its answer, and how a whitening is folded into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.models.embedder import FLOOR, LOGIT_SCALE
from tools.models.groups import grouping

__all__ = ["category_inputs", "fold_category", "predict"]

Array = NDArray[np.floating[Any]]


def category_inputs(v: Array, logits: Array) -> NDArray[np.float32]:
    """Return the head's input [n, 1136 + 1000 + 14]: ``v``, scaled logits, logarithms of shares."""
    exponent = np.exp(logits - logits.max(axis=1, keepdims=True))
    known = np.log((exponent / exponent.sum(axis=1, keepdims=True)) @ grouping() + FLOOR)
    return np.concatenate([v, LOGIT_SCALE * logits, known], axis=1).astype(np.float32)


def fold_category(
    head: Mapping[str, NDArray[np.float32]], mean: Array, matrix: Array
) -> dict[str, NDArray[np.float16]]:
    """Return the head for ``v`` itself, given one for ``(v − mean) · matrix``."""
    width = matrix.shape[1]
    own, rest = head["category.matrix"][:width], head["category.matrix"][width:]
    direct = matrix @ own
    folded = {
        "category.matrix": np.concatenate([direct, rest]),
        "category.bias": head["category.bias"] - mean @ direct,
    }
    return {name: values.astype(np.float16) for name, values in folded.items()}


def predict(inputs: NDArray[np.float32], head: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Return probabilities [n, 14] in the order of ``IDS``."""
    scores = inputs @ head["category.matrix"].astype(np.float32) + head["category.bias"]
    exponent = np.exp(scores - scores.max(axis=1, keepdims=True))
    probability: NDArray[np.float32] = exponent / exponent.sum(axis=1, keepdims=True)
    return probability
