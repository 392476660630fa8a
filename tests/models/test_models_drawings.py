"""Our own drawings: each has a category, and chance draws it differently every time."""

from __future__ import annotations

import numpy as np
import pytest

from tools.models.groups import IDS
from tools.models.labels import category_of

pytest.importorskip("cv2", reason="drawing needs tools/models/requirements.txt")

from tools.models.drawings import draw, drawings


def test_every_category_is_drawn_and_labelled() -> None:
    told = {category_of("drawn", str(drawing.category)) for drawing in drawings().values()}
    assert told == set(IDS)


def test_every_drawing_can_be_drawn() -> None:
    for drawing in drawings().values():
        picture = draw(np.random.default_rng(1), drawing)
        assert picture.dtype == np.uint8
        assert max(picture.shape[:2]) == 320
        assert 0.02 < (picture[..., 3] > 0).mean() <= 1, drawing.name


def test_a_seed_fixes_a_drawing_and_chance_changes_it() -> None:
    shirt = next(iter(drawings().values()))
    first, again, other = (draw(np.random.default_rng(seed), shirt) for seed in (1, 1, 2))
    assert (first == again).all()
    assert first.shape != other.shape or (first != other).any()
