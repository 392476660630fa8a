"""What is fitted does what it is fitted for, on made-up vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from imagesearch_local.calibration import (
    calibrated,
    calibration_points,
    pairs_of_views,
    reliability,
)
from numpy.typing import NDArray

from tools.models.groups import IDS, IMAGENET_TO_CATEGORY, OTHER, grouping
from tools.models.labels import category_of
from tools.models.statistics import fit_statistics, principal_map, unit
from tools.models.whiten import within_class_map


def _things(seed: int = 3) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Sixty things of five views: told apart by 8 weak directions, blurred along 8 strong ones."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(60, 8)).repeat(5, axis=0) * 0.3
    noise = rng.normal(size=(300, 8))
    small = rng.normal(size=(300, 16)) * 0.02
    return np.concatenate([own, noise], axis=1) + small, np.arange(60).repeat(5)


def _first_right(x: NDArray[np.float64], thing: NDArray[np.int64]) -> float:
    scores = unit(x) @ unit(x).T
    np.fill_diagonal(scores, -2)
    return float((thing[scores.argmax(axis=1)] == thing).mean())


def test_whitening_brings_views_of_one_thing_together() -> None:
    x, thing = _things()
    mean, matrix = within_class_map(x, thing, ridge=0.01, width=8)
    after = (x - mean.astype(float)) @ matrix.astype(float)
    assert _first_right(x - x.mean(axis=0), thing) < 0.4
    assert _first_right(after, thing) > 0.9


def test_maps_have_the_shapes_the_bundle_promises() -> None:
    x, thing = _things()
    for mean, matrix in (within_class_map(x, thing, width=6), principal_map(x, width=6)):
        assert mean.shape == (16,)
        assert matrix.shape == (16, 6)
        assert mean.dtype == matrix.dtype == np.float16
        assert np.isfinite(matrix).all()


def test_statistics_cover_every_block() -> None:
    rng = np.random.default_rng(1)
    fitted = fit_statistics(unit(rng.random((40, 1280))), rng.random((40, 624)), width=16)
    assert {name: values.shape for name, values in fitted.items()} == {
        "embedding.mean": (1280,),
        "embedding.matrix": (1280, 16),
        "mid.s32_deviation": (320,),
        "mid.s16_deviation": (112,),
        "mid.s8_deviation": (40,),
        "mid.s16_mean": (112,),
        "mid.s8_mean": (40,),
    }


def test_calibration_is_near_the_truth() -> None:
    rng = np.random.default_rng(2)
    scores = rng.uniform(-0.2, 1, 20_000)
    truth = rng.random(20_000) < 1 / (1 + np.exp(-12 * (scores - 0.5)))
    points = calibration_points(scores, truth)
    for given_, right, count in reliability(calibrated(points, scores), truth):
        assert count == 0 or given_ == pytest.approx(right, abs=0.05)


@settings(deadline=None)
@given(
    scores=arrays(np.float64, st.integers(2, 60), elements=st.floats(-1, 1)),
    seed=st.integers(0, 99),
)
def test_calibration_never_descends(scores: NDArray[np.float64], seed: int) -> None:
    truth = np.random.default_rng(seed).random(len(scores)) < 0.5
    cosines, probabilities = np.array(calibration_points(scores, truth)).T
    assert (np.diff(cosines) > 0).all()
    assert (np.diff(probabilities) >= 0).all()
    assert ((probabilities > 0) & (probabilities < 1)).all()


def test_pairs_are_the_best_match_and_the_nearest_rivals() -> None:
    vectors = unit(np.array([[1, 0.0], [1, 0.1], [0, 1], [0.2, 1]]))
    scores, truth = pairs_of_views(vectors, np.array([0, 0, 1, 1]), rivals=1)
    assert truth.tolist() == [True, False] * 4
    assert scores[0] == pytest.approx(float(vectors[0] @ vectors[1]))
    assert scores[1] == pytest.approx(float(vectors[0] @ vectors[3]))


def test_grouping_counts_every_class_once() -> None:
    matrix = grouping()
    assert matrix.shape == (1000, len(IDS)) == (1000, 14)
    assert ((matrix[:, :-1].sum(axis=1) == 0) | (matrix[:, :-1].sum(axis=1) == 1)).all()
    listed = [index for indices in IMAGENET_TO_CATEGORY.values() for index in indices]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("kind", "label", "expected"),
    [
        ("emoji", "t-shirt", 0),
        ("emoji", "handbag", 3),
        ("emoji", "running-shoe", 4),
        ("emoji", "motorized-wheelchair", OTHER),
        ("emoji", "hot-beverage", None),
        ("view", "Living room Sofa 3 seats", 9),
        ("view", "Bedroom Dress", 1),
        ("clipart", "food fruit banana_jarno_01", 6),
        ("clipart", "people clothing tennis_shoe_jarno_vasama_", 4),
        ("clipart", "animals cat_01", OTHER),
        ("clipart", "computer icons 70a002", None),
    ],
)
def test_names_tell_categories(kind: str, label: str, expected: int | None) -> None:
    assert category_of(kind, label) == expected
