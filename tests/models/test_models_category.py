"""The category head mixes a linear reading with the votes of known things."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.models.category import Labelled, fit_category
from tools.models.groups import IDS
from tools.models.prediction import fold_category, predict

_WIDTH = 6
_REST = 3


def _head(rng: np.random.Generator, trust: float = 0.0) -> dict[str, NDArray[np.float32]]:
    """A head whose linear layer always says the first category, with four known things."""
    bias = np.zeros(len(IDS), np.float32)
    bias[0] = 4
    vectors = rng.normal(size=(4, 3)).astype(np.float32)
    return {
        "category.matrix": np.zeros((4 + _REST, len(IDS)), np.float32),
        "category.bias": bias,
        "category.mixture": np.array([20, 0.01, 1, trust], np.float32),
        "gallery.axes": rng.normal(size=(4, 3)).astype(np.float32),
        "gallery.vectors": vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        "gallery.column": np.array([3, 5, 5, 9], np.float32),
        "gallery.weight": np.zeros(len(IDS), np.float32),
    }


def _folded(trust: float) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Return inputs, each like one known thing in turn, and the head folded for them."""
    rng = np.random.default_rng(4)
    head = _head(rng, trust)
    mean, matrix = rng.normal(size=_WIDTH), rng.normal(size=(_WIDTH, 4))
    to_space = np.linalg.pinv(matrix @ head["gallery.axes"])
    v = head["gallery.vectors"] @ to_space + mean
    inputs = np.concatenate([v, rng.normal(size=(4, _REST))], axis=1).astype(np.float32)
    return inputs, fold_category(head, mean, matrix, 2.0)


def test_the_nearest_known_thing_names_the_category() -> None:
    inputs, head = _folded(trust=0)
    chances = predict(inputs, head)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert chances.argmax(axis=1).tolist() == [3, 5, 5, 9]


def test_a_trusted_linear_layer_outvotes_it() -> None:
    inputs, head = _folded(trust=3)
    assert predict(inputs, head).argmax(axis=1).tolist() == [0, 0, 0, 0]


def test_folding_a_map_into_the_head_changes_no_answer() -> None:
    rng = np.random.default_rng(7)
    head = _head(rng, trust=1) | {
        "category.matrix": rng.normal(size=(4 + _REST, len(IDS))).astype(np.float32)
    }
    mean, matrix = rng.normal(size=_WIDTH), rng.normal(size=(_WIDTH, 4))
    v, rest = rng.normal(size=(9, _WIDTH)), rng.normal(size=(9, _REST))
    plain = fold_category(head, np.zeros(4), np.eye(4), 1.0)
    mapped = np.concatenate([(v - mean) @ matrix, rest], axis=1).astype(np.float32)
    direct = np.concatenate([v, rest], axis=1).astype(np.float32)
    folded = fold_category(head, mean, matrix, 1.0)
    np.testing.assert_allclose(predict(direct, folded), predict(mapped, plain), atol=0.02)


def test_what_is_fitted_tells_categories_that_can_be_told_apart() -> None:
    rng = np.random.default_rng(4)
    centres = rng.normal(size=(len(IDS), 300)).astype(np.float32)
    column = np.repeat(np.arange(len(IDS)), [40, *[8] * 12, 90])
    white = (centres[column] + 0.3 * rng.normal(size=(len(column), 300))).astype(np.float32)
    inputs = np.concatenate([white, rng.normal(size=(len(column), 5))], axis=1).astype(np.float32)
    weight = np.ones(len(column), np.float32)
    views = Labelled(white, inputs, column, weight, np.arange(len(column)) // 2)
    head = fold_category(fit_category(views), np.zeros(300), np.eye(300), 1.0)
    asked = inputs + 0.3 * rng.normal(size=inputs.shape).astype(np.float32)
    told = predict(asked, head)
    assert (told.argmax(axis=1) == column).mean() > 0.97
    np.testing.assert_allclose(told.sum(axis=1), 1, rtol=1e-4)
    head["category.mixture"][3] = 0
    assert (predict(asked, head).argmax(axis=1) == column).mean() > 0.97
