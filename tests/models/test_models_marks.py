"""Marks are shown as a catalogue files them and as people meet them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

cv2 = pytest.importorskip("cv2")

from tools.models import marks  # noqa: E402

Picture = NDArray[np.uint8]


def _badge() -> Picture:
    """A red square with a white cross in it, all of it opaque."""
    badge = np.zeros((80, 80, 4), np.uint8)
    badge[...] = (200, 20, 20, 255)
    badge[34:46, 15:65, :3] = badge[15:65, 34:46, :3] = 255
    return badge


def _ring() -> Picture:
    ring = np.zeros((80, 80, 4), np.uint8)
    cv2.circle(ring, (40, 40), 30, (30, 60, 90, 255), 8)
    return ring


def _busy(rng: Generator, width: int, height: int) -> Picture:
    return rng.integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize("seed", range(6))
def test_a_mark_in_one_colour_keeps_its_drawing(seed: int) -> None:
    shown = marks.one_colour(np.random.default_rng(seed), _ring())
    assert len(np.unique(shown[..., :3].reshape(-1, 3), axis=0)) == 1
    assert shown[40, 11, 3] > 128
    assert shown[40, 40, 3] == 0


def test_what_is_on_a_badge_is_seldom_lost() -> None:
    shown = [marks.one_colour(np.random.default_rng(seed), _badge()) for seed in range(40)]
    crosses = [picture[40, 40, 3] > 128 > picture[20, 20, 3] for picture in shown]
    assert sum(crosses) > 25


@pytest.mark.parametrize("seed", range(8))
def test_the_box_holds_the_mark(seed: int) -> None:
    for scene in (
        marks.filed(np.random.default_rng(seed), _badge()),
        marks.met(np.random.default_rng(seed), _badge(), _busy),
    ):
        height, width = scene.picture.shape[:2]
        x1, y1, x2, y2 = scene.box
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height
        assert scene.picture.dtype == np.uint8


def test_a_seed_fixes_a_scene_and_chance_changes_it() -> None:
    first, again, other = (
        marks.met(np.random.default_rng(seed), _ring(), _busy).picture for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_a_filed_mark_stands_upright_on_an_even_ground() -> None:
    scene = marks.filed(np.random.default_rng(3), _badge())
    rim = np.concatenate([scene.picture[:3].reshape(-1, 3), scene.picture[-3:].reshape(-1, 3)])
    assert rim.std(axis=0).max() < 30
