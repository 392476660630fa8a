"""Where a likeness rests: in the part that two pictures share, not in what differs."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from imagesearch.catalogue import Region, Service
from imagesearch.errors import InvalidRegion
from imagesearch.vision import Vision
from imagesearch.vision.reasons import covered, shares
from PIL import Image

from tests.vision.conftest import MODELS

DEMO = Path(__file__).parents[2] / "local/imagesearch_local/demo/catalog"
CAP, BALL, SUITCASE = "scopia_237__main", "bscc-by_071__main", "bscc-by_103__main"


@pytest.fixture(scope="module")
def vision() -> Vision:
    return Vision.load(MODELS)


def scene(*names: str) -> bytes:
    """Pictures of things, side by side."""
    things = [Image.open(DEMO / f"{name}.jpg").convert("RGB").resize((180, 180)) for name in names]
    both = Image.new("RGB", (180 * len(things), 180))
    for place, thing in enumerate(things):
        both.paste(thing, (180 * place, 0))
    file = io.BytesIO()
    both.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("names", [(CAP, BALL), (SUITCASE, CAP), (BALL, SUITCASE)])
def test_it_rests_in_the_thing_that_both_show(vision: Vision, names: tuple[str, str]) -> None:
    for side, name in enumerate(names):
        vector = vision.look(scene(name), Service.PRODUCT, crop=False).vector
        reasons = vision.reasons(scene(*names), Service.PRODUCT, vector, crop=False, cells=6)
        assert reasons.region == Region(0, 360, 0, 180)
        assert reasons.cells.shape == (6, 6)
        assert reasons.cells.sum() == pytest.approx(1, abs=1e-5)
        halves = reasons.cells[:, :3].sum(), reasons.cells[:, 3:].sum()
        assert halves[side] > 0.65


def test_a_region_is_what_is_divided(vision: Vision) -> None:
    query, region = scene(CAP, BALL), Region(180, 360, 0, 180)
    vector = vision.look(query, Service.GENERIC, region=region).vector
    reasons = vision.reasons(query, Service.GENERIC, vector, region=region, cells=3)
    assert reasons.region == region
    assert reasons.cosine > 0.9
    with pytest.raises(InvalidRegion):
        vision.reasons(query, Service.GENERIC, vector, region=Region(0, 999, 0, 5))


def test_one_cell_after_the_other_is_covered() -> None:
    square = np.arange(10 * 10 * 3, dtype=np.uint8).reshape(10, 10, 3)
    changed = np.stack([(hidden != square).any(axis=2) for hidden in covered(square, 3)])
    assert changed.shape == (9, 10, 10)
    assert (changed.sum(axis=0) <= 1).all()
    assert changed.any(axis=0).mean() > 0.95


def test_what_costs_nothing_has_no_share() -> None:
    assert not shares(0.5, np.array([0.5, 0.6, 0.7, 0.5], np.float32), 2).any()
    found = shares(0.5, np.array([0.4, 0.6, 0.2, 0.5], np.float32), 2)
    assert np.allclose(found, [[0.25, 0], [0.75, 0]], atol=1e-6)
